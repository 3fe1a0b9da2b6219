/* Sift up, sift down. */
#include "heap.h"

#include <stdlib.h>

static void place(heap_t *heap, size_t index, heap_item_t *item) {
    heap->items[index] = item;
    item->position = index + 1;
}

static void sift_up(heap_t *heap, size_t index, heap_item_t *item) {
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (heap->items[parent]->key <= item->key)
            break;
        place(heap, index, heap->items[parent]);
        index = parent;
    }
    place(heap, index, item);
}

static void sift_down(heap_t *heap, size_t index, heap_item_t *item) {
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && heap->items[child + 1]->key < heap->items[child]->key)
            child++;
        if (item->key <= heap->items[child]->key)
            break;
        place(heap, index, heap->items[child]);
        index = child;
    }
    place(heap, index, item);
}

bool heap_reserve(heap_t *heap, size_t count) {
    if (count <= heap->capacity)
        return true;
    size_t capacity = heap->capacity > 0 ? heap->capacity : 8;
    while (capacity < count)
        capacity *= 2;
    heap_item_t **items = realloc(heap->items, capacity * sizeof *items);
    if (!items)
        return false;
    heap->items = items;
    heap->capacity = capacity;
    return true;
}

bool heap_insert(heap_t *heap, heap_item_t *item, uint64_t key) {
    if (!heap_reserve(heap, heap->count + 1))
        return false;
    item->key = key;
    heap->count++;
    sift_up(heap, heap->count - 1, item);
    return true;
}

void heap_change(heap_t *heap, heap_item_t *item, uint64_t key) {
    uint64_t before = item->key;
    item->key = key;
    if (key < before)
        sift_up(heap, item->position - 1, item);
    else
        sift_down(heap, item->position - 1, item);
}

void heap_remove(heap_t *heap, heap_item_t *item) {
    if (!heap_contains(item))
        return;
    size_t index = item->position - 1;
    item->position = 0;
    heap_item_t *last = heap->items[--heap->count];
    if (last == item)
        return;
    if (last->key < item->key)
        sift_up(heap, index, last);
    else
        sift_down(heap, index, last);
}

void heap_free(heap_t *heap) {
    free(heap->items);
    *heap = (heap_t){0};
}
