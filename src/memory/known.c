/* The pages of a slot that are known to be private, and what they look like in the image. */
#define _GNU_SOURCE
#include "memory/known.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "memory/faults.h"

#define UPDATED_TOGETHER 512
#define KNOWN_MAX 1024 /* what an idle slot may cost, and an execution compares */

bool known_add(memory_slot_t *slot, size_t index) {
    if (slot->known_count == slot->known_capacity) {
        size_t capacity = slot->known_capacity > 0 ? 2 * slot->known_capacity : 128;
        known_page_t *grown =
            capacity <= KNOWN_MAX ? realloc(slot->known, capacity * sizeof *grown) : NULL;
        if (!grown)
            return false;
        slot->known = grown;
        slot->known_capacity = capacity;
    }
    slot->known[slot->known_count++] = (known_page_t){.index = (uint32_t)index};
    page_set_add(&slot->sets[SET_KNOWN], index);
    return true;
}

const uint8_t *slot_image_page(const memory_slot_t *slot, size_t index) {
    static const uint8_t zeros[65536];
    const memory_origin_t *origin = slot->origin;
    size_t offset = index * origin->page;
    return offset < origin->mapped ? origin->reference + offset : zeros;
}

/* By parts, since most changes are small: the rest stays clean in the caches. */
bool page_update(uint8_t *target, const uint8_t *content, size_t bytes) {
    bool changed = false;
    for (size_t at = 0; at < bytes; at += UPDATED_TOGETHER) {
        if (memcmp(target + at, content + at, UPDATED_TOGETHER) == 0)
            continue;
        memcpy(target + at, content + at, UPDATED_TOGETHER);
        changed = true;
    }
    return changed;
}

bool page_restore(memory_slot_t *slot, size_t index, const uint8_t *content) {
    size_t page = slot->origin->page;
    return page_update(slot->base + index * page, content, page);
}

bool pages_drop(memory_slot_t *slot, size_t first, size_t count) {
    size_t page = slot->origin->page;
    return count == 0 || madvise(slot->base + first * page, count * page, MADV_DONTNEED) == 0;
}

bool pages_shrink(memory_slot_t *slot, size_t size) {
    if (slot->size <= size)
        return true;
    uint8_t *grown = slot->base + size;
    if (madvise(grown, slot->size - size, MADV_DONTNEED) != 0 ||
        mprotect(grown, slot->size - size, PROT_NONE) != 0)
        return false;
    slot->size = size;
    return true;
}

bool slot_strayed(const memory_slot_t *slot) {
    return slot->scan_needed || slot->thread != faults_thread() || slot->faults != faults_count();
}

void slot_watch(memory_slot_t *slot) {
    slot->thread = faults_thread();
    slot->faults = faults_count();
    slot->scan_needed = !slot->origin->counts_faults;
    slot->touched = false;
}

void slot_begin(memory_slot_t *slot) {
    slot->saved_size = slot->size;
    slot->strayed = false;
    slot_watch(slot);
}

/* Of many sandboxes each is cold when its turn comes: the processor fetches what is known to be written
 * while it finds its way to the first of it. Measured: a tenth of a first execution among 400. */
static void fetch_known(const memory_slot_t *slot) {
    for (size_t i = 0; i < slot->known_count; i++)
        __builtin_prefetch(slot->base + slot->known[i].index * slot->origin->page);
}

void slot_enter(memory_slot_t *slot) {
    if (!slot->touched)
        fetch_known(slot);
    slot->touched = true;
    if (slot->thread != faults_thread())
        slot->scan_needed = true;
}
