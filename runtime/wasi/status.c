/* stat() of libc asks for the inode number of a path as if it never followed a symbolic link at its end,
 * so a link would have another number than what it leads to. It says here what it means. */
#include <fcntl.h>
#include <sys/stat.h>

#include "wasi_internal.h"

#define NEXT(name) __attribute__((import_module("next"), import_name(name)))

NEXT("stat") int next_stat(const char *path, struct stat *status);
NEXT("fstatat") int next_fstatat(int fd, const char *path, struct stat *status, int flags);

WASI_VISIBLE int stat(const char *restrict path, struct stat *restrict status);
WASI_VISIBLE int fstatat(int fd, const char *restrict path, struct stat *restrict status,
                         int flags);

bool wasi_stat_follows;

int stat(const char *restrict path, struct stat *restrict status)
{
    wasi_stat_follows = true;
    int result = next_stat(path, status);
    wasi_stat_follows = false;
    return result;
}

int fstatat(int fd, const char *restrict path, struct stat *restrict status, int flags)
{
    wasi_stat_follows = !(flags & AT_SYMLINK_NOFOLLOW);
    int result = next_fstatat(fd, path, status, flags);
    wasi_stat_follows = false;
    return result;
}
