/* Back to the image, by the pages that became private.
 *
 * Measured: comparing and copying back a known page costs about 0.1 us, a page fault on
 * a dropped one 0.9 us, walking the page tables 30 ns a page. So pages used again and again
 * are kept, the others dropped, and the walk is skipped when no page fault happened. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory/faults.h"
#include "memory/slot.h"

#define KNOWN_MAX 1024   /* pages kept: what an idle slot may cost */
#define IDLE_MAX 32      /* unchanged that often: drop it */
#define REGIONS_MAX 256  /* a call of the scan */

/* From linux/fs.h (6.7), which the headers of the build machine may not have. */
struct scan_region {
    uint64_t start, end, categories;
};
struct scan_arguments {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define SCAN_IOCTL _IOWR('f', 16, struct scan_arguments)
#define SCAN_FILE ((uint64_t)1 << 2)
#define SCAN_PRESENT ((uint64_t)1 << 3)
#define SCAN_SWAPPED ((uint64_t)1 << 4)
#define SCAN_ZERO ((uint64_t)1 << 5)

static bool is_known(const memory_slot_t *slot, size_t index) {
    return slot->known_bits[index / 64] >> (index % 64) & 1;
}

static void flip_known(memory_slot_t *slot, size_t index) {
    slot->known_bits[index / 64] ^= (uint64_t)1 << (index % 64);
}

/* True if the page had been changed. */
static bool restore_page(memory_slot_t *slot, size_t index) {
    static const uint8_t zeros[65536];
    const memory_origin_t *origin = slot->origin;
    size_t offset = index * origin->page;
    const uint8_t *source = offset < origin->mapped ? origin->reference + offset : zeros;
    uint8_t *target = slot->base + offset;
    if (memcmp(target, source, origin->page) == 0)
        return false;
    memcpy(target, source, origin->page);
    return true;
}

static bool drop_pages(memory_slot_t *slot, size_t first, size_t count) {
    size_t page = slot->origin->page;
    return madvise(slot->base + first * page, count * page, MADV_DONTNEED) == 0;
}

static bool restore_known(memory_slot_t *slot) {
    size_t kept = 0;
    for (size_t i = 0; i < slot->known_count; i++) {
        private_page_t page = slot->known[i];
        page.idle = restore_page(slot, page.index) ? 0 : page.idle + 1;
        if (page.idle < IDLE_MAX) {
            slot->known[kept++] = page;
            continue;
        }
        flip_known(slot, page.index);
        if (!drop_pages(slot, page.index, 1))
            return false;
    }
    slot->known_count = kept;
    return true;
}

static bool adopt_page(memory_slot_t *slot, size_t index) {
    if (slot->known_count == slot->known_capacity) {
        size_t capacity = slot->known_capacity > 0 ? 2 * slot->known_capacity : 128;
        private_page_t *grown =
            capacity <= KNOWN_MAX ? realloc(slot->known, capacity * sizeof *grown) : NULL;
        if (!grown)
            return false;
        slot->known = grown;
        slot->known_capacity = capacity;
    }
    slot->known[slot->known_count++] = (private_page_t){.index = (uint32_t)index};
    flip_known(slot, index);
    return true;
}

/* Pages of [first, end) are private; the known ones among them are restored already. */
static bool restore_found(memory_slot_t *slot, size_t first, size_t end) {
    size_t dropped = 0; /* pages before `index` that wait to be dropped together */
    for (size_t index = first; index < end; index++) {
        bool known = is_known(slot, index);
        if (!known && !adopt_page(slot, index)) {
            dropped++;
            continue;
        }
        if (dropped > 0 && !drop_pages(slot, index - dropped, dropped))
            return false;
        dropped = 0;
        if (!known)
            restore_page(slot, index);
    }
    return dropped == 0 || drop_pages(slot, end - dropped, dropped);
}

/* The file descriptor belongs to one process: after fork() the child needs its own,
 * and does without. */
static bool can_scan(const memory_origin_t *origin) {
    return origin->pagemap >= 0 && origin->pagemap_pid == (int)getpid();
}

typedef enum scan_result { SCAN_DONE, SCAN_UNSUPPORTED, SCAN_FAILED } scan_result_t;

static scan_result_t restore_scanned(memory_slot_t *slot, size_t start, size_t end) {
    struct scan_region regions[REGIONS_MAX];
    uintptr_t base = (uintptr_t)slot->base;
    size_t page = slot->origin->page;
    struct scan_arguments scan = {
        .size = sizeof scan,
        .start = base + start,
        .end = base + end,
        .vec = (uintptr_t)regions,
        .vec_len = REGIONS_MAX,
        .category_inverted = SCAN_FILE | SCAN_ZERO,
        .category_mask = SCAN_FILE | SCAN_ZERO,
        .category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
        .return_mask = SCAN_FILE,
    };
    while (scan.start < scan.end) {
        int found = ioctl(slot->origin->pagemap, SCAN_IOCTL, &scan);
        if (found < 0 && errno == EINTR)
            continue;
        if (found < 0)
            return SCAN_UNSUPPORTED;
        for (int i = 0; i < found; i++)
            if (!restore_found(slot, (regions[i].start - base) / page,
                               (regions[i].end - base) / page))
                return SCAN_FAILED;
        scan.start = scan.walk_end;
    }
    return SCAN_DONE;
}

static bool restore_range(memory_slot_t *slot, size_t start, size_t end) {
    if (start >= end)
        return true;
    scan_result_t result =
        can_scan(slot->origin) ? restore_scanned(slot, start, end) : SCAN_UNSUPPORTED;
    if (result != SCAN_UNSUPPORTED)
        return result == SCAN_DONE;
    size_t page = slot->origin->page;
    return drop_pages(slot, start / page, (end - start) / page);
}

static bool shrink(memory_slot_t *slot) {
    size_t minimum = slot->origin->layout.minimum;
    if (slot->size == minimum)
        return true;
    uint8_t *grown = slot->base + minimum;
    if (madvise(grown, slot->size - minimum, MADV_DONTNEED) != 0 ||
        mprotect(grown, slot->size - minimum, PROT_NONE) != 0)
        return false;
    slot->size = minimum;
    return true;
}

bool slot_recycle(memory_slot_t *slot) {
    const memory_layout_t *layout = &slot->origin->layout;
    slot_enter(slot);
    bool scan = slot->scan_needed || slot->faults != faults_count();
    slot_poll_disarm(slot);
    if (!shrink(slot) || !restore_known(slot))
        return false;
    if (!scan)
        return true;
    bool split = layout->constant_end > layout->constant_start;
    size_t first_end = split ? layout->constant_start : layout->minimum;
    return restore_range(slot, MEMORY_POLL_BYTES, first_end) &&
           (!split || restore_range(slot, layout->constant_end, layout->minimum));
}
