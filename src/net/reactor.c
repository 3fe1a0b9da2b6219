/* Events name a place of the table and its generation, not a pointer: between epoll_wait and taking
 * the lock the watch may be gone, and its place taken by another, or it may be armed for something
 * else. An event of an arming that is over says nothing of the next, which has its own. */
#define _GNU_SOURCE
#include "net/reactor.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/net.h"

#define EVENTS_AT_ONCE 64

struct reactor_place {
    reactor_watch_t *watch;
    uint32_t generation;
    uint32_t next_free;
};

bool reactor_init(reactor_t *self) {
    *self = (reactor_t){.epoll = -1, .timer = -1, .armed = CLOCK_NEVER, .used = 1};
    return pthread_mutex_init(&self->lock, NULL) == 0;
}

/* --- The thread --------------------------------------------------------------------------- */

static void set_timer(reactor_t *self, uint64_t when) {
    struct itimerspec value = {.it_value = clock_timespec(when)};
    self->armed = when;
    if (when == CLOCK_NEVER)
        value.it_value = (struct timespec){0, 0};
    timerfd_settime(self->timer, TFD_TIMER_ABSTIME, &value, NULL);
}

static void dispatch(reactor_t *self, const struct epoll_event *event) {
    uint32_t place = (uint32_t)event->data.u64, generation = (uint32_t)(event->data.u64 >> 32);
    unsigned events = 0;
    if (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        events |= NET_READ;
    if (event->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        events |= NET_WRITE;
    if (place >= self->used || self->places[place].generation != generation)
        return;
    reactor_watch_t *watch = self->places[place].watch;
    if (watch && events)
        watch->ready(watch, events);
}

static void expire(reactor_t *self) {
    uint64_t now = clock_monotonic();
    for (;;) {
        heap_item_t *first = heap_first(&self->deadlines);
        if (!first || first->key > now)
            break;
        heap_remove(&self->deadlines, first);
        reactor_watch_t *watch =
            (reactor_watch_t *)((char *)first - offsetof(reactor_watch_t, timer));
        watch->ready(watch, 0);
    }
    heap_item_t *first = heap_first(&self->deadlines);
    set_timer(self, first ? first->key : CLOCK_NEVER);
}

static void *run(void *env) {
    reactor_t *self = env;
    struct epoll_event events[EVENTS_AT_ONCE];
    for (;;) {
        int count = epoll_wait(self->epoll, events, EVENTS_AT_ONCE, -1);
        pthread_mutex_lock(&self->lock);
        bool timer = false;
        for (int i = 0; i < count; i++) {
            if (events[i].data.u64 == 0)
                timer = true;
            else
                dispatch(self, &events[i]);
        }
        if (timer && !self->stopping)
            expire(self);
        bool stopping = self->stopping;
        pthread_mutex_unlock(&self->lock);
        if (stopping)
            return NULL;
    }
}

static bool open_descriptors(reactor_t *self) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0};
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return self->epoll >= 0 && self->timer >= 0 &&
           epoll_ctl(self->epoll, EPOLL_CTL_ADD, self->timer, &event) == 0;
}

static void close_descriptors(reactor_t *self) {
    if (self->epoll >= 0)
        close(self->epoll);
    if (self->timer >= 0)
        close(self->timer);
    self->epoll = self->timer = -1;
}

/* Signals are for the threads of the host. */
static bool start(reactor_t *self) {
    sigset_t all, before;
    if (self->started)
        return true;
    if (!open_descriptors(self)) {
        close_descriptors(self);
        return false;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    self->started = pthread_create(&self->thread, NULL, run, self) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!self->started)
        close_descriptors(self);
    return self->started;
}

void reactor_stop(reactor_t *self) {
    if (!self->started)
        return;
    pthread_mutex_lock(&self->lock);
    self->stopping = true;
    set_timer(self, 1);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
    self->started = false;
}

void reactor_close(reactor_t *self) {
    close_descriptors(self);
    heap_free(&self->deadlines);
    free(self->places);
    self->places = NULL;
}

/* --- Watches ------------------------------------------------------------------------------ */

static uint32_t take_place(reactor_t *self) {
    uint32_t place = self->free;
    if (place != 0) {
        self->free = self->places[place].next_free;
        return place;
    }
    if (self->used >= self->capacity) {
        uint32_t capacity = self->capacity > 0 ? 2 * self->capacity : 64;
        struct reactor_place *grown = realloc(self->places, capacity * sizeof *grown);
        if (!grown)
            return 0;
        memset(grown + self->capacity, 0, (capacity - self->capacity) * sizeof *grown);
        self->places = grown;
        self->capacity = capacity;
    }
    return self->used++;
}

static uint64_t key_of(const reactor_t *self, uint32_t place) {
    return (uint64_t)self->places[place].generation << 32 | place;
}

/* The heap gets room for every watch, so that setting a deadline cannot fail. */
static bool add(reactor_t *self, reactor_watch_t *watch, int fd) {
    if (!start(self) || !heap_reserve(&self->deadlines, self->used + 1))
        return false;
    uint32_t place = take_place(self);
    if (place == 0)
        return false;
    self->places[place].watch = watch;
    struct epoll_event event = {.events = EPOLLONESHOT, .data.u64 = key_of(self, place)};
    if (epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        self->places[place] = (struct reactor_place){.generation = self->places[place].generation,
                                                     .next_free = self->free};
        self->free = place;
        return false;
    }
    watch->place = place;
    return true;
}

bool reactor_add(reactor_t *self, reactor_watch_t *watch, int fd, reactor_fn ready) {
    *watch = (reactor_watch_t){.fd = fd, .ready = ready};
    pthread_mutex_lock(&self->lock);
    bool added = add(self, watch, fd);
    pthread_mutex_unlock(&self->lock);
    return added;
}

void reactor_arm(reactor_t *self, reactor_watch_t *watch, unsigned events) {
    self->places[watch->place].generation++;
    struct epoll_event event = {.events = EPOLLONESHOT, .data.u64 = key_of(self, watch->place)};
    if (events & NET_READ)
        event.events |= EPOLLIN | EPOLLRDHUP;
    if (events & NET_WRITE)
        event.events |= EPOLLOUT;
    epoll_ctl(self->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

void reactor_set_deadline(reactor_t *self, reactor_watch_t *watch, uint64_t deadline) {
    heap_remove(&self->deadlines, &watch->timer);
    if (deadline == CLOCK_NEVER)
        return;
    heap_insert(&self->deadlines, &watch->timer, deadline);
    if (deadline < self->armed)
        set_timer(self, deadline);
}

void reactor_remove(reactor_t *self, reactor_watch_t *watch) {
    uint32_t place = watch->place;
    if (place == 0)
        return;
    heap_remove(&self->deadlines, &watch->timer);
    epoll_ctl(self->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    self->places[place].watch = NULL;
    self->places[place].generation++;
    self->places[place].next_free = self->free;
    self->free = place;
    watch->place = 0;
}
