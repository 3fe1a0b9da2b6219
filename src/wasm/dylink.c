/* See dylink.h. Subsections that no one here has a use for are skipped. */
#include "wasm/dylink.h"

#include <stdio.h>

enum { MEM_INFO = 1, NEEDED = 2, EXPORT_INFO = 3, IMPORT_INFO = 4, MAX_ALIGNMENT_LOG2 = 16 };

/* An array for the vector at the cursor, whose items take at least two bytes or one. */
static void *get_vector(struct wasm_module *module, struct wasm_reader *reader, uint32_t *count,
                        size_t item_size) {
    *count = wasm_get_u32(reader);
    if (*count > (size_t)(reader->end - reader->next)) {
        wasm_fail(reader, "%u items do not fit", *count);
        *count = 0;
    }
    void *items = wasm_alloc(module, *count, item_size);
    if (!items) {
        wasm_fail(reader, "out of memory");
        *count = 0;
    }
    return items;
}

static uint32_t get_alignment(struct wasm_reader *reader) {
    uint32_t log2 = wasm_get_u32(reader);
    if (log2 > MAX_ALIGNMENT_LOG2) {
        wasm_fail(reader, "alignment 2^%u is over 2^%d", log2, MAX_ALIGNMENT_LOG2);
        return 1;
    }
    return 1u << log2;
}

static void get_subsection(struct wasm_module *module, struct dylink *out, uint8_t id,
                           struct wasm_reader *reader) {
    if (id == MEM_INFO) {
        out->memory_size = wasm_get_u32(reader);
        out->memory_alignment = get_alignment(reader);
        out->table_size = wasm_get_u32(reader);
        out->table_alignment = get_alignment(reader);
    } else if (id == NEEDED) {
        out->needed = get_vector(module, reader, &out->needed_count, sizeof *out->needed);
        for (uint32_t i = 0; i < out->needed_count; i++)
            out->needed[i] = wasm_get_slice(reader);
    } else if (id == EXPORT_INFO) {
        out->exports = get_vector(module, reader, &out->export_count, sizeof *out->exports);
        for (uint32_t i = 0; i < out->export_count; i++) {
            out->exports[i].name = wasm_get_slice(reader);
            out->exports[i].flags = wasm_get_u32(reader);
        }
    } else if (id == IMPORT_INFO) {
        out->imports = get_vector(module, reader, &out->import_count, sizeof *out->imports);
        for (uint32_t i = 0; i < out->import_count; i++) {
            out->imports[i].module = wasm_get_slice(reader);
            out->imports[i].name = wasm_get_slice(reader);
            out->imports[i].flags = wasm_get_u32(reader);
        }
    }
}

bool dylink_parse(struct wasm_module *module, struct dylink *out, struct wasm_error *error) {
    *out = (struct dylink){.memory_alignment = 1, .table_alignment = 1};
    const struct wasm_custom *custom = wasm_find_custom(module, "dylink.0");
    if (!custom) {
        *error = (struct wasm_error){0};
        snprintf(error->reason, sizeof error->reason, "no such section");
        return false;
    }
    struct wasm_reader reader = wasm_reader_of(custom->bytes);
    while (reader.next < reader.end) {
        uint8_t id = wasm_get_byte(&reader);
        struct wasm_slice content = wasm_get_slice(&reader);
        struct wasm_reader inner = wasm_reader_of(content);
        inner.base = (size_t)(content.data - reader.begin);
        if (!reader.failed)
            get_subsection(module, out, id, &inner);
        if (inner.failed) {
            *error = inner.error;
            return false;
        }
    }
    if (reader.failed)
        *error = reader.error;
    return !reader.failed;
}
