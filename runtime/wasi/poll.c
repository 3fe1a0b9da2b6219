/* wasi:io/poll and the pollables of all interfaces. A pollable is a point of the monotonic
 * clock, or a socket of the host that is to be readable or writable. Files and standard streams have
 * the point 0 and are always ready. (The host cannot tell whether stdin has input: reading it
 * blocks.) */
#include "abi/wait.h"
#include "guest_bindings.h"
#include "sockets.h"

#include <stdlib.h>

static uint32_t new_pollable(struct handle value)
{
    value.kind = HANDLE_POLLABLE;
    uint32_t number = handle_new(value);
    if (!number) {
        __builtin_trap();
    }
    return number;
}

static uint32_t new_time(uint64_t deadline)
{
    return new_pollable((struct handle){.value = deadline});
}

static uint32_t new_interest(uint32_t socket, enum net_interest interest)
{
    return new_pollable((struct handle){.flags = (uint8_t)interest, .value = socket});
}

/* --- Waiting ------------------------------------------------------------------------------ */

enum { FEW = 16 };

/* What a wait is about: for each pollable whether it is ready, and the subtask it waits for. */
struct wait {
    uint32_t count;
    uint32_t *subtasks; /* 0: none */
    bool *ready;
    bool any;          /* something is ready */
    uint64_t earliest; /* of the points of time */
};

/* Asks the host for each socket, which either is ready or gets a subtask. */
static void wait_begin(struct wait *wait, const uint32_t *pollables)
{
    wait->earliest = UINT64_MAX;
    for (uint32_t i = 0; i < wait->count; i++) {
        const struct handle *handle = handle_must(pollables[i], HANDLE_POLLABLE);
        wait->subtasks[i] = 0;
        wait->ready[i] = false;
        if (!handle->flags) {
            wait->earliest = handle->value < wait->earliest ? handle->value : wait->earliest;
            continue;
        }
        int32_t started = net_wait((uint32_t)handle->value, handle->flags);
        if (started > 0 && (started & 15) != WIT_SUBTASK_RETURNED) {
            wait->subtasks[i] = (uint32_t)started >> 4;
        } else {
            wait->ready[i] = true; /* or an error, which trying tells */
            wait->any = true;
        }
    }
}

/* Points of time that have come. */
static void wait_times(struct wait *wait, const uint32_t *pollables)
{
    uint64_t now = wait->earliest && wait->earliest != UINT64_MAX ? wasi_monotonic_clock() : 0;
    for (uint32_t i = 0; i < wait->count; i++) {
        const struct handle *handle = handle_must(pollables[i], HANDLE_POLLABLE);
        if (!handle->flags && handle->value <= now) {
            wait->ready[i] = true;
            wait->any = true;
        }
    }
}

static void wait_block(struct wait *wait, uint64_t nanoseconds)
{
    bool waits[FEW], *waited = wait->count <= FEW ? waits : wasi_alloc(wait->count);
    for (uint32_t i = 0; i < wait->count; i++) {
        waited[i] = wait->subtasks[i] != 0;
    }
    abi_wait_subtasks(wait->subtasks, wait->count, nanoseconds);
    for (uint32_t i = 0; i < wait->count; i++) {
        wait->ready[i] = wait->ready[i] || (waited[i] && !wait->subtasks[i]);
    }
    if (waited != waits) {
        free(waited);
    }
}

/* Leaves the subtasks to whoever turned watching on. */
static void wait_hand_over(struct wait *wait)
{
    network_watch.count = 0;
    for (uint32_t i = 0; i < wait->count; i++) {
        if (wait->subtasks[i] && network_watch.count < NETWORK_WATCH_MAX) {
            network_watch.subtasks[network_watch.count++] = wait->subtasks[i];
            wait->subtasks[i] = 0;
        }
    }
}

/* Waiting for nothing never ends, as in poll(2); the host may still interrupt it. Returns early where
 * the sandbox cannot block: outside of an execution. */
static void wait_for(struct wait *wait, const uint32_t *pollables)
{
    wait_begin(wait, pollables);
    wait_times(wait, pollables);
    if (network_watch.on && !wait->any) {
        wait_hand_over(wait);
    }
    bool blocks = !wait->any && !network_watch.on && abi_wait_possible();
    uint64_t now = blocks && wait->earliest != UINT64_MAX ? wasi_monotonic_clock() : 0;
    uint64_t left = wait->earliest == UINT64_MAX ? UINT64_MAX
                    : wait->earliest > now       ? wait->earliest - now
                                                 : 0;
    wait_block(wait, blocks ? left : 0);
    if (blocks) {
        wait_times(wait, pollables);
    }
}

