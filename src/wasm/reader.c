/* A bounds-checked cursor over bytes, and LEB128 numbers. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wasm.h"

struct wasm_reader wasm_reader_of(struct wasm_slice slice) {
    static const uint8_t nothing[1];
    const uint8_t *data = slice.data ? slice.data : nothing;
    return (struct wasm_reader){.begin = data, .next = data, .end = data + slice.size};
}

void wasm_fail(struct wasm_reader *reader, const char *reason, ...) {
    if (reader->failed)
        return;
    va_list arguments;
    va_start(arguments, reason);
    vsnprintf(reader->error.reason, sizeof reader->error.reason, reason, arguments);
    va_end(arguments);
    reader->error.offset = reader->base + (size_t)(reader->next - reader->begin);
    reader->failed = true;
    reader->next = reader->end;
}

uint8_t wasm_get_byte(struct wasm_reader *reader) {
    if (reader->next == reader->end) {
        wasm_fail(reader, "unexpected end");
        return 0;
    }
    return *reader->next++;
}

/* The last byte of the longest encoding has bits to spare: they must not carry a value. */
static uint64_t get_unsigned(struct wasm_reader *reader, int bits) {
    uint64_t value = 0;
    for (int shift = 0; shift < bits; shift += 7) {
        uint8_t byte = wasm_get_byte(reader);
        if (bits - shift < 7 && byte >> (bits - shift)) {
            wasm_fail(reader, "number does not fit into %d bits", bits);
            return 0;
        }
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
    wasm_fail(reader, "number does not fit into %d bits", bits);
    return 0;
}

uint32_t wasm_get_u32(struct wasm_reader *reader) {
    return (uint32_t)get_unsigned(reader, 32);
}

uint64_t wasm_get_u64(struct wasm_reader *reader) {
    return get_unsigned(reader, 64);
}

int64_t wasm_get_s(struct wasm_reader *reader, int bits) {
    uint64_t value = 0;
    for (int shift = 0; shift < bits; shift += 7) {
        uint8_t byte = wasm_get_byte(reader);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte >= 0x80)
            continue;
        int left = bits - shift;
        if (left < 7) {
            /* The sign and the spare bits above it must all be the same. */
            uint8_t top = (uint8_t)(byte >> (left - 1));
            if (top != 0 && top != (0x7f >> (left - 1)))
                break;
        }
        if (byte & 0x40 && shift + 7 < 64)
            value |= ~(uint64_t)0 << (shift + 7);
        return (int64_t)value;
    }
    wasm_fail(reader, "number does not fit into %d bits", bits);
    return 0;
}

struct wasm_slice wasm_get_bytes(struct wasm_reader *reader, size_t size) {
    if (size > (size_t)(reader->end - reader->next)) {
        wasm_fail(reader, "%zu bytes wanted, %zu left", size, (size_t)(reader->end - reader->next));
        size = 0;
    }
    struct wasm_slice slice = {reader->next, size};
    reader->next += size;
    return slice;
}

struct wasm_slice wasm_get_slice(struct wasm_reader *reader) {
    uint32_t size = wasm_get_u32(reader);
    return wasm_get_bytes(reader, size);
}
