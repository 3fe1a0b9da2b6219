/* A growable byte buffer. All zero is the empty buffer. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct buffer {
    char *data; /* NULL while empty; else a NUL follows the last byte */
    size_t length;
    size_t capacity;
} buffer_t;

/* False when out of memory; the buffer is then unchanged. */
bool buffer_append(buffer_t *buffer, const void *data, size_t length);
/* Moves the content out: owned by the caller, who frees it. "" is never allocated: NULL. */
char *buffer_take(buffer_t *buffer, size_t *length);
void buffer_free(buffer_t *buffer);

#endif
