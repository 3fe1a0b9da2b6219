/* Recycling is done by the thread that gives an instance back, outside of the lock. */
#define _GNU_SOURCE
#include "sandbox/pool.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "memory/verify.h"

bool pool_init(pool_t *pool, engine_t *engine, memory_origin_t *origin, uint32_t max_warm,
               bool verify) {
    *pool = (pool_t){.engine = engine, .origin = origin, .max_warm = max_warm, .verify = verify};
    return pthread_mutex_init(&pool->lock, NULL) == 0;
}

static void instance_free(instance_t *instance) {
    guest_close(&instance->guest);
    slot_free(instance->slot);
    free(instance);
}

void pool_destroy(pool_t *pool) {
    while (pool->idle) {
        instance_t *instance = pool->idle;
        pool->idle = instance->next;
        instance_free(instance);
    }
    slot_free(pool->idle_slot);
    pthread_mutex_destroy(&pool->lock);
}

static memory_slot_t *take_slot(pool_t *pool) {
    pthread_mutex_lock(&pool->lock);
    memory_slot_t *slot = pool->idle_slot;
    pool->idle_slot = NULL;
    pthread_mutex_unlock(&pool->lock);
    return slot;
}

static int instance_new(pool_t *pool, instance_t **out, eryx_error_t *error) {
    instance_t *instance = calloc(1, sizeof *instance);
    if (!instance)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for a new sandbox");
    instance->slot = take_slot(pool);
    int status = instance->slot ? ERYX_OK : slot_new(pool->origin, &instance->slot, error);
    if (status == ERYX_OK)
        status = guest_open(&instance->guest, pool->engine, instance->slot, error);
    if (status != ERYX_OK) {
        slot_free(instance->slot);
        free(instance);
        return status;
    }
    if (pool->verify)
        instance->table_count = engine_table_count(instance->guest.instance);
    *out = instance;
    return ERYX_OK;
}

/* A defect of the library: there is no going on. */
static void verify_slot(const memory_slot_t *slot) {
    size_t address;
    if (slot_equals_image(slot, &address))
        return;
    fprintf(stderr, "eryx: recycled memory differs from the image at 0x%zx\n", address);
    abort();
}

static void verify_instance(const instance_t *instance) {
    verify_slot(instance->slot);
    const char *what = engine_instance_differs(instance->guest.instance, instance->table_count);
    if (!what)
        return;
    fprintf(stderr, "eryx: a recycled instance differs from a new one: %s\n", what);
    abort();
}

int pool_acquire(pool_t *pool, instance_t **out, eryx_error_t *error) {
    pthread_mutex_lock(&pool->lock);
    instance_t *instance = pool->idle;
    if (instance) {
        pool->idle = instance->next;
        pool->idle_count--;
    }
    pthread_mutex_unlock(&pool->lock);
    int status = instance ? ERYX_OK : instance_new(pool, &instance, error);
    if (status != ERYX_OK)
        return status;
    instance->configured = false;
    slot_begin(instance->slot);
    *out = instance;
    return ERYX_OK;
}

void pool_recycle(pool_t *pool, instance_t *instance) {
    if (!guest_can_reset(&instance->guest)) {
        pool_discard(pool, instance);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    bool wanted = pool->idle_count < pool->max_warm && !slot_is_large(instance->slot);
    pthread_mutex_unlock(&pool->lock);
    if (!wanted || !slot_recycle(instance->slot) || !guest_reset(&instance->guest)) {
        instance_free(instance);
        return;
    }
    if (pool->verify)
        verify_instance(instance);
    pthread_mutex_lock(&pool->lock);
    bool kept = pool->idle_count < pool->max_warm;
    if (kept) {
        instance->next = pool->idle;
        pool->idle = instance;
        pool->idle_count++;
    }
    pthread_mutex_unlock(&pool->lock);
    if (!kept)
        instance_free(instance);
}

void pool_discard(pool_t *pool, instance_t *instance) {
    memory_slot_t *slot = instance->slot;
    guest_close(&instance->guest);
    free(instance);
    if (pool->max_warm == 0 || slot_is_large(slot) || !slot_recycle(slot)) {
        slot_free(slot);
        return;
    }
    if (pool->verify)
        verify_slot(slot);
    pthread_mutex_lock(&pool->lock);
    memory_slot_t *surplus = slot;
    if (!pool->idle_slot) {
        pool->idle_slot = slot;
        surplus = NULL;
    }
    pthread_mutex_unlock(&pool->lock);
    slot_free(surplus);
}
