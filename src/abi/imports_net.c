/* Sockets: the host's side of runtime/wasi/network.c. Numbers and pointers come from the guest. Bytes
 * go through a buffer on the stack, never straight from or to the system. */
#define _GNU_SOURCE
#include <string.h>

#include "abi/guest.h"
#include "abi/imports.h"
#include "abi/lift.h"
#include "net/net.h"

static const char *const fault_pointer = "a pointer outside of memory";

/* An address in linear memory: family (4 or 6), 0, port, 16 bytes. */
enum { ADDRESS_BYTES = sizeof(net_address_t), REASON_BYTES = NET_REASON_MAX };
_Static_assert(ADDRESS_BYTES == 20, "the layout of addresses is part of the contract");

static engine_reply_t answer(engine_value_t *values, int32_t result) {
    values[0].i32 = result;
    return ENGINE_RETURN;
}

/* Without a network nothing has a number; net-open and net-resolve say what is missing. */
static net_socket_t *find(const guest_t *guest, const engine_value_t *values) {
    return guest->net ? net_find(guest->net, values[0].u32) : NULL;
}

static bool lift_address(const guest_t *guest, uint32_t at, net_address_t *out) {
    const char *from = lift_readable(guest, at, ADDRESS_BYTES);
    if (!from)
        return false;
    memcpy(out, from, ADDRESS_BYTES);
    out->unused = 0;
    if (out->family == 4) /* or the same address would not be equal to itself */
        memset(out->bytes + 4, 0, sizeof out->bytes - 4);
    return true;
}

/* Calls that take a socket and an address. */
static engine_reply_t with_address(guest_t *guest, engine_value_t *values, const char *name,
                                   int (*call)(net_socket_t *, const net_address_t *)) {
    net_address_t address;
    if (!lift_address(guest, values[1].u32, &address))
        return guest_refuse(guest, name, fault_pointer);
    net_socket_t *socket = find(guest, values);
    if (!socket)
        return answer(values, -NET_RESET);
    if (address.family != 4 && address.family != 6)
        return answer(values, -NET_INVALID_ARGUMENT);
    return answer(values, call(socket, &address));
}

static engine_reply_t import_open(void *context, engine_value_t *values) {
    const guest_t *guest = context;
    if (!guest->net)
        return answer(values, -NET_ACCESS_DENIED);
    return answer(values, net_open(guest->net, (net_kind_t)values[0].u32, values[1].u32));
}

static engine_reply_t import_close(void *context, engine_value_t *values) {
    net_socket_t *socket = find(context, values);
    if (socket)
        net_close(socket);
    return answer(values, socket ? 0 : -NET_RESET);
}

static engine_reply_t import_bind(void *context, engine_value_t *values) {
    return with_address(context, values, "net-bind", net_bind);
}

static engine_reply_t import_connect(void *context, engine_value_t *values) {
    return with_address(context, values, "net-connect", net_connect);
}

static engine_reply_t import_connected(void *context, engine_value_t *values) {
    net_socket_t *socket = find(context, values);
    return answer(values, socket ? net_connected(socket) : -NET_RESET);
}

static engine_reply_t import_listen(void *context, engine_value_t *values) {
    net_socket_t *socket = find(context, values);
    return answer(values, socket ? net_listen(socket, values[1].i32) : -NET_RESET);
}

static engine_reply_t import_accept(void *context, engine_value_t *values) {
    net_socket_t *socket = find(context, values);
    return answer(values, socket ? net_accept(socket) : -NET_RESET);
}

static engine_reply_t import_address(void *context, engine_value_t *values) {
    guest_t *guest = context;
    net_address_t address = {0};
    char *out = lift_writable(guest, values[2].u32, ADDRESS_BYTES);
    if (!out)
        return guest_refuse(guest, "net-address", fault_pointer);
    net_socket_t *socket = find(guest, values);
    int error = socket ? net_address_of(socket, values[1].u32 != 0, &address) : -NET_RESET;
    if (error == 0)
        memcpy(out, &address, ADDRESS_BYTES);
    return answer(values, error);
}

/* --- Bytes -------------------------------------------------------------------------------- */

