/* Compares a slot with the image, byte by byte: for tests and debugging of recycling. */
#include "memory/verify.h"

#include <string.h>

static size_t difference(const uint8_t *a, const uint8_t *b, size_t length) {
    size_t at = 0;
    while (at < length && a[at] == b[at])
        at++;
    return at;
}

bool slot_equals_image(const memory_slot_t *slot, size_t *address) {
    const memory_origin_t *origin = slot->origin;
    size_t minimum = origin->layout.minimum;
    *address = slot->size < minimum ? slot->size : minimum;
    if (slot->size != minimum || slot->poll_armed)
        return false;
    for (size_t at = 0; at < minimum; at += origin->page) {
        const uint8_t *wanted = slot_image_page(slot, at / origin->page);
        if (memcmp(slot->base + at, wanted, origin->page) == 0)
            continue;
        *address = at + difference(slot->base + at, wanted, origin->page);
        return false;
    }
    return true;
}
