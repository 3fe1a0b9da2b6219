/* Places for sandboxes: as many may live as the runtime's max_sandboxes; who finds none free may wait.
 *
 * Taking a free place and giving one back without anybody waiting cost an atomic operation. */
#ifndef SANDBOX_PLACES_H
#define SANDBOX_PLACES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct places {
    uint32_t max;
    atomic_uint taken, waiting;
    pthread_mutex_t lock;
    pthread_cond_t free;
} places_t;

bool places_init(places_t *places, uint32_t max);
void places_destroy(places_t *places);

/* False: none became free within that time (0: does not wait; UINT64_MAX: without end). */
bool places_take(places_t *places, uint64_t timeout_ns);
void places_give(places_t *places);

#endif
