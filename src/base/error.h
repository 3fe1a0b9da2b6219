/* Filling eryx_error_t. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <eryx/error.h>

/* Stores code and the formatted message (cut at 255 bytes) in *error, which may be NULL.
 * Returns code, so that a failing function ends with `return error_set(...)`. */
int error_set(eryx_error_t *error, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
