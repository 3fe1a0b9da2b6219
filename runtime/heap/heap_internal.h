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
