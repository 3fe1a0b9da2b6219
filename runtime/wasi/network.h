/* The host's network: imports of module "eryx" (docs/architecture.md), which only liberyx has.
 *
 * Sockets are numbers of the host, never used again; a number of a time that was undone, forked or
 * resumed is stale, and everything about it answers "connection reset". Functions answer 0 or
 * more, or minus an error: -1 from hosts without network, else 2 plus the error-code of
 * wasi:sockets/network. */
#ifndef ERYX_WASI_NETWORK_H
#define ERYX_WASI_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As the host has it. */
struct net_address {
    uint8_t family; /* 4 or 6 */
    uint8_t unused;
    uint16_t port;
    uint8_t bytes[16];
};
_Static_assert(sizeof(struct net_address) == 20, "the layout is the host's");

enum net_kind { NET_TCP = 0, NET_UDP = 1 };
enum net_interest { NET_READ = 1, NET_WRITE = 2 };
enum net_option {
    NET_KEEP_ALIVE,
    NET_KEEP_IDLE,
    NET_KEEP_INTERVAL,
    NET_KEEP_COUNT,
    NET_HOPS,
    NET_RECEIVE_BUFFER,
    NET_SEND_BUFFER,
};

/* error-code of wasi:sockets/network@0.2.0. */
enum network_error {
    NETWORK_UNKNOWN = 0,
    NETWORK_ACCESS_DENIED = 1,
    NETWORK_NOT_SUPPORTED = 2,
    NETWORK_INVALID_ARGUMENT = 3,
    NETWORK_OUT_OF_MEMORY = 4,
    NETWORK_TIMEOUT = 5,
    NETWORK_WOULD_BLOCK = 8,
    NETWORK_INVALID_STATE = 9,
    NETWORK_SOCKET_LIMIT = 10,
    NETWORK_RESET = 15,
    NETWORK_NAME_UNKNOWN = 18,
    NETWORK_NAME_AGAIN = 19,
    NETWORK_NAME_FAILED = 20,
    NETWORK_CLOSED = 21, /* ours: sending after shutdown */
};

enum { NET_WOULD_BLOCK = -2 - NETWORK_WOULD_BLOCK, NET_ADDRESSES_MAX = 32, NET_CHUNK = 65536 };

#define NET_FUNCTION(name, result, function, ...)                                                  \
    __attribute__((import_module("eryx"), import_name(name))) result function(__VA_ARGS__);

NET_FUNCTION("net-open", int32_t, net_open, uint32_t kind, uint32_t family)
NET_FUNCTION("net-close", int32_t, net_close, uint32_t socket)
NET_FUNCTION("net-bind", int32_t, net_bind, uint32_t socket, const struct net_address *address)
NET_FUNCTION("net-connect", int32_t, net_connect, uint32_t socket, const struct net_address *to)
NET_FUNCTION("net-connected", int32_t, net_connected, uint32_t socket)
NET_FUNCTION("net-listen", int32_t, net_listen, uint32_t socket, int32_t backlog)
NET_FUNCTION("net-accept", int32_t, net_accept, uint32_t socket)
NET_FUNCTION("net-address", int32_t, net_address_of, uint32_t socket, uint32_t remote,
             struct net_address *out)
NET_FUNCTION("net-send", int32_t, net_send, uint32_t socket, const void *data, uint32_t length)
NET_FUNCTION("net-receive", int32_t, net_receive, uint32_t socket, void *buffer, uint32_t capacity,
             uint32_t peek)
NET_FUNCTION("net-send-to", int32_t, net_send_to, uint32_t socket, const void *data,
             uint32_t length, const struct net_address *to)
NET_FUNCTION("net-receive-from", int32_t, net_receive_from, uint32_t socket, void *buffer,
             uint32_t capacity, uint32_t peek, struct net_address *from)
NET_FUNCTION("net-shut", int32_t, net_shut, uint32_t socket, uint32_t how)
NET_FUNCTION("net-available", int32_t, net_available, uint32_t socket)
NET_FUNCTION("net-get-option", int32_t, net_get_option, uint32_t socket, uint32_t option)
NET_FUNCTION("net-set-option", int32_t, net_set_option, uint32_t socket, uint32_t option,
             int32_t value)
NET_FUNCTION("net-resolve", int32_t, net_resolve, const char *name, uint32_t length)
NET_FUNCTION("net-resolved", int32_t, net_resolved, uint32_t lookup, struct net_address *out)
/* A subtask as [async-lower] functions answer it, which returns when trying again is worth while. */
NET_FUNCTION("net-wait", int32_t, net_wait, uint32_t socket, uint32_t interest)
/* Why the last call failed: the length of the text. */
NET_FUNCTION("net-reason", int32_t, net_reason, char *out, uint32_t capacity)

/* The error-code of a negative answer; notes it, so that strerror tells the host's reason. */
uint8_t network_code(int32_t answer);
/* The errno of the last failure since it was 0; streams cannot tell it (libc makes EIO of all). */
extern int network_last_errno;
/* Whether it is what gethostname gives. */
bool network_is_own_name(const char *name, size_t length);
/* While set, receiving leaves the bytes where they are. */
extern bool network_peek;

/* Waiting that does not block: while `on`, wasi:io/poll answers "none" instead of blocking, and leaves
 * the subtasks it would have waited for here, joined to no set. */
enum { NETWORK_WATCH_MAX = 4 };
extern struct network_watch {
    bool on;
    uint32_t count;
    uint32_t subtasks[NETWORK_WATCH_MAX];
} network_watch;

#endif
