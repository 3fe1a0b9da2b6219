/* Python's memory is all our heap, so that what one use gives back serves every other: objects,
 * raw memory, and the chunks of the stack of Python frames ("arenas"). */
#include "heap/heap.h"
#include "python.h"

static void *allocate(void *context, size_t size)
{
    (void)context;
    return heap_alloc(size);
}

static void *allocate_zeroed(void *context, size_t count, size_t size)
{
    (void)context;
    return heap_alloc_zeroed(count, size);
}

static void *reallocate(void *context, void *block, size_t size)
{
    (void)context;
    return heap_realloc(block, size);
}

static void release(void *context, void *block)
{
    (void)context;
    heap_free(block);
}

static void release_arena(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    heap_free(block);
}

void python_allocator_start(void)
{
    struct python_allocator heap = {NULL, allocate, allocate_zeroed, reallocate, release};
    struct python_arena_allocator arenas = {NULL, allocate, release_arena};
    heap_start();
    PyObject_SetArenaAllocator(&arenas);
    PyMem_SetAllocator(PYTHON_DOMAIN_RAW, &heap);
    PyMem_SetAllocator(PYTHON_DOMAIN_MEM, &heap);
    PyMem_SetAllocator(PYTHON_DOMAIN_OBJECT, &heap);
}
