/* The code of an extension that is a file of this machine: from the cache, without the file's bytes. */
#define _GNU_SOURCE
#include "engine/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "extension/known_files.h"
#include "image/sha256.h"

#define PART_BYTES ((size_t)128 << 10) /* stays in the processor's cache */

/* Not by a mapping: a file that becomes shorter meanwhile would kill the process. */
static bool hash_file(int fd, uint64_t size, uint8_t sha256[SHA256_BYTES]) {
    char *part = malloc(PART_BYTES);
    uint64_t done = 0;
    sha256_t sum;
    sha256_init(&sum);
    while (part && done < size) {
        size_t wanted = size - done < PART_BYTES ? (size_t)(size - done) : PART_BYTES;
        ssize_t got = pread(fd, part, wanted, (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        sha256_update(&sum, part, (size_t)got);
        done += (uint64_t)got;
    }
    sha256_final(&sum, sha256);
    free(part);
    return part && done == size;
}

/* What the file was before it was read and after: then the key is that of the bytes. */
static bool unchanged(int fd, const file_identity_t *before) {
    file_identity_t after;
    return file_identity(fd, &after) && memcmp(after.key, before->key, sizeof after.key) == 0;
}

bool engine_code_of_file(engine_t *engine, int fd, uint64_t *length, engine_code_t **out) {
    file_identity_t identity;
    uint8_t hash[ENGINE_HASH_BYTES];
    *out = NULL;
    if (!file_identity(fd, &identity) || identity.size > EXTENSION_BYTES_MAX)
        return false;
    *length = identity.size;
    if (known_files_find(&engine->cache, &identity, hash) &&
        engine_code_find(engine, hash, out, NULL) == ERYX_OK)
        return true;
    if (!hash_file(fd, identity.size, hash) || engine_code_find(engine, hash, out, NULL) != ERYX_OK)
        return false;
    if (identity.lasting && unchanged(fd, &identity))
        known_files_keep(&engine->cache, &identity, hash);
    return true;
}
