/* A slot: the address range of one linear memory, its way back to the image, and to a
 * savepoint.
 *
 * 4 GiB and a guard are reserved once. Recycling and rolling back restore only pages that were
 * written. Pages written again and again are *known*: they are always compared and copied back,
 * which costs no page faults; others are found by a scan (memory/scan.h), and only if there
 * were page faults at all. What a page was at the savepoint is in the *shadow*, if it differed from
 * the image. One thread at a time, except slot_poll_*, which the caller serialises. */
#ifndef MEMORY_SLOT_H
#define MEMORY_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory/origin.h"
#include "memory/pages.h"

typedef struct known_page {
    uint32_t index; /* of the host page in linear memory */
    uint32_t idle;  /* times in a row that it was found unchanged */
} known_page_t;

typedef struct memory_slot {
    const memory_origin_t *origin;
    uint8_t *base;
    size_t size;  /* accessible bytes: what memory.size says */
    size_t limit; /* growth past this is refused */
    bool poll_armed;
    bool tracked; /* registered with the origin's tracker */
    known_page_t *known;
    size_t known_count, known_capacity;
    page_set_t *sets;
    /* Since slot_begin or the last savepoint: who used it, and whether anybody did. */
    uint64_t thread, faults;
    bool scan_needed, touched;
    bool strayed; /* a scan was needed since slot_begin */
    /* The savepoint. */
    uint8_t *shadow; /* NULL: none was needed yet */
    size_t saved_size;
    /* Pages written since slot_recent_clear are noted, see there. */
    bool recent_noted;
} memory_slot_t;

/* Errors: ERYX_ERR_MEMORY. */
int slot_new(const memory_origin_t *origin, memory_slot_t **out, eryx_error_t *error);
void slot_free(memory_slot_t *slot);

/* memory.grow: makes [0, size) accessible. False past the limit or out of memory. */
bool slot_grow(memory_slot_t *slot, size_t size);

/* Unreadable poll page: the next safepoint traps. */
void slot_poll_arm(memory_slot_t *slot);
void slot_poll_disarm(memory_slot_t *slot);

/* Starts watching a slot that equals the image; that is the savepoint, too. To be told of every
 * thread that runs in it by slot_enter, before that thread does. */
void slot_begin(memory_slot_t *slot);
void slot_enter(memory_slot_t *slot);

/* Makes memory equal to the image again, grown memory given back, poll page disarmed, no
 * savepoint. False: it could not be done, the slot must be freed. */
bool slot_recycle(memory_slot_t *slot);

/* Whether its use left so much behind (page tables, copies of pages) that a new slot is the better one. */
bool slot_is_large(const memory_slot_t *slot);

/* Makes what memory is now the savepoint. False when out of memory: the slot must not be rolled
 * back. */
bool slot_save(memory_slot_t *slot);
/* Makes memory what it was at the savepoint, its size too, poll page disarmed. False: it could
 * not be done, the slot must be freed. */
bool slot_rollback(memory_slot_t *slot);

/* Pages that may differ from the image now (changed), and from the savepoint (unsaved); the sets are
 * the slot's, valid until the next call. */
void slot_collect(memory_slot_t *slot, const page_set_t **changed, const page_set_t **unsaved);
/* Content of a page in the image, and at the savepoint. */
const uint8_t *slot_image_page(const memory_slot_t *slot, size_t index);
const uint8_t *slot_saved_page(const memory_slot_t *slot, size_t index);
/* Gives a fresh slot the content of another: page by page, within size. */
void slot_put_page(memory_slot_t *slot, size_t index, const uint8_t *content);
/* Same for the savepoint, whose size is set with saved_size. False when out of memory. */
bool slot_put_saved(memory_slot_t *slot, size_t index, const uint8_t *content);

/* Completes a savepoint of which slot_put_saved told only pages that differ from memory now: the others
 * are what memory is. False when out of memory. */
bool slot_save_rest(memory_slot_t *slot);

/* Pages that may have changed since slot_recent_clear, after slot_collect; NULL: any may, because it was
 * never called, or memory has shrunk since. Valid until the next call. */
const page_set_t *slot_recent(memory_slot_t *slot);
void slot_recent_clear(memory_slot_t *slot);

/* Whether [address, address + length) is memory that the guest may write: below size,
 * neither poll page nor constant range. */
bool slot_writable(const memory_slot_t *slot, uint64_t address, uint64_t length);
/* Same for reading: below size and not the poll page. */
bool slot_readable(const memory_slot_t *slot, uint64_t address, uint64_t length);

#endif
