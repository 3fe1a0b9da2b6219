/* Paths below a directory: see resolve.h. */
#define _GNU_SOURCE
#include "mount/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mount/source.h"

enum { RACES_MAX = 16 }; /* EAGAIN: something was renamed meanwhile */

static int beneath(int root, const char *path, uint64_t flags) {
    struct open_how how = {
        .flags = flags,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    for (int tries = 0;; tries++) {
        long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd >= 0)
            return (int)fd;
        if (errno != EINTR && (errno != EAGAIN || tries == RACES_MAX))
            return errno == EXDEV ? -EACCES : -errno;
    }
}

void resolve_init(resolve_root_t *root, int fd, dev_t device) {
    *root = (resolve_root_t){.fd = fd, .device = device};
    int self = beneath(fd, ".", O_PATH | O_CLOEXEC);
    if (self >= 0)
        close(self);
    else
        root->walking = self == -ENOSYS || self == -EPERM || self == -E2BIG;
}

/* One name below `directory`, which is closed. */
static int walk_name(const resolve_root_t *root, int directory, const char *name) {
    int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int error = fd < 0 ? -errno : 0;
    close(directory);
    if (error)
        return error;
    struct stat status;
    if (fstat(fd, &status) != 0)
        error = -errno;
    else if (status.st_dev != root->device)
        error = -EACCES;
    if (!error)
        return fd;
    close(fd);
    return error;
}

static int walk(const resolve_root_t *root, const char *path) {
    int fd = openat(root->fd, ".", O_PATH | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    while (*path) {
        char name[SOURCE_NAME_MAX + 1];
        size_t length = strcspn(path, "/");
        struct stat status;
        memcpy(name, path, length);
        name[length] = '\0';
        path += length + (path[length] == '/');
        fd = walk_name(root, fd, name);
        if (fd < 0 || !*path)
            return fd;
        if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
            continue;
        close(fd);
        return S_ISLNK(status.st_mode) ? -ELOOP : -ENOTDIR;
    }
    return fd;
}

int resolve_path(const resolve_root_t *root, const char *path) {
    if (root->walking)
        return walk(root, path);
    return beneath(root->fd, *path ? path : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

int resolve_parent(const resolve_root_t *root, const char *path, const char **name) {
    char parent[SOURCE_PATH_MAX];
    const char *slash = strrchr(path, '/');
    *name = slash ? slash + 1 : path;
    if (!**name)
        return -EBUSY; /* the root has no name */
    size_t length = slash ? (size_t)(slash - path) : 0;
    memcpy(parent, path, length);
    parent[length] = '\0';
    int fd = resolve_path(root, parent);
    if (fd < 0)
        return fd;
    struct stat status;
    if (fstat(fd, &status) == 0 && S_ISDIR(status.st_mode))
        return fd;
    close(fd);
    return S_ISLNK(status.st_mode) ? -ELOOP : -ENOTDIR;
}
