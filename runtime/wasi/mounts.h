/* Layouts of what the mount imports give and take: little-endian, as written down in
 * src/abi/imports_mount.c. */
#ifndef ERYX_WASI_MOUNTS_H
#define ERYX_WASI_MOUNTS_H

#include <stdint.h>

struct mount_stat {
    uint32_t kind; /* enum vfs_kind */
    uint32_t links;
    uint64_t inode, size;
    int64_t seconds[3]; /* accessed, modified, changed */
    uint32_t nanoseconds[3];
    uint32_t unused;
};
_Static_assert(sizeof(struct mount_stat) == 64, "mount-stat");

struct mount_open {
    uint64_t file; /* never 0 */
    struct mount_stat stat;
};
_Static_assert(sizeof(struct mount_open) == 72, "mount-open");

struct mount_times {
    int64_t seconds[2]; /* accessed, modified */
    uint32_t nanoseconds[2];
    uint32_t given[2];
};
_Static_assert(sizeof(struct mount_times) == 32, "mount-set-times");

#endif
