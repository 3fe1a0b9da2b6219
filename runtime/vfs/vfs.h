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
    VFS_EDQUOT = 7,
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
    VFS_EOVERFLOW = 31,
    VFS_EPERM = 32,
    VFS_EPIPE = 33,
    VFS_EROFS = 34,
    VFS_ESPIPE = 35,
    VFS_EXDEV = 37,
    VFS_EMFILE = 64, /* WASI has no such code */
    VFS_ELINK = 65,  /* only of struct vfs_outside: a symbolic link is in the way */
    VFS_ESTALE = 66, /* the same: the host does not know the file by this number (any more) */
};

/* Numbers of wasi:filesystem/types descriptor-type. What is only found in mounts comes last. */
enum vfs_kind {
    VFS_DEVICE = 2,
    VFS_DIRECTORY = 3,
    VFS_SYMLINK = 5,
    VFS_FILE = 6,
    VFS_UNKNOWN = 0,
    VFS_BLOCK_DEVICE = 1,
    VFS_FIFO = 4,
    VFS_SOCKET = 7,
};

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
    const struct vfs_outside *outside; /* NULL: nothing can be mounted */
};

struct vfs_stat {
    uint64_t inode;
    uint64_t size;
    uint32_t links;
    enum vfs_kind kind;
    struct vfs_time accessed, modified, changed;
};

/* What vfs_outside_change does with one or two paths. */
enum vfs_change {
    VFS_CHANGE_MKDIR = 1,
    VFS_CHANGE_RMDIR = 2,
    VFS_CHANGE_UNLINK = 3,
    VFS_CHANGE_RENAME = 4,
    VFS_CHANGE_LINK = 5,
    VFS_CHANGE_SYMLINK = 6, /* the other "path" is the target */
};

/* Mounts: directories and files that are outside of the sandbox, by the number the host gave the
 * mount and a path in it: names with single slashes between them, no `.` and `..`; "" is
 * the mount itself. The host follows no symbolic links: VFS_ELINK tells that one is in
 * the way, and the sandbox resolves it in its own tree. */
struct vfs_outside {
    int (*stat)(uint32_t mount, const char *path, size_t length, struct vfs_stat *stat);
    /* Files and directories, flags as of vfs_open. */
    int (*open)(uint32_t mount, const char *path, size_t length, unsigned flags, uint64_t *file,
                struct vfs_stat *stat);
    void (*close)(uint64_t file);
    int (*status)(uint64_t file, struct vfs_stat *stat);
    int64_t (*read)(uint64_t file, uint64_t offset, void *buffer, size_t length);
    int64_t (*write)(uint64_t file, uint64_t offset, const void *data, size_t length);
    int (*resize)(uint64_t file, uint64_t size);
    int (*sync)(uint64_t file);
    /* Some next entries of an open directory, as bytes: kind, length of the name, name. A count, 0
     * at the end. */
    int64_t (*list)(uint64_t file, void *buffer, size_t capacity);
    int64_t (*readlink)(uint32_t mount, const char *path, size_t length, char *buffer,
                        size_t capacity);
    /* NULL leaves a time as it is. */
    int (*set_times)(uint32_t mount, const char *path, size_t length,
                     const struct vfs_time *accessed, const struct vfs_time *modified);
    int (*change)(enum vfs_change change, uint32_t mount, const char *path, size_t length,
                  const char *other, size_t other_length);
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
/* Once more, for another vfs_close. */
int vfs_open_again(struct vfs *fs, struct vfs_inode *inode);
void vfs_close(struct vfs *fs, struct vfs_inode *inode);
/* Further references, which don't count as open files. */
void vfs_retain(struct vfs_inode *inode);
void vfs_release(struct vfs *fs, struct vfs_inode *inode);

enum vfs_kind vfs_kind(const struct vfs_inode *inode);
/* Whether its data is outside of the sandbox. */
bool vfs_is_outside(const struct vfs_inode *inode);
/* The host's number of an open file that is outside; 0: it has none. */
uint64_t vfs_outside_number(const struct vfs_inode *inode);
int vfs_status(struct vfs *fs, struct vfs_inode *inode, struct vfs_stat *stat);
/* The same of an inode that is inside. */
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
int vfs_sync(struct vfs *fs, struct vfs_inode *inode);

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
/* *target stays valid until the file system changes or another link is read. */
int vfs_readlink(struct vfs *fs, struct vfs_path path, const char **target, size_t *length);

/* The entry after *cursor, which starts at 0 and is moved on. 1: there is one, 0: the end.
 * What exists all the time is given exactly once, whatever is created and removed between. */
int vfs_read_directory(struct vfs *fs, struct vfs_inode *directory, uint64_t *cursor,
                       struct vfs_dirent *entry);

/* Absolute path of a directory, without a NUL: its length, or VFS_ENOENT when it was removed,
 * VFS_ENAMETOOLONG when it doesn't fit. */
int vfs_directory_path(struct vfs *fs, struct vfs_inode *directory, char *buffer, size_t capacity);

enum vfs_mount_flags { VFS_MOUNT_FILE = 1, VFS_MOUNT_READ_ONLY = 2, VFS_MOUNT_OVERLAY = 4 };

/* Shows a mount of the host at an absolute path, over what is there; what leads there is made.
 * Another mount at this path goes. Without VFS_MOUNT_FILE it is a directory. */
int vfs_mount(struct vfs *fs, uint32_t number, unsigned flags, const char *path, size_t length);
/* The mount at this path, if it has these flags, is the one the host now calls by this number: what
 * an overlay holds stays. */
void vfs_renumber(struct vfs *fs, uint32_t number, unsigned flags, const char *path, size_t length);
typedef bool vfs_keep_fn(uint32_t number, const char *path, size_t length, void *context);
/* Takes away the mounts that `keep` doesn't say yes to; NULL: all. Files that are open in them fail
 * from then on. */
void vfs_unmount(struct vfs *fs, vfs_keep_fn *keep, void *context);

#endif
