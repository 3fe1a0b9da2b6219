/* Memory the host writes to: results of imports and arguments of exports. */
#include <stdint.h>
#include <stdlib.h>

#include "memory.h"
#include "guest_bindings.h"

struct abi_arena eryx_arena;

enum { ARENA_LEAST = 4096, ARENA_KEEP = 64 * 1024 };

static bool arena_resize(uint32_t bytes)
{
    void *memory = realloc((void *)(uintptr_t)eryx_arena.ptr, bytes);
    if (memory == NULL) {
        return false;
    }
    eryx_arena = (struct abi_arena){(uint32_t)(uintptr_t)memory, bytes};
    return true;
}

bool abi_arena_reserve(uint32_t bytes)
{
    if (bytes < ARENA_LEAST) {
        bytes = ARENA_LEAST;
    }
    return bytes <= eryx_arena.capacity || arena_resize(bytes);
}

void abi_arena_trim(void)
{
    if (eryx_arena.capacity > ARENA_KEEP) {
        arena_resize(ARENA_LEAST);
    }
}

bool abi_arena_holds(const void *result)
{
    return result != NULL && (uint32_t)(uintptr_t)result == eryx_arena.ptr;
}

/* One byte more than asked for, so that a string that came in can be ended in place. */
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t new_size)
{
    char *memory;
    (void)align; /* malloc's 16 bytes are enough for every type of the world */
    if (new_size == 0 && old_size == 0) {
        return (void *)align;
    }
    memory = realloc(old, new_size + 1);
    if (memory == NULL) {
        abort(); /* the ABI has no way to fail */
    }
    memory[new_size] = 0;
    return memory;
}
