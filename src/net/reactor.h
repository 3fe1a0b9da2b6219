/* The thread that watches the descriptors of all sandboxes of a runtime, and their deadlines.
 *
 * epoll, and not a library on top of it: descriptors are armed by the threads that run guests, which
 * epoll_ctl and timerfd_settime allow from any thread at once, while a loop of libuv or libevent would
 * have to be woken to do it: two more context switches for every wait. Descriptors are armed for
 * one event at a time (EPOLLONESHOT), so nobody is told who does not wait. */
#ifndef NET_REACTOR_H
#define NET_REACTOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"

typedef struct reactor_watch reactor_watch_t;

/* events: of NET_READ and NET_WRITE; 0: the deadline has come. Called by the reactor's thread with
 * its lock held. */
typedef void (*reactor_fn)(reactor_watch_t *watch, unsigned events);

/* All zero: not watched. */
struct reactor_watch {
    int fd;
    uint32_t place; /* in the table; 0: none */
    heap_item_t timer;
    reactor_fn ready;
};

typedef struct reactor {
    pthread_mutex_t lock;
    pthread_t thread;
    bool started, stopping;
    int epoll, timer;
    uint64_t armed; /* what the timer is set to; CLOCK_NEVER: nothing */
    heap_t deadlines;
    struct reactor_place *places; /* [0] is unused */
    uint32_t used, capacity, free;
} reactor_t;

bool reactor_init(reactor_t *self);
/* Ends the thread; what is watched is watched no more. Not with the lock. */
void reactor_stop(reactor_t *self);
/* After reactor_stop, when nothing is watched: frees everything but the lock. */
void reactor_close(reactor_t *self);

/* Starts the thread if this is the first. False: no memory, no descriptors. Takes the lock. */
bool reactor_add(reactor_t *self, reactor_watch_t *watch, int fd, reactor_fn ready);

/* The lock is held for these. */
void reactor_arm(reactor_t *self, reactor_watch_t *watch, unsigned events);
/* CLOCK_NEVER: no deadline. */
void reactor_set_deadline(reactor_t *self, reactor_watch_t *watch, uint64_t deadline);
/* ready is not called any more; the descriptor can be closed. Also of a watch never added. */
void reactor_remove(reactor_t *self, reactor_watch_t *watch);

#endif
