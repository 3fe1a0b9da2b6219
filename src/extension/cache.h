/* Compiled extensions on disk: a folder (base/cache_folder.h) with a file for each, named after the hash of
 * the .so and of all that compiling depends on. Bounded, since whoever can write .so files in a sandbox
 * would fill the disk otherwise. */
#ifndef EXTENSION_CACHE_H
#define EXTENSION_CACHE_H

#include "base/cache_folder.h"
#include "extension/prepare.h"

#define CACHE_BYTES_MAX ((uint64_t)1 << 30)

/* What the engine wants to know of the code without asking the code; trusted as it is. */
typedef struct cache_facts {
    void *data; /* from malloc; NULL: none */
    size_t length;
} cache_facts_t;

/* An open file whose beginning is the code; -1 if there is none. The caller closes it, and frees the facts. */
int cache_find(const cache_folder_t *cache, const uint8_t key[32], extension_needs_t *needs,
               cache_facts_t *facts);
void cache_forget(const cache_folder_t *cache, const uint8_t key[32]);
/* Best effort: what cannot be kept is compiled again next time. */
void cache_keep(const cache_folder_t *cache, const uint8_t key[32], const extension_needs_t *needs,
                const void *code, size_t length, cache_facts_t facts);

#endif
