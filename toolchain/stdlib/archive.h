/* Building and reading the archive of the standard library (runtime/vfs/archive.h). */
#ifndef STDLIB_ARCHIVE_H
#define STDLIB_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file.h"
#include "runtime/vfs/archive.h"

/* Modification time of every entry, fixed so that the same input gives the same archive and
 * the .pyc files in it stay valid: the day Python 3.14.0 was released. */
#define ARCHIVE_MTIME 1759795200u

struct archive_item {
    char *path;
    uint8_t *data; /* NULL for directories */
    size_t size;
    size_t order; /* of adding: among items of one path the last wins */
    bool is_directory;
};

/* Zero-initialised by the caller. */
struct archive_builder {
    struct archive_item *items;
    size_t count, capacity;
};

/* Copies path and data. A file added before under this path is replaced. False when out of
 * memory or the path is not a relative path without empty, "." and ".." parts (printed). */
bool archive_add(struct archive_builder *builder, const char *path, const uint8_t *data,
                 size_t size);
/* Same for an empty directory; parents of files need not be added. */
bool archive_add_directory(struct archive_builder *builder, const char *path);
/* Sorts, adds parent directories, stores equal contents once. The bytes are the caller's. */
bool archive_encode(struct archive_builder *builder, struct file_bytes *out);
void archive_free(struct archive_builder *builder);

/* --- Reading ----------------------------------------------------------------------------- */

struct archive_file {
    const char *path; /* path_length bytes, not terminated */
    size_t path_length;
    const uint8_t *data;
    size_t size;
    bool is_directory;
};

/* Checks everything: bounds, order, that entries do not overlap the table. Prints errors. */
bool archive_check(const char *name, const uint8_t *data, size_t size);
/* For a checked archive. */
uint32_t archive_count(const uint8_t *data);
struct archive_file archive_get(const uint8_t *data, uint32_t index);
bool archive_find(const uint8_t *data, const char *path, struct archive_file *out);

#endif
