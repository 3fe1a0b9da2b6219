/* What the socket interfaces share: addresses as the canonical ABI flattens and stores them
 * (wasi:sockets/network@0.2.0), and results. */
#ifndef ERYX_WASI_SOCKETS_H
#define ERYX_WASI_SOCKETS_H

#include "network.h"
#include "wasi_internal.h"

#define UNUSED __attribute__((unused))

/* An ip-socket-address is flattened to its tag and eleven words. */
#define SOCKET_ADDRESS                                                                             \
    uint32_t tag, uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t a4, uint32_t a5,    \
        uint32_t a6, uint32_t a7, uint32_t a8, uint32_t a9, uint32_t a10
#define SOCKET_ADDRESS_WORDS                                                                       \
    (const uint32_t[])                                                                             \
    {                                                                                              \
        a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10                                                \
    }

enum { ADDRESS_IPV4 = 0, ADDRESS_IPV6 = 1 };

struct socket_address { /* ip-socket-address */
    uint8_t tag;
    union {
        struct {
            uint16_t port;
            uint8_t bytes[4];
        } v4;
        struct {
            uint16_t port;
            uint32_t flow;
            uint16_t words[8];
            uint32_t scope;
        } v6;
    };
};
_Static_assert(sizeof(struct socket_address) == 32, "ip-socket-address");

struct result_address { /* result<ip-socket-address, error-code> */
    uint8_t tag;
    union {
        struct socket_address address;
        uint8_t code;
    };
};

struct result_handles { /* result<tuple<own…>, error-code> */
    uint8_t tag;
    union {
        uint32_t handles[3];
        uint8_t code;
    };
};

/* False: a scope, which sandboxes have no use for. */
bool socket_address_flat(uint32_t tag, const uint32_t *words, struct net_address *out);
bool socket_address_load(const struct socket_address *from, struct net_address *out);
void socket_address_store(const struct net_address *from, struct socket_address *out);

/* The host's number behind a handle of that kind. */
uint32_t socket_number(uint32_t handle, enum handle_kind kind);
/* The number behind a handle of a lookup. */
uint32_t lookup_number(uint32_t self);
/* A handle for a number, whose socket is closed if there is none: 0. */
uint32_t socket_handle(enum handle_kind kind, uint32_t number);

/* The answer of the host as result<_, error-code>. */
void socket_put(struct result_code *result, int32_t answer);
/* Where the local or remote address of a socket goes. */
void socket_put_address(uint32_t number, bool remote, struct result_address *result);
/* An option of the socket; the value in nanoseconds or as it is. */
void socket_get_long(uint32_t number, enum net_option option, uint64_t unit,
                     struct result_long *result);
void socket_set_long(uint32_t number, enum net_option option, uint64_t value, uint64_t unit,
                     struct result_code *result);
void socket_get_byte(uint32_t number, enum net_option option, struct result_code *result);

#endif
