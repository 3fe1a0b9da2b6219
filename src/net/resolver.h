/* Names to addresses, on threads of its own, since getaddrinfo blocks.
 *
 * getaddrinfo, and not a resolver library: it answers what every other program of the host is answered
 * (hosts file, name service switch, local daemons). Threads are started as they are needed, and end
 * when there was nothing to do for a while. They are detached: a runtime can be freed while a
 * name server keeps one of them waiting. */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <eryx/net.h>

#include "net/net.h"

/* What on_event and on_resolve need; lookups may outlive the sandbox. */
typedef struct net_hooks {
    atomic_uint references;
    eryx_net_event_fn on_event;
    eryx_net_resolve_fn on_resolve;
    void *env;
    void (*env_finalizer)(void *env);
    net_policy_t policy; /* immutable once a sandbox has it */
} net_hooks_t;

void net_hooks_retain(net_hooks_t *hooks);
void net_hooks_release(net_hooks_t *hooks);

/* One lookup; shared by the socket that asked and the thread that works on it. */
typedef struct resolver_job {
    struct resolver_job *next;
    net_t *net;         /* a reference */
    net_hooks_t *hooks; /* a reference */
    uint64_t owner;     /* the sandbox's id */
    char name[NET_NAME_MAX + 1];
    /* Guarded by the net's lock. */
    net_socket_t *asker; /* NULL: nobody waits any more */
    /* Written before `done` is set, which is done under that lock. */
    bool done;
    int error; /* 0 or net_error_t */
    unsigned count;
    net_address_t addresses[NET_ADDRESSES_MAX];
} resolver_job_t;

typedef struct resolver resolver_t;

/* NULL when out of memory. */
resolver_t *resolver_new(void);
/* No more jobs; running ones end when they end. */
void resolver_close(resolver_t *self);
/* Takes the job over; `finish` gets it when it is done, on a thread of the resolver. False: no
 * thread could be started, the job is still the caller's. */
bool resolver_start(resolver_t *self, resolver_job_t *job, void (*finish)(resolver_job_t *job));

#endif
