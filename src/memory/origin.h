/* What a fresh linear memory contains: the initial image of a runtime file.
 *
 * Shared by all slots of a runtime and immutable once open. A linear memory is, from
 * address 0: the poll page, then image pages from the file (private, copy-on-write; the
 * constant range read-only), then zero pages up to the minimum. */
#ifndef MEMORY_ORIGIN_H
#define MEMORY_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>

#define MEMORY_POLL_BYTES ((size_t)65536)
#define MEMORY_WASM_PAGE ((size_t)65536)
#define MEMORY_RESERVE_BYTES ((size_t)1 << 32)
#define MEMORY_GUARD_BYTES ((size_t)32 << 20)

/* Where the image lies and how it is used; offset is a multiple of 64 KiB, the others of
 * linear memory are too, except image_bytes. */
typedef struct memory_layout {
    uint64_t file_offset;
    uint64_t image_bytes;
    uint64_t minimum;
    uint64_t constant_start, constant_end;
} memory_layout_t;

typedef struct memory_origin {
    memory_layout_t layout;
    size_t page;   /* host page size */
    size_t mapped; /* image_bytes rounded up to host pages */
    int fd;
    const uint8_t *reference; /* the image, shared and read-only; NULL if there is none */
    int process;              /* that pagemap and tracker belong to */
    int pagemap;              /* /proc/self/pagemap, -1: there is none */
    int tracker;              /* see memory/scan.h, -1: the kernel has none */
    bool scans;               /* PAGEMAP_SCAN works */
    bool counts_faults;       /* the kernel counts page faults of a thread */
} memory_origin_t;

/* fd stays the caller's. The origin must outlive its slots.
 * Errors: ERYX_ERR_FORMAT (a layout that makes no sense), _IO, _MEMORY. */
int memory_origin_open(int fd, const memory_layout_t *layout, memory_origin_t *out,
                       eryx_error_t *error);
void memory_origin_close(memory_origin_t *origin);

#endif
