/* Sessions in a folder: ID.session, and ID.lock for who is using it. On one machine, or shared
 * between servers by a file system with working flock (NFSv4, CephFS, ...). A session is written
 * under another name, synced and renamed, so that readers see it whole; the mark is that of the
 * inode, which is another one after each writing. A lock file is empty and goes when there is no
 * session: its owner removes it, and who locks one looks whether it is still there. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store_types.h"

enum { NAME_MAX_BYTES = 128 };

struct directory {
    int fd;
};

static bool failed(struct store_error *error, int cause, const char *what)
{
    return store_fail(error,
                      cause == ENOENT  ? STORE_NONE
                      : cause == EFBIG ? STORE_TOO_BIG
                                       : STORE_FAILED,
                      "%s: %s", what, strerror(cause));
}

static uint64_t lease_ns(void *env)
{
    (void)env;
    return 0;
}

static void close_directory(void *env)
{
    struct directory *directory = env;
    close(directory->fd);
    free(directory);
}

static bool ping(void *env, struct store_error *error)
{
    (void)env;
    (void)error;
    return true;
}

/* The file, locked; -1 with errno. */
static int lock_file(const struct directory *directory, const char *name)
{
    for (;;) {
        struct stat ours, there;
        int fd = openat(directory->fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return -1;
        bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
        int cause = errno;
        if (locked && fstat(fd, &ours) == 0 &&
            fstatat(directory->fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
            ours.st_ino == there.st_ino && ours.st_dev == there.st_dev)
            return fd;
        close(fd);
        if (!locked) {
            errno = cause;
            return -1;
        }
    }
}

static bool take(void *env, struct store_lease *lease, struct store_error *error)
{
    char name[NAME_MAX_BYTES];
    snprintf(name, sizeof name, "%s.lock", lease->id);
    lease->file = lock_file(env, name);
    if (lease->file >= 0)
        return true;
    if (errno == EWOULDBLOCK)
        return store_fail(error, STORE_BUSY, "somebody else is using it");
    return failed(error, errno, "cannot lock it");
}

static bool renew(void *env, struct store_lease *lease, struct store_error *error)
{
    (void)env;
    (void)lease;
    (void)error;
    return true;
}

static void release(void *env, struct store_lease *lease)
{
    struct directory *directory = env;
    char name[NAME_MAX_BYTES];
    if (lease->file < 0)
        return;
    snprintf(name, sizeof name, "%s.session", lease->id);
    if (faccessat(directory->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
        snprintf(name, sizeof name, "%s.lock", lease->id);
        unlinkat(directory->fd, name, 0);
    }
    close(lease->file);
    lease->file = -1;
}

static struct store_mark mark_of(const struct stat *info)
{
    struct store_mark mark = {.seconds = info->st_mtim.tv_sec, .size = (uint64_t)info->st_size};
    snprintf(mark.text, sizeof mark.text, "%llx-%llx.%lx-%llx", (unsigned long long)info->st_ino,
             (unsigned long long)info->st_mtim.tv_sec, (unsigned long)info->st_mtim.tv_nsec,
             (unsigned long long)info->st_size);
    return mark;
}

static bool look(void *env, const char *id, struct store_mark *mark, struct store_error *error)
{
    struct directory *directory = env;
    char name[NAME_MAX_BYTES];
    struct stat info;
    snprintf(name, sizeof name, "%s.session", id);
    *mark = (struct store_mark){0};
    if (fstatat(directory->fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT || failed(error, errno, "cannot read it");
    *mark = mark_of(&info);
    return true;
}

static bool read_all(int fd, char *data, size_t length)
{
    while (length > 0) {
        ssize_t got = read(fd, data, length);
        if (got > 0) {
            data += got;
            length -= (size_t)got;
        } else if (got == 0 || errno != EINTR) {
            errno = got == 0 ? EIO : errno;
            return false;
        }
    }
    return true;
}

static void *read_session(void *env, const char *id, size_t max, size_t *length,
                          struct store_mark *mark, struct store_error *error)
{
    struct directory *directory = env;
    char name[NAME_MAX_BYTES];
    struct stat info;
    snprintf(name, sizeof name, "%s.session", id);
    int fd = openat(directory->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char *data = NULL;
    int cause = errno;
    if (fd >= 0 && fstat(fd, &info) == 0) {
        *length = (size_t)info.st_size;
        cause = *length > max ? EFBIG : ENOMEM;
        data = *length > max ? NULL : malloc(*length + 1);
        *mark = mark_of(&info);
    }
    if (data && !read_all(fd, data, *length)) {
        cause = errno;
        free(data);
        data = NULL;
    }
    if (fd >= 0)
        close(fd);
    if (!data)
        failed(error, cause, "cannot read it");
    return data;
}

static bool write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t put = write(fd, data, length);
        if (put >= 0) {
            data += put;
            length -= (size_t)put;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return fsync(fd) == 0;
}

/* The lock cannot be lost: nobody has written it meanwhile. */
static bool write_session(void *env, struct store_lease *lease, const void *data, size_t length,
                          struct store_mark *mark, struct store_error *error)
{
    struct directory *directory = env;
    char name[NAME_MAX_BYTES], temporary[NAME_MAX_BYTES];
    struct stat info;
    snprintf(name, sizeof name, "%s.session", lease->id);
    snprintf(temporary, sizeof temporary, "%s.tmp", lease->id); /* the lock's owner's */
    int fd = openat(directory->fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                    0600);
    if (fd < 0)
        return failed(error, errno, "cannot write it");
    bool good = write_all(fd, data, length) && fstat(fd, &info) == 0;
    int cause = errno;
    close(fd);
    if (good && renameat(directory->fd, temporary, directory->fd, name) != 0) {
        good = false;
        cause = errno;
    }
    if (good) {
        *mark = mark_of(&info);
        return true;
    }
    unlinkat(directory->fd, temporary, 0);
    return failed(error, cause, "cannot write it");
}

static bool remove_session(void *env, struct store_lease *lease, struct store_error *error)
{
    struct directory *directory = env;
    char name[NAME_MAX_BYTES];
    snprintf(name, sizeof name, "%s.session", lease->id);
    return unlinkat(directory->fd, name, 0) == 0 || errno == ENOENT ||
           failed(error, errno, "cannot remove it");
}

const struct store_backend *store_open_directory(const char *place, void **env, char name[200],
                                                 struct store_error *error)
{
    static const struct store_backend backend = {
        lease_ns, close_directory, ping,          take,           renew, release,
        look,     read_session,    write_session, remove_session,
    };
    snprintf(name, 200, "%s", place);
    if (mkdir(place, 0700) != 0 && errno != EEXIST) {
        store_fail(error, STORE_FAILED, "cannot make the store %.120s: %s", place, strerror(errno));
        return NULL;
    }
    struct directory *directory = malloc(sizeof *directory);
    int fd = directory ? open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0) {
        store_fail(error, STORE_FAILED, "cannot open the store %.120s: %s", place, strerror(errno));
        free(directory);
        return NULL;
    }
    directory->fd = fd;
    *env = directory;
    return &backend;
}
