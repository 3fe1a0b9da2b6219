/* For the tests of runtime/vfs: a file system with a clock that the test sets and devices
 * that count, short forms of the calls, and archives made in memory. */
#ifndef ERYX_TEST_VFS_SUPPORT_H
#define ERYX_TEST_VFS_SUPPORT_H

#include "vfs.h"

extern int64_t support_clock;     /* seconds; nanoseconds are always 7 */
extern size_t support_written[6]; /* bytes by device */

struct vfs *support_new(void);

struct vfs_path at_root(struct vfs *fs, const char *path);
int make_file(struct vfs *fs, const char *path, const void *data, size_t length);
/* The text of a file in a static buffer, or NULL when it can't be read. */
const char *text_of(struct vfs *fs, const char *path);
struct vfs_stat stat_of(struct vfs *fs, const char *path); /* inode 0: there is none */
int exists(struct vfs *fs, const char *path);

struct support_file {
    const char *path;
    const void *data; /* NULL: a directory */
    uint32_t length;
};
/* To be freed by the caller. Entries must be sorted. */
void *support_archive(const struct support_file *files, uint32_t count, size_t *length);

#endif
