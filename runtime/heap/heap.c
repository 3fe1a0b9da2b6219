/* Blocks: pools of one size each, and large blocks, which are spans.
 *
 * Giving and taking back a small block is a few instructions: the block goes from or to the
 * free list of its pool. A pool that gets full leaves the list of its class and comes back with
 * the first block that is freed; a pool that gets empty becomes a free span. */
#include "heap_internal.h"

#include <string.h>

enum {
    CARVE_BYTES = 2048, /* that are put on the free list at a time */
    POOL_UNITS_MAX = 8
};

struct size_class heap_classes[CLASSES];

static struct span *current[CLASSES]; /* where blocks come from; the span of unit 0: none */
static uint32_t available[CLASSES];   /* other pools with free blocks, 0: none */
static uint32_t settled[CLASSES];     /* the same, but only when memory is short */

static inline uint32_t index_of(const struct span *span)
{
    return (uint32_t)(span - heap_spans);
}

static inline void *block_at(uint32_t address)
{
    return (void *)(uintptr_t)address;
}

static inline uint32_t *link_of(void *block)
{
    return block;
}

/* SMALL_MAX < size <= MEDIUM_MAX */
static uint32_t medium_class(size_t size)
{
    uint32_t top = 31 - (uint32_t)__builtin_clz((uint32_t)size - 1);
    uint32_t step = (((uint32_t)size - 1) >> (top - 3)) & (MEDIUM_STEPS - 1);
    return SMALL_CLASSES + (top - 9) * MEDIUM_STEPS + step;
}

/* The fewest units that waste less than an eighth and hold a few blocks. */
static uint32_t pool_units(size_t size)
{
    uint32_t units = 1;
    while (units < POOL_UNITS_MAX &&
           (units * UNIT_BYTES / size < 4 || units * UNIT_BYTES % size > units * UNIT_BYTES / 8)) {
        units++;
    }
    return units;
}

static void define_class(uint32_t kind, size_t size)
{
    uint32_t units = pool_units(size), capacity = units * UNIT_BYTES / (uint32_t)size;
    heap_classes[kind].size = (uint16_t)(size / STEP);
    heap_classes[kind].capacity = (uint16_t)capacity;
    heap_classes[kind].batch = (uint16_t)(size > CARVE_BYTES ? 1 : CARVE_BYTES / size);
    heap_classes[kind].units = (uint16_t)units;
    current[kind] = heap_spans;
}

void heap_start(void)
{
    define_class(0, STEP);
    for (uint32_t kind = 1; kind < SMALL_CLASSES; kind++) {
        define_class(kind, (size_t)kind * STEP);
    }
    for (uint32_t i = 0; i < CLASSES - SMALL_CLASSES; i++) {
        size_t base = (size_t)SMALL_MAX << i / MEDIUM_STEPS;
        define_class(SMALL_CLASSES + i, base + base / MEDIUM_STEPS * (i % MEDIUM_STEPS + 1));
    }
}

static uint32_t capacity_of(const struct span *pool)
{
    return is_mixed(pool) ? heap_mixed.capacities[pool->kind] : heap_classes[pool->kind].capacity;
}

/* Puts blocks of a pool that were never used on its empty free list. */
static void carve(struct span *pool)
{
    uint32_t size = (uint32_t)class_bytes(pool->kind), carved = pool->carved;
    uint32_t count = capacity_of(pool) - carved;
    uint32_t start = is_mixed(pool) ? heap_mixed.starts[pool->kind] : address_of(index_of(pool));
    uint32_t block = start + carved * size;
    if (count > heap_classes[pool->kind].batch) {
        count = heap_classes[pool->kind].batch;
    }
    pool->carved = carved + count;
    pool->value = block;
    for (; count > 1; count--) {
        *link_of(block_at(block)) = block + size;
        block += size;
    }
    *link_of(block_at(block)) = 0;
}

static struct span *new_pool(uint32_t kind)
{
    uint32_t units = heap_classes[kind].units, unit = spans_take(units);
    struct span *pool = &heap_spans[unit];
    if (unit == 0) {
        return NULL;
    }
    spans_touch(unit, units);
    *pool = (struct span){.state = SPAN_POOL, .kind = (uint8_t)kind};
    for (uint32_t i = 1; i < units; i++) {
        heap_spans[unit + i] = (struct span){.state = SPAN_INNER, .value = unit};
    }
    return pool;
}

