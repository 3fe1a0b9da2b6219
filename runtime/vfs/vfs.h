/* In-memory file system of the sandbox.
 *
 * A tree of inodes in the heap; the files of the read-only archive are referenced in place
 * and copied, 64 KiB at a time, when they are written to. Path resolution, errors and the
 * effects of every operation follow POSIX.1-2024 as Linux implements it; there are no
 * permissions and no owners, and reading doesn't touch the access time (it would dirty memory).
 *
 * Plain C without system calls: time and devices come through struct vfs_host. Functions
 * return 0 (or a count) or the negative of an enum vfs_error. Not thread-safe. */
#ifndef ERYX_VFS_VFS_H
#define ERYX_VFS_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One more than the number of the same error in wasi:filesystem/types error-code. */
enum vfs_error {
    VFS_OK = 0,
    VFS_EACCES = 1,
    VFS_EAGAIN = 2,
    VFS_EBADF = 4,
    VFS_EBUSY = 5,
    VFS_EEXIST = 8,
    VFS_EFBIG = 9,
    VFS_EINVAL = 13,
    VFS_EIO = 14,
    VFS_EISDIR = 15,
    VFS_ELOOP = 16,
    VFS_EMLINK = 17,
    VFS_ENAMETOOLONG = 19,
    VFS_ENOENT = 21,
    VFS_ENOMEM = 23,
    VFS_ENOSPC = 24,
    VFS_ENOTDIR = 25,
    VFS_ENOTEMPTY = 26,
    VFS_ENOTSUP = 28,
    VFS_EPERM = 32,
    VFS_EPIPE = 33,
    VFS_ESPIPE = 35,
    VFS_EMFILE = 64, /* WASI has no such code */
};

/* Numbers of wasi:filesystem/types descriptor-type. */
enum vfs_kind { VFS_DEVICE = 2, VFS_DIRECTORY = 3, VFS_SYMLINK = 5, VFS_FILE = 6 };

enum vfs_device {
    VFS_DEVICE_NULL,
    VFS_DEVICE_ZERO,
    VFS_DEVICE_RANDOM,
    VFS_DEVICE_STDIN,
    VFS_DEVICE_STDOUT,
    VFS_DEVICE_STDERR,
};

/* VFS_PATH_MAX counts a terminating NUL, as PATH_MAX does. */
enum { VFS_NAME_MAX = 255, VFS_PATH_MAX = 4096, VFS_SYMLINK_MAX = 40, VFS_LINK_MAX = 65000 };

/* Numbers of wasi:filesystem/types open-flags, and two of our own. */
enum vfs_open_flags {
    VFS_OPEN_CREATE = 1,
    VFS_OPEN_DIRECTORY = 2,
    VFS_OPEN_EXCLUSIVE = 4,
    VFS_OPEN_TRUNCATE = 8,
    VFS_OPEN_WRITE = 16,
    VFS_OPEN_NOFOLLOW = 32,
};

struct vfs_time {
    int64_t seconds; /* since 1970 */
    uint32_t nanoseconds;
};

/* What the file system needs from around it. Called on every change; must not call back. */
struct vfs_host {
    struct vfs_time (*now)(void);
    /* Random, stdin, stdout and stderr. A count, 0 at the end, or a negative vfs_error. */
    int64_t (*device_read)(enum vfs_device device, void *buffer, size_t length);
    int64_t (*device_write)(enum vfs_device device, const void *buffer, size_t length);
};

struct vfs_limits {
    uint64_t total_bytes; /* contents, names and symlink targets outside the archive */
    uint64_t file_bytes;  /* size of one file, holes included */
    uint32_t inodes;      /* those of the archive included */
    uint32_t open_files;
};

struct vfs_usage {
    uint64_t total_bytes;
    uint32_t inodes;
    uint32_t open_files;
};

struct vfs_stat {
    uint64_t inode;
    uint64_t size;
    uint32_t links;
    enum vfs_kind kind;
    struct vfs_time accessed, modified, changed;
};

struct vfs;
struct vfs_inode;

