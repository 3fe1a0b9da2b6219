/* Checks the layout, maps the reference copy, finds out what the kernel offers. */
#define _GNU_SOURCE
#include "memory/origin.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "memory/faults.h"
#include "memory/scan.h"

static bool aligned(uint64_t value) {
    return value % MEMORY_WASM_PAGE == 0;
}

static const char *layout_fault(const memory_layout_t *layout, uint64_t file_bytes) {
    if (!aligned(layout->file_offset) || !aligned(layout->minimum) ||
        !aligned(layout->constant_start) || !aligned(layout->constant_end))
        return "ranges are not multiples of 64 KiB";
    if (layout->minimum > MEMORY_RESERVE_BYTES || layout->minimum < 2 * MEMORY_POLL_BYTES)
        return "memory minimum out of range";
    if (layout->image_bytes > layout->minimum)
        return "the image is larger than the memory minimum";
    if (layout->file_offset > file_bytes || layout->image_bytes > file_bytes - layout->file_offset)
        return "the image lies outside the file";
    if (layout->constant_start > layout->constant_end || layout->constant_end > layout->minimum)
        return "constant range outside memory";
    if (layout->constant_end > 0 && layout->constant_start < MEMORY_POLL_BYTES)
        return "constant range overlaps the poll page";
    return NULL;
}

/* The rest of the last host page shows up in linear memory, where zeros are promised. */
static bool tail_is_zero(const memory_origin_t *origin) {
    for (size_t i = origin->layout.image_bytes; i < origin->mapped; i++)
        if (origin->reference[i] != 0)
            return false;
    return true;
}

static int map_reference(memory_origin_t *origin, eryx_error_t *error) {
    if (origin->mapped == 0)
        return ERYX_OK;
    void *reference = mmap(NULL, origin->mapped, PROT_READ, MAP_SHARED, origin->fd,
                           (off_t)origin->layout.file_offset);
    if (reference == MAP_FAILED)
        return error_set(error, ERYX_ERR_MEMORY, "cannot map the memory image: %m");
    origin->reference = reference;
    if (!tail_is_zero(origin))
        return error_set(error, ERYX_ERR_FORMAT,
                         "corrupt runtime file: bytes after the memory image are not zero");
    return ERYX_OK;
}

int memory_origin_open(int fd, const memory_layout_t *layout, memory_origin_t *out,
                       eryx_error_t *error) {
    *out = (memory_origin_t){.layout = *layout, .fd = -1, .pagemap = -1, .tracker = -1};
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set(error, ERYX_ERR_IO, "cannot examine the runtime file: %m");
    long page = sysconf(_SC_PAGESIZE);
    if (page <= 0 || MEMORY_POLL_BYTES % (size_t)page != 0)
        return error_set(error, ERYX_ERR_VERSION, "host pages of %ld bytes are not supported",
                         page);
    out->page = (size_t)page;
    const char *fault = layout_fault(layout, (uint64_t)status.st_size);
    if (!fault) {
        out->mapped = (layout->image_bytes + out->page - 1) / out->page * out->page;
        if (out->mapped > (uint64_t)status.st_size - layout->file_offset)
            fault = "the image is not padded to whole pages";
    }
    if (fault)
        return error_set(error, ERYX_ERR_FORMAT, "corrupt runtime file: %s", fault);
    out->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (out->fd < 0)
        return error_set(error, ERYX_ERR_IO, "cannot duplicate a file descriptor: %m");
    int status_code = map_reference(out, error);
    if (status_code != ERYX_OK) {
        memory_origin_close(out);
        return status_code;
    }
    out->process = (int)getpid();
    out->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    out->scans = out->pagemap >= 0 && scan_available(out->pagemap);
    out->tracker = out->scans ? scan_tracker_open() : -1;
    out->counts_faults = faults_are_counted();
    return ERYX_OK;
}

void memory_origin_close(memory_origin_t *origin) {
    if (origin->reference)
        munmap((void *)origin->reference, origin->mapped);
    if (origin->fd >= 0)
        close(origin->fd);
    if (origin->pagemap >= 0)
        close(origin->pagemap);
    if (origin->tracker >= 0)
        close(origin->tracker);
    *origin = (memory_origin_t){.fd = -1, .pagemap = -1, .tracker = -1};
}
