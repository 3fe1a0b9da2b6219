/* Compiled extensions on disk: a folder with a file for each, named after the hash of the .so and of
 * all that compiling depends on.
 *
 * A file is machine code that is trusted like a shared library. So the folder must belong to the user
 * alone, otherwise it is not used; files appear under their names only when they are complete. The
 * total size is bounded: whoever can write .so files in a sandbox would fill the disk otherwise.
 * Several processes may use it at once. */
#ifndef EXTENSION_CACHE_H
#define EXTENSION_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "extension/prepare.h"

#define CACHE_BYTES_MAX ((uint64_t)1 << 30)

typedef struct extension_cache {
    char *folder; /* NULL: nothing is kept */
} extension_cache_t;

/* folder NULL: $XDG_CACHE_HOME/eryx/extensions or ~/.cache/eryx/extensions; "": no cache. It is made
 * when something is kept. False when out of memory. */
bool cache_init(extension_cache_t *cache, const char *folder);
void cache_free(extension_cache_t *cache);

/* An open file whose beginning is the code; -1 if there is none. The caller closes it. */
int cache_find(const extension_cache_t *cache, const uint8_t key[32], extension_needs_t *needs);
/* Best effort: what cannot be kept is compiled again next time. */
void cache_keep(const extension_cache_t *cache, const uint8_t key[32],
                const extension_needs_t *needs, const void *code, size_t length);

#endif
