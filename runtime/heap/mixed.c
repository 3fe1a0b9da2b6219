/* The first blocks that an instance takes lie together, whatever their sizes.
 *
 * A pool has blocks of one size, so what a small program needs would lie on as many pages as it
 * uses sizes, and each of these is a page to copy, to compare, to restore. Here a page has blocks of
 * several sizes; what a block's size is says a table. */
#include "heap_internal.h"

#include <string.h>

enum {
    MIXED_MAX = 2048,   /* size of the largest blocks */
    SHARE_BYTES = 1024, /* of the blocks of a size, or two of them */
    NO_KIND = 0xff
};

struct mixed heap_mixed;

static uint32_t share_bytes(uint32_t size)
{
    uint32_t bytes = size > SHARE_BYTES / 2 ? 2 * size : SHARE_BYTES;
    return (bytes + MIXED_GRAIN - 1) / MIXED_GRAIN * MIXED_GRAIN;
}

static void place(uint32_t kind, uint32_t offset, uint32_t bytes)
{
    uint32_t size = (uint32_t)class_bytes(kind);
    heap_mixed.starts[kind] = (uint32_t)heap_mixed.start + offset;
    heap_mixed.capacities[kind] = (uint16_t)(bytes / size);
    heap_mixed.pools[kind] = (struct span){.state = SPAN_POOL, .kind = (uint8_t)kind};
    memset(heap_mixed.kinds + offset / MIXED_GRAIN, (int)kind, bytes / MIXED_GRAIN);
}

uint32_t mixed_reserve(uint32_t first, uint32_t after)
{
    uint32_t offset = 0;
    if (heap_mixed.start != 0 || after - first < 2 * MIXED_UNITS) {
        return first;
    }
    heap_mixed.start = address_of(first);
    memset(heap_mixed.kinds, NO_KIND, sizeof heap_mixed.kinds);
    for (uint32_t kind = 0; kind < CLASSES && class_bytes(kind) <= MIXED_MAX; kind++) {
        uint32_t bytes = share_bytes((uint32_t)class_bytes(kind));
        if (bytes > MIXED_UNITS * UNIT_BYTES - offset) {
            break;
        }
        place(kind, offset, bytes);
        offset += bytes;
    }
    for (uint32_t i = 0; i < MIXED_UNITS; i++) {
        heap_spans[first + i].state = SPAN_MIXED;
    }
    return first + MIXED_UNITS;
}

struct span *mixed_next(uint32_t kind)
{
    struct span *pool = &heap_mixed.pools[kind];
    bool any = pool->value != 0 || pool->carved < heap_mixed.capacities[kind];
    return heap_mixed.serves && any ? pool : NULL;
}

struct span *mixed_pool_of(const void *block)
{
    uint8_t kind = heap_mixed.kinds[((uintptr_t)block - heap_mixed.start) / MIXED_GRAIN];
    if (kind == NO_KIND) {
        __builtin_trap(); /* no block of ours */
    }
    return &heap_mixed.pools[kind];
}
