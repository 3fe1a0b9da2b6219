/* Functions of libc replaced because WASI 0.2 cannot say what they have to: writes that fail
 * for lack of space (libc makes EIO of every failure of a stream), too many open files (no such
 * error code), and a working directory without `..` and symbolic links in it; or because libc's
 * are wrong: it reads files opened for appending at their end, whatever their position. */
#include "wasi_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <unistd.h>

extern char *__wasilibc_cwd;
int __wasilibc_open_nomode(const char *path, int flags);
int __wasilibc_nocwd_openat_nomode(int fd, const char *path, int flags);

WASI_VISIBLE ssize_t write(int fd, const void *data, size_t length);
WASI_VISIBLE int open(const char *path, int flags, ...);
WASI_VISIBLE int openat(int fd, const char *path, int flags, ...);
WASI_VISIBLE int chdir(const char *path);

static int fault_to_errno(int fallback)
{
    switch (wasi_last_fault) {
    case VFS_EFBIG:
        return EFBIG;
    case VFS_ENOMEM:
        return ENOMEM;
    case VFS_ENOSPC:
        return ENOSPC;
    case VFS_EBADF:
        return EBADF;
    case VFS_EROFS:
        return EROFS;
    case VFS_EDQUOT:
        return EDQUOT;
    case VFS_EACCES:
        return EACCES;
    case VFS_EMFILE:
        return EMFILE;
    default:
        return fallback;
    }
}

/* Descriptors opened with O_APPEND, which libc is not told. Closing one leaves its bit: the next
 * open that gets its number sets it anew. */
static uint8_t appending[FD_SETSIZE / 8];

static bool appends(int fd)
{
    return fd >= 0 && (size_t)fd < sizeof appending * 8 && appending[fd / 8] >> fd % 8 & 1;
}

static int opened(int fd, int flags)
{
    if (fd < 0) {
        if (wasi_last_fault == VFS_EMFILE) {
            errno = EMFILE;
        }
    } else if ((size_t)fd < sizeof appending * 8) {
        uint8_t bit = (uint8_t)(1u << fd % 8);
        appending[fd / 8] =
            (uint8_t)(flags & O_APPEND ? appending[fd / 8] | bit : appending[fd / 8] & ~bit);
    }
    return fd;
}

void wasi_keep_appending(int fd, int copy)
{
    opened(copy, appends(fd) ? O_APPEND : 0);
}

/* writev of libc is what its write is, for one part. */
ssize_t write(int fd, const void *data, size_t length)
{
    if (appends(fd)) {
        lseek(fd, 0, SEEK_END); /* fails on what has no position, which needs none */
    }
    struct iovec part = {(void *)(uintptr_t)data, length};
    wasi_last_fault = 0;
    ssize_t count = writev(fd, &part, 1);
    if (count < 0 && errno == EIO) {
        errno = fault_to_errno(EIO);
    }
    return count;
}

int open(const char *path, int flags, ...)
{
    wasi_last_fault = 0;
    return opened(__wasilibc_open_nomode(path, flags & ~O_APPEND), flags);
}

int openat(int fd, const char *path, int flags, ...)
{
    wasi_last_fault = 0;
    if (fd == AT_FDCWD || path[0] == '/') {
        return open(path, flags);
    }
    return opened(__wasilibc_nocwd_openat_nomode(fd, path, flags & ~O_APPEND), flags);
}

static int to_errno(int error)
{
    switch (-error) {
    case VFS_ELOOP:
        return ELOOP;
    case VFS_ENAMETOOLONG:
        return ENAMETOOLONG;
    case VFS_ENOMEM:
        return ENOMEM;
    case VFS_ENOTDIR:
        return ENOTDIR;
    case VFS_EMFILE:
        return EMFILE;
    default:
        return ENOENT;
    }
}

/* Relative paths start at the working directory, which is a string to libc. */
static int open_directory(struct vfs *fs, const char *path, struct vfs_inode **directory)
{
    char *joined = NULL;
    size_t length = strlen(path);
    if (path[0] != '/' && length) {
        size_t front = strlen(__wasilibc_cwd);
        joined = malloc(front + 1 + length);
        if (!joined) {
            return -VFS_ENOMEM;
        }
        memcpy(joined, __wasilibc_cwd, front);
        joined[front] = '/';
        memcpy(joined + front + 1, path, length);
        path = joined;
        length += front + 1;
    }
    struct vfs_path at = {vfs_root(fs), path, length};
    int error = vfs_open(fs, at, VFS_OPEN_DIRECTORY, directory);
    free(joined);
    return error;
}

/* libc only reads __wasilibc_cwd once its own chdir is replaced, so the memory is ours. */
int chdir(const char *path)
{
    static char *own;
    struct vfs *fs = wasi_file_system();
    struct vfs_inode *directory = NULL;
    int length = open_directory(fs, path, &directory);
    char *buffer = NULL;
    if (!length) {
        buffer = malloc(VFS_PATH_MAX);
        length = buffer ? vfs_directory_path(fs, directory, buffer, VFS_PATH_MAX - 1) : -VFS_ENOMEM;
        vfs_close(fs, directory);
    }
    if (length < 0) {
        free(buffer);
        errno = to_errno(length);
        return -1;
    }
    buffer[length] = 0;
    __wasilibc_cwd = buffer;
    free(own);
    own = buffer;
    return 0;
}
