/* A slot: the address range of one linear memory, and its way back to the image.
 *
 * 4 GiB and a guard are reserved once. Recycling restores only pages that became private:
 * those known from earlier uses are compared with the image and copied back (no page fault
 * when they are written again); new ones are found by scanning the page tables, and only
 * if there were page faults at all. One thread at a time, except slot_poll_*, which the
 * caller serialises. */
#ifndef MEMORY_SLOT_H
#define MEMORY_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory/origin.h"

typedef struct private_page {
    uint32_t index; /* of the host page in linear memory */
    uint32_t idle;  /* recyclings in a row that found it unchanged */
} private_page_t;

typedef struct memory_slot {
    const memory_origin_t *origin;
    uint8_t *base;
    size_t size;  /* accessible bytes: what memory.size says */
    size_t limit; /* growth past this is refused */
    bool poll_armed;
    /* Private pages that are kept for the next use. */
    private_page_t *known;
    size_t known_count, known_capacity;
    uint64_t *known_bits; /* one bit a page up to the minimum */
    /* Who used it since slot_begin. */
    uint64_t thread, faults;
    bool scan_needed;
} memory_slot_t;

/* Errors: ERYX_ERR_MEMORY. */
int slot_new(const memory_origin_t *origin, memory_slot_t **out, eryx_error_t *error);
void slot_free(memory_slot_t *slot);

/* memory.grow: makes [0, size) accessible. False past the limit or out of memory. */
bool slot_grow(memory_slot_t *slot, size_t size);

/* Unreadable poll page: the next safepoint traps. */
void slot_poll_arm(memory_slot_t *slot);
void slot_poll_disarm(memory_slot_t *slot);

/* Starts watching a slot that equals the image. To be told of every thread that runs in
 * it by slot_enter, before that thread does. */
void slot_begin(memory_slot_t *slot);
void slot_enter(memory_slot_t *slot);

/* Makes memory equal to the image again, grown memory given back, poll page disarmed.
 * False: it could not be done, the slot must be freed. */
bool slot_recycle(memory_slot_t *slot);

/* Whether [address, address + length) is memory that the guest may write: below size,
 * neither poll page nor constant range. */
bool slot_writable(const memory_slot_t *slot, uint64_t address, uint64_t length);
/* Same for reading: below size and not the poll page. */
bool slot_readable(const memory_slot_t *slot, uint64_t address, uint64_t length);

#endif
