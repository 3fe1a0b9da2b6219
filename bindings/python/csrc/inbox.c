/* The eventfd is written when the list stops being empty and read when it is emptied, both under
 * the lock: it is readable exactly while there is something to take. */
#include "inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ROOM_BYTES ((size_t)4 << 20)

bool inbox_init(inbox_t *inbox, bool with_fd)
{
    *inbox = (inbox_t){.fd = -1};
    inbox->last = &inbox->first;
    if (with_fd) {
        inbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (inbox->fd < 0)
            return false;
    }
    pthread_mutex_init(&inbox->lock, NULL);
    pthread_cond_init(&inbox->room, NULL);
    return true;
}

void inbox_destroy(inbox_t *inbox)
{
    event_t *event = inbox_take(inbox);
    while (event) {
        event_t *next = event->next;
        event_free(event);
        event = next;
    }
    if (inbox->fd >= 0)
        close(inbox->fd);
    pthread_cond_destroy(&inbox->room);
    pthread_mutex_destroy(&inbox->lock);
}

event_t *event_new(box_t *box, event_kind_t kind, uint32_t number, size_t length)
{
    event_t *event = malloc(sizeof *event + length);
    if (event)
        *event = (event_t){.box = box, .kind = kind, .number = number, .length = length};
    return event;
}

void event_free(event_t *event)
{
    if (event->kind == EVENT_CALL)
        eryx_call_free(event->call);
    eryx_outcome_free(event->outcome);
    free(event);
}

void inbox_post(inbox_t *inbox, event_t *event)
{
    event->next = NULL;
    pthread_mutex_lock(&inbox->lock);
    bool was_empty = !inbox->first;
    *inbox->last = event;
    inbox->last = &event->next;
    inbox->bytes += event->length;
    if (was_empty && inbox->fd >= 0)
        eventfd_write(inbox->fd, 1);
    pthread_mutex_unlock(&inbox->lock);
}

event_t *inbox_take(inbox_t *inbox)
{
    eventfd_t value;
    pthread_mutex_lock(&inbox->lock);
    event_t *first = inbox->first;
    inbox->first = NULL;
    inbox->last = &inbox->first;
    if (first && inbox->fd >= 0)
        eventfd_read(inbox->fd, &value);
    if (inbox->bytes >= ROOM_BYTES)
        pthread_cond_broadcast(&inbox->room);
    inbox->bytes = 0;
    pthread_mutex_unlock(&inbox->lock);
    return first;
}

bool inbox_full(inbox_t *inbox)
{
    if (inbox->fd < 0)
        return false;
    pthread_mutex_lock(&inbox->lock);
    bool full = inbox->bytes >= ROOM_BYTES && !inbox->closed;
    pthread_mutex_unlock(&inbox->lock);
    return full;
}

void inbox_wait_room(inbox_t *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    while (inbox->bytes >= ROOM_BYTES && !inbox->closed)
        pthread_cond_wait(&inbox->room, &inbox->lock);
    pthread_mutex_unlock(&inbox->lock);
}

void inbox_close(inbox_t *inbox)
{
    pthread_mutex_lock(&inbox->lock);
    inbox->closed = true;
    pthread_cond_broadcast(&inbox->room);
    pthread_mutex_unlock(&inbox->lock);
}
