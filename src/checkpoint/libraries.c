#include "checkpoint/libraries.h"

#include <string.h>

#include "base/error.h"

typedef struct entry {
    engine_library_t place;
    uint32_t memory_bytes, memory_alignment, table_slots, table_alignment;
    uint64_t offset, length; /* of the code, from the beginning of the section */
} entry_t;

_Static_assert(sizeof(entry_t) == 72, "no padding");

typedef struct header {
    uint64_t count, length;
} header_t;

static int write_code(const engine_libraries_t *libraries, size_t i, buffer_t *out,
                      eryx_error_t *error) {
    engine_code_copy_t copy;
    int status = engine_code_export(libraries->codes[i], &copy, error);
    if (status != ERYX_OK)
        return status;
    entry_t entry = {.place = libraries->items[i],
                     .memory_bytes = copy.memory_bytes,
                     .memory_alignment = copy.memory_alignment,
                     .table_slots = copy.table_slots,
                     .table_alignment = copy.table_alignment,
                     .offset = out->length,
                     .length = copy.length};
    memcpy(out->data + sizeof(header_t) + i * sizeof entry, &entry, sizeof entry);
    if (!buffer_append(out, copy.data, copy.length))
        status = error_set(error, ERYX_ERR_MEMORY, "out of memory for an image");
    engine_code_copy_free(&copy);
    return status;
}

int libraries_write(const engine_libraries_t *libraries, buffer_t *out, eryx_error_t *error) {
    static const entry_t none;
    header_t header = {.count = libraries->count};
    if (libraries->count == 0)
        return ERYX_OK;
    bool done = buffer_append(out, &header, sizeof header);
    for (size_t i = 0; i < libraries->count && done; i++)
        done = buffer_append(out, &none, sizeof none);
    int status = done ? ERYX_OK : error_set(error, ERYX_ERR_MEMORY, "out of memory for an image");
    for (size_t i = 0; i < libraries->count && status == ERYX_OK; i++)
        status = write_code(libraries, i, out, error);
    header.length = out->length;
    if (status == ERYX_OK)
        memcpy(out->data, &header, sizeof header);
    return status;
}

static int load(engine_t *engine, const void *data, size_t length, const entry_t *entry,
                engine_libraries_t *out, eryx_error_t *error) {
    engine_code_t *code;
    if (entry->offset > length || entry->length > length - entry->offset)
        return error_set(error, ERYX_ERR_FORMAT, "corrupt runtime file: its extensions");
    const engine_code_copy_t copy = {.data = (const char *)data + entry->offset,
                                     .length = (size_t)entry->length,
                                     .memory_bytes = entry->memory_bytes,
                                     .memory_alignment = entry->memory_alignment,
                                     .table_slots = entry->table_slots,
                                     .table_alignment = entry->table_alignment};
    int status = engine_code_import(engine, entry->place.hash, &copy, &code, error);
    if (status != ERYX_OK)
        return status;
    if (!engine_libraries_add(out, &entry->place)) {
        engine_code_release(code);
        return error_set(error, ERYX_ERR_MEMORY, "out of memory opening a runtime");
    }
    out->codes[out->count - 1] = code;
    return ERYX_OK;
}

int libraries_preload(engine_t *engine, const void *data, size_t length, eryx_error_t *error) {
    header_t header;
    engine_libraries_t libraries = {0};
    if (length < sizeof header)
        return error_set(error, ERYX_ERR_FORMAT, "corrupt runtime file: its extensions");
    memcpy(&header, data, sizeof header);
    if (header.length != length || header.count > ENGINE_MAX_LIBRARIES ||
        header.count > (length - sizeof header) / sizeof(entry_t))
        return error_set(error, ERYX_ERR_FORMAT, "corrupt runtime file: its extensions");
    int status = ERYX_OK;
    for (size_t i = 0; i < header.count && status == ERYX_OK; i++) {
        entry_t entry;
        memcpy(&entry, (const char *)data + sizeof header + i * sizeof entry, sizeof entry);
        status = load(engine, data, length, &entry, &libraries, error);
    }
    if (status == ERYX_OK)
        engine_preload(engine, &libraries);
    engine_libraries_free(&libraries);
    return status;
}
