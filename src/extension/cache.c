/* See cache.h. A file is the code (ELF, of the engine), facts of it, then a trailer. */
#define _GNU_SOURCE
#include "extension/cache.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/sha256.h"

#define TRAILER_MAGIC "ERYXEXT2"
#define SUFFIX ".cwasm"
#define FACTS_MAX ((uint64_t)64 << 20)

typedef struct trailer {
    char magic[8];
    uint64_t code_length, facts_length;
    uint8_t key[SHA256_BYTES];
    extension_needs_t needs;
    uint8_t sha256[SHA256_BYTES]; /* of all fields before */
} trailer_t;

_Static_assert(sizeof(trailer_t) == 104, "no padding");

static void seal(const trailer_t *trailer, uint8_t out[SHA256_BYTES]) {
    sha256_digest(trailer, offsetof(trailer_t, sha256), out);
}

static bool read_trailer(int fd, const uint8_t key[32], trailer_t *trailer) {
    struct stat info;
    uint8_t sum[SHA256_BYTES];
    if (fstat(fd, &info) != 0 || info.st_size < (off_t)sizeof *trailer)
        return false;
    uint64_t at = (uint64_t)info.st_size - sizeof *trailer;
    if (pread(fd, trailer, sizeof *trailer, (off_t)at) != (ssize_t)sizeof *trailer)
        return false;
    seal(trailer, sum);
    return memcmp(trailer->magic, TRAILER_MAGIC, sizeof trailer->magic) == 0 &&
           memcmp(trailer->sha256, sum, sizeof sum) == 0 &&
           memcmp(trailer->key, key, sizeof trailer->key) == 0 &&
           trailer->facts_length <= FACTS_MAX && trailer->facts_length <= at &&
           trailer->code_length == at - trailer->facts_length;
}

static bool read_facts(int fd, const trailer_t *trailer, cache_facts_t *facts) {
    if (trailer->facts_length == 0)
        return true;
    facts->length = (size_t)trailer->facts_length;
    facts->data = malloc(facts->length);
    return facts->data && pread(fd, facts->data, facts->length, (off_t)trailer->code_length) ==
                              (ssize_t)facts->length;
}

int cache_find(const cache_folder_t *cache, const uint8_t key[32], extension_needs_t *needs,
               cache_facts_t *facts) {
    char name[CACHE_NAME_BYTES];
    trailer_t trailer;
    *facts = (cache_facts_t){0};
    int folder = cache_folder_open(cache);
    if (folder < 0)
        return -1;
    cache_name(key, SUFFIX, name);
    int fd = cache_file_open(folder, name);
    if (fd >= 0 && !(read_trailer(fd, key, &trailer) && read_facts(fd, &trailer, facts))) {
        unlinkat(folder, name, 0);
        free(facts->data);
        facts->data = NULL;
        close(fd);
        fd = -1;
    }
    if (fd >= 0)
        *needs = trailer.needs;
    close(folder);
    return fd;
}

void cache_forget(const cache_folder_t *cache, const uint8_t key[32]) {
    char name[CACHE_NAME_BYTES];
    int folder = cache_folder_open(cache);
    if (folder < 0)
        return;
    cache_name(key, SUFFIX, name);
    unlinkat(folder, name, 0);
    close(folder);
}

void cache_keep(const cache_folder_t *cache, const uint8_t key[32], const extension_needs_t *needs,
                const void *code, size_t length, cache_facts_t facts) {
    char name[CACHE_NAME_BYTES], temporary[CACHE_NAME_BYTES];
    int folder = cache_folder_make(cache);
    if (folder < 0)
        return;
    trailer_t trailer = {.magic = TRAILER_MAGIC,
                         .code_length = length,
                         .facts_length = facts.length,
                         .needs = *needs};
    memcpy(trailer.key, key, sizeof trailer.key);
    seal(&trailer, trailer.sha256);
    cache_name(key, SUFFIX, name);
    int fd = cache_file_begin(cache, folder, length, temporary);
    if (fd >= 0)
        cache_file_end(folder, fd, temporary, name,
                       cache_write(fd, code, length) && cache_write(fd, facts.data, facts.length) &&
                           cache_write(fd, &trailer, sizeof trailer));
    close(folder);
}