static engine_reply_t import_send(void *context, engine_value_t *values) {
    guest_t *guest = context;
    char chunk[NET_CHUNK];
    uint32_t length = values[2].u32 < NET_CHUNK ? values[2].u32 : NET_CHUNK;
    const char *data = lift_readable(guest, values[1].u32, length);
    if (!data && length > 0)
        return guest_refuse(guest, "net-send", fault_pointer);
    net_socket_t *socket = find(guest, values);
    if (!socket)
        return answer(values, -NET_RESET);
    if (length > 0)
        memcpy(chunk, data, length);
    return answer(values, net_send(socket, chunk, length));
}

static engine_reply_t import_receive(void *context, engine_value_t *values) {
    guest_t *guest = context;
    char chunk[NET_CHUNK];
    uint32_t capacity = values[2].u32 < NET_CHUNK ? values[2].u32 : NET_CHUNK;
    char *out = lift_writable(guest, values[1].u32, capacity);
    if (!out && capacity > 0)
        return guest_refuse(guest, "net-receive", fault_pointer);
    net_socket_t *socket = find(guest, values);
    if (!socket)
        return answer(values, -NET_RESET);
    int32_t got = net_receive(socket, chunk, capacity, values[3].u32 != 0);
    if (got > 0)
        memcpy(out, chunk, (size_t)got);
    return answer(values, got);
}

static engine_reply_t import_send_to(void *context, engine_value_t *values) {
    guest_t *guest = context;
    char chunk[NET_CHUNK];
    net_address_t to;
    uint32_t length = values[2].u32;
    bool has_address = values[3].u32 != 0;
    const char *data = lift_readable(guest, values[1].u32, length);
    if ((!data && length > 0) || (has_address && !lift_address(guest, values[3].u32, &to)))
        return guest_refuse(guest, "net-send-to", fault_pointer);
    net_socket_t *socket = find(guest, values);
    if (!socket)
        return answer(values, -NET_RESET);
    if (length > NET_CHUNK)
        return answer(values, -NET_TOO_LARGE);
    if (length > 0)
        memcpy(chunk, data, length);
    return answer(values, net_send_to(socket, chunk, length, has_address ? &to : NULL));
}

static engine_reply_t import_receive_from(void *context, engine_value_t *values) {
    guest_t *guest = context;
    char chunk[NET_CHUNK];
    net_address_t from = {0};
    uint32_t capacity = values[2].u32 < NET_CHUNK ? values[2].u32 : NET_CHUNK;
    char *out = lift_writable(guest, values[1].u32, capacity);
    char *address = lift_writable(guest, values[4].u32, ADDRESS_BYTES);
    if ((!out && capacity > 0) || !address)
        return guest_refuse(guest, "net-receive-from", fault_pointer);
    net_socket_t *socket = find(guest, values);
    if (!socket)
        return answer(values, -NET_RESET);
    int32_t got = net_receive_from(socket, chunk, capacity, values[3].u32 != 0, &from);
    if (got > 0)
        memcpy(out, chunk, (size_t)got);
    if (got >= 0)
        memcpy(address, &from, ADDRESS_BYTES);
    return answer(values, got);
}

static engine_reply_t import_shut(void *context, engine_value_t *values) {
    net_socket_t *socket = find(context, values);
    if (!socket)
        return answer(values, -NET_RESET);
    if (values[1].u32 > NET_SHUT_BOTH)
        return answer(values, -NET_INVALID_ARGUMENT);
    return answer(values, net_shut(socket, (net_shutdown_t)values[1].u32));
}

static engine_reply_t import_available(void *context, engine_value_t *values) {
    net_socket_t *socket = find(context, values);
    return answer(values, socket ? net_available(socket) : -NET_RESET);
}

static engine_reply_t import_get_option(void *context, engine_value_t *values) {
    net_socket_t *socket = find(context, values);
    return answer(values,
                  socket ? net_get_option(socket, (net_option_t)values[1].u32) : -NET_RESET);
}

static engine_reply_t import_set_option(void *context, engine_value_t *values) {
    net_socket_t *socket = find(context, values);
    return answer(values, socket
                              ? net_set_option(socket, (net_option_t)values[1].u32, values[2].i32)
                              : -NET_RESET);
}

/* --- Names -------------------------------------------------------------------------------- */

