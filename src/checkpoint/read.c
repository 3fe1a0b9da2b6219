/* Every number is checked before it is used; what the state may allocate is bounded by host_max. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "base/error.h"
#include "checkpoint/format.h"
#include "image/sha256.h"

typedef struct reader {
    ZSTD_DCtx *zstd;
    ZSTD_inBuffer in;
    uint64_t left;      /* raw bytes */
    uint64_t host_left; /* bytes that may be allocated */
    const char *fault;  /* the first one */
    int code;
} reader_t;

static void refuse(reader_t *reader, int code, const char *fault) {
    if (reader->fault)
        return;
    reader->code = code;
    reader->fault = fault;
}

static bool good(const reader_t *reader) {
    return !reader->fault;
}

/* Zeros after a fault. */
static void get(reader_t *reader, void *to, size_t length) {
    ZSTD_outBuffer out = {to, length, 0};
    if (length > reader->left)
        refuse(reader, ERYX_ERR_FORMAT, "it ends early");
    while (good(reader) && out.pos < out.size) {
        size_t before = out.pos, at = reader->in.pos;
        size_t result = ZSTD_decompressStream(reader->zstd, &out, &reader->in);
        if (ZSTD_isError(result) || (out.pos == before && reader->in.pos == at))
            refuse(reader, ERYX_ERR_FORMAT, "its compressed data is broken");
    }
    if (good(reader))
        reader->left -= length;
    else if (length > 0)
        memset(to, 0, length);
}

static uint32_t get_u32(reader_t *reader) {
    uint32_t value;
    get(reader, &value, sizeof value);
    return value;
}

static uint64_t get_u64(reader_t *reader) {
    uint64_t value;
    get(reader, &value, sizeof value);
    return value;
}

static bool get_flag(reader_t *reader) {
    uint32_t value = get_u32(reader);
    if (value > 1)
        refuse(reader, ERYX_ERR_FORMAT, "a flag is neither 0 nor 1");
    return value == 1;
}

/* Whether so much may be allocated. */
static bool claim(reader_t *reader, uint64_t bytes) {
    if (bytes > reader->left)
        refuse(reader, ERYX_ERR_FORMAT, "a length exceeds the data");
    else if (bytes > reader->host_left)
        refuse(reader, ERYX_ERR_LIMIT, "its state exceeds the limit host_memory_bytes");
    else
        reader->host_left -= bytes;
    return good(reader);
}

static char *get_bytes(reader_t *reader, uint64_t length) {
    char *data = claim(reader, length) ? malloc(length + 1) : NULL;
    if (!data) {
        refuse(reader, ERYX_ERR_MEMORY, "out of memory");
        return NULL;
    }
    get(reader, data, length);
    data[length] = '\0';
    return data;
}

static void get_buffer(reader_t *reader, buffer_t *out) {
    uint64_t length = get_u64(reader);
    char *data = get_bytes(reader, length);
    if (data && length > 0 && !buffer_append(out, data, length))
        refuse(reader, ERYX_ERR_MEMORY, "out of memory");
    free(data);
}

static char *get_optional(reader_t *reader) {
    if (!get_flag(reader))
        return NULL;
    uint64_t length = get_u64(reader);
    char *text = get_bytes(reader, length);
    if (text && strlen(text) != length)
        refuse(reader, ERYX_ERR_FORMAT, "a name has NUL bytes");
    return text;
}

