/* Stacks for guest calls: reserved address space with a guard below, kept for reuse.
 *
 * A stack is 33 MiB of address space of which a program touches a few pages. Idle stacks are
 * kept by the engine, so that a new instance's first call maps nothing. */
#ifndef ENGINE_STACK_H
#define ENGINE_STACK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct engine_stack {
    struct engine_stack *next;
    struct stack_cache *cache;
    uint8_t *base; /* of the mapping; the guard comes first */
    size_t usable;
    size_t page;
} engine_stack_t;

typedef struct stack_cache {
    pthread_mutex_t lock;
    engine_stack_t *idle;
    size_t idle_count;
} stack_cache_t;

bool stack_cache_init(stack_cache_t *cache);
/* All stacks must have been released. */
void stack_cache_destroy(stack_cache_t *cache);

/* A stack of at least usable bytes; NULL when out of memory. Any thread. */
engine_stack_t *stack_acquire(stack_cache_t *cache, size_t usable);
void stack_release(engine_stack_t *stack);
uint8_t *stack_top(const engine_stack_t *stack);
/* Gives pages far from the top back if they were used. Nothing may be running on it. */
void stack_trim(engine_stack_t *stack);

#endif
