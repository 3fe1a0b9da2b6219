/* Where the heap gets its memory: at the end of linear memory. */
#include "heap.h"

uintptr_t heap_more(size_t bytes)
{
    size_t page = __builtin_wasm_memory_grow(0, bytes / 65536);
    return page == SIZE_MAX ? 0 : page * 65536;
}
