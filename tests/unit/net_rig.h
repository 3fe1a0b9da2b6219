/* The host's side of a sandbox's network without a guest: what comes back, and the events as text. */
#ifndef TESTS_NET_RIG_H
#define TESTS_NET_RIG_H

#include <pthread.h>

#include <eryx.h>

#include "net/net.h"

struct rig {
    net_t *net;
    net_sandbox_t *sandbox;
    mailbox_t *mailbox;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    unsigned woken;
    char events[8192]; /* a line each */
    int resolutions;   /* for the test's on_resolve, whose env the rig is */
};

/* The options' on_event and env are the rig's; limits NULL: the defaults. */
struct rig *rig_open(const eryx_net_options_t *options, const eryx_limits_t *limits);
void rig_free(struct rig *rig);

/* Waits as a guest would: by a pending object that comes back through the mailbox. */
void rig_await(struct rig *rig, net_socket_t *socket, unsigned interest);

#endif
