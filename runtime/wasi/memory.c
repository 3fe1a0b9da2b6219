/* Memory of lists that are handed to libc, which frees them. */
#include "wasi_internal.h"

#include <stdlib.h>

void *wasi_alloc(size_t length)
{
    void *memory = length ? malloc(length) : NULL; /* libc doesn't free empty lists */
    if (length && !memory) {
        __builtin_trap();
    }
    return memory;
}
