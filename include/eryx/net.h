/* Network by permission. Without eryx_sandbox_options_t.net every socket call of a program fails with
 * an exception that says what is missing; with it, what the rules grant is possible, and every
 * attempt is reported.
 *
 * A rule is [tcp:|udp:|listen:]HOST[:PORT]. HOST: a name, `*.name` (any name below it, not itself),
 * an IPv4 (four decimal numbers) or [IPv6] (RFC 4291) address, a range in CIDR notation (RFC 4632), or `*`. PORT: a number, a range a-b or `*`;
 * any if left out. A grant without prefix is of TCP connections, a denial without prefix is of
 * everything. Denials win. Names and `*` grant public addresses only: loopback, private,
 * link-local, multicast, reserved and cloud metadata addresses need a rule that names the address
 * (or a range that lies within such a part of the address space as a whole).
 *
 * Names are resolved by the host. What is checked is the name, each address it resolves to, and
 * the address that is connected, which is one of those: a second answer of the name server cannot
 * lead elsewhere. */
#ifndef ERYX_NET_H
#define ERYX_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>
#include <eryx/export.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum eryx_net_event_kind {
    ERYX_NET_RESOLVE = 1, /* a name was asked for */
    ERYX_NET_CONNECT = 2, /* a TCP connection was asked for */
    ERYX_NET_LISTEN = 3,
    ERYX_NET_ACCEPT = 4,
    ERYX_NET_DATAGRAM = 5, /* first use of a UDP peer by a socket, or a refusal */
    ERYX_NET_CLOSE = 6     /* a connection, listener or UDP socket is gone */
} eryx_net_event_kind_t;

/* What a program did, or tried. Strings are valid during the call only. */
typedef struct eryx_net_event {
    size_t size; /* sizeof(eryx_net_event_t) of the library */
    eryx_net_event_kind_t kind;
    bool allowed;        /* by the rules and limits; CLOSE: true */
    uint32_t socket;     /* number of the socket in this sandbox; 0: none yet */
    const char *name;    /* host name, as far as known; else "" */
    const char *address; /* "1.2.3.4:80", "[::1]:80"; RESOLVE: the addresses; else "" */
    uint64_t bytes_in;   /* CLOSE: what went over the wire */
    uint64_t bytes_out;
    const char *reason; /* why not allowed, or how it ended; else "" */
} eryx_net_event_t;

/* Called on the executing thread, with 1 MiB of stack; must not call into the sandbox. */
typedef void (*eryx_net_event_fn)(void *env, const eryx_net_event_t *event);

/* What a resolver answers instead of a number of addresses. */
enum {
    ERYX_NET_UNKNOWN = -1, /* there is no such name */
    ERYX_NET_TRY_AGAIN = -2,
    ERYX_NET_SYSTEM = -3 /* ask the system's resolver */
};

typedef struct eryx_net_address {
    char text[46]; /* IPv4 or IPv6, NUL-terminated */
} eryx_net_address_t;

/* Resolves a host name (lower case, no final dot): fills at most `capacity` addresses and returns
 * how many, or one of the above. Called by threads of the runtime, several at a time; may block.
 * The addresses are checked like those of the system. */
typedef int (*eryx_net_resolve_fn)(void *env, const char *name, eryx_net_address_t *out,
                                   size_t capacity);

/* Copied by eryx_sandbox_new. How much a program may use is in eryx_limits_t (net_...). */
typedef struct eryx_net_options {
    size_t size;              /* sizeof(eryx_net_options_t), set by eryx_net_options_init */
    const char *const *allow; /* rules */
    size_t allow_count;
    const char *const *deny;
    size_t deny_count;
    /* Names that are granted may also resolve to loopback, private and link-local addresses (never
     * to metadata, multicast or reserved ones). Default false. */
    bool allow_local;
    eryx_net_event_fn on_event;     /* NULL: attempts are not reported */
    eryx_net_resolve_fn on_resolve; /* NULL: the system's resolver */
    void *env;                      /* passed to both */
    /* Called exactly once with env when neither the sandbox nor a running resolution needs it any
     * more, by any thread; never if eryx_sandbox_new fails. May be NULL. */
    void (*env_finalizer)(void *env);
} eryx_net_options_t;

/* Sets the defaults. Any thread. */
ERYX_API void eryx_net_options_init(eryx_net_options_t *options);

/* Checks one rule of `allow`, or of `deny`, as eryx_sandbox_new would. Any thread. Errors:
 * ERYX_ERR_ARGUMENT (what is wrong with it; also a grant of what is never permitted), _MEMORY. */
ERYX_API int eryx_net_check_rule(const char *rule, bool deny, eryx_error_t *error);

#ifdef __cplusplus
}
#endif
#endif
