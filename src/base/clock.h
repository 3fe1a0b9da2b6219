/* Time in nanoseconds. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_NEVER UINT64_MAX

static inline uint64_t clock_read(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t clock_monotonic(void) {
    return clock_read(CLOCK_MONOTONIC);
}

/* start + duration, CLOCK_NEVER if that is past the end of time. */
static inline uint64_t clock_add(uint64_t start, uint64_t duration) {
    uint64_t sum;
    return __builtin_add_overflow(start, duration, &sum) ? CLOCK_NEVER : sum;
}

static inline struct timespec clock_timespec(uint64_t ns) {
    struct timespec time = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    return time;
}

#endif
