/* The fields behind the types of net.h. Only src/net sees them. */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include <stdatomic.h>

#include "net/net.h"
#include "net/reactor.h"
#include "net/resolver.h"

#define NAMES_MAX 1024u  /* names and addresses that a sandbox's lookups are remembered for */
#define LOOKUPS_MAX 256u /* running at once, of one sandbox */
#define KNOWN_MAX 16u    /* names of one address that a decision looks at */
#define WAITS_MAX 64u /* of one socket: they are walked under the lock that all sandboxes share */
#define PEERS_MAX 16u /* UDP peers of one socket that were reported */
#define LINGERING_MAX 256u             /* sockets that linger, of all sandboxes, */
#define LINGERING_OF_ONE 16u           /* and of one */
#define LINGER_NS UINT64_C(5000000000) /* to write what is left after closing */

struct net {
    atomic_uint references; /* the runtime's and one a running lookup */
    atomic_ullong last_id;  /* of its sandboxes */
    reactor_t reactor;
    resolver_t *resolver;
    /* Sockets that were closed with bytes to be written; guarded by the reactor's lock. */
    net_socket_t *lingering;
};

void net_release(net_t *net);

typedef enum net_state {
    NET_STATE_NEW,
    NET_STATE_BOUND,
    NET_STATE_CONNECTING,
    NET_STATE_CONNECTED,
    NET_STATE_LISTENING
} net_state_t;

/* A wait of the guest. References: the guest's side, the socket's list, the mailbox. */
typedef struct net_wait {
    pending_t pending; /* first */
    atomic_uint references;
    net_t *net;
    /* Guarded by the reactor's lock. */
    net_socket_t *socket; /* in whose list it is; NULL: in none */
    unsigned interest;
    struct net_wait *next;
} net_wait_t;

struct net_socket {
    reactor_watch_t watch; /* first */
    net_t *net;
    net_sandbox_t *sandbox; /* NULL while it lingers */
    uint64_t owner;         /* the sandbox's id, also when it is gone */
    uint32_t number;
    net_kind_t kind;
    unsigned family;
    net_state_t state;
    int fd;
    net_socket_t *next; /* lingering */
    /* Guarded by the reactor's lock. */
    net_wait_t *waits;
    mailbox_t *mailbox;      /* the sandbox's; NULL while it lingers */
    uint64_t deadline, idle; /* idle 0: the deadline; else nanoseconds from `activity` */
    /* Written by the reactor: 0, or the net_error_t of a deadline that passed. */
    atomic_int expired;
    atomic_ullong activity;     /* when bytes last moved */
    int broken;                 /* net_error_t; 0: not */
    char why[128];              /* of broken, or of the end; "" */
    bool shut_read, shut_write; /* by the guest */
    bool ended_out;             /* the filter was told that nothing follows */
    bool shut_done;             /* and so was the peer */
    bool paused;                /* nothing was sent since the filter was told of a pause */
    net_address_t local, peer;
    char name[NET_NAME_MAX + 1];
    uint64_t bytes_in, bytes_out;
    const net_layer_t *layer;
    void *layer_env;
    const net_filter_t *filter;
    void *filter_env;
    buffer_t out, in; /* past the filter: to be written, to be received */
    size_t out_at, in_at;
    bool in_ended;
    resolver_job_t *job; /* of a lookup; a reference shared under the reactor's lock */
    int lookup_error;    /* of a lookup that needed no job */
    bool reported;       /* a lookup: its event was given */
    net_address_t peers[PEERS_MAX];
    unsigned peer_count;
};

/* A name that was resolved, and one of its addresses. */
typedef struct known_name {
    char name[NET_NAME_MAX + 1];
    net_address_t address;
} known_name_t;

struct net_sandbox {
    net_t *net;
    uint64_t id;         /* never used again */
    net_hooks_t *hooks;  /* shared with forks and resolutions */
    net_policy_t policy; /* that of the hooks */
    mailbox_t *mailbox;
    uint32_t connections_max, open; /* open: with a descriptor */
    uint64_t total_max, total, bytes_in_max, bytes_in, bytes_out_max, bytes_out;
    uint64_t connect_ns, idle_ns;
    unsigned lookups;
    uint32_t last_number;
    net_socket_t **sockets; /* sorted by when they were made; not by number, which wraps */
    uint32_t count, capacity;
    known_name_t *names; /* a ring */
    uint32_t name_count, name_next;
    char reason[NET_REASON_MAX];
    net_connected_fn on_connected;
    void *on_connected_env;
    net_text_fn on_text;
    void *on_text_env;
};

/* --- sandbox.c --- */

/* A socket with a number, in the table; NULL: no memory or too many. */
net_socket_t *net_socket_new(net_sandbox_t *self, net_kind_t kind, unsigned family);
/* Takes it out of the table. */
void net_forget(net_socket_t *socket);
void net_remember_name(net_sandbox_t *self, const char *name, const net_address_t *address);
/* Whether the policy allows it; sets the reason and *name (a name of the address, or ""). */
bool net_permits(net_sandbox_t *self, net_protocol_t protocol, const net_address_t *address,
                 const char **name);
/* Whether one more descriptor may be opened, and counts it. */
bool net_count_open(net_sandbox_t *self);
/* Formats the reason of a refusal. Answers -error. */
int net_refuse(net_sandbox_t *self, net_error_t error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- wait.c --- */

void net_wait_fire_all(net_socket_t *socket); /* lock held */
/* What reactor_add is given. */
void net_socket_ready(reactor_watch_t *watch, unsigned events);
/* Takes the lock. idle 0: at `deadline` (CLOCK_NEVER: none), else that long after `activity`. */
void net_set_deadline(net_socket_t *socket, uint64_t deadline, uint64_t idle);

/* --- socket.c --- */

/* -error of an errno. */
int net_error_of(int number);
/* The descriptor, when it is first needed. 0 or -error. */
int net_ensure_descriptor(net_socket_t *socket);
/* A TCP connection stands: tells its watchers. */
int net_established(net_socket_t *socket);
/* A connection that was closed with bytes to be written goes on; the reactor's thread, lock held. */
void net_linger_step(net_socket_t *socket, bool expired);
/* 0, or -error if it is broken or expired. */
int net_check(net_socket_t *socket);
/* Frees descriptor, layer, filter, buffers and the socket. Lock not held. */
void net_socket_free(net_socket_t *socket);

/* --- stream.c --- */

/* Writes what the guest has sent and says that nothing follows. True: some of it is still to be
 * written. Also by the reactor's thread, of a socket that lingers. */
bool net_finish_writing(net_socket_t *socket);
/* Writes what the filter gave; 0: all of it, else -error. */
int net_flush(net_socket_t *socket);
/* The guest waits for an answer: what the filter holds back goes on. */
void net_pause(net_socket_t *socket);
/* Whether net_receive would give something without the descriptor being readable. */
bool net_buffered(const net_socket_t *socket);

/* --- lookup.c --- */

void net_job_free(resolver_job_t *job);
/* A lookup that is closed before its answer was taken was an attempt, too. */
void net_report_unanswered(net_socket_t *socket);

#endif
