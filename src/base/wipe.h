/* Clearing memory that held a secret, in a way the compiler does not leave out. */
#ifndef BASE_WIPE_H
#define BASE_WIPE_H

#include <stddef.h>
#include <string.h>

static inline void wipe(void *data, size_t length) {
    if (length > 0)
        memset(data, 0, length);
    __asm__ volatile("" : : "r"(data) : "memory");
}

#endif
