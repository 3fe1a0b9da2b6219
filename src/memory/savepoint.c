/* The state that a slot can go back to, and what has changed since.
 *
 * A page that was saved is protected, so the next scan finds it only if it was written again.
 * One that is written time and again becomes known: left unprotected, and compared at each
 * savepoint; while there are few the first time is enough, since protecting, the fault and the scan cost
 * what ten comparisons do. A page may also be written to what it was, each time: then it seems idle,
 * until it turns out that it was written again. Copying happens at the beginning of an execution, for what the one before has
 * written: a sandbox that executes once never pays for it. */
#define _GNU_SOURCE
#include "memory/known.h"
#include "memory/scan.h"

#include <string.h>
#include <sys/mman.h>

#define IDLE_MAX 32         /* savepoints in a row without a change: no longer known */
#define IDLE_MAX_AGAIN 1024 /* the same, for one that was written again after that */
#define KNOWN_AT_ONCE 128   /* so many pages are known when they are written for the first time */
#define SHADOW_KEPT 1024    /* pages that a recycled slot keeps in its shadow */
#define DROPPED_TOGETHER 16 /* pages: a run that is cheaper dropped than copied */

const uint8_t *slot_saved_page(const memory_slot_t *slot, size_t index) {
    return is_saved(slot, index) ? slot->shadow + index * slot->origin->page
                                 : slot_image_page(slot, index);
}

