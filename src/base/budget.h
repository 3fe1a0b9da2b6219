/* Bytes that a guest makes the host hold: one counter with a cap, for all of a sandbox that
 * allocates for it (output, calls, results, waitables, tables of handles).
 *
 * Taken before allocating, given back when freed. Reference-counted, because calls outlive
 * their sandbox. Any thread; a NULL budget allows everything. */
#ifndef BASE_BUDGET_H
#define BASE_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct budget {
    atomic_uint references;
    atomic_ullong used;
    atomic_ullong refused; /* what `used` would have become at the last refusal */
    uint64_t max;
} budget_t;

/* NULL when out of memory. */
budget_t *budget_new(uint64_t max);
budget_t *budget_retain(budget_t *budget);
/* NULL is allowed. */
void budget_release(budget_t *budget);

/* False: it would be more than the cap, nothing was taken. */
bool budget_take(budget_t *budget, uint64_t bytes);
void budget_give(budget_t *budget, uint64_t bytes);
/* What can still be taken. */
uint64_t budget_room(budget_t *budget);

#endif
