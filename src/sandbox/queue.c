/* A list of ready items, told by an eventfd, and a heap of the waiting ones' deadlines behind a timerfd; an
 * epoll descriptor is readable when one of them is. A timer set to the past could tell both, but it
 * expires by an interrupt: 20 us later on virtual machines, where an eventfd takes 1. */
#define _GNU_SOURCE
#include "sandbox/queue.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

struct eryx_queue {
    atomic_uint references; /* the caller's and one an item */
    pthread_mutex_t lock;
    queue_item_t *first, *last; /* ready */
    heap_t timers;
    size_t items;
    int poll;       /* epoll of the other two */
    int ready;      /* eventfd: readable while items are ready */
    bool told;      /* that it is */
    int timer;      /* for the first deadline */
    uint64_t armed; /* when the timer expires; CLOCK_NEVER: off */
};

static bool watch(eryx_queue_t *queue, int fd) {
    struct epoll_event event = {.events = EPOLLIN};
    return fd >= 0 && epoll_ctl(queue->poll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_descriptors(eryx_queue_t *queue) {
    queue->poll = epoll_create1(EPOLL_CLOEXEC);
    queue->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    queue->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return queue->poll >= 0 && watch(queue, queue->ready) && watch(queue, queue->timer);
}

static void close_descriptors(eryx_queue_t *queue) {
    const int fds[] = {queue->poll, queue->ready, queue->timer};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

int eryx_queue_new(eryx_queue_t **out, eryx_error_t *error) {
    if (!out)
        return error_set(error, ERYX_ERR_ARGUMENT, "out is NULL");
    *out = NULL;
    eryx_queue_t *queue = calloc(1, sizeof *queue);
    if (!queue || pthread_mutex_init(&queue->lock, NULL) != 0) {
        free(queue);
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for a queue");
    }
    atomic_init(&queue->references, 1);
    queue->armed = CLOCK_NEVER;
    if (!open_descriptors(queue)) {
        int status =
            error_set(error, ERYX_ERR_IO, "no descriptors for a queue: %s", strerror(errno));
        close_descriptors(queue);
        pthread_mutex_destroy(&queue->lock);
        free(queue);
        return status;
    }
    *out = queue;
    return ERYX_OK;
}

static void release(eryx_queue_t *queue) {
    if (atomic_fetch_sub(&queue->references, 1) != 1)
        return;
    close_descriptors(queue);
    heap_free(&queue->timers);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

void eryx_queue_free(eryx_queue_t *queue) {
    if (queue)
        release(queue);
}

int eryx_queue_fd(const eryx_queue_t *queue) {
    return queue->poll;
}

/* Makes the descriptor readable if it is to be; `exactly`, when nothing is ready: or unreadable. Otherwise a
 * timer that is merely early is left alone, since whoever it wakes sets it right. */
static void arm(eryx_queue_t *queue, bool exactly) {
    eventfd_t value;
    if (queue->first && !queue->told) {
        eventfd_write(queue->ready, 1);
        queue->told = true;
    } else if (exactly && queue->told) {
        eventfd_read(queue->ready, &value);
        queue->told = false;
    }
    const heap_item_t *first = heap_first(&queue->timers);
    uint64_t time = first ? first->key : CLOCK_NEVER;
    if (time == queue->armed || (!exactly && time > queue->armed))
        return;
    struct itimerspec when = {.it_value = {0, 0}};
    if (time != CLOCK_NEVER)
        when.it_value = clock_timespec(time);
    timerfd_settime(queue->timer, TFD_TIMER_ABSTIME, &when, NULL);
    queue->armed = time;
}

static void make_ready(eryx_queue_t *queue, queue_item_t *item) {
    heap_remove(&queue->timers, &item->timer);
    item->state = ITEM_READY;
    item->next = NULL;
    item->previous = queue->last;
    if (queue->last)
        queue->last->next = item;
    else
        queue->first = item;
    queue->last = item;
}

/* Out of the list or heap it is in. */
static void take_out(eryx_queue_t *queue, queue_item_t *item) {
    heap_remove(&queue->timers, &item->timer);
    if (item->state == ITEM_READY) {
        if (item->previous)
            item->previous->next = item->next;
        else
            queue->first = item->next;
        if (item->next)
            item->next->previous = item->previous;
        else
            queue->last = item->previous;
    }
    item->state = ITEM_BUSY;
    item->notified = false;
}

bool queue_attach(eryx_queue_t *queue, queue_item_t *item, eryx_execution_t *execution) {
    *item = (queue_item_t){.queue = queue, .execution = execution};
    if (!queue)
        return true;
    pthread_mutex_lock(&queue->lock);
    bool good = heap_reserve(&queue->timers, queue->items + 1);
    if (good) {
        atomic_fetch_add(&queue->references, 1);
        queue->items++;
        make_ready(queue, item);
        arm(queue, false);
    }
    pthread_mutex_unlock(&queue->lock);
    if (!good)
        item->queue = NULL;
    return good;
}

void queue_detach(queue_item_t *item) {
    eryx_queue_t *queue = item->queue;
    if (!queue)
        return;
    pthread_mutex_lock(&queue->lock);
    take_out(queue, item);
    queue->items--;
    pthread_mutex_unlock(&queue->lock);
    item->queue = NULL;
    release(queue);
}

void queue_busy(queue_item_t *item) {
    eryx_queue_t *queue = item->queue;
    if (!queue)
        return;
    pthread_mutex_lock(&queue->lock);
    take_out(queue, item);
    pthread_mutex_unlock(&queue->lock);
}

void queue_wait(queue_item_t *item, uint64_t deadline) {
    eryx_queue_t *queue = item->queue;
    if (!queue)
        return;
    pthread_mutex_lock(&queue->lock);
    if (item->notified || deadline == 0) {
        make_ready(queue, item);
    } else {
        item->state = ITEM_WAITING;
        if (deadline != CLOCK_NEVER)
            heap_insert(&queue->timers, &item->timer, deadline); /* has room: see attach */
    }
    arm(queue, false);
    pthread_mutex_unlock(&queue->lock);
}

void queue_notify(queue_item_t *item) {
    eryx_queue_t *queue = item->queue;
    if (!queue)
        return;
    pthread_mutex_lock(&queue->lock);
    if (item->state == ITEM_WAITING) {
        make_ready(queue, item);
        arm(queue, false);
    } else if (item->state == ITEM_BUSY) {
        item->notified = true;
    }
    pthread_mutex_unlock(&queue->lock);
}

eryx_execution_t *eryx_queue_next(eryx_queue_t *queue) {
    pthread_mutex_lock(&queue->lock);
    heap_item_t *timer = heap_first(&queue->timers);
    uint64_t now = timer ? clock_monotonic() : 0;
    for (; timer && timer->key <= now; timer = heap_first(&queue->timers))
        make_ready(queue, (queue_item_t *)((char *)timer - offsetof(queue_item_t, timer)));
    queue_item_t *item = queue->first;
    if (item)
        take_out(queue, item);
    else
        arm(queue, true);
    pthread_mutex_unlock(&queue->lock);
    return item ? item->execution : NULL;
}
