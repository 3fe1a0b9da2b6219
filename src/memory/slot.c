/* Mapping, growth and the poll page. */
#define _GNU_SOURCE
#include "memory/slot.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/error.h"
#include "memory/known.h"
#include "memory/scan.h"

#define TOTAL_BYTES (MEMORY_RESERVE_BYTES + MEMORY_GUARD_BYTES)

/* Huge pages would make pages private that nobody wrote, and cost memory. */
static bool map_memory(memory_slot_t *slot) {
    const memory_origin_t *origin = slot->origin;
    const memory_layout_t *layout = &origin->layout;
    uint8_t *base = slot->base;
    if (origin->mapped > 0 &&
        mmap(base, origin->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED,
             origin->fd, (off_t)layout->file_offset) == MAP_FAILED)
        return false;
    size_t rest = layout->minimum - origin->mapped;
    if (rest > 0 && mprotect(base + origin->mapped, rest, PROT_READ | PROT_WRITE) != 0)
        return false;
    size_t constant = layout->constant_end - layout->constant_start;
    if (constant > 0 && mprotect(base + layout->constant_start, constant, PROT_READ) != 0)
        return false;
    if (mprotect(base, MEMORY_POLL_BYTES, PROT_READ) != 0)
        return false;
    madvise(base, TOTAL_BYTES, MADV_NOHUGEPAGE);
    return true;
}

/* A tracked range has no fault-around either: a fresh sandbox maps the pages it reads and not the
 * 15 around each of them, which made it six times as large. The constant range keeps it. */
static bool track_memory(const memory_slot_t *slot) {
    const memory_layout_t *layout = &slot->origin->layout;
    int tracker = slot->origin->tracker;
    uint8_t *base = slot->base, *first = base + MEMORY_POLL_BYTES;
    size_t end = MEMORY_RESERVE_BYTES;
    if (tracker < 0 || !scan_tracked_process(slot->origin))
        return false;
    if (layout->constant_end == layout->constant_start)
        return scan_tracker_register(tracker, first, end - MEMORY_POLL_BYTES);
    return (layout->constant_start == MEMORY_POLL_BYTES ||
            scan_tracker_register(tracker, first, layout->constant_start - MEMORY_POLL_BYTES)) &&
           scan_tracker_register(tracker, base + layout->constant_end, end - layout->constant_end);
}

int slot_new(const memory_origin_t *origin, memory_slot_t **out, eryx_error_t *error) {
    memory_slot_t *slot = calloc(1, sizeof *slot);
    page_set_t *sets = page_sets_new(SET_COUNT);
    if (!slot || !sets) {
        free(slot);
        page_sets_free(sets, SET_COUNT);
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for a new sandbox");
    }
    slot->origin = origin;
    slot->sets = sets;
    slot->size = origin->layout.minimum;
    slot->limit = MEMORY_RESERVE_BYTES;
    void *base =
        mmap(NULL, TOTAL_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    slot->base = base == MAP_FAILED ? NULL : base;
    if (!slot->base || !map_memory(slot)) {
        error_set(error, ERYX_ERR_MEMORY, "cannot map memory for a new sandbox: %m");
        slot_free(slot);
        return ERYX_ERR_MEMORY;
    }
    slot->tracked = track_memory(slot);
    *out = slot;
    return ERYX_OK;
}

void slot_free(memory_slot_t *slot) {
    if (!slot)
        return;
    if (slot->base)
        munmap(slot->base, TOTAL_BYTES);
    if (slot->shadow)
        munmap(slot->shadow, MEMORY_RESERVE_BYTES);
    page_sets_free(slot->sets, SET_COUNT);
    free(slot->known);
    free(slot);
}

bool slot_grow(memory_slot_t *slot, size_t size) {
    if (size > slot->limit || size > MEMORY_RESERVE_BYTES)
        return false;
    if (size <= slot->size)
        return true;
    if (mprotect(slot->base + slot->size, size - slot->size, PROT_READ | PROT_WRITE) != 0)
        return false;
    __atomic_store_n(&slot->size, size, __ATOMIC_RELAXED); /* monitors read it */
    return true;
}

/* mprotect on whole mappings of their own only fails for want of kernel memory; then
 * the interrupted program would go on, or the next one be hit. */
static void protect_poll_page(memory_slot_t *slot, int protection) {
    if (mprotect(slot->base, MEMORY_POLL_BYTES, protection) != 0)
        abort();
}

void slot_poll_arm(memory_slot_t *slot) {
    if (slot->poll_armed)
        return;
    protect_poll_page(slot, PROT_NONE);
    slot->poll_armed = true;
}

void slot_poll_disarm(memory_slot_t *slot) {
    if (!slot->poll_armed)
        return;
    protect_poll_page(slot, PROT_READ);
    slot->poll_armed = false;
}

bool slot_readable(const memory_slot_t *slot, uint64_t address, uint64_t length) {
    return address >= MEMORY_POLL_BYTES && address <= slot->size && length <= slot->size - address;
}

bool slot_writable(const memory_slot_t *slot, uint64_t address, uint64_t length) {
    const memory_layout_t *layout = &slot->origin->layout;
    if (!slot_readable(slot, address, length))
        return false;
    return address >= layout->constant_end || address + length <= layout->constant_start;
}
