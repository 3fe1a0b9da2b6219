/* See cache.h. A file is the code (ELF, of the engine), then a trailer. */
#define _GNU_SOURCE
#include "extension/cache.h"

#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/sha256.h"

#define TRAILER_MAGIC "ERYXEXT1"
#define SUFFIX ".cwasm"

typedef struct trailer {
    char magic[8];
    uint64_t code_length;
    uint8_t key[SHA256_BYTES];
    extension_needs_t needs;
    uint8_t sha256[SHA256_BYTES]; /* of all fields before */
} trailer_t;

_Static_assert(sizeof(trailer_t) == 96, "no padding");

static void seal(const trailer_t *trailer, uint8_t out[SHA256_BYTES]) {
    sha256_digest(trailer, offsetof(trailer_t, sha256), out);
}

static bool read_trailer(int fd, const uint8_t key[32], extension_needs_t *needs) {
    struct stat info;
    trailer_t trailer;
    uint8_t sum[SHA256_BYTES];
    if (fstat(fd, &info) != 0 || info.st_size < (off_t)sizeof trailer)
        return false;
    off_t at = info.st_size - (off_t)sizeof trailer;
    if (pread(fd, &trailer, sizeof trailer, at) != (ssize_t)sizeof trailer)
        return false;
    seal(&trailer, sum);
    *needs = trailer.needs;
    return memcmp(trailer.magic, TRAILER_MAGIC, sizeof trailer.magic) == 0 &&
           memcmp(trailer.sha256, sum, sizeof sum) == 0 &&
           memcmp(trailer.key, key, sizeof trailer.key) == 0 && trailer.code_length == (uint64_t)at;
}

int cache_find(const cache_folder_t *cache, const uint8_t key[32], extension_needs_t *needs) {
    char name[CACHE_NAME_BYTES];
    int folder = cache_folder_open(cache);
    if (folder < 0)
        return -1;
    cache_name(key, SUFFIX, name);
    int fd = cache_file_open(folder, name);
    if (fd >= 0 && !read_trailer(fd, key, needs)) {
        unlinkat(folder, name, 0);
        close(fd);
        fd = -1;
    }
    close(folder);
    return fd;
}

void cache_keep(const cache_folder_t *cache, const uint8_t key[32], const extension_needs_t *needs,
                const void *code, size_t length) {
    char name[CACHE_NAME_BYTES], temporary[CACHE_NAME_BYTES];
    int folder = cache_folder_make(cache);
    if (folder < 0)
        return;
    trailer_t trailer = {.magic = TRAILER_MAGIC, .code_length = length, .needs = *needs};
    memcpy(trailer.key, key, sizeof trailer.key);
    seal(&trailer, trailer.sha256);
    cache_name(key, SUFFIX, name);
    int fd = cache_file_begin(cache, folder, length, temporary);
    if (fd >= 0)
        cache_file_end(folder, fd, temporary, name,
                       cache_write(fd, code, length) && cache_write(fd, &trailer, sizeof trailer));
    close(folder);
}
