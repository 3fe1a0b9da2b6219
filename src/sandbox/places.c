/* A waiter is counted before it looks again, and who gives a place back looks for waiters afterwards, so
 * one of both sees the other. */
#define _GNU_SOURCE
#include "sandbox/places.h"

#include "base/clock.h"

bool places_init(places_t *places, uint32_t max) {
    places->max = max;
    atomic_init(&places->taken, 0);
    atomic_init(&places->waiting, 0);
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(&places->free, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (made && pthread_mutex_init(&places->lock, NULL) != 0) {
        pthread_cond_destroy(&places->free);
        made = false;
    }
    return made;
}

void places_destroy(places_t *places) {
    pthread_mutex_destroy(&places->lock);
    pthread_cond_destroy(&places->free);
}

static bool try_take(places_t *places) {
    unsigned taken = atomic_load(&places->taken);
    while (taken < places->max)
        if (atomic_compare_exchange_weak(&places->taken, &taken, taken + 1))
            return true;
    return false;
}

bool places_take(places_t *places, uint64_t timeout_ns) {
    if (try_take(places))
        return true;
    if (timeout_ns == 0)
        return false;
    uint64_t until = clock_add(clock_monotonic(), timeout_ns);
    struct timespec end = clock_timespec(until);
    bool taken, over = false;
    pthread_mutex_lock(&places->lock);
    atomic_fetch_add(&places->waiting, 1);
    while (!(taken = try_take(places)) && !over) {
        if (until == CLOCK_NEVER)
            pthread_cond_wait(&places->free, &places->lock);
        else
            over = pthread_cond_timedwait(&places->free, &places->lock, &end) != 0;
    }
    atomic_fetch_sub(&places->waiting, 1);
    pthread_mutex_unlock(&places->lock);
    return taken;
}

void places_give(places_t *places) {
    atomic_fetch_sub(&places->taken, 1);
    if (atomic_load(&places->waiting) == 0)
        return;
    pthread_mutex_lock(&places->lock);
    pthread_cond_signal(&places->free);
    pthread_mutex_unlock(&places->lock);
}
