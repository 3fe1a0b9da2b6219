/* Which pages of a slot became its own, or were written: questions to the kernel.
 *
 * With write-protect tracking (userfaultfd, WP_ASYNC, Linux 6.7) a protected page that is written
 * loses its protection without anybody being told; a scan finds it. Without it, all pages
 * of the slot's own count as written. Linux 6.7 scans page tables by one call
 * (PAGEMAP_SCAN), older kernels hand out a word a page. */
#ifndef MEMORY_SCAN_H
#define MEMORY_SCAN_H

#include "memory/slot.h"

typedef enum scan_result {
    SCAN_DONE,
    SCAN_UNAVAILABLE, /* the kernel does not tell: any page may be it */
    SCAN_FAILED       /* visit answered false */
} scan_result_t;

/* Pages [first, end) are what was looked for. */
typedef bool (*scan_visit_t)(memory_slot_t *slot, size_t first, size_t end, void *env);

/* Pages that are the slot's own, below size, neither poll page nor constant range. */
scan_result_t scan_private(memory_slot_t *slot, scan_visit_t visit, void *env);
/* Same of those that may have been written since they were protected; among them clean ones that
 * were never protected. */
scan_result_t scan_written(memory_slot_t *slot, scan_visit_t visit, void *env);
/* The same, and all of them are protected when they are visited. SCAN_UNAVAILABLE where memory is not
 * tracked: nothing was visited, or is to be visited again. */
scan_result_t scan_protect_written(memory_slot_t *slot, scan_visit_t visit, void *env);
/* All pages in question, where there is no scan. */
bool scan_everything(memory_slot_t *slot, scan_visit_t visit, void *env);

/* Whether the pagemap can be scanned by one call. */
bool scan_available(int pagemap);
/* -1 where the kernel has none. */
int scan_tracker_open(void);
bool scan_tracker_register(int tracker, void *base, size_t length);
/* Whether this is the process that opened the origin: fork() leaves tracking behind. */
bool scan_tracked_process(const memory_origin_t *origin);
/* Whether writes to this slot are tracked. */
bool scan_tracked(const memory_slot_t *slot);
/* Protects (or no longer protects) pages [first, end); what is then written will be found.
 * Without tracking nothing happens. */
bool scan_protect(memory_slot_t *slot, size_t first, size_t end);

#endif
