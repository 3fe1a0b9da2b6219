/* Copies pages of one slot to another: see pages.h. */
#include "checkpoint/pages.h"

#include <string.h>

/* Both slots come from one image, so pages that equal it need no copying. */
static bool is_image(const memory_slot_t *slot, size_t index, const uint8_t *content) {
    return memcmp(content, slot_image_page(slot, index), slot->origin->page) == 0;
}

bool pages_copy(memory_slot_t *to, memory_slot_t *from, bool with_savepoint) {
    const page_set_t *changed, *unsaved;
    size_t page = from->origin->page;
    slot_collect(from, &changed, &unsaved);
    if (!slot_grow(to, from->size))
        return false;
    for (size_t i = page_set_next(changed, 0); i < PAGES_MAX; i = page_set_next(changed, i + 1)) {
        const uint8_t *now = from->base + i * page;
        if (i < from->size / page && !is_image(to, i, now))
            slot_put_page(to, i, now);
        if (!with_savepoint)
            continue;
        const uint8_t *saved = slot_saved_page(from, i);
        if (!is_image(to, i, saved) && !slot_put_saved(to, i, saved))
            return false;
    }
    if (with_savepoint)
        to->saved_size = from->saved_size;
    return true;
}
