/* wasi:io/poll and the pollables of all interfaces. A pollable is a point of the monotonic
 * clock: files and standard streams have the point 0 and are always ready. (The host cannot
 * tell whether stdin has input: reading it blocks.) */
#include "abi/wait.h"
#include "wasi_internal.h"

#include <stdlib.h>

static uint32_t new_pollable(uint64_t deadline)
{
    uint32_t number = handle_new((struct handle){.kind = HANDLE_POLLABLE, .value = deadline});
    if (!number) {
        __builtin_trap();
    }
    return number;
}

/* Returns early where the sandbox cannot block: outside of an execution. */
static void wait_until(uint64_t deadline)
{
    uint64_t now = wasi_monotonic_clock();
    while (now < deadline && abi_wait_ns(deadline - now)) {
        now = wasi_monotonic_clock();
    }
}

WASI_EXPORT("wasi:io/poll@0.2.0#[method]pollable.block")
void wasi_pollable_block(uint32_t self)
{
    uint64_t deadline = handle_must(self, HANDLE_POLLABLE)->value;
    if (deadline) {
        wait_until(deadline);
    }
}

/* Waiting for nothing never ends, as in poll(2); the host may still interrupt it. */
WASI_EXPORT("wasi:io/poll@0.2.0#poll")
void wasi_poll(const uint32_t *pollables, uint32_t count, struct wasi_list *ready)
{
    uint64_t earliest = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t deadline = handle_must(pollables[i], HANDLE_POLLABLE)->value;
        earliest = deadline < earliest ? deadline : earliest;
    }
    uint64_t now = 0;
    if (earliest) {
        wait_until(earliest);
        now = wasi_monotonic_clock();
    }
    uint32_t *indices = wasi_alloc(count * sizeof *indices);
    *ready = (struct wasi_list){indices, 0};
    for (uint32_t i = 0; i < count; i++) {
        if (handle_must(pollables[i], HANDLE_POLLABLE)->value <= now) {
            indices[ready->length++] = i;
        }
    }
    if (!ready->length) {
        free(indices);
    }
}

WASI_EXPORT("wasi:io/poll@0.2.0#[resource-drop]pollable")
void wasi_drop_pollable(uint32_t self)
{
    handle_must(self, HANDLE_POLLABLE);
    handle_drop(self);
}

WASI_EXPORT("wasi:clocks/monotonic-clock@0.2.0#subscribe-instant")
uint32_t wasi_subscribe_instant(uint64_t when)
{
    return new_pollable(when);
}

WASI_EXPORT("wasi:clocks/monotonic-clock@0.2.0#subscribe-duration")
uint32_t wasi_subscribe_duration(uint64_t duration)
{
    if (!duration) {
        return new_pollable(0);
    }
    uint64_t now = wasi_monotonic_clock();
    return new_pollable(duration > UINT64_MAX - now ? UINT64_MAX : now + duration);
}

WASI_EXPORT("wasi:io/streams@0.2.0#[method]input-stream.subscribe")
uint32_t wasi_input_stream_subscribe(uint32_t self)
{
    handle_must(self, HANDLE_INPUT);
    return new_pollable(0);
}

WASI_EXPORT("wasi:io/streams@0.2.0#[method]output-stream.subscribe")
uint32_t wasi_output_stream_subscribe(uint32_t self)
{
    handle_must(self, HANDLE_OUTPUT);
    return new_pollable(0);
}

WASI_EXPORT("wasi:sockets/tcp@0.2.0#[method]tcp-socket.subscribe")
uint32_t wasi_tcp_subscribe(uint32_t self)
{
    (void)self;
    return new_pollable(0);
}

WASI_EXPORT("wasi:sockets/udp@0.2.0#[method]udp-socket.subscribe")
uint32_t wasi_udp_subscribe(uint32_t self)
{
    (void)self;
    return new_pollable(0);
}

WASI_EXPORT("wasi:sockets/udp@0.2.0#[method]incoming-datagram-stream.subscribe")
uint32_t wasi_incoming_subscribe(uint32_t self)
{
    (void)self;
    return new_pollable(0);
}

WASI_EXPORT("wasi:sockets/udp@0.2.0#[method]outgoing-datagram-stream.subscribe")
uint32_t wasi_outgoing_subscribe(uint32_t self)
{
    (void)self;
    return new_pollable(0);
}

WASI_EXPORT("wasi:sockets/ip-name-lookup@0.2.0#[method]resolve-address-stream.subscribe")
uint32_t wasi_resolve_subscribe(uint32_t self)
{
    (void)self;
    return new_pollable(0);
}
