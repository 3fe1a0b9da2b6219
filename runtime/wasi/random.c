/* wasi:random/random. No generator state is kept in linear memory: two instances made of one
 * image would otherwise continue with the same numbers. */
#include "wasi_internal.h"

#include <string.h>

WASI_IMPORT("wasi:random/random@0.2.0", "get-random-u64") uint64_t host_random_u64(void);

void wasi_random_fill(void *buffer, size_t length)
{
    uint8_t *bytes = buffer;
    while (length) {
        uint64_t word = host_random_u64();
        size_t part = length < sizeof word ? length : sizeof word;
        memcpy(bytes, &word, part);
        bytes += part;
        length -= part;
    }
}

WASI_EXPORT("wasi:random/random@0.2.0#get-random-bytes")
void wasi_get_random_bytes(uint64_t length, struct wasi_list *result)
{
    if (length > UINT32_MAX) {
        __builtin_trap();
    }
    *result = (struct wasi_list){wasi_alloc((size_t)length), (uint32_t)length};
    wasi_random_fill(result->ptr, (size_t)length);
}