static void get_image(reader_t *reader, guest_image_t *out) {
    out->global_count = get_u32(reader);
    if (out->global_count > ENGINE_MAX_GLOBALS) {
        refuse(reader, ERYX_ERR_FORMAT, "too many globals");
        out->global_count = 0;
    }
    get(reader, out->globals, out->global_count * sizeof out->globals[0]);
    out->phase = (guest_phase_t)get_u32(reader);
    out->set = get_u32(reader);
    out->clock = get_u64(reader);
    out->returned = get_flag(reader);
    out->failed = get_flag(reader);
    get_buffer(reader, &out->waitables);
    uint32_t count = get_u32(reader);
    if (count > ENGINE_MAX_LIBRARIES)
        refuse(reader, ERYX_ERR_FORMAT, "too many extensions");
    for (uint32_t i = 0; i < count && good(reader); i++) {
        engine_library_t place;
        get(reader, &place, sizeof place);
        if (good(reader) && !engine_libraries_add(&out->libraries, &place))
            refuse(reader, ERYX_ERR_MEMORY, "out of memory");
    }
}

static void get_execution(reader_t *reader, saved_execution_t *out, memory_slot_t *slot) {
    out->times.wall = get_u64(reader);
    out->times.cpu = get_u64(reader);
    out->fuel_used = get_u64(reader);
    out->calls_total = get_u64(reader);
    out->output_bytes = get_u64(reader);
    out->dropped = get_u64(reader);
    for (int i = 0; i < 2; i++) {
        get_buffer(reader, &out->output[i]);
        get_buffer(reader, &out->lines[i]);
    }
    out->result = get_optional(reader);
    out->has_savepoint = get_flag(reader);
    if (!out->has_savepoint)
        return;
    uint64_t size = get_u64(reader);
    if (size < slot->origin->layout.minimum || size > slot->size || size % MEMORY_WASM_PAGE != 0)
        refuse(reader, ERYX_ERR_FORMAT, "its savepoint has an impossible size");
    else
        slot->saved_size = size;
    get_image(reader, &out->before);
}

static void get_call(reader_t *reader, session_state_t *state) {
    saved_call_t call = {.subtask = get_u32(reader), .result_at = get_u32(reader)};
    uint32_t end = get_u32(reader);
    uint64_t name = get_u64(reader), arguments = get_u64(reader), result = get_u64(reader);
    if (end > SAVED_FAILURE || name > reader->left || arguments > reader->left ||
        result > reader->left || !claim(reader, sizeof call)) {
        refuse(reader, ERYX_ERR_FORMAT, "a call makes no sense");
        return;
    }
    char *text = get_bytes(reader, name + arguments + result + 3);
    if (text && (text[name] != '\0' || text[name + 1 + arguments] != '\0' || strlen(text) != name ||
                 text[name + arguments + result + 2] != '\0'))
        refuse(reader, ERYX_ERR_FORMAT, "a call's texts do not end where they should");
    saved_call_t *added = good(reader) ? state_add_call(state) : NULL;
    if (!added) {
        refuse(reader, ERYX_ERR_MEMORY, "out of memory");
        free(text);
        return;
    }
    *added = (saved_call_t){
        call.subtask, call.result_at, (saved_call_end_t)end, name, arguments, result, text};
}

static void get_state(reader_t *reader, const checkpoint_header_t *header, memory_slot_t *slot,
                      session_state_t *state) {
    get_image(reader, &state->guest);
    state->filename = get_optional(reader);
    state->script = get_flag(reader);
    state->last_value = get_flag(reader);
    state->display = get_u32(reader);
    state->executing = get_flag(reader);
    if (state->executing != !!(header->flags & CHECKPOINT_EXECUTING))
        refuse(reader, ERYX_ERR_FORMAT, "header and body differ");
    if (good(reader) && state->executing)
        get_execution(reader, &state->execution, slot);
    uint32_t placeholders = get_u32(reader);
    if (placeholders > SECRETS_MAX)
        refuse(reader, ERYX_ERR_FORMAT, "too many secrets");
    for (uint32_t i = 0; i < placeholders && good(reader); i++) {
        char *name = get_optional(reader);
        if (!state_add_placeholder(state, name, get_optional(reader)))
            refuse(reader, ERYX_ERR_FORMAT, "a secret without name or placeholder");
    }
    uint32_t calls = get_u32(reader);
    if (calls != header->calls)
        refuse(reader, ERYX_ERR_FORMAT, "header and body differ");
    for (uint32_t i = 0; i < calls && good(reader); i++)
        get_call(reader, state);
}

