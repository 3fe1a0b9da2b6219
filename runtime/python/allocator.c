/* Python's memory is all our heap, so that what one use gives back serves every other: objects,
 * raw memory, and the chunks of the stack of Python frames ("arenas"). */
#include <stdio.h>
#include <string.h>

#include "heap/heap.h"
#include "python.h"

/* The linker makes these CPython's own (toolchain/pipeline.py, INTERPOSED). */
#define PYTHON_INTERPOSED __attribute__((visibility("default")))

extern const char _PyRuntime;

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

/* Where CPython keeps what it was given, to see whether a program has put another in front
 * (tracemalloc does). */
static const struct python_allocator *of_memory, *of_objects;

PYTHON_INTERPOSED void *PyMem_Malloc(size_t size)
{
    return of_memory->allocate == allocate ? heap_alloc(size)
                                           : of_memory->allocate(of_memory->context, size);
}

PYTHON_INTERPOSED void PyMem_Free(void *block)
{
    if (of_memory->release == release) {
        heap_free(block);
    } else {
        of_memory->release(of_memory->context, block);
    }
}

PYTHON_INTERPOSED void *PyObject_Malloc(size_t size)
{
    return of_objects->allocate == allocate ? heap_alloc(size)
                                            : of_objects->allocate(of_objects->context, size);
}

PYTHON_INTERPOSED void PyObject_Free(void *block)
{
    if (of_objects->release == release) {
        heap_free(block);
    } else {
        of_objects->release(of_objects->context, block);
    }
}

/* The three domains lie one after the other in the runtime's state. */
static bool find_allocators(const struct python_allocator *heap)
{
    const char *at = (const char *)&_PyRuntime, *end = at + 65536;
    for (; at < end; at += sizeof(void *)) {
        if (memcmp(at, heap, sizeof *heap) == 0 &&
            memcmp(at + sizeof *heap, heap, sizeof *heap) == 0 &&
            memcmp(at + 2 * sizeof *heap, heap, sizeof *heap) == 0) {
            of_memory = (const struct python_allocator *)at + PYTHON_DOMAIN_MEM;
            of_objects = (const struct python_allocator *)at + PYTHON_DOMAIN_OBJECT;
            return true;
        }
    }
    return false;
}

bool python_allocator_start(void)
{
    struct python_allocator heap = {NULL, allocate, allocate_zeroed, reallocate, release};
    struct python_arena_allocator arenas = {NULL, allocate, release_arena};
    heap_start();
    PyObject_SetArenaAllocator(&arenas);
    PyMem_SetAllocator(PYTHON_DOMAIN_RAW, &heap);
    PyMem_SetAllocator(PYTHON_DOMAIN_MEM, &heap);
    PyMem_SetAllocator(PYTHON_DOMAIN_OBJECT, &heap);
    if (!find_allocators(&heap)) {
        fprintf(stderr, "eryx_init: Python does not take our allocator\n");
        return false;
    }
    return true;
}
