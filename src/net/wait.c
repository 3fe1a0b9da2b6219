/* Waits of guests: made by the guest's thread, fired by the reactor (or by a resolver's thread) under
 * the reactor's lock, which also guards the lists they are in. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/internal.h"

/* --- As something pending ----------------------------------------------------------------- */

static void wait_retain(pending_t *self) {
    atomic_fetch_add_explicit(&((net_wait_t *)self)->references, 1, memory_order_relaxed);
}

static void wait_release(pending_t *self) {
    if (atomic_fetch_sub(&((net_wait_t *)self)->references, 1) == 1)
        free(self);
}

/* Lock held. */
static void unlink_wait(net_wait_t *wait) {
    net_wait_t **at = &wait->socket->waits;
    while (*at != wait)
        at = &(*at)->next;
    *at = wait->next;
    wait->socket = NULL;
}

/* The guest has no more use for it. */
static void wait_over(pending_t *self) {
    net_wait_t *wait = (net_wait_t *)self;
    self->subtask = NULL;
    pthread_mutex_lock(&wait->net->reactor.lock);
    bool listed = wait->socket != NULL;
    if (listed)
        unlink_wait(wait);
    pthread_mutex_unlock(&wait->net->reactor.lock);
    if (listed)
        wait_release(self);
    wait_release(self);
}

static const pending_kind_t wait_kind = {
    .wait = ERYX_WAIT_NETWORK,
    .retain = wait_retain,
    .release = wait_release,
    .done = wait_over,
    .abandon = wait_over,
};

/* --- Firing ------------------------------------------------------------------------------- */

/* Lock held. The list's reference goes; the mailbox has one of its own. */
static void fire(net_wait_t *wait) {
    mailbox_t *mailbox = wait->socket->mailbox;
    unlink_wait(wait);
    mailbox_post(mailbox, &wait->pending);
    wait_release(&wait->pending);
}

void net_wait_fire_all(net_socket_t *socket) {
    while (socket->waits)
        fire(socket->waits);
}

static unsigned needs_of(const net_socket_t *socket, unsigned interest) {
    unsigned needs = interest;
    if (socket->layer && socket->layer->needs && socket->state == NET_STATE_CONNECTED)
        needs = socket->layer->needs(socket->layer_env, interest);
    if (socket->out.length > socket->out_at)
        needs |= NET_WRITE;
    return needs;
}

/* Arms the descriptor for what is waited for. Lock held. */
static void arm(net_socket_t *socket) {
    unsigned needs = 0;
    for (const net_wait_t *wait = socket->waits; wait; wait = wait->next)
        needs |= wait->interest;
    if (needs)
        reactor_arm(&socket->net->reactor, &socket->watch, needs);
}

/* --- Deadlines ---------------------------------------------------------------------------- */

/* Lock held. */
static uint64_t deadline_of(const net_socket_t *socket) {
    if (socket->idle == 0)
        return socket->deadline;
    return clock_add(atomic_load_explicit(&socket->activity, memory_order_relaxed), socket->idle);
}

void net_set_deadline(net_socket_t *socket, uint64_t deadline, uint64_t idle) {
    pthread_mutex_lock(&socket->net->reactor.lock);
    socket->deadline = deadline;
    socket->idle = idle;
    if (socket->watch.place != 0)
        reactor_set_deadline(&socket->net->reactor, &socket->watch, deadline_of(socket));
    pthread_mutex_unlock(&socket->net->reactor.lock);
}

/* The reactor's thread, lock held. Activity since the deadline was set only moves it. */
static void expire(net_socket_t *socket) {
    uint64_t deadline = deadline_of(socket);
    if (deadline > clock_monotonic()) {
        reactor_set_deadline(&socket->net->reactor, &socket->watch, deadline);
        return;
    }
    atomic_store(&socket->expired, NET_TIMEOUT);
    net_wait_fire_all(socket);
}

void net_socket_ready(reactor_watch_t *watch, unsigned events) {
    net_socket_t *socket = (net_socket_t *)watch;
    if (!socket->mailbox) {
        net_linger_step(socket, events == 0);
        return;
    }
    if (events == 0) {
        expire(socket);
        return;
    }
    for (net_wait_t *wait = socket->waits, *next; wait; wait = next) {
        next = wait->next;
        if (wait->interest & events)
            fire(wait);
    }
    arm(socket);
}

/* --- Making them -------------------------------------------------------------------------- */

/* Whether the descriptor is ready already. */
static bool ready_now(const net_socket_t *socket, unsigned needs) {
    struct pollfd poll_ = {.fd = socket->fd};
    if (needs & NET_READ)
        poll_.events |= POLLIN | POLLRDHUP;
    if (needs & NET_WRITE)
        poll_.events |= POLLOUT;
    return poll(&poll_, 1, 0) != 0;
}

/* Lock held. */
static bool waited_enough(const net_socket_t *socket) {
    unsigned count = 0;
    for (const net_wait_t *wait = socket->waits; wait; wait = wait->next)
        count++;
    return count >= WAITS_MAX;
}

/* 1: over already, nothing is to be waited for. */
static int new_wait(net_socket_t *socket, unsigned needs, pending_t **out) {
    net_wait_t *wait = calloc(1, sizeof *wait);
    if (!wait)
        return -NET_OUT_OF_MEMORY;
    atomic_init(&wait->references, 2);
    wait->pending.kind = &wait_kind;
    wait->net = socket->net;
    wait->interest = needs;
    *out = &wait->pending;
    pthread_mutex_lock(&socket->net->reactor.lock);
    bool over = atomic_load(&socket->expired) != 0 || (socket->job && socket->job->done);
    bool full = !over && waited_enough(socket);
    if (!over && !full) {
        wait->socket = socket;
        wait->next = socket->waits;
        socket->waits = wait;
        if (socket->kind != NET_KIND_LOOKUP)
            arm(socket);
    }
    pthread_mutex_unlock(&socket->net->reactor.lock);
    if (over || full) {
        free(wait);
        *out = NULL;
    }
    return full ? -NET_SOCKET_LIMIT : over;
}

int net_wait(net_socket_t *socket, unsigned interest, pending_t **out) {
    *out = NULL;
    if (interest == 0)
        return -NET_INVALID_ARGUMENT;
    if (socket->kind == NET_KIND_LOOKUP)
        return socket->job ? new_wait(socket, NET_READ, out) : 1;
    if (net_check(socket) != 0 || socket->fd < 0)
        return 1; /* trying tells what is wrong */
    if ((interest & NET_READ) && net_is_stream(socket)) {
        net_pause(socket);
        if (net_buffered(socket) || socket->broken != 0)
            return 1;
    }
    unsigned needs = needs_of(socket, interest);
    if (ready_now(socket, needs))
        return 1;
    return new_wait(socket, needs, out);
}
