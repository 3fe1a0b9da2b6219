/* The allocator of Python's objects.
 *
 * Small blocks come from pools of one size, everything else is a span of 16 KiB units; freed
 * spans join and serve any size again, so memory is never lost to what was used before. What
 * describes the memory lies apart from it, densely: allocating dirties few pages, and free
 * memory none.
 *
 * Blocks are aligned to 8 bytes, those over 32 KiB to 16 KiB. Not thread-safe. All memory lies
 * below 4 GiB (also natively, for the tests). */
#ifndef ERYX_HEAP_HEAP_H
#define ERYX_HEAP_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* Once, before anything else. */
void heap_start(void);

/* Takes memory that nobody else uses. */
void heap_add(uintptr_t start, uintptr_t end);

/* Before memory becomes an image: from now on blocks come from new pools. Those of the image are
 * scattered over all of it, and each would be a page that an instance has to copy; the first few
 * blocks of each size come from pages that all sizes share (mixed.c). Those of the image serve
 * again when one of their blocks is freed or there is no other memory. */
void heap_settle(void);

/* After it: what is free is zero again. */
void heap_clean(void);

/* NULL without memory; size 0 gives a block, too. */
void *heap_alloc(size_t size);
void *heap_alloc_zeroed(size_t count, size_t size);
void *heap_realloc(void *block, size_t size);
void heap_free(void *block); /* NULL is allowed */

/* Provided by the surroundings: `bytes` (a multiple of 64 KiB) more memory, 0 if there is none. */
uintptr_t heap_more(size_t bytes);

#endif