static engine_reply_t import_resolve(void *context, engine_value_t *values) {
    guest_t *guest = context;
    char name[NET_NAME_MAX + 2];
    uint32_t length = values[1].u32;
    const char *text = lift_readable(guest, values[0].u32, length);
    if (!text && length > 0)
        return guest_refuse(guest, "net-resolve", fault_pointer);
    if (!guest->net)
        return answer(values, -NET_ACCESS_DENIED);
    if (length > sizeof name)
        length = sizeof name; /* too long even with a final dot: refused as it is */
    if (length > 0)
        memcpy(name, text, length);
    return answer(values, net_resolve(guest->net, name, length));
}

static engine_reply_t import_resolved(void *context, engine_value_t *values) {
    guest_t *guest = context;
    net_address_t addresses[NET_ADDRESSES_MAX];
    char *out = lift_writable(guest, values[1].u32, NET_ADDRESSES_MAX * ADDRESS_BYTES);
    if (!out)
        return guest_refuse(guest, "net-resolved", fault_pointer);
    net_socket_t *socket = find(guest, values);
    int32_t count = socket ? net_resolved(socket, addresses) : -NET_RESET;
    if (count > 0)
        memcpy(out, addresses, (size_t)count * ADDRESS_BYTES);
    return answer(values, count);
}

/* --- Waiting and reasons ------------------------------------------------------------------ */

/* The subtask returns when trying again is worth while. A wrong number is ready: trying tells. */
static engine_reply_t import_wait(void *context, engine_value_t *values) {
    guest_t *guest = context;
    pending_t *pending = NULL;
    waitable_t *subtask;
    net_socket_t *socket = find(guest, values);
    int ready = socket ? net_wait(socket, values[1].u32 & (NET_READ | NET_WRITE), &pending) : 1;
    if (ready != 0)
        return answer(values, ready < 0 ? ready : SUBTASK_RETURNED);
    const char *fault = waitables_call_new(&guest->waitables, pending, &subtask);
    if (fault) {
        pending->kind->abandon(pending);
        return guest_refuse(guest, "net-wait", fault);
    }
    pending->subtask = subtask;
    values[0].u32 = waitables_number(subtask) << 4 | SUBTASK_STARTED;
    return ENGINE_RETURN;
}

/* Why the last call was refused, as text: its length. */
static engine_reply_t import_reason(void *context, engine_value_t *values) {
    static const char nothing[] = "no permission for the network: grant it with "
                                  "--allow-net HOST[:PORT] (eryx_sandbox_options_t.net)";
    guest_t *guest = context;
    uint32_t capacity = values[1].u32 < REASON_BYTES ? values[1].u32 : REASON_BYTES;
    char *out = lift_writable(guest, values[0].u32, capacity);
    if (!out && capacity > 0)
        return guest_refuse(guest, "net-reason", fault_pointer);
    const char *reason = guest->net ? net_reason(guest->net) : nothing;
    size_t length = strlen(reason) < capacity ? strlen(reason) : capacity;
    if (length > 0)
        memcpy(out, reason, length);
    return answer(values, (int32_t)length);
}

#define NET IMPORTS_PRIVATE

static const engine_import_t items[] = {
    {NET, "net-open", "ii", "i", false, import_open},
    {NET, "net-close", "i", "i", false, import_close},
    {NET, "net-bind", "ii", "i", false, import_bind},
    {NET, "net-connect", "ii", "i", false, import_connect},
    {NET, "net-connected", "i", "i", false, import_connected},
    {NET, "net-listen", "ii", "i", false, import_listen},
    {NET, "net-accept", "i", "i", false, import_accept},
    {NET, "net-address", "iii", "i", false, import_address},
    {NET, "net-send", "iii", "i", false, import_send},
    {NET, "net-receive", "iiii", "i", false, import_receive},
    {NET, "net-send-to", "iiii", "i", false, import_send_to},
    {NET, "net-receive-from", "iiiii", "i", false, import_receive_from},
    {NET, "net-shut", "ii", "i", false, import_shut},
    {NET, "net-available", "i", "i", false, import_available},
    {NET, "net-get-option", "ii", "i", false, import_get_option},
    {NET, "net-set-option", "iii", "i", false, import_set_option},
    {NET, "net-resolve", "ii", "i", false, import_resolve},
    {NET, "net-resolved", "ii", "i", false, import_resolved},
    {NET, "net-wait", "ii", "i", false, import_wait},
    {NET, "net-reason", "ii", "i", false, import_reason},
};
const engine_import_table_t imports_net = {items, sizeof items / sizeof *items};
