/* Memory the host writes to: results of imports and arguments of exports. */
#include <stdint.h>
#include <stdlib.h>

#include "memory.h"
#include "guest_bindings.h"

struct abi_arena eryx_arena;

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
