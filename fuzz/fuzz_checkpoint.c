/* Fuzz target: reading checkpoints.
 *
 * The input is read as a file, and as the body of a checkpoint whose header and checksum are made
 * good, since otherwise nothing would come past them: compressed as it is, or after it was
 * compressed. What is accepted must lie inside memory. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <zstd.h>

#include "checkpoint/format.h"
#include "image/sha256.h"

#define KIB64 ((size_t)65536)
#define MINIMUM (64 * KIB64)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static memory_origin_t origin;

static memory_slot_t *new_slot(void)
{
    eryx_error_t error;
    memory_slot_t *slot;
    if (origin.page == 0) {
        int fd = memfd_create("image", MFD_CLOEXEC);
        memory_layout_t layout = {
            .file_offset = 0,
            .image_bytes = 8 * KIB64,
            .minimum = MINIMUM,
            .constant_start = 4 * KIB64,
            .constant_end = 6 * KIB64,
        };
        if (fd < 0 || ftruncate(fd, 8 * KIB64) != 0 ||
            memory_origin_open(fd, &layout, &origin, &error) != ERYX_OK)
            abort();
        close(fd);
    }
    if (slot_new(&origin, &slot, &error) != ERYX_OK)
        abort();
    slot->limit = 2 * MINIMUM;
    slot_begin(slot);
    return slot;
}

static void read_file(const void *data, size_t size)
{
    checkpoint_header_t header;
    session_state_t state;
    eryx_error_t error;
    if (checkpoint_check(data, size, NULL, &header, &error) != ERYX_OK)
        return;
    memory_slot_t *slot = new_slot();
    if (checkpoint_read(data, &header, slot, 1 << 20, true, &state, &error) == ERYX_OK) {
        if (slot->size > slot->limit || slot->saved_size > slot->size)
            abort();
        state_free(&state);
    }
    slot_free(slot);
}

static void read_body(const uint8_t *body, size_t size, uint64_t raw, uint32_t pages,
                      uint32_t calls, uint32_t flags)
{
    checkpoint_header_t header = {
        .magic = CHECKPOINT_MAGIC,
        .version = CHECKPOINT_VERSION,
        .flags = flags & CHECKPOINT_FLAGS,
        .body_bytes = size,
        .raw_bytes = raw,
        .memory_bytes = MINIMUM + (flags & 4 ? KIB64 : 0),
        .pages = pages,
        .page_bytes = (uint32_t)sysconf(_SC_PAGESIZE),
        .calls = calls,
    };
    char *file = malloc(sizeof header + size);
    if (!file)
        abort();
    memcpy(file, &header, sizeof header);
    memcpy(file + sizeof header, body, size);
    sha256_digest(file, sizeof header + size, header.id);
    memcpy(file, &header, sizeof header);
    read_file(file, sizeof header + size);
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_file(data, size);
    if (size < 4)
        return 0;
    uint32_t flags = data[0], pages = data[1], calls = data[2];
    read_body(data + 4, size - 4, data[3] * (uint64_t)1000, pages, calls, flags);
    size_t bound = ZSTD_compressBound(size - 4);
    uint8_t *body = malloc(bound);
    if (!body)
        abort();
    size_t length = ZSTD_compress(body, bound, data + 4, size - 4, 1);
    if (!ZSTD_isError(length))
        read_body(body, length, size - 4, pages, calls, flags);
    free(body);
    return 0;
}
