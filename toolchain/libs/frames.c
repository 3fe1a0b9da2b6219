/* zstd frames embedded anywhere in a file: found by their magic number, proven by decompressing. */
#include "libs/frames.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "file.h"

#define FIRST_BYTES (4u << 20)

static const uint8_t magic[4] = {0x28, 0xb5, 0x2f, 0xfd};

struct output {
    uint8_t *data;
    size_t size, capacity, max;
    bool no_memory;
};

static bool output_grow(struct output *output)
{
    size_t capacity = output->capacity ? output->capacity * 2 : FIRST_BYTES;
    if (capacity > output->max)
        capacity = output->max;
    if (capacity == output->capacity)
        return false;
    uint8_t *bigger = realloc(output->data, capacity);
    if (!bigger) {
        output->no_memory = true;
        return false;
    }
    output->data = bigger;
    output->capacity = capacity;
    return true;
}

/* Bytes of the frame at data, 0 if there is none that fits. */
static size_t decompress(ZSTD_DCtx *zstd, const uint8_t *data, size_t size, struct output *output)
{
    ZSTD_inBuffer in = {data, size, 0};
    ZSTD_DCtx_reset(zstd, ZSTD_reset_session_only);
    output->size = 0;
    for (;;) {
        if (output->size == output->capacity && !output_grow(output))
            return 0;
        ZSTD_outBuffer out = {output->data, output->capacity, output->size};
        size_t before = in.pos;
        size_t left = ZSTD_decompressStream(zstd, &out, &in);
        bool stuck = in.pos == before && out.pos == output->size && out.pos < out.size;
        output->size = out.pos;
        if (ZSTD_isError(left) || (left > 0 && stuck))
            return 0;
        if (left == 0)
            return in.pos;
    }
}

bool frames_visit(const uint8_t *data, size_t size, size_t max_bytes,
                  bool (*visit)(void *context, const struct frame *frame), void *context)
{
    struct output output = {.max = max_bytes};
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    bool going = zstd != NULL;
    output.no_memory = !going;
    for (size_t at = 0; going && at < size;) {
        const uint8_t *found = memmem(data + at, size - at, magic, sizeof magic);
        if (!found)
            break;
        at = (size_t)(found - data);
        size_t length = decompress(zstd, found, size - at, &output);
        going = !output.no_memory;
        if (going && length > 0) {
            const struct frame frame = {found, length, output.data, output.size};
            going = visit(context, &frame);
        }
        at += length ? length : sizeof magic;
    }
    if (output.no_memory)
        step_error("out of memory; close other programs and run again");
    ZSTD_freeDCtx(zstd);
    free(output.data);
    return going;
}
