/* What the files of the heap share: the table of units. */
#ifndef ERYX_HEAP_HEAP_INTERNAL_H
#define ERYX_HEAP_HEAP_INTERNAL_H

#include <stdbool.h>

#include "heap.h"

enum { UNIT_BITS = 14, UNIT_BYTES = 1 << UNIT_BITS, UNITS = 1 << (32 - UNIT_BITS) };

enum span_state {
    SPAN_NONE,    /* not ours, or inside of a span */
    SPAN_POOL,    /* with blocks to give */
    SPAN_FULL,    /* a pool without free blocks */
    SPAN_SETTLED, /* a pool with blocks that are given only when memory is short */
    SPAN_INNER,   /* of a pool, not its first unit */
    SPAN_MIXED,   /* blocks of several sizes (mixed.c) */
    SPAN_LARGE,   /* first unit of one block */
    SPAN_FREE,    /* first or last unit */
};

/* One for each unit of the address space: 4 MiB, of which those of unused units stay zero. */
struct span {
    uint32_t
        value; /* POOL, FULL, SETTLED: first free block. INNER: first unit. LARGE, FREE: units */
    uint16_t used; /* POOL, FULL, SETTLED: blocks given out */
    uint8_t state;
    uint8_t kind;         /* the same: size class */
    uint32_t next : 20;   /* POOL, SETTLED, FREE: unit, 0 is the end */
    uint32_t carved : 12; /* of a pool: blocks that are in use or on the free list */
    uint32_t previous : 20;
};

extern struct span heap_spans[UNITS + 1];

static inline uint32_t unit_of(uintptr_t address)
{
    return (uint32_t)(address >> UNIT_BITS);
}

static inline uintptr_t address_of(uint32_t unit)
{
    return (uintptr_t)unit << UNIT_BITS;
}

/* heap.c: the sizes of blocks. */
enum {
    STEP = 8,           /* between the sizes of small classes */
    SMALL_MAX = 512,    /* largest size with a class for each STEP */
    MEDIUM_MAX = 32768, /* largest size in a pool */
    SMALL_CLASSES = SMALL_MAX / STEP + 1,
    MEDIUM_STEPS = 8, /* classes for each power of two over SMALL_MAX */
    CLASSES = SMALL_CLASSES + 6 * MEDIUM_STEPS
};

struct size_class {
    uint16_t size;     /* of a block, in units of STEP bytes */
    uint16_t capacity; /* blocks in a pool */
    uint16_t batch;    /* blocks to carve at a time */
    uint16_t units;    /* of a pool */
};

extern struct size_class heap_classes[CLASSES];

static inline size_t class_bytes(uint32_t kind)
{
    return (size_t)heap_classes[kind].size * STEP;
}

/* mixed.c: blocks of several sizes. */
enum { MIXED_UNITS = 8, MIXED_GRAIN = 256 };

struct mixed {
    uintptr_t start; /* 0: no memory was reserved */
    bool serves;     /* not before memory becomes an image */
    struct span pools[CLASSES];
    uint32_t starts[CLASSES];     /* first block */
    uint16_t capacities[CLASSES]; /* blocks */
    uint8_t kinds[MIXED_UNITS * UNIT_BYTES / MIXED_GRAIN];
};

extern struct mixed heap_mixed;

/* Takes the first units of memory that is added; returns the first that is left. */
uint32_t mixed_reserve(uint32_t first, uint32_t after);
/* The pool of a class if it has a block to give (it may have to be carved), or NULL. */
struct span *mixed_next(uint32_t kind);
struct span *mixed_pool_of(const void *block);

static inline bool is_mixed(const struct span *pool)
{
    return pool >= heap_mixed.pools && pool < heap_mixed.pools + CLASSES;
}

/* spans.c: the first of `count` units, 0 without memory. The caller sets their state. */
uint32_t spans_take(uint32_t count);
void spans_give(uint32_t first, uint32_t count);
/* Makes a span longer in place, if what follows is free. */
bool spans_extend(uint32_t first, uint32_t count, uint32_t wanted);
/* Of the bytes of a span that is used from now on, how many may not be zero; they come first. */
size_t spans_touch(uint32_t first, uint32_t count);

/* heap.c: gives back the pools that nobody needs now; false if there are none. */
bool heap_trim(void);

#endif
