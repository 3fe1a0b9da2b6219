/* The event loop. A watch may remove itself or others while events are handed out: what was removed
 * is left out of the rest of the batch. */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, TICKS = 4 };

struct loop {
    int epoll_fd;
    bool stopped;
    struct {
        loop_tick_fn fn;
        void *env;
    } ticks[TICKS];
    size_t tick_count;
    struct epoll_event events[BATCH];
    int event_count;
};

uint64_t loop_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

struct loop *loop_new(void)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        free(loop);
        return NULL;
    }
    return loop;
}

bool loop_add(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    watch->added = epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) == 0;
    return watch->added;
}

void loop_modify(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
}

void loop_remove(struct loop *loop, struct loop_watch *watch)
{
    if (!watch->added)
        return;
    watch->added = false;
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    for (int i = 0; i < loop->event_count; i++) {
        if (loop->events[i].data.ptr == watch)
            loop->events[i].data.ptr = NULL;
    }
}

void loop_add_tick(struct loop *loop, loop_tick_fn tick, void *env)
{
    loop->ticks[loop->tick_count].fn = tick;
    loop->ticks[loop->tick_count++].env = env;
}

/* Milliseconds for epoll_wait, rounded up. */
static int next_wait(struct loop *loop)
{
    uint64_t wait = UINT64_MAX;
    for (size_t i = 0; i < loop->tick_count; i++) {
        uint64_t one = loop->ticks[i].fn(loop->ticks[i].env);
        wait = one < wait ? one : wait;
    }
    if (wait == UINT64_MAX)
        return -1;
    uint64_t milliseconds = wait / 1000000 + (wait % 1000000 != 0);
    return milliseconds < 3600000 ? (int)milliseconds : 3600000;
}

void loop_run(struct loop *loop)
{
    loop->stopped = false;
    for (;;) {
        int wait = next_wait(loop);
        if (loop->stopped)
            return;
        loop->event_count = epoll_wait(loop->epoll_fd, loop->events, BATCH, wait);
        for (int i = 0; i < loop->event_count; i++) {
            struct loop_watch *watch = loop->events[i].data.ptr;
            if (watch)
                watch->ready(watch->env, loop->events[i].events);
        }
        loop->event_count = 0;
    }
}

void loop_stop(struct loop *loop)
{
    loop->stopped = true;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    close(loop->epoll_fd);
    free(loop);
}
