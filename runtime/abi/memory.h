/* The arena: where an import that returns a list puts it (docs/architecture.md section 5). */
#ifndef ERYX_ABI_MEMORY_H
#define ERYX_ABI_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Offered at all times; what the host has put there is to be taken before the next import. */
struct abi_arena {
    uint32_t ptr, capacity;
};
extern struct abi_arena eryx_arena __attribute__((visibility("default")));

/* Sees to it that there are that many bytes. False when out of memory. */
bool abi_arena_reserve(uint32_t bytes);
/* Gives a buffer back that a large result needed. */
void abi_arena_trim(void);
bool abi_arena_holds(const void *result);

#endif
