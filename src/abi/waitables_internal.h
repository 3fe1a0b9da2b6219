/* Entries of the table, for waitables.c and waitables_copy.c. */
#ifndef ABI_WAITABLES_INTERNAL_H
#define ABI_WAITABLES_INTERNAL_H

#include "abi/waitables.h"

typedef enum kind { KIND_FREE, KIND_SET, KIND_SUBTASK } waitable_kind_t;

struct waitable {
    waitable_kind_t kind;
    uint32_t number;
    waitable_t *next, *previous; /* free list; or the ready list of the set it is in */
    /* Sets. */
    waitable_t *ready_first, *ready_last;
    uint32_t members, expected; /* expected: members whose end is still to be delivered */
    /* Subtasks. */
    waitable_t *set;
    subtask_state_t state;
    bool pending;   /* its end has not been told to the guest */
    bool delivered; /* it has, so the guest may drop it */
    heap_item_t timer;
    void *owner;    /* of a call, until its end is delivered */
    bool owned;     /* restored, and had an owner */
    uint32_t place; /* in its ready list from 1, while the table is saved */
};

/* Takes bytes from the budget. */
bool waitables_charge(waitables_t *self, uint64_t bytes);
/* Room for entries with numbers below count. False when out of memory. */
bool waitables_reserve(waitables_t *self, uint32_t count);
/* Appends a pending subtask to the ready list of its set. */
void waitable_ready(waitable_t *set, waitable_t *subtask);
/* A subtask has ended; the guest is to be told. */
void waitable_resolve(waitables_t *self, waitable_t *subtask, subtask_state_t state);
/* Puts an entry on the free list. */
void waitable_drop(waitables_t *self, waitable_t *entry);

#endif
