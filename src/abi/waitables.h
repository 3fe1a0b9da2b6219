/* Waitable sets and subtasks of one guest: the table behind the canonical ABI's built-ins.
 *
 * Follows the Component Model's canonical ABI, "Waitable State" and "Subtask State". All numbers
 * come from the guest: every function checks them, and answers a fault (static text) where the
 * ABI says trap. Knows nothing of the engine. Times are of clock_monotonic. */
#ifndef ABI_WAITABLES_H
#define ABI_WAITABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/budget.h"
#include "base/buffer.h"
#include "base/heap.h"

#define WAITABLES_MAX 65536u /* sets and subtasks of one guest together */

typedef enum subtask_state {
    SUBTASK_STARTING = 0,
    SUBTASK_STARTED = 1,
    SUBTASK_RETURNED = 2,
    SUBTASK_CANCELLED_BEFORE_STARTED = 3,
    SUBTASK_CANCELLED_BEFORE_RETURNED = 4
} subtask_state_t;

typedef enum event_code {
    EVENT_NONE = 0,
    EVENT_SUBTASK = 1,
    EVENT_TASK_CANCELLED = 6
} event_code_t;

typedef struct event {
    uint32_t code, first, second; /* EVENT_SUBTASK: subtask, state */
} event_t;

typedef struct waitable waitable_t;

/* All zero is an empty table. */
typedef struct waitables {
    /* Told that a subtask with an owner was cancelled or is gone, unless its end was
     * delivered. */
    void (*forget)(void *owner);
    waitable_t **table; /* by number; [0] is unused */
    uint32_t used, capacity;
    uint32_t owned; /* subtasks with an owner */
    waitable_t *free;
    heap_t timers;
    /* Of the sandbox that uses the table, what was taken from it, and whether that did not suffice.
     * Entries that an idle table keeps are nobody's. */
    budget_t *budget;
    uint64_t charged;
    bool over_budget;
} waitables_t;

/* Forgets all sets and subtasks, and the budget; keeps memory (and `forget`) for the next guest. */
void waitables_clear(waitables_t *self);
void waitables_free(waitables_t *self);

/* NULL: done, *out is the number. */
const char *waitables_set_new(waitables_t *self, uint32_t *out);
const char *waitables_set_drop(waitables_t *self, uint32_t set);
/* set 0: leaves its set. */
const char *waitables_join(waitables_t *self, uint32_t subtask, uint32_t set);
/* A subtask that returns at the given time. */
const char *waitables_timer_new(waitables_t *self, uint64_t time, uint32_t *out);
/* A subtask that returns when waitables_return says so. */
const char *waitables_call_new(waitables_t *self, void *owner, waitable_t **out);
uint32_t waitables_number(const waitable_t *waitable);
void waitables_return(waitables_t *self, waitable_t *subtask);
const char *waitables_subtask_drop(waitables_t *self, uint32_t subtask);
/* *state: how it ended, now or before. */
const char *waitables_subtask_cancel(waitables_t *self, uint32_t subtask, uint32_t *state);

/* Lets the timers that are due return. */
void waitables_expire(waitables_t *self, uint64_t now);
/* The next event of a set; EVENT_NONE if there is none yet. *owner: of its subtask, or NULL. */
const char *waitables_peek(const waitables_t *self, uint32_t set, event_t *out, void **owner);
/* Takes the event that waitables_peek told of; its owner is forgotten. */
void waitables_take(waitables_t *self, uint32_t set);
/* Ends all subtasks that have an owner and have not returned, as cancelled. */
void waitables_abandon(waitables_t *self);
/* Whether an event of the set could still come. */
bool waitables_can_wait(const waitables_t *self, uint32_t set);
/* Whether waitables_poll would give an event now. */
bool waitables_ready(const waitables_t *self, uint32_t set);
/* When the next timer is due, CLOCK_NEVER without one. */
uint64_t waitables_deadline(const waitables_t *self);

/* Whether there are neither sets nor subtasks. */
bool waitables_none(const waitables_t *self);

/* The subtask's owner, NULL if it has none; and the greatest number in use. */
void *waitables_owner(const waitables_t *self, uint32_t subtask);
uint32_t waitables_last(const waitables_t *self);

/* The table as bytes, for savepoints, forks and checkpoints. Times become durations from now on;
 * owners are left out. False when out of memory. */
bool waitables_save(const waitables_t *self, uint64_t now, buffer_t *out);
/* Replaces the table by a saved one, of which nothing is trusted; *used is set to how many bytes
 * it has. Subtasks that had an owner have none until waitables_own. Not NULL: a fault; the table is
 * then empty. */
const char *waitables_restore(waitables_t *self, const void *data, size_t length, uint64_t now,
                              size_t *used);
/* Ends restored subtasks that had an owner and did not get one again, as cancelled: what they waited
 * for is not there any more. */
void waitables_settle(waitables_t *self);
/* Gives a subtask that was saved with an owner its owner; false: it had none, or has one. */
bool waitables_own(waitables_t *self, uint32_t subtask, void *owner, waitable_t **out);

#endif
