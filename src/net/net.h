/* The network of sandboxes: what the guest's sockets are on the host.
 *
 *     net_t            of a runtime: the thread that watches descriptors, the resolver's threads
 *     net_sandbox_t    of a sandbox: policy, limits, its sockets by number
 *     net_socket_t     a TCP connection, TCP listener, UDP socket or lookup of a name
 *
 * Everything about a sandbox is used by the thread that runs the guest, and nothing blocks it: what
 * cannot be done now answers -NET_WOULD_BLOCK, and net_wait makes a pending object (abi/pending.h)
 * that the watching thread posts to the sandbox's mailbox when trying again is worth while.
 *
 * Bytes of a connection pass two replaceable stages between the guest and the descriptor:
 *
 *     guest  ⇄  filter (secrets)  ⇄  layer (TLS)  ⇄  net_raw_read/net_raw_write  ⇄  descriptor
 *
 * net_send and net_receive are the guest's end, the raw functions the far end; a layer is written
 * on top of the raw ones. Functions answer a count or 0, or a negative net_error_t. */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/limits.h>
#include <eryx/net.h>

#include "abi/mailbox.h"
#include "abi/pending.h"
#include "base/buffer.h"
#include "net/address.h"
#include "net/policy.h"

/* The error-code of wasi:sockets/network@0.2.0 plus 2, since -1 tells the guest that its host has no
 * network; CLOSED is ours. */
typedef enum net_error {
    NET_ERROR_UNKNOWN = 2,
    NET_ACCESS_DENIED = 3,
    NET_NOT_SUPPORTED = 4,
    NET_INVALID_ARGUMENT = 5,
    NET_OUT_OF_MEMORY = 6,
    NET_TIMEOUT = 7,
    NET_NOT_IN_PROGRESS = 9,
    NET_WOULD_BLOCK = 10,
    NET_INVALID_STATE = 11,
    NET_SOCKET_LIMIT = 12,
    NET_NOT_BINDABLE = 13,
    NET_IN_USE = 14,
    NET_UNREACHABLE = 15,
    NET_REFUSED = 16,
    NET_RESET = 17, /* also a number that the host does not know: a stale one */
    NET_ABORTED = 18,
    NET_TOO_LARGE = 19,
    NET_NAME_UNKNOWN = 20,
    NET_NAME_AGAIN = 21,
    NET_NAME_FAILED = 22,
    NET_CLOSED = 23 /* sending after shutdown */
} net_error_t;

#define NET_CHUNK 65536u      /* most bytes of one send or receive */
#define NET_SOCKETS_MAX 4096u /* of one sandbox, whatever its limits */
#define NET_ADDRESSES_MAX 32u /* of one name */

typedef struct net net_t;
typedef struct net_sandbox net_sandbox_t;
typedef struct net_socket net_socket_t;

/* --- Of a runtime ------------------------------------------------------------------------- */

/* Starts no thread yet. NULL when out of memory or descriptors. */
net_t *net_new(void);
/* All its sandboxes are gone. */
void net_free(net_t *net);

/* --- Of a sandbox ------------------------------------------------------------------------- */

/* options and limits are copied. The mailbox must outlive it. Errors: ERYX_ERR_ARGUMENT (a rule),
 * _MEMORY. */
int net_sandbox_new(net_t *net, const eryx_net_options_t *options, const eryx_limits_t *limits,
                    mailbox_t *mailbox, net_sandbox_t **out, eryx_error_t *error);
/* One with the same rules and hooks, for a fork. NULL when out of memory. */
net_sandbox_t *net_sandbox_like(const net_sandbox_t *from, const eryx_limits_t *limits,
                                mailbox_t *mailbox);
/* Closes everything. Waits of the guest have been abandoned. NULL is allowed. */
void net_sandbox_free(net_sandbox_t *self);
/* The options' env_finalizer is not to be called: making the sandbox failed. */
void net_sandbox_disown(net_sandbox_t *self);
/* Closes all sockets, as when the guest's memory goes back to an earlier state: their numbers are
 * stale from now on and never used again. */
void net_sandbox_reset(net_sandbox_t *self);
/* Why the last call was refused, for the program to read; "" if it was not. */
const char *net_reason(const net_sandbox_t *self);
/* Reports an event of a socket (NULL: of none). */
void net_report(net_sandbox_t *self, eryx_net_event_kind_t kind, const net_socket_t *socket,
                bool allowed, const char *name, const char *address, const char *reason);

/* --- Sockets ------------------------------------------------------------------------------ */

typedef enum net_kind { NET_KIND_TCP, NET_KIND_UDP, NET_KIND_LOOKUP } net_kind_t;
typedef enum net_interest { NET_READ = 1, NET_WRITE = 2 } net_interest_t;
typedef enum net_shutdown { NET_SHUT_READ, NET_SHUT_WRITE, NET_SHUT_BOTH } net_shutdown_t;

/* NULL: closed, never made, or made before a rollback, fork or resume. */
net_socket_t *net_find(const net_sandbox_t *self, uint32_t number);
/* family: 4 or 6. Answers a number above 0. */
int32_t net_open(net_sandbox_t *self, net_kind_t kind, unsigned family);
void net_close(net_socket_t *socket);

int net_bind(net_socket_t *socket, const net_address_t *address);
/* 0: connected; -NET_WOULD_BLOCK: under way, finish with net_connected. Also sets a UDP peer. */
int net_connect(net_socket_t *socket, const net_address_t *address);
int net_connected(net_socket_t *socket);
int net_listen(net_socket_t *socket, int backlog);
int32_t net_accept(net_socket_t *socket);

