/* Taking first adds and then looks, so that two threads cannot both take the last bytes. */
#include "base/budget.h"

#include <stdlib.h>

budget_t *budget_new(uint64_t max) {
    budget_t *budget = malloc(sizeof *budget);
    if (!budget)
        return NULL;
    atomic_init(&budget->references, 1);
    atomic_init(&budget->used, 0);
    atomic_init(&budget->refused, 0);
    budget->max = max;
    return budget;
}

budget_t *budget_retain(budget_t *budget) {
    if (budget)
        atomic_fetch_add_explicit(&budget->references, 1, memory_order_relaxed);
    return budget;
}

void budget_release(budget_t *budget) {
    if (budget && atomic_fetch_sub(&budget->references, 1) == 1)
        free(budget);
}

bool budget_take(budget_t *budget, uint64_t bytes) {
    if (!budget || bytes == 0)
        return true;
    uint64_t used = 0, sum;
    bool fits = bytes <= budget->max;
    if (fits) {
        used = atomic_fetch_add_explicit(&budget->used, bytes, memory_order_relaxed);
        fits = used <= budget->max - bytes;
        if (!fits)
            budget_give(budget, bytes);
    } else {
        used = atomic_load_explicit(&budget->used, memory_order_relaxed);
    }
    if (!fits) {
        sum = __builtin_add_overflow(used, bytes, &sum) ? UINT64_MAX : sum;
        atomic_store_explicit(&budget->refused, sum, memory_order_relaxed);
    }
    return fits;
}

void budget_give(budget_t *budget, uint64_t bytes) {
    if (budget)
        atomic_fetch_sub_explicit(&budget->used, bytes, memory_order_relaxed);
}

uint64_t budget_room(budget_t *budget) {
    if (!budget)
        return UINT64_MAX;
    uint64_t used = atomic_load_explicit(&budget->used, memory_order_relaxed);
    return used < budget->max ? budget->max - used : 0;
}
