/* wasi:sockets/udp and udp-create-socket, on the host's sockets. */
#include "sockets.h"

#include <stdlib.h>

#define UDP "wasi:sockets/udp@0.2.0#[method]udp-socket."
#define INCOMING "wasi:sockets/udp@0.2.0#[method]incoming-datagram-stream."
#define OUTGOING "wasi:sockets/udp@0.2.0#[method]outgoing-datagram-stream."

enum { DATAGRAM_BYTES = 65536, SEND_AT_ONCE = 16 };

static uint32_t number_of(uint32_t self)
{
    return socket_number(self, HANDLE_UDP);
}

WASI_EXPORT("wasi:sockets/udp-create-socket@0.2.0#create-udp-socket")
void udp_create_socket(uint32_t family, struct result_word *result)
{
    int32_t number = net_open(NET_UDP, family == ADDRESS_IPV4 ? 4 : 6);
    *result = (struct result_word){.tag = number < 0};
    if (number < 0) {
        result->code = network_code(number);
        return;
    }
    result->handle = socket_handle(HANDLE_UDP, (uint32_t)number);
    if (!result->handle) {
        *result = (struct result_word){.tag = 1, .code = NETWORK_SOCKET_LIMIT};
    }
}

WASI_EXPORT(UDP "start-bind")
void udp_start_bind(uint32_t self, UNUSED uint32_t network, SOCKET_ADDRESS,
                    struct result_code *result)
{
    struct net_address address;
    if (!socket_address_flat(tag, SOCKET_ADDRESS_WORDS, &address)) {
        *result = (struct result_code){1, NETWORK_INVALID_ARGUMENT};
        return;
    }
    socket_put(result, net_bind(number_of(self), &address));
}

WASI_EXPORT(UDP "finish-bind")
void udp_finish_bind(uint32_t self, struct result_code *result)
{
    number_of(self);
    *result = (struct result_code){0};
}

static bool make_streams(uint32_t number, uint32_t *handles)
{
    handles[0] = handle_new((struct handle){.kind = HANDLE_DATAGRAMS_IN, .value = number});
    handles[1] =
        handles[0] ? handle_new((struct handle){.kind = HANDLE_DATAGRAMS_OUT, .value = number}) : 0;
    if (handles[0] && !handles[1]) {
        handle_drop(handles[0]);
    }
    return handles[1];
}

/* The streams; with an address they are those of that peer only. */
WASI_EXPORT(UDP "stream")
void udp_stream(uint32_t self, uint32_t has_address, SOCKET_ADDRESS, struct result_handles *result)
{
    struct net_address address;
    uint32_t number = number_of(self);
    int32_t answer = 0;
    *result = (struct result_handles){0};
    if (has_address) {
        answer = socket_address_flat(tag, SOCKET_ADDRESS_WORDS, &address)
                     ? net_connect(number, &address)
                     : -2 - NETWORK_INVALID_ARGUMENT;
    }
    if (answer < 0) {
        *result = (struct result_handles){.tag = 1, .code = network_code(answer)};
    } else if (!make_streams(number, result->handles)) {
        *result = (struct result_handles){.tag = 1, .code = NETWORK_SOCKET_LIMIT};
    }
}

WASI_EXPORT(UDP "local-address")
void udp_local_address(uint32_t self, struct result_address *result)
{
    socket_put_address(number_of(self), false, result);
}

WASI_EXPORT(UDP "remote-address")
void udp_remote_address(uint32_t self, struct result_address *result)
{
    socket_put_address(number_of(self), true, result);
}

WASI_EXPORT(UDP "unicast-hop-limit")
void udp_unicast_hop_limit(uint32_t self, struct result_code *result)
{
    socket_get_byte(number_of(self), NET_HOPS, result);
}

WASI_EXPORT(UDP "set-unicast-hop-limit")
void udp_set_unicast_hop_limit(uint32_t self, uint32_t value, struct result_code *result)
{
    socket_put(result, net_set_option(number_of(self), NET_HOPS, (int32_t)value));
}