static bool reserve_shadow(memory_slot_t *slot) {
    if (slot->shadow)
        return true;
    void *shadow = mmap(NULL, MEMORY_RESERVE_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (shadow == MAP_FAILED)
        return false;
    madvise(shadow, MEMORY_RESERVE_BYTES, MADV_NOHUGEPAGE);
    slot->shadow = shadow;
    return true;
}

bool savepoint_drop(memory_slot_t *slot) {
    page_set_t *saved = &slot->sets[SET_SAVED];
    bool many = saved->count > SHADOW_KEPT;
    slot->recent_noted = false;
    if (saved->count > 0)
        page_set_clear(saved);
    page_set_clear(&slot->sets[SET_SEEN]);
    page_set_clear(&slot->sets[SET_IDLE]);
    return !many || madvise(slot->shadow, MEMORY_RESERVE_BYTES, MADV_DONTNEED) == 0;
}

bool slot_is_large(const memory_slot_t *slot) {
    return slot->size > slot->origin->layout.minimum || slot->sets[SET_SAVED].count > SHADOW_KEPT;
}

bool slot_put_saved(memory_slot_t *slot, size_t index, const uint8_t *content) {
    if (!reserve_shadow(slot))
        return false;
    memcpy(slot->shadow + index * slot->origin->page, content, slot->origin->page);
    page_set_add(&slot->sets[SET_SAVED], index);
    return true;
}

static void note_recent(memory_slot_t *slot, size_t index) {
    if (slot->recent_noted)
        page_set_add(&slot->sets[SET_RECENT], index);
}

/* True if the page has changed since the last savepoint. */
static bool save_page(memory_slot_t *slot, size_t index) {
    size_t page = slot->origin->page;
    const uint8_t *now = slot->base + index * page;
    uint8_t *shadow = slot->shadow + index * page;
    if (is_saved(slot, index)) {
        if (!page_update(shadow, now, page))
            return false;
    } else {
        if (memcmp(now, slot_image_page(slot, index), page) == 0)
            return false;
        memcpy(shadow, now, page);
        page_set_add(&slot->sets[SET_SAVED], index);
    }
    note_recent(slot, index);
    return true;
}

static bool save_known(memory_slot_t *slot) {
    size_t kept = 0;
    for (size_t i = 0; i < slot->known_count; i++) {
        known_page_t page = slot->known[i];
        page.idle = save_page(slot, page.index) ? 0 : page.idle + 1;
        bool again = page_set_has(&slot->sets[SET_IDLE], page.index);
        if (page.idle < (again ? IDLE_MAX_AGAIN : IDLE_MAX)) {
            slot->known[kept++] = page;
            continue;
        }
        page_set_remove(&slot->sets[SET_KNOWN], page.index);
        page_set_add(&slot->sets[SET_IDLE], page.index);
        if (!scan_protect(slot, page.index, page.index + 1))
            return false;
    }
    slot->known_count = kept;
    return true;
}

/* Pages of [first, end) may have been written; the known ones among them are saved already. */
static bool save_found(memory_slot_t *slot, size_t first, size_t end, void *env) {
    (void)env;
    size_t protect = 0; /* pages before `index` that wait to be protected together */
    for (size_t index = first; index < end; index++) {
        bool known = is_known(slot, index);
        if (!known) {
            save_page(slot, index);
            known =
                (slot->known_count < KNOWN_AT_ONCE || page_set_has(&slot->sets[SET_SEEN], index)) &&
                known_add(slot, index);
            page_set_add(&slot->sets[SET_SEEN], index);
        }
        if (!known) {
            protect++;
            continue;
        }
        if (!scan_protect(slot, index - protect, index))
            return false;
        protect = 0;
    }
    return scan_protect(slot, end - protect, end);
}

/* The same where the scan has protected them, known or not: at the first savepoint of a slot that was
 * used before, whose own pages are many and mostly as in the image, one call for all is cheaper
 * than one for each few, and than the faults of the known ones. */
static bool save_protected(memory_slot_t *slot, size_t first, size_t end, void *env) {
    (void)env;
    for (size_t index = first; index < end; index++) {
        if (!is_known(slot, index))
            save_page(slot, index);
        page_set_add(&slot->sets[SET_SEEN], index);
    }
    return true;
}

static scan_result_t save_written(memory_slot_t *slot) {
    scan_result_t result = SCAN_UNAVAILABLE;
    if (slot->sets[SET_SEEN].count == 0 && slot->known_count >= KNOWN_AT_ONCE)
        result = scan_protect_written(slot, save_protected, NULL);
    return result == SCAN_UNAVAILABLE ? scan_written(slot, save_found, NULL) : result;
}

bool slot_save(memory_slot_t *slot) {
    if (!slot->touched)
        return true;
    /* Without tracking, a page that is the slot's own can be written without a fault. */
    bool scan = slot_strayed(slot) || !scan_tracked(slot);
    if (!reserve_shadow(slot) || !save_known(slot))
        return false;
    if (scan) {
        slot->strayed = true;
        scan_result_t result = save_written(slot);
        if (result == SCAN_FAILED ||
            (result == SCAN_UNAVAILABLE && !scan_everything(slot, save_found, NULL)))
            return false;
    }
    slot->saved_size = slot->size;
    slot_watch(slot);
    return true;
}

/* Unsaved pages in long runs are dropped: mostly what a program has allocated. */
static bool undo_found(memory_slot_t *slot, size_t first, size_t end, void *env) {
    (void)env;
    size_t unsaved = 0;
    for (size_t index = first; index < end; index++)
        note_recent(slot, index);
    for (size_t index = first; index <= end; index++) {
        if (index < end && !is_saved(slot, index) && !is_known(slot, index)) {
            unsaved++;
            continue;
        }
        size_t start = index - unsaved;
        if (unsaved >= DROPPED_TOGETHER && !pages_drop(slot, start, unsaved))
            return false;
        for (size_t i = start; i < index && unsaved < DROPPED_TOGETHER; i++)
            page_restore(slot, i, slot_image_page(slot, i));
        unsaved = 0;
        if (index < end)
            page_restore(slot, index, slot_saved_page(slot, index));
    }
    return true;
}

static void undo_known(memory_slot_t *slot) {
    size_t kept = 0, end = slot->saved_size / slot->origin->page;
    for (size_t i = 0; i < slot->known_count; i++) {
        size_t index = slot->known[i].index;
        if (index >= end) {
            page_set_remove(&slot->sets[SET_KNOWN], index);
            continue;
        }
        if (page_restore(slot, index, slot_saved_page(slot, index)))
            note_recent(slot, index);
        slot->known[kept++] = slot->known[i];
    }
    slot->known_count = kept;
}

bool slot_rollback(memory_slot_t *slot) {
    slot_poll_disarm(slot);
    if (slot->size > slot->saved_size)
        slot->recent_noted = false;
    if (!pages_shrink(slot, slot->saved_size))
        return false;
    undo_known(slot);
    scan_result_t result = scan_written(slot, undo_found, NULL);
    if (result == SCAN_FAILED ||
        (result == SCAN_UNAVAILABLE && !scan_everything(slot, undo_found, NULL)))
        return false;
    slot->strayed = true;
    slot_watch(slot);
    slot->scan_needed = true; /* what was put back is not protected: the next savepoint does it */
    return true;
}

/* --- What has changed --------------------------------------------------------------------- */

static bool note_found(memory_slot_t *slot, size_t first, size_t end, void *env) {
    (void)env;
    for (size_t index = first; index < end; index++) {
        page_set_add(&slot->sets[SET_CHANGED], index);
        page_set_add(&slot->sets[SET_UNSAVED], index);
    }
    return true;
}

void slot_collect(memory_slot_t *slot, const page_set_t **changed, const page_set_t **unsaved) {
    page_set_t *all = &slot->sets[SET_CHANGED], *recent = &slot->sets[SET_UNSAVED];
    const page_set_t *saved = &slot->sets[SET_SAVED];
    page_set_clear(all);
    page_set_clear(recent);
    for (size_t i = page_set_next(saved, 0); i < PAGES_MAX; i = page_set_next(saved, i + 1))
        page_set_add(all, i);
    for (size_t i = 0; i < slot->known_count; i++)
        note_found(slot, slot->known[i].index, slot->known[i].index + 1, NULL);
    if (scan_written(slot, note_found, NULL) == SCAN_UNAVAILABLE)
        scan_everything(slot, note_found, NULL);
    *changed = all;
    *unsaved = recent;
}

bool slot_save_rest(memory_slot_t *slot) {
    const page_set_t *changed, *unsaved;
    size_t page = slot->origin->page, end = slot->saved_size / page;
    slot_collect(slot, &changed, &unsaved);
    for (size_t i = page_set_next(changed, 0); i < end; i = page_set_next(changed, i + 1)) {
        const uint8_t *now = slot->base + i * page;
        if (!is_saved(slot, i) && memcmp(now, slot_image_page(slot, i), page) != 0 &&
            !slot_put_saved(slot, i, now))
            return false;
    }
    return true;
}

const page_set_t *slot_recent(memory_slot_t *slot) {
    const page_set_t *unsaved = &slot->sets[SET_UNSAVED];
    if (!slot->recent_noted)
        return NULL;
    for (size_t i = page_set_next(unsaved, 0); i < PAGES_MAX; i = page_set_next(unsaved, i + 1))
        page_set_add(&slot->sets[SET_RECENT], i);
    return &slot->sets[SET_RECENT];
}

void slot_recent_clear(memory_slot_t *slot) {
    page_set_clear(&slot->sets[SET_RECENT]);
    slot->recent_noted = true;
}

void slot_put_page(memory_slot_t *slot, size_t index, const uint8_t *content) {
    memcpy(slot->base + index * slot->origin->page, content, slot->origin->page);
    slot->scan_needed = slot->touched = true;
}
