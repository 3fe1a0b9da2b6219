/* Back to the image, by the pages that became private.
 *
 * Measured: comparing and copying back a known page costs about 0.1 us, a page fault on
 * a dropped one 0.9 us, walking the page tables 30 ns a page. So pages used again and again
 * are kept, the others dropped, and the walk is skipped when no page fault happened. */
#include "memory/known.h"
#include "memory/scan.h"

#define IDLE_MAX 32 /* unchanged that often: drop it */

static bool restore_known(memory_slot_t *slot) {
    size_t kept = 0, end = slot->origin->layout.minimum / slot->origin->page;
    for (size_t i = 0; i < slot->known_count; i++) {
        known_page_t page = slot->known[i];
        if (page.index < end) {
            bool changed = page_restore(slot, page.index, slot_image_page(slot, page.index));
            page.idle = changed ? 0 : page.idle + 1;
            if (page.idle < IDLE_MAX) {
                slot->known[kept++] = page;
                continue;
            }
            if (!pages_drop(slot, page.index, 1))
                return false;
        }
        page_set_remove(&slot->sets[SET_KNOWN], page.index);
    }
    slot->known_count = kept;
    return true;
}

/* Pages of [first, end) are private; the known ones among them are restored already. */
static bool restore_found(memory_slot_t *slot, size_t first, size_t end, void *env) {
    (void)env;
    size_t dropped = 0; /* pages before `index` that wait to be dropped together */
    for (size_t index = first; index < end; index++) {
        bool known = is_known(slot, index);
        if (!known && !known_add(slot, index)) {
            dropped++;
            continue;
        }
        if (dropped > 0 && !pages_drop(slot, index - dropped, dropped))
            return false;
        dropped = 0;
        if (!known)
            page_restore(slot, index, slot_image_page(slot, index));
    }
    return pages_drop(slot, end - dropped, dropped);
}

static bool drop_found(memory_slot_t *slot, size_t first, size_t end, void *env) {
    (void)env;
    return pages_drop(slot, first, end - first);
}

bool slot_recycle(memory_slot_t *slot) {
    bool scan = slot->strayed || slot_strayed(slot);
    slot_poll_disarm(slot);
    if (!pages_shrink(slot, slot->origin->layout.minimum) || !savepoint_drop(slot) ||
        !restore_known(slot))
        return false;
    if (!scan)
        return true;
    scan_result_t result = scan_private(slot, restore_found, NULL);
    if (result == SCAN_UNAVAILABLE)
        return scan_everything(slot, drop_found, NULL);
    return result == SCAN_DONE;
}
