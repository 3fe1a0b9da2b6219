/* Executions that can go on, and the file descriptor that tells of them.
 *
 * The descriptor is a timer: set to the next deadline, or to a time in the past when something is
 * ready. An item is BUSY from when it is handed out (or run) until its execution waits
 * again; what happens in between is remembered. Locks: a control's before a queue's. */
#ifndef SANDBOX_QUEUE_H
#define SANDBOX_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <eryx/execution.h>

#include "base/heap.h"

typedef enum item_state { ITEM_BUSY, ITEM_WAITING, ITEM_READY } item_state_t;

/* An execution's place in its queue; all zero: it has none. */
typedef struct queue_item {
    eryx_queue_t *queue;
    eryx_execution_t *execution;
    item_state_t state;
    bool notified; /* while BUSY */
    struct queue_item *next, *previous;
    heap_item_t timer;
} queue_item_t;

/* Puts the execution into the queue, ready. False when out of memory. queue NULL: no place. */
bool queue_attach(eryx_queue_t *queue, queue_item_t *item, eryx_execution_t *execution);
void queue_detach(queue_item_t *item);
/* Its execution runs. */
void queue_busy(queue_item_t *item);
/* Its execution waits until the deadline, or for a notification. */
void queue_wait(queue_item_t *item, uint64_t deadline);
/* Its execution can go on. Any thread, while the item is attached. */
void queue_notify(queue_item_t *item);

#endif
