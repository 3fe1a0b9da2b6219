/* Files of this machine: what changes them. Names are made and removed relative to the descriptor
 * of their directory. There is no symlink: a link that a program makes could lead other programs of
 * the host astray. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mount/host.h"
#include "mount/source.h"

/* The directory above a path that is to be changed, and the name in it. */
static int parent_of(const host_files_t *files, const char *path, const char **name) {
    return files->is_file ? -EBUSY : resolve_parent(&files->root, path, name);
}

int host_create(const host_files_t *files, const char *path, int flags, host_file_t *out) {
    const char *name;
    int parent = parent_of(files, path, &name);
    if (parent < 0)
        return parent == -EBUSY ? -EEXIST : parent;
    out->fd =
        openat(parent, name, flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0666);
    int error = out->fd < 0 ? -errno : 0;
    close(parent);
    return error;
}

ptrdiff_t host_write(void *env, void *opened, uint64_t offset, const void *data, size_t length) {
    (void)env;
    const host_file_t *file = opened;
    if (offset > INT64_MAX - length)
        return -EFBIG;
    for (;;) {
        ssize_t count = pwrite(file->fd, data, length, (off_t)offset);
        if (count >= 0 || errno != EINTR)
            return count < 0 ? -errno : count;
    }
}

int host_resize(void *env, void *opened, uint64_t size) {
    (void)env;
    const host_file_t *file = opened;
    if (size > INT64_MAX)
        return -EFBIG;
    return ftruncate(file->fd, (off_t)size) == 0 ? 0 : -errno;
}

int host_sync(void *env, void *opened) {
    (void)env;
    return fsync(((const host_file_t *)opened)->fd) == 0 ? 0 : -errno;
}

static struct timespec time_of(const int64_t *nanoseconds) {
    if (!nanoseconds)
        return (struct timespec){.tv_nsec = UTIME_OMIT};
    int64_t seconds = *nanoseconds / 1000000000, rest = *nanoseconds % 1000000000;
    if (rest < 0) {
        seconds--;
        rest += 1000000000;
    }
    return (struct timespec){.tv_sec = seconds, .tv_nsec = rest};
}

int host_set_times(void *env, const char *path, const int64_t *accessed_ns,
                   const int64_t *modified_ns) {
    struct timespec times[2] = {time_of(accessed_ns), time_of(modified_ns)};
    int fd = host_resolve(env, path);
    if (fd < 0)
        return fd;
    int error = utimensat(fd, "", times, AT_EMPTY_PATH) == 0 ? 0 : -errno;
    close(fd);
    return error;
}

int host_make_directory(void *env, const char *path) {
    const char *name;
    int parent = parent_of(env, path, &name);
    if (parent < 0)
        return parent;
    int error = mkdirat(parent, name, 0777) == 0 ? 0 : -errno;
    close(parent);
    return error;
}

static int remove_name(const host_files_t *files, const char *path, int flags) {
    const char *name;
    int parent = parent_of(files, path, &name);
    if (parent < 0)
        return parent;
    int error = unlinkat(parent, name, flags) == 0 ? 0 : -errno;
    close(parent);
    return error;
}

int host_remove_directory(void *env, const char *path) {
    return remove_name(env, path, AT_REMOVEDIR);
}

int host_remove_file(void *env, const char *path) {
    return remove_name(env, path, 0);
}

static int with_two(const host_files_t *files, const char *from, const char *to,
                    int (*change)(int, const char *, int, const char *)) {
    const char *name_from, *name_to;
    int parent_from = parent_of(files, from, &name_from);
    if (parent_from < 0)
        return parent_from;
    int parent_to = parent_of(files, to, &name_to);
    if (parent_to < 0) {
        close(parent_from);
        return parent_to;
    }
    int error = change(parent_from, name_from, parent_to, name_to) == 0 ? 0 : -errno;
    close(parent_from);
    close(parent_to);
    return error;
}

int host_rename(void *env, const char *from, const char *to) {
    return with_two(env, from, to, renameat);
}

static int link_names(int from, const char *name_from, int to, const char *name_to) {
    return linkat(from, name_from, to, name_to, 0);
}

int host_link(void *env, const char *from, const char *to) {
    return with_two(env, from, to, link_names);
}
