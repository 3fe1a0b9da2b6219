/* Writes checkpoints: what a file is made of is told in format.h. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <zstd.h>

#include "base/clock.h"
#include "base/error.h"
#include "checkpoint/format.h"
#include "image/sha256.h"

typedef struct writer {
    ZSTD_CCtx *zstd;
    buffer_t *out;
    uint64_t raw;
    bool failed;
} writer_t;

static void compress(writer_t *writer, const void *data, size_t length, ZSTD_EndDirective end) {
    char block[1 << 16];
    ZSTD_inBuffer in = {data, length, 0};
    size_t left;
    writer->raw += length;
    do {
        ZSTD_outBuffer out = {block, sizeof block, 0};
        left = ZSTD_compressStream2(writer->zstd, &out, &in, end);
        if (ZSTD_isError(left) || !buffer_append(writer->out, block, out.pos))
            writer->failed = true;
    } while (!writer->failed && (in.pos < in.size || (end == ZSTD_e_end && left > 0)));
}

static void put(writer_t *writer, const void *data, size_t length) {
    if (!writer->failed && length > 0)
        compress(writer, data, length, ZSTD_e_continue);
}

static void put_u32(writer_t *writer, uint32_t value) {
    put(writer, &value, sizeof value);
}

static void put_u64(writer_t *writer, uint64_t value) {
    put(writer, &value, sizeof value);
}

static void put_text(writer_t *writer, const char *text, size_t length) {
    put_u64(writer, length);
    put(writer, text, length);
}

static void put_optional(writer_t *writer, const char *text) {
    put_u32(writer, text != NULL);
    if (text)
        put_text(writer, text, strlen(text));
}

static void put_image(writer_t *writer, const guest_image_t *image) {
    put_u32(writer, (uint32_t)image->global_count);
    put(writer, image->globals, image->global_count * sizeof image->globals[0]);
    put_u32(writer, image->phase);
    put_u32(writer, image->set);
    put_u64(writer, image->clock);
    put_u32(writer, image->returned);
    put_u32(writer, image->failed);
    put_text(writer, image->waitables.data, image->waitables.length);
    put_u32(writer, (uint32_t)image->libraries.count);
    put(writer, image->libraries.items, image->libraries.count * sizeof image->libraries.items[0]);
}

static void put_execution(writer_t *writer, const saved_execution_t *execution,
                          const memory_slot_t *slot) {
    put_u64(writer, execution->times.wall);
    put_u64(writer, execution->times.cpu);
    put_u64(writer, execution->fuel_used);
    put_u64(writer, execution->calls_total);
    put_u64(writer, execution->output_bytes);
    put_u64(writer, execution->dropped);
    for (int i = 0; i < 2; i++) {
        put_text(writer, execution->output[i].data, execution->output[i].length);
        put_text(writer, execution->lines[i].data, execution->lines[i].length);
    }
    put_optional(writer, execution->result);
    put_u32(writer, execution->has_savepoint);
    if (!execution->has_savepoint)
        return;
    put_u64(writer, slot->saved_size);
    put_image(writer, &execution->before);
}

static void put_state(writer_t *writer, const session_state_t *state, const memory_slot_t *slot) {
    put_image(writer, &state->guest);
    put_optional(writer, state->filename);
    put_u32(writer, state->script);
    put_u32(writer, state->last_value);
    put_u32(writer, state->display);
    put_u32(writer, state->executing);
    if (state->executing)
        put_execution(writer, &state->execution, slot);
    put_u32(writer, (uint32_t)state->placeholder_count);
    for (size_t i = 0; i < state->placeholder_count; i++) {
        put_optional(writer, state->placeholders[i].name);
        put_optional(writer, state->placeholders[i].text);
    }
    put_u32(writer, (uint32_t)state->call_count);
    for (size_t i = 0; i < state->call_count; i++) {
        const saved_call_t *call = &state->calls[i];
        put_u32(writer, call->subtask);
        put_u32(writer, call->result_at);
        put_u32(writer, call->end);
        put_u64(writer, call->name_length);
        put_u64(writer, call->arguments_length);
        put_u64(writer, call->result_length);
        put(writer, call->text,
            call->name_length + call->arguments_length + call->result_length + 3);
    }
}

/* --- Pages -------------------------------------------------------------------------------- */

/* What a page is, and what the reader will know of it. */
typedef const uint8_t *page_of_t(const memory_slot_t *slot, size_t index);

static const uint8_t *page_now(const memory_slot_t *slot, size_t index) {
    return slot->base + index * slot->origin->page;
}

static void put_difference(writer_t *writer, const uint8_t *page, const uint8_t *known,
                           size_t bytes) {
    uint64_t block[512];
    for (size_t at = 0; at < bytes; at += sizeof block) {
        memcpy(block, page + at, sizeof block);
        for (size_t i = 0; i < sizeof block / sizeof block[0]; i++) {
            uint64_t word;
            memcpy(&word, known + at + i * sizeof word, sizeof word);
            block[i] ^= word;
        }
        put(writer, block, sizeof block);
    }
}