/* --- Pages -------------------------------------------------------------------------------- */

static bool page_allowed(const memory_slot_t *slot, uint32_t number, size_t end) {
    size_t page = slot->origin->page;
    return number < end / page && slot_writable(slot, (uint64_t)number * page, page);
}

/* Ascending numbers of pages below end; NULL: a fault. */
static uint32_t *get_numbers(reader_t *reader, const memory_slot_t *slot, size_t end,
                             uint32_t *count) {
    *count = get_u32(reader);
    if (*count > end / slot->origin->page || *count > reader->left / sizeof(uint32_t)) {
        refuse(reader, ERYX_ERR_FORMAT, "more pages than its memory has");
        return NULL;
    }
    uint32_t *numbers = malloc((*count + (size_t)1) * sizeof *numbers);
    if (!numbers) {
        refuse(reader, ERYX_ERR_MEMORY, "out of memory");
        return NULL;
    }
    get(reader, numbers, *count * sizeof *numbers);
    for (uint32_t i = 0; i < *count && good(reader); i++) {
        uint32_t number = numbers[i] & ~PAGE_EQUAL;
        if (!page_allowed(slot, number, end) || (i > 0 && number <= (numbers[i - 1] & ~PAGE_EQUAL)))
            refuse(reader, ERYX_ERR_FORMAT, "a page number makes no sense");
    }
    if (good(reader))
        return numbers;
    free(numbers);
    return NULL;
}

/* The difference to known, if there is one, applied. */
static void get_page(reader_t *reader, uint32_t number, const uint8_t *known, uint8_t *out,
                     size_t bytes) {
    if (number & PAGE_EQUAL) {
        memcpy(out, known, bytes);
        return;
    }
    get(reader, out, bytes);
    for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
        uint64_t word, other;
        memcpy(&word, out + i, sizeof word);
        memcpy(&other, known + i, sizeof other);
        word ^= other;
        memcpy(out + i, &word, sizeof word);
    }
}

static void get_pages(reader_t *reader, const checkpoint_header_t *header, memory_slot_t *slot) {
    uint8_t content[65536];
    uint32_t count;
    uint32_t *numbers = get_numbers(reader, slot, slot->size, &count);
    if (numbers && count != header->pages)
        refuse(reader, ERYX_ERR_FORMAT, "header and body differ");
    for (uint32_t i = 0; numbers && i < count && good(reader); i++) {
        uint32_t number = numbers[i] & ~PAGE_EQUAL;
        get_page(reader, numbers[i], slot_image_page(slot, number), content, slot->origin->page);
        if (good(reader))
            slot_put_page(slot, number, content);
    }
    free(numbers);
}

/* Pages of the savepoint that differ from memory, or may. Then the others, which do not. */
static void get_saved_pages(reader_t *reader, memory_slot_t *slot) {
    uint8_t content[65536];
    uint32_t count;
    size_t bytes = slot->origin->page;
    uint32_t *numbers = get_numbers(reader, slot, slot->saved_size, &count);
    for (uint32_t i = 0; numbers && i < count && good(reader); i++) {
        uint32_t number = numbers[i] & ~PAGE_EQUAL;
        get_page(reader, numbers[i], slot->base + number * bytes, content, bytes);
        if (good(reader) && !slot_put_saved(slot, number, content))
            refuse(reader, ERYX_ERR_MEMORY, "out of memory");
    }
    free(numbers);
    if (good(reader) && !slot_save_rest(slot))
        refuse(reader, ERYX_ERR_MEMORY, "out of memory");
}

/* --- All of it ---------------------------------------------------------------------------- */