/* A path, relative to a directory; an absolute one starts at the root. Need not end in NUL. */
struct vfs_path {
    struct vfs_inode *base;
    const char *text;
    size_t length;
};

struct vfs_dirent {
    const char *name; /* valid until the directory changes; not NUL-terminated */
    uint32_t length;
    enum vfs_kind kind;
    uint64_t inode;
};

/* An empty root directory, or NULL without memory. `host` is copied. */
struct vfs *vfs_new(const struct vfs_host *host);
void vfs_free(struct vfs *fs); /* every open inode must have been closed */

/* Adds the entries of an archive (archive.h), which must outlive the file system and stays
 * unchanged. Fails with VFS_EINVAL when it isn't one. */
int vfs_add_archive(struct vfs *fs, const void *archive, size_t length);
/* /tmp, /home/sandbox and /dev with its devices. */
int vfs_add_standard_tree(struct vfs *fs);

void vfs_set_limits(struct vfs *fs, const struct vfs_limits *limits);
struct vfs_limits vfs_get_limits(const struct vfs *fs);
struct vfs_usage vfs_get_usage(const struct vfs *fs);

struct vfs_inode *vfs_root(struct vfs *fs);

/* An open inode lives until vfs_close, also when its last name goes. */
int vfs_open(struct vfs *fs, struct vfs_path path, unsigned flags, struct vfs_inode **inode);
void vfs_close(struct vfs *fs, struct vfs_inode *inode);
/* Further references, which don't count as open files. */
void vfs_retain(struct vfs_inode *inode);
void vfs_release(struct vfs *fs, struct vfs_inode *inode);

enum vfs_kind vfs_kind(const struct vfs_inode *inode);
struct vfs_stat vfs_stat(const struct vfs_inode *inode);
int vfs_stat_path(struct vfs *fs, struct vfs_path path, bool follow, struct vfs_stat *stat);

int64_t vfs_read(struct vfs *fs, struct vfs_inode *inode, uint64_t offset, void *buffer,
                 size_t length);
/* May write less than asked for when space runs out; 0 bytes never. */
int64_t vfs_write(struct vfs *fs, struct vfs_inode *inode, uint64_t offset, const void *buffer,
                  size_t length);
/* How much of a write of `length` bytes the limits allow now; 0: it would fail. */
uint64_t vfs_write_room(const struct vfs *fs, const struct vfs_inode *inode, uint64_t offset,
                        uint64_t length);
int vfs_truncate(struct vfs *fs, struct vfs_inode *inode, uint64_t size);

/* NULL leaves a time as it is. */
int vfs_set_times(struct vfs *fs, struct vfs_inode *inode, const struct vfs_time *accessed,
                  const struct vfs_time *modified);
int vfs_set_times_path(struct vfs *fs, struct vfs_path path, bool follow,
                       const struct vfs_time *accessed, const struct vfs_time *modified);

int vfs_mkdir(struct vfs *fs, struct vfs_path path);
int vfs_rmdir(struct vfs *fs, struct vfs_path path);
int vfs_unlink(struct vfs *fs, struct vfs_path path);
int vfs_rename(struct vfs *fs, struct vfs_path from, struct vfs_path to);
int vfs_link(struct vfs *fs, struct vfs_path from, bool follow, struct vfs_path to);
int vfs_symlink(struct vfs *fs, const char *target, size_t length, struct vfs_path path);
/* *target stays valid until the file system changes. */
int vfs_readlink(struct vfs *fs, struct vfs_path path, const char **target, size_t *length);

/* The entry after *cursor, which starts at 0 and is moved on. 1: there is one, 0: the end.
 * What exists all the time is given exactly once, whatever is created and removed between. */
int vfs_read_directory(struct vfs *fs, struct vfs_inode *directory, uint64_t *cursor,
                       struct vfs_dirent *entry);

/* Absolute path of a directory, without a NUL: its length, or VFS_ENOENT when it was removed,
 * VFS_ENAMETOOLONG when it doesn't fit. */
int vfs_directory_path(struct vfs *fs, struct vfs_inode *directory, char *buffer, size_t capacity);

#endif
