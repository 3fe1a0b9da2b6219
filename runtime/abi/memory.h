/* The arena: where an import that returns a list puts it (docs/architecture.md section 5). */
#ifndef ERYX_ABI_MEMORY_H
#define ERYX_ABI_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Set by the caller right before the import is called. */
struct abi_arena {
    uint32_t ptr, capacity;
};
extern struct abi_arena eryx_arena __attribute__((visibility("default")));

#endif
