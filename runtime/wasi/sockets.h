/* What the socket interfaces share: error codes of wasi:sockets/network, and definitions of
 * the methods of sockets. No socket can be created, so no method has one to work on; each has
 * its core signature and answers "not supported". */
#ifndef ERYX_WASI_SOCKETS_H
#define ERYX_WASI_SOCKETS_H

#include "wasi_internal.h"

enum network_error { NETWORK_ACCESS_DENIED = 1, NETWORK_NOT_SUPPORTED = 2 };

#define UNUSED __attribute__((unused))

/* Where the error code lies depends on the alignment of what success would give. */
#define SOCKET_REFUSE(name, function, layout, member, ...)                                         \
    WASI_EXPORT(name) void function(UNUSED uint32_t self, ##__VA_ARGS__, layout *result)           \
    {                                                                                              \
        *result = (layout){.tag = 1, .member = NETWORK_NOT_SUPPORTED};                             \
    }

/* result<_>, result<bool> and result<u8>; result<u32>, handles and addresses; result<u64> */
#define SOCKET_UNIT(name, function) SOCKET_REFUSE(name, function, struct result_code, value)
#define SOCKET_WORD(name, function) SOCKET_REFUSE(name, function, struct result_word, code)
#define SOCKET_LONG(name, function) SOCKET_REFUSE(name, function, struct result_long, code)
#define SOCKET_SET_WORD(name, function)                                                            \
    SOCKET_REFUSE(name, function, struct result_code, value, UNUSED uint32_t option)
#define SOCKET_SET_LONG(name, function)                                                            \
    SOCKET_REFUSE(name, function, struct result_code, value, UNUSED uint64_t option)

/* An ip-socket-address is flattened to its tag and eleven words. */
#define SOCKET_ADDRESS                                                                             \
    UNUSED uint32_t tag, UNUSED uint32_t a0, UNUSED uint32_t a1, UNUSED uint32_t a2,               \
        UNUSED uint32_t a3, UNUSED uint32_t a4, UNUSED uint32_t a5, UNUSED uint32_t a6,            \
        UNUSED uint32_t a7, UNUSED uint32_t a8, UNUSED uint32_t a9, UNUSED uint32_t a10

#endif
