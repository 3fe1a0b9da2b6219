/* A canary some way down tells whether a program went deep: if it is overwritten, the pages
 * below are given back. Frames may skip it; then memory is given back later or at exit,
 * which costs memory but is never wrong. */
#define _GNU_SOURCE
#include "engine/stack.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define IDLE_MAX 64
#define DEEP_BYTES ((size_t)128 << 10) /* kept; the canary lies right below */
#define CANARY_WORDS 64

static const uint64_t canary_value = 0x9e3779b97f4a7c15u;

static uint64_t *canary(const engine_stack_t *stack) {
    return (uint64_t *)(stack_top(stack) - DEEP_BYTES) - CANARY_WORDS;
}

static void write_canary(engine_stack_t *stack) {
    for (size_t i = 0; i < CANARY_WORDS; i++)
        canary(stack)[i] = canary_value;
}

bool stack_cache_init(stack_cache_t *cache) {
    cache->idle = NULL;
    cache->idle_count = 0;
    return pthread_mutex_init(&cache->lock, NULL) == 0;
}

static void unmap_stack(engine_stack_t *stack) {
    munmap(stack->base, stack->page + stack->usable);
    free(stack);
}

void stack_cache_destroy(stack_cache_t *cache) {
    while (cache->idle) {
        engine_stack_t *stack = cache->idle;
        cache->idle = stack->next;
        unmap_stack(stack);
    }
    pthread_mutex_destroy(&cache->lock);
}

/* No huge pages: the first touch would cost 2 MiB. */
static engine_stack_t *map_stack(stack_cache_t *cache, size_t usable) {
    engine_stack_t *stack = calloc(1, sizeof *stack);
    if (!stack)
        return NULL;
    stack->cache = cache;
    stack->page = (size_t)sysconf(_SC_PAGESIZE);
    stack->usable = (usable + stack->page - 1) / stack->page * stack->page;
    size_t total = stack->page + stack->usable;
    void *base = mmap(NULL, total, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (base == MAP_FAILED) {
        free(stack);
        return NULL;
    }
    stack->base = base;
    madvise(base, total, MADV_NOHUGEPAGE);
    if (mprotect(base, stack->page, PROT_NONE) != 0) {
        unmap_stack(stack);
        return NULL;
    }
    write_canary(stack);
    return stack;
}

engine_stack_t *stack_acquire(stack_cache_t *cache, size_t usable) {
    pthread_mutex_lock(&cache->lock);
    engine_stack_t *stack = cache->idle;
    if (stack) {
        cache->idle = stack->next;
        cache->idle_count--;
    }
    pthread_mutex_unlock(&cache->lock);
    return stack ? stack : map_stack(cache, usable);
}

void stack_release(engine_stack_t *stack) {
    stack_cache_t *cache = stack->cache;
    stack_trim(stack);
    pthread_mutex_lock(&cache->lock);
    bool keep = cache->idle_count < IDLE_MAX;
    if (keep) {
        stack->next = cache->idle;
        cache->idle = stack;
        cache->idle_count++;
    }
    pthread_mutex_unlock(&cache->lock);
    if (!keep)
        unmap_stack(stack);
}

uint8_t *stack_top(const engine_stack_t *stack) {
    return stack->base + stack->page + stack->usable;
}

void stack_trim(engine_stack_t *stack) {
    for (size_t i = 0; i < CANARY_WORDS; i++) {
        if (canary(stack)[i] == canary_value)
            continue;
        uint8_t *lowest = stack->base + stack->page;
        size_t deep = (size_t)(stack_top(stack) - DEEP_BYTES - lowest);
        madvise(lowest, deep, MADV_DONTNEED);
        write_canary(stack);
        return;
    }
}