WASI_EXPORT("wasi:io/poll@0.2.0#[method]pollable.block")
void wasi_pollable_block(uint32_t self)
{
    uint32_t subtask;
    bool ready;
    struct wait wait = {.count = 1, .subtasks = &subtask, .ready = &ready};
    const struct handle *handle = handle_must(self, HANDLE_POLLABLE);
    if (handle->flags || handle->value) {
        wait_for(&wait, &self);
    }
}

WASI_EXPORT("wasi:io/poll@0.2.0#poll")
void wasi_poll(const uint32_t *pollables, uint32_t count, struct wasi_list *ready)
{
    uint32_t few_subtasks[FEW];
    bool few_ready[FEW], few = count <= FEW;
    struct wait wait = {.count = count};
    wait.subtasks = few ? few_subtasks : wasi_alloc(count * sizeof *wait.subtasks);
    wait.ready = few ? few_ready : wasi_alloc(count * sizeof *wait.ready);
    wait_for(&wait, pollables);
    uint32_t *indices = wasi_alloc(count * sizeof *indices);
    *ready = (struct wasi_list){indices, 0};
    for (uint32_t i = 0; i < count; i++) {
        if (wait.ready[i]) {
            indices[ready->length++] = i;
        }
    }
    if (!ready->length) {
        free(indices);
    }
    if (!few) {
        free(wait.subtasks);
        free(wait.ready);
    }
}

WASI_EXPORT("wasi:io/poll@0.2.0#[resource-drop]pollable")
void wasi_drop_pollable(uint32_t self)
{
    handle_must(self, HANDLE_POLLABLE);
    handle_drop(self);
}

/* --- Pollables ---------------------------------------------------------------------------- */

WASI_EXPORT("wasi:clocks/monotonic-clock@0.2.0#subscribe-instant")
uint32_t wasi_subscribe_instant(uint64_t when)
{
    return new_time(when);
}

WASI_EXPORT("wasi:clocks/monotonic-clock@0.2.0#subscribe-duration")
uint32_t wasi_subscribe_duration(uint64_t duration)
{
    if (!duration) {
        return new_time(0);
    }
    uint64_t now = wasi_monotonic_clock();
    return new_time(duration > UINT64_MAX - now ? UINT64_MAX : now + duration);
}

WASI_EXPORT("wasi:io/streams@0.2.0#[method]input-stream.subscribe")
uint32_t wasi_input_stream_subscribe(uint32_t self)
{
    const struct handle *handle = handle_must(self, HANDLE_INPUT);
    return handle->stream == STREAM_SOCKET ? new_interest((uint32_t)handle->value, NET_READ)
                                           : new_time(0);
}

WASI_EXPORT("wasi:io/streams@0.2.0#[method]output-stream.subscribe")
uint32_t wasi_output_stream_subscribe(uint32_t self)
{
    const struct handle *handle = handle_must(self, HANDLE_OUTPUT);
    return handle->stream == STREAM_SOCKET ? new_interest((uint32_t)handle->value, NET_WRITE)
                                           : new_time(0);
}

/* A listener is readable when someone connects; one that connects, writable when it has. */
WASI_EXPORT("wasi:sockets/tcp@0.2.0#[method]tcp-socket.subscribe")
uint32_t wasi_tcp_subscribe(uint32_t self)
{
    return new_interest(socket_number(self, HANDLE_TCP), NET_READ | NET_WRITE);
}

WASI_EXPORT("wasi:sockets/udp@0.2.0#[method]udp-socket.subscribe")
uint32_t wasi_udp_subscribe(uint32_t self)
{
    return new_interest(socket_number(self, HANDLE_UDP), NET_READ | NET_WRITE);
}

WASI_EXPORT("wasi:sockets/udp@0.2.0#[method]incoming-datagram-stream.subscribe")
uint32_t wasi_incoming_subscribe(uint32_t self)
{
    return new_interest(socket_number(self, HANDLE_DATAGRAMS_IN), NET_READ);
}

WASI_EXPORT("wasi:sockets/udp@0.2.0#[method]outgoing-datagram-stream.subscribe")
uint32_t wasi_outgoing_subscribe(uint32_t self)
{
    return new_interest(socket_number(self, HANDLE_DATAGRAMS_OUT), NET_WRITE);
}

WASI_EXPORT("wasi:sockets/ip-name-lookup@0.2.0#[method]resolve-address-stream.subscribe")
uint32_t wasi_resolve_subscribe(uint32_t self)
{
    return new_interest(lookup_number(self), NET_READ);
}
