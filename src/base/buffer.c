/* Growth doubles, so that appending is linear in the bytes appended. */
#include "buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256

bool buffer_append(buffer_t *buffer, const void *data, size_t length) {
    size_t needed;
    if (__builtin_add_overflow(buffer->length, length, &needed) ||
        __builtin_add_overflow(needed, 1, &needed))
        return false;
    if (needed > buffer->capacity) {
        size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;
        while (capacity < needed)
            capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
        char *grown = realloc(buffer->data, capacity);
        if (!grown)
            return false;
        buffer->data = grown;
        buffer->capacity = capacity;
    }
    if (length > 0)
        memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
    return true;
}

char *buffer_take(buffer_t *buffer, size_t *length) {
    char *data = buffer->data;
    if (length)
        *length = buffer->length;
    *buffer = (buffer_t){0};
    return data;
}

void buffer_free(buffer_t *buffer) {
    free(buffer->data);
    *buffer = (buffer_t){0};
}
