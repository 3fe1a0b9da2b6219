/* Reading a tar archive in memory (POSIX ustar and GNU, regular files and directories only). */
#ifndef STDLIB_TAR_H
#define STDLIB_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tar_entry {
    char path[257]; /* without a leading "./" or a trailing slash */
    bool is_directory;
    const uint8_t *data;
    size_t size;
};

/* Whether the first block is a tar header. */
bool tar_is(const uint8_t *data, size_t size);

/* Visits the entries in order until visit returns false. False when the archive is malformed:
 * then *reason (may be NULL) tells why. Paths are checked: none is absolute or has "..". */
bool tar_visit(const uint8_t *data, size_t size,
               bool (*visit)(void *context, const struct tar_entry *entry), void *context,
               const char **reason);

#endif
