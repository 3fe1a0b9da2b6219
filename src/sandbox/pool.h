/* Instances ready for the next sandbox.
 *
 * An instance is a guest in a slot that equals the image. Used ones are recycled and kept,
 * last in first out, since their pages are warm. Those that must not run again (trapped,
 * interrupted) are dropped, but their slot serves a new one. Thread-safe. */
#ifndef SANDBOX_POOL_H
#define SANDBOX_POOL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi/guest.h"
#include "engine/engine.h"
#include "memory/origin.h"

typedef struct instance {
    struct instance *next;
    guest_t guest;
    memory_slot_t *slot;
    /* What the guest was last configured for, see execution.c. */
    bool configured;
    uint32_t table_count; /* when it was new, if the pool verifies */
} instance_t;

typedef struct pool {
    engine_t *engine;
    memory_origin_t *origin;
    uint32_t max_warm;
    bool verify; /* recycled instances are compared with the image */
    pthread_mutex_t lock;
    instance_t *idle;
    memory_slot_t *idle_slot; /* recycled, without instance; at most one */
    uint32_t idle_count;
} pool_t;

bool pool_init(pool_t *pool, engine_t *engine, memory_origin_t *origin, uint32_t max_warm,
               bool verify);
/* All instances must have been given back. */
void pool_destroy(pool_t *pool);

/* Errors: ERYX_ERR_MEMORY, _ENGINE. */
int pool_acquire(pool_t *pool, instance_t **out, eryx_error_t *error);
/* Takes back an instance whose last execution ended well. */
void pool_recycle(pool_t *pool, instance_t *instance);
/* Takes back an instance that must not run again. */
void pool_discard(pool_t *pool, instance_t *instance);

#endif