/* Pages of the set below end. Those equal to what is known are told only if all are, for they may have
 * differed in the base. Returns how many there are. */
static uint32_t put_pages(writer_t *writer, const memory_slot_t *slot, const page_set_t *set,
                          size_t end, page_of_t *page, page_of_t *known, bool all) {
    size_t bytes = slot->origin->page;
    uint32_t *numbers = malloc((set->count + 1) * sizeof *numbers), count = 0;
    if (!numbers) {
        writer->failed = true;
        return 0;
    }
    for (size_t i = page_set_next(set, 0); i < end; i = page_set_next(set, i + 1)) {
        bool equal = memcmp(page(slot, i), known(slot, i), bytes) == 0;
        if (!equal || all)
            numbers[count++] = (uint32_t)i | (equal ? PAGE_EQUAL : 0);
    }
    put_u32(writer, count);
    put(writer, numbers, count * sizeof *numbers);
    for (uint32_t i = 0; i < count; i++)
        if (!(numbers[i] & PAGE_EQUAL))
            put_difference(writer, page(slot, numbers[i]), known(slot, numbers[i]), bytes);
    free(numbers);
    return count;
}

static void put_memory(writer_t *writer, memory_slot_t *slot, const session_state_t *state,
                       checkpoint_header_t *header) {
    const page_set_t *changed, *unsaved;
    bool incremental = header->flags & CHECKPOINT_INCREMENTAL;
    size_t end = slot->size / slot->origin->page;
    slot_collect(slot, &changed, &unsaved);
    if (incremental)
        changed = slot_recent(slot);
    header->pages = put_pages(writer, slot, changed, end, page_now, slot_image_page, incremental);
    if (!state->executing || !state->execution.has_savepoint)
        return;
    if (slot->saved_size / slot->origin->page < end)
        end = slot->saved_size / slot->origin->page;
    put_pages(writer, slot, unsaved, end, slot_saved_page, page_now, true);
}

/* --- All of it ---------------------------------------------------------------------------- */

void checkpoint_identity(const eryx_runtime_t *runtime, uint8_t out[32]) {
    sha256_t hash;
    sha256_init(&hash);
    sha256_update(&hash, runtime->footer.module_sha256, sizeof runtime->footer.module_sha256);
    sha256_update(&hash, runtime->footer.memory.sha256, sizeof runtime->footer.memory.sha256);
    if (runtime->footer.packages.length > 0)
        sha256_update(&hash, runtime->footer.packages.sha256,
                      sizeof runtime->footer.packages.sha256);
    sha256_final(&hash, out);
}

static checkpoint_header_t header_of(const eryx_sandbox_t *sandbox, const session_state_t *state,
                                     bool incremental) {
    const memory_slot_t *slot = sandbox->instance->slot;
    checkpoint_header_t header = {
        .magic = CHECKPOINT_MAGIC,
        .version = CHECKPOINT_VERSION,
        .flags = (uint32_t)((incremental ? CHECKPOINT_INCREMENTAL : 0) |
                            (state->executing ? CHECKPOINT_EXECUTING : 0)),
        .created = clock_read(CLOCK_REALTIME),
        .memory_bytes = slot->size,
        .page_bytes = (uint32_t)slot->origin->page,
        .calls = (uint32_t)state->call_count,
    };
    checkpoint_identity(sandbox->runtime, header.identity);
    if (incremental)
        memcpy(header.base, sandbox->checkpoint_id, sizeof header.base);
    return header;
}

static bool write_all(eryx_sandbox_t *sandbox, const session_state_t *state,
                      checkpoint_header_t *header, writer_t *writer) {
    buffer_t *out = writer->out;
    if (!writer->zstd || !buffer_append(out, header, sizeof *header))
        return false;
    put_state(writer, state, sandbox->instance->slot);
    put_memory(writer, sandbox->instance->slot, state, header);
    if (!writer->failed)
        compress(writer, NULL, 0, ZSTD_e_end);
    if (writer->failed)
        return false;
    header->body_bytes = out->length - sizeof *header;
    header->raw_bytes = writer->raw;
    memcpy(out->data, header, sizeof *header);
    sha256_digest(out->data, out->length, header->id);
    memcpy(out->data, header, sizeof *header);
    return true;
}

int checkpoint_write(eryx_sandbox_t *sandbox, bool incremental, int level, buffer_t *out,
                     eryx_error_t *error) {
    session_state_t state;
    incremental = incremental && sandbox->instance->slot->recent_noted;
    int status = state_capture(sandbox, &state, error);
    if (status != ERYX_OK)
        return status;
    checkpoint_header_t header = header_of(sandbox, &state, incremental);
    writer_t writer = {.zstd = ZSTD_createCCtx(), .out = out};
    if (writer.zstd)
        ZSTD_CCtx_setParameter(writer.zstd, ZSTD_c_compressionLevel, level);
    bool written = write_all(sandbox, &state, &header, &writer);
    ZSTD_freeCCtx(writer.zstd);
    state_free(&state);
    return written ? ERYX_OK : error_set(error, ERYX_ERR_MEMORY, "out of memory for a checkpoint");
}