/* The pool is on neither list. */
static void link_pool(struct span *pool, uint32_t *lists)
{
    uint32_t unit = index_of(pool), next = lists[pool->kind];
    pool->next = next & 0xfffff;
    pool->previous = 0;
    if (next != 0) {
        heap_spans[next].previous = unit & 0xfffff;
    }
    lists[pool->kind] = unit;
}

static void unlink_pool(struct span *pool, uint32_t *lists)
{
    if (pool->next != 0) {
        heap_spans[pool->next].previous = pool->previous;
    }
    if (pool->previous != 0) {
        heap_spans[pool->previous].next = pool->next;
    } else {
        lists[pool->kind] = pool->next;
    }
}

static void give_pool(struct span *pool)
{
    uint32_t unit = index_of(pool), units = heap_classes[pool->kind].units;
    for (uint32_t i = 0; i < units; i++) {
        heap_spans[unit + i].state = SPAN_NONE;
    }
    spans_give(unit, units);
}

static struct span *take_pool(uint32_t kind, uint32_t *lists)
{
    struct span *pool = &heap_spans[lists[kind]];
    unlink_pool(pool, lists);
    pool->state = SPAN_POOL;
    return pool;
}

/* A pool other than the current one with a block on its free list; NULL without memory. */
static struct span *next_pool(uint32_t kind)
{
    struct span *pool = mixed_next(kind);
    if (pool != NULL) {
        pool->state = SPAN_POOL;
    } else if (available[kind] != 0) {
        pool = take_pool(kind, available);
    } else {
        pool = new_pool(kind);
        if (pool == NULL && settled[kind] != 0) {
            pool = take_pool(kind, settled);
        }
    }
    if (pool != NULL && pool->value == 0) {
        carve(pool);
    }
    return pool;
}

static __attribute__((noinline)) void *alloc_slowly(uint32_t kind)
{
    struct span *pool = current[kind];
    void *block;
    if (pool->value == 0 && pool != heap_spans && pool->carved < capacity_of(pool)) {
        carve(pool);
    } else {
        if (pool != heap_spans) {
            pool->state = SPAN_FULL;
            current[kind] = heap_spans;
        }
        pool = next_pool(kind);
        if (pool == NULL) {
            return NULL;
        }
        current[kind] = pool;
    }
    block = block_at(pool->value);
    pool->value = *link_of(block);
    pool->used++;
    return block;
}

static inline void *alloc_block(uint32_t kind)
{
    struct span *pool = current[kind];
    void *block = block_at(pool->value);
    if (__builtin_expect(block == NULL, 0)) {
        return alloc_slowly(kind);
    }
    pool->value = *link_of(block);
    pool->used++;
    return block;
}

static uint32_t units_for(size_t size)
{
    return (uint32_t)(((uint64_t)size + UNIT_BYTES - 1) / UNIT_BYTES);
}

/* *dirty: how many bytes may not be zero. */
static void *alloc_large(size_t size, size_t *dirty)
{
    uint32_t units = units_for(size), unit = size > PTRDIFF_MAX ? 0 : spans_take(units);
    if (unit == 0) {
        return NULL;
    }
    heap_spans[unit].state = SPAN_LARGE;
    heap_spans[unit].value = units;
    *dirty = spans_touch(unit, units);
    return block_at((uint32_t)address_of(unit));
}

static __attribute__((noinline)) void *alloc_bigger(size_t size)
{
    size_t dirty;
    return size <= MEDIUM_MAX ? alloc_block(medium_class(size)) : alloc_large(size, &dirty);
}

void *heap_alloc(size_t size)
{
    if (__builtin_expect(size <= SMALL_MAX, 1)) {
        return alloc_block((uint32_t)(size + STEP - 1) / STEP);
    }
    return alloc_bigger(size);
}

void *heap_alloc_zeroed(size_t count, size_t size)
{
    size_t bytes, dirty;
    void *block;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        return NULL;
    }
    dirty = bytes;
    block = bytes > MEDIUM_MAX ? alloc_large(bytes, &dirty) : heap_alloc(bytes);
    if (block != NULL && dirty != 0) {
        memset(block, 0, dirty < bytes ? dirty : bytes);
    }
    return block;
}

/* What the fast path of heap_free leaves: large blocks, full pools, and blocks that do not
 * begin in the first unit of their pool. */
