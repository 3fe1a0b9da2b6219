/* See symbols.h. */
#include "image/symbols.h"

#include <string.h>

bool symbols_open(const void *data, size_t length, symbols_t *out) {
    symbols_header_t header;
    if (length < sizeof header)
        return false;
    memcpy(&header, data, sizeof header);
    if (memcmp(header.magic, SYMBOLS_MAGIC, sizeof header.magic) != 0 ||
        header.count > SYMBOLS_MAX || header.room_start > header.room_end)
        return false;
    size_t entries = header.count * sizeof(symbols_entry_t);
    if (entries > length - sizeof header || header.names_bytes > length - sizeof header - entries)
        return false;
    const char *bytes = data;
    *out = (symbols_t){
        .entries = (const symbols_entry_t *)(const void *)(bytes + sizeof header),
        .names = bytes + sizeof header + entries,
        .count = header.count,
        .names_bytes = header.names_bytes,
        .room_start = header.room_start,
        .room_end = header.room_end,
    };
    return true;
}

/* Less than, equal to, greater than zero, as the entry's name is before, at, after the given one.
 * Names out of bounds are greatest. */
static int compare(const symbols_t *symbols, const symbols_entry_t *entry, const char *name,
                   size_t length) {
    if (entry->name > symbols->names_bytes ||
        entry->name_length > symbols->names_bytes - entry->name)
        return 1;
    size_t shorter = entry->name_length < length ? entry->name_length : length;
    int order = memcmp(symbols->names + entry->name, name, shorter);
    return order ? order : (entry->name_length > length) - (entry->name_length < length);
}

bool symbols_find(const symbols_t *symbols, symbol_kind_t kind, const char *name, size_t length,
                  uint32_t *value) {
    uint32_t low = 0, high = symbols->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(symbols, &symbols->entries[middle], name, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < symbols->count; low++) {
        const symbols_entry_t *entry = &symbols->entries[low];
        if (compare(symbols, entry, name, length) != 0)
            return false;
        if (entry->kind == (uint32_t)kind) {
            *value = entry->value;
            return true;
        }
    }
    return false;
}
