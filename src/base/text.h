/* A piece of text or bytes that belongs to someone else. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stddef.h>

typedef struct text {
    const char *data;
    size_t length;
} text_t;

#endif
