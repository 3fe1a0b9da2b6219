/* A binary min-heap of times. Items live in their owners' structs (intrusive), so
 * that removing and changing one is O(log n) without a search. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct heap_item {
    uint64_t key;
    size_t position; /* 0: in no heap, else index + 1 */
} heap_item_t;

typedef struct heap {
    heap_item_t **items;
    size_t count, capacity;
} heap_t;

static inline bool heap_contains(const heap_item_t *item) {
    return item->position != 0;
}

/* The item with the smallest key, NULL if empty. */
static inline heap_item_t *heap_first(const heap_t *heap) {
    return heap->count > 0 ? heap->items[0] : NULL;
}

/* Makes room for count items in all, so that the next insertions cannot fail. */
bool heap_reserve(heap_t *heap, size_t count);
/* Adds an item that is in no heap. False when out of memory. */
bool heap_insert(heap_t *heap, heap_item_t *item, uint64_t key);
/* Gives an item of this heap another key. */
void heap_change(heap_t *heap, heap_item_t *item, uint64_t key);
/* Does nothing for an item that is in no heap. */
void heap_remove(heap_t *heap, heap_item_t *item);
/* Frees the array, not the items. */
void heap_free(heap_t *heap);

#endif