#define UDP_LONG(name, function, option)                                                           \
    WASI_EXPORT(UDP name) void udp_##function(uint32_t self, struct result_long *result)           \
    {                                                                                              \
        socket_get_long(number_of(self), option, 1, result);                                       \
    }                                                                                              \
    WASI_EXPORT(UDP "set-" name)                                                                   \
    void udp_set_##function(uint32_t self, uint64_t value, struct result_code *result)             \
    {                                                                                              \
        socket_set_long(number_of(self), option, value, 1, result);                                \
    }

UDP_LONG("receive-buffer-size", receive_buffer_size, NET_RECEIVE_BUFFER)
UDP_LONG("send-buffer-size", send_buffer_size, NET_SEND_BUFFER)

/* --- Datagrams ---------------------------------------------------------------------------- */

struct incoming {
    struct wasi_list data;
    struct socket_address from;
};
_Static_assert(sizeof(struct incoming) == 40, "incoming-datagram");

/* One at a time: libc asks for one. It frees the list only and never the data in it, so both are one
 * block. */
WASI_EXPORT(INCOMING "receive")
void udp_receive(uint32_t self, uint64_t most, struct result_list *result)
{
    struct net_address from;
    uint32_t number = socket_number(self, HANDLE_DATAGRAMS_IN);
    *result = (struct result_list){0};
    if (!most) {
        return;
    }
    struct incoming *datagram = malloc(sizeof *datagram + DATAGRAM_BYTES);
    int32_t got = datagram
                      ? net_receive_from(number, datagram + 1, DATAGRAM_BYTES, network_peek, &from)
                      : -2 - NETWORK_OUT_OF_MEMORY;
    if (got >= 0) {
        datagram->data = (struct wasi_list){datagram + 1, (uint32_t)got};
        socket_address_store(&from, &datagram->from);
        result->list = (struct wasi_list){datagram, 1};
        return;
    }
    free(datagram);
    if (got != NET_WOULD_BLOCK) {
        *result = (struct result_list){.tag = 1, .code = network_code(got)};
    }
}

WASI_EXPORT(OUTGOING "check-send")
void udp_check_send(uint32_t self, struct result_long *result)
{
    socket_number(self, HANDLE_DATAGRAMS_OUT);
    *result = (struct result_long){.value = SEND_AT_ONCE};
}

struct outgoing {
    struct wasi_list data;
    uint8_t has_address;
    struct socket_address to;
};
_Static_assert(sizeof(struct outgoing) == 44, "outgoing-datagram");

WASI_EXPORT(OUTGOING "send")
void udp_send(uint32_t self, const struct outgoing *datagrams, uint32_t count,
              struct result_long *result)
{
    struct net_address to;
    uint32_t number = socket_number(self, HANDLE_DATAGRAMS_OUT);
    *result = (struct result_long){0};
    for (uint32_t i = 0; i < count; i++) {
        const struct outgoing *datagram = &datagrams[i];
        int32_t sent = -2 - NETWORK_INVALID_ARGUMENT;
        if (!datagram->has_address || socket_address_load(&datagram->to, &to)) {
            sent = net_send_to(number, datagram->data.ptr, datagram->data.length,
                               datagram->has_address ? &to : NULL);
        }
        if (sent == NET_WOULD_BLOCK || (sent < 0 && i)) {
            break;
        }
        if (sent < 0) {
            *result = (struct result_long){.tag = 1, .code = network_code(sent)};
            return;
        }
        result->value++;
    }
}

WASI_EXPORT("wasi:sockets/udp@0.2.0#[resource-drop]udp-socket")
void udp_drop(uint32_t self)
{
    net_close(number_of(self));
    handle_drop(self);
}

WASI_EXPORT("wasi:sockets/udp@0.2.0#[resource-drop]incoming-datagram-stream")
void udp_drop_incoming(uint32_t self)
{
    socket_number(self, HANDLE_DATAGRAMS_IN);
    handle_drop(self);
}

WASI_EXPORT("wasi:sockets/udp@0.2.0#[resource-drop]outgoing-datagram-stream")
void udp_drop_outgoing(uint32_t self)
{
    socket_number(self, HANDLE_DATAGRAMS_OUT);
    handle_drop(self);
}