/* The guest's bytes, at most NET_CHUNK at once. Sending takes all or none: what the system does not
 * take is kept, and nothing more is taken until it is written. Sending nothing tells whether more would
 * be taken. Receiving 0: the end. */
int32_t net_send(net_socket_t *socket, const char *data, size_t length);
int32_t net_receive(net_socket_t *socket, char *buffer, size_t capacity, bool peek);
int32_t net_send_to(net_socket_t *socket, const char *data, size_t length, const net_address_t *to);
int32_t net_receive_from(net_socket_t *socket, char *buffer, size_t capacity, bool peek,
                         net_address_t *from);
int net_shut(net_socket_t *socket, net_shutdown_t how);
int net_address_of(const net_socket_t *socket, bool remote, net_address_t *out);
/* Bytes that net_receive would give at once; 0: none, or not known. */
int32_t net_available(net_socket_t *socket);

typedef enum net_option {
    NET_OPTION_KEEP_ALIVE,
    NET_OPTION_KEEP_IDLE, /* seconds, as is the next */
    NET_OPTION_KEEP_INTERVAL,
    NET_OPTION_KEEP_COUNT,
    NET_OPTION_HOPS,
    NET_OPTION_RECEIVE_BUFFER,
    NET_OPTION_SEND_BUFFER
} net_option_t;
int32_t net_get_option(net_socket_t *socket, net_option_t option);
int net_set_option(net_socket_t *socket, net_option_t option, int32_t value);

/* Starts resolving a name (or an address, as text): the number of a lookup, to wait for and close. */
int32_t net_resolve(net_sandbox_t *self, const char *name, size_t length);
/* The addresses, at most NET_ADDRESSES_MAX, or why there are none. */
int32_t net_resolved(net_socket_t *socket, net_address_t *out);

/* 1: what `interest` asks for can be tried now. 0: *out is pending, with a reference for the
 * caller, who makes it the owner of a subtask. Negative: an error; trying tells it, too. */
int net_wait(net_socket_t *socket, unsigned interest, pending_t **out);

/* --- What TLS and secrets build on -------------------------------------------------------- */

uint32_t net_number(const net_socket_t *socket);
net_sandbox_t *net_sandbox_of(const net_socket_t *socket);
/* The name that the peer's address was resolved from and that the rules grant; "" if it was connected
 * by its address. Of several the one asked for last. Valid as long as the socket. */
const char *net_peer_name(const net_socket_t *socket);
bool net_is_stream(const net_socket_t *socket); /* a connected TCP socket */
uint64_t net_bytes_in(const net_socket_t *socket);
uint64_t net_bytes_out(const net_socket_t *socket);

/* Bytes of the descriptor, counted and limited. Reading 0: the end. */
int32_t net_raw_read(net_socket_t *socket, void *buffer, size_t capacity);
int32_t net_raw_write(net_socket_t *socket, const void *data, size_t length);
/* Breaks the connection: everything answers this error from now on, and a close event tells why. */
void net_break(net_socket_t *socket, net_error_t error, const char *why);
/* Puts a reason for the program: what net_reason gives after this call fails. */
void net_set_reason(net_sandbox_t *self, const char *reason);

/* Between the guest's bytes and the descriptor's. Called by the guest's thread, and once the
 * guest has closed the socket by the watching thread, while it writes what is left. */
typedef struct net_layer {
    int32_t (*read)(void *env, net_socket_t *socket, char *buffer, size_t capacity);
    int32_t (*write)(void *env, net_socket_t *socket, const char *data, size_t length);
    /* Whether read would give bytes (or the end, or an error) that are there already. May be NULL. */
    bool (*buffered)(void *env);
    /* What the descriptor must be ready for (of net_interest_t) after `interest` would have blocked.
     * NULL: the same. */
    unsigned (*needs)(void *env, unsigned interest);
    /* No more is written (a TLS close_notify). 0, or -NET_WOULD_BLOCK: call again. */
    int (*shut)(void *env, net_socket_t *socket);
    void (*free)(void *env);
} net_layer_t;
/* layer must outlive the socket; env is freed with it. Before the guest uses the connection, or for
 * STARTTLS when nothing is buffered. */
void net_set_layer(net_socket_t *socket, const net_layer_t *layer, void *env);
void *net_layer_env(const net_socket_t *socket,
                    const net_layer_t *layer); /* NULL: another or none */

/* How the flow goes on after these bytes. */
typedef enum net_flow {
    NET_FLOW_MORE,  /* unknown */
    NET_FLOW_PAUSE, /* out: the guest waits for an answer; in: nothing more is there now */
    NET_FLOW_END    /* nothing follows */
} net_flow_t;

/* Rewrites bytes. All of `data` is taken; what may go on now is appended to out, the rest may be
 * held back until a later call; data may be empty. False: the connection is broken. Same thread
 * rule as layers. */
typedef struct net_filter {
    bool (*outgoing)(void *env, const char *data, size_t length, net_flow_t flow, buffer_t *out);
    bool (*incoming)(void *env, const char *data, size_t length, net_flow_t flow, buffer_t *out);
    void (*free)(void *env);
} net_filter_t;
/* One filter at most, before bytes flow. */
void net_set_filter(net_socket_t *socket, const net_filter_t *filter, void *env);

/* Rewrites, in place, what events say of names (a program may ask for any), and datagrams that come in. */
typedef void (*net_text_fn)(void *env, char *text, size_t length);
void net_on_text(net_sandbox_t *self, net_text_fn fn, void *env);

/* Called for each TCP connection that the rules grant, once it is connected (also accepted ones),
 * before bytes flow: the place to set a filter. May call net_break. */
typedef void (*net_connected_fn)(void *env, net_socket_t *socket);
void net_on_connected(net_sandbox_t *self, net_connected_fn fn, void *env);

#endif
