/* What recycling and savepoints share: the pages of a slot that are always looked at. */
#ifndef MEMORY_KNOWN_H
#define MEMORY_KNOWN_H

#include "memory/slot.h"

/* The slot's page sets. */
enum {
    SET_KNOWN,
    SET_SAVED,
    SET_SEEN, /* were written since slot_begin */
    SET_IDLE, /* were known, and then no longer changed */
    SET_CHANGED,
    SET_UNSAVED,
    SET_RECENT,
    SET_COUNT
};

static inline bool is_known(const memory_slot_t *slot, size_t index) {
    return page_set_has(&slot->sets[SET_KNOWN], index);
}

static inline bool is_saved(const memory_slot_t *slot, size_t index) {
    return page_set_has(&slot->sets[SET_SAVED], index);
}

/* Adds a page that is not known. False: there are enough. */
bool known_add(memory_slot_t *slot, size_t index);

/* Makes a page's bytes the content. True if they were not. */
bool page_update(uint8_t *target, const uint8_t *content, size_t bytes);
/* True if the page had been changed. */
bool page_restore(memory_slot_t *slot, size_t index, const uint8_t *content);
/* Pages become what they are in the image, without costing memory. */
bool pages_drop(memory_slot_t *slot, size_t first, size_t count);
/* Gives memory past size back. */
bool pages_shrink(memory_slot_t *slot, size_t size);

/* Whether pages that are not known may have been written. */
bool slot_strayed(const memory_slot_t *slot);
/* From now on it is watched anew. */
void slot_watch(memory_slot_t *slot);
/* Forgets the savepoint. */
bool savepoint_drop(memory_slot_t *slot);

#endif