static __attribute__((noinline)) void free_slowly(struct span *pool, void *block)
{
    if (block == NULL) {
        return;
    }
    if (pool->state == SPAN_LARGE) {
        pool->state = SPAN_NONE;
        spans_give(index_of(pool), pool->value);
        return;
    }
    if (pool->state == SPAN_INNER) {
        pool = &heap_spans[pool->value];
    }
    if (pool->state == SPAN_FULL || pool->state == SPAN_SETTLED) {
        if (pool->state == SPAN_SETTLED) {
            unlink_pool(pool, settled);
        }
        pool->state = SPAN_POOL;
        link_pool(pool, available);
    } else if (pool->state != SPAN_POOL) {
        __builtin_trap(); /* no block of ours */
    }
    *link_of(block) = pool->value;
    pool->value = (uint32_t)(uintptr_t)block;
    if (--pool->used == 0 && pool != current[pool->kind]) {
        unlink_pool(pool, available);
        give_pool(pool);
    }
}

static __attribute__((noinline)) void pool_is_empty(struct span *pool)
{
    if (pool != current[pool->kind]) {
        unlink_pool(pool, available);
        give_pool(pool);
    }
}

static void free_mixed(void *block)
{
    struct span *pool = mixed_pool_of(block);
    *link_of(block) = pool->value;
    pool->value = (uint32_t)(uintptr_t)block;
    pool->used--;
}

void heap_free(void *block)
{
    struct span *pool = &heap_spans[unit_of((uintptr_t)block)];
    if (__builtin_expect(pool->state == SPAN_MIXED, 0)) {
        free_mixed(block);
        return;
    }
    if (__builtin_expect(pool->state != SPAN_POOL, 0)) {
        free_slowly(pool, block);
        return;
    }
    *link_of(block) = pool->value;
    pool->value = (uint32_t)(uintptr_t)block;
    if (__builtin_expect(--pool->used == 0, 0)) {
        pool_is_empty(pool);
    }
}

static bool resize_large(uint32_t unit, size_t size)
{
    struct span *span = &heap_spans[unit];
    uint32_t wanted = units_for(size), has = span->value;
    if (size <= MEDIUM_MAX || size > PTRDIFF_MAX) {
        return false;
    }
    if (wanted > has) {
        if (!spans_extend(unit, has, wanted)) {
            return false;
        }
        spans_touch(unit, wanted);
    } else if (wanted < has) {
        spans_give(unit + wanted, has - wanted);
    }
    span->value = wanted;
    return true;
}

static uint32_t kind_of(const struct span *span, const void *block)
{
    switch (span->state) {
    case SPAN_MIXED:
        return mixed_pool_of(block)->kind;
    case SPAN_INNER:
        return heap_spans[span->value].kind;
    default:
        return span->kind;
    }
}

void *heap_realloc(void *block, size_t size)
{
    uint32_t unit = unit_of((uintptr_t)block);
    const struct span *span = &heap_spans[unit];
    size_t has;
    void *moved;
    if (block == NULL) {
        return heap_alloc(size);
    }
    if (span->state == SPAN_LARGE) {
        if (resize_large(unit, size)) {
            return block;
        }
        has = (size_t)span->value * UNIT_BYTES;
    } else {
        has = class_bytes(kind_of(span, block));
        if (size <= has && size > has / 2) {
            return block;
        }
    }
    moved = heap_alloc(size);
    if (moved == NULL) {
        return size <= has ? block : NULL;
    }
    memcpy(moved, block, size < has ? size : has);
    heap_free(block);
    return moved;
}

void heap_settle(void)
{
    heap_trim();
    for (uint32_t kind = 0; kind < CLASSES; kind++) {
        struct span *last = current[kind];
        current[kind] = heap_spans;
        if (is_mixed(last)) {
            last = heap_spans; /* what is left of it serves again */
        }
        if (last != heap_spans && last->value == 0 && last->carved == heap_classes[kind].capacity) {
            last->state = SPAN_FULL;
        } else if (last != heap_spans) {
            link_pool(last, available);
        }
        while (available[kind] != 0) {
            struct span *pool = take_pool(kind, available);
            pool->state = SPAN_SETTLED;
            link_pool(pool, settled);
        }
    }
    heap_mixed.serves = true;
}

bool heap_trim(void)
{
    bool any = false;
    for (uint32_t kind = 0; kind < CLASSES; kind++) {
        struct span *pool = current[kind];
        if (pool != heap_spans && !is_mixed(pool) && pool->used == 0) {
            current[kind] = heap_spans;
            give_pool(pool);
            any = true;
        }
    }
    return any;
}