int checkpoint_check(const void *data, size_t length, const uint8_t *identity,
                     checkpoint_header_t *out, eryx_error_t *error) {
    static const uint8_t zeros[32];
    uint8_t id[32];
    checkpoint_header_t *header = out;
    if (length < sizeof *header || memcmp(data, CHECKPOINT_MAGIC, sizeof header->magic) != 0)
        return error_set(error, ERYX_ERR_FORMAT, "not a checkpoint of eryx%s",
                         length < sizeof *header ? ", or cut off within its header" : "");
    memcpy(header, data, sizeof *header);
    if (header->version != CHECKPOINT_VERSION)
        return error_set(error, ERYX_ERR_VERSION,
                         "the checkpoint has format version %u, this library reads %u",
                         header->version, CHECKPOINT_VERSION);
    if (header->body_bytes != length - sizeof *header)
        return error_set(error, ERYX_ERR_FORMAT,
                         "the checkpoint has %zu bytes, its header says %llu: cut off?", length,
                         (unsigned long long)header->body_bytes + sizeof *header);
    sha256_t hash;
    sha256_init(&hash);
    sha256_update(&hash, header, offsetof(checkpoint_header_t, id));
    sha256_update(&hash, zeros, sizeof zeros);
    sha256_update(&hash, (const char *)data + sizeof *header, length - sizeof *header);
    sha256_final(&hash, id);
    if (memcmp(id, header->id, sizeof id) != 0)
        return error_set(error, ERYX_ERR_FORMAT, "corrupt checkpoint: its sha256 is another");
    if (identity && memcmp(identity, header->identity, 32) != 0)
        return error_set(error, ERYX_ERR_VERSION,
                         "the checkpoint belongs to another runtime file (build or image)");
    if (header->flags & ~(uint32_t)CHECKPOINT_FLAGS || header->reserved != 0)
        return error_set(error, ERYX_ERR_FORMAT, "corrupt checkpoint: unknown flags");
    return ERYX_OK;
}

static void check_sizes(reader_t *reader, const checkpoint_header_t *header,
                        const memory_slot_t *slot) {
    if (header->page_bytes != slot->origin->page)
        refuse(reader, ERYX_ERR_VERSION, "it was made on a machine with other pages");
    else if (header->memory_bytes < slot->size || header->memory_bytes % MEMORY_WASM_PAGE != 0)
        refuse(reader, ERYX_ERR_FORMAT, "its memory has an impossible size");
    else if (header->memory_bytes > slot->limit)
        refuse(reader, ERYX_ERR_LIMIT, "its memory exceeds the limit memory_bytes");
}

int checkpoint_read(const void *data, const checkpoint_header_t *header, memory_slot_t *slot,
                    uint64_t host_max, bool last, session_state_t *state, eryx_error_t *error) {
    reader_t reader = {
        .zstd = ZSTD_createDCtx(),
        .in = {(const char *)data + sizeof *header, header->body_bytes, 0},
        .left = header->raw_bytes,
        .host_left = host_max,
    };
    *state = (session_state_t){0};
    if (!reader.zstd)
        refuse(&reader, ERYX_ERR_MEMORY, "out of memory");
    check_sizes(&reader, header, slot);
    if (good(&reader) && !slot_grow(slot, header->memory_bytes))
        refuse(&reader, ERYX_ERR_MEMORY, "out of memory");
    if (good(&reader))
        get_state(&reader, header, slot, state);
    if (good(&reader))
        get_pages(&reader, header, slot);
    if (good(&reader) && last && state->executing && state->execution.has_savepoint)
        get_saved_pages(&reader, slot);
    if (good(&reader) && last && reader.left > 0)
        refuse(&reader, ERYX_ERR_FORMAT, "there is more than there should be");
    ZSTD_freeDCtx(reader.zstd);
    if (good(&reader))
        return ERYX_OK;
    state_free(state);
    return error_set(error, reader.code, "%s: %s",
                     reader.code == ERYX_ERR_FORMAT ? "corrupt checkpoint" : "checkpoint",
                     reader.fault);
}
