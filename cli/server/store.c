/* Sessions in a folder: ID.session, and ID.lock for who is using it. A session is written under
 * another name, synced and renamed, so that readers see it whole; the mark is that of the inode,
 * which is another one after each writing. Lock files are empty and stay, since removing one that
 * somebody is about to lock would give two owners. */
#define _GNU_SOURCE
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../message.h"

enum { NAME_MAX_BYTES = 128 };

struct store {
    int directory;
};

struct store *store_open(const char *directory)
{
    struct store *store = malloc(sizeof *store);
    if (store && mkdir(directory, 0700) != 0 && errno != EEXIST) {
        message_error("cannot make the store %s: %s", directory, strerror(errno));
        free(store);
        return NULL;
    }
    if (store)
        store->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!store || store->directory < 0) {
        message_error("cannot open the store %s: %s", directory, strerror(errno));
        free(store);
        return NULL;
    }
    return store;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    close(store->directory);
    free(store);
}

int store_lock(struct store *store, const char *id)
{
    char name[NAME_MAX_BYTES];
    snprintf(name, sizeof name, "%s.lock", id);
    int fd = openat(store->directory, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int cause = errno;
        close(fd);
        errno = cause;
        return -1;
    }
    return fd;
}

void store_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}

static struct store_mark mark_of(const struct stat *info)
{
    return (struct store_mark){info->st_ino, info->st_mtim.tv_sec, info->st_mtim.tv_nsec,
                               info->st_size};
}

struct store_mark store_look(struct store *store, const char *id)
{
    char name[NAME_MAX_BYTES];
    struct stat info;
    snprintf(name, sizeof name, "%s.session", id);
    if (fstatat(store->directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return (struct store_mark){0};
    return mark_of(&info);
}

bool store_same(const struct store_mark *a, const struct store_mark *b)
{
    return a->inode == b->inode && a->seconds == b->seconds && a->nanoseconds == b->nanoseconds &&
           a->size == b->size;
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

void *store_read(struct store *store, const char *id, size_t max, size_t *length,
                 struct store_mark *mark)
{
    char name[NAME_MAX_BYTES];
    struct stat info;
    snprintf(name, sizeof name, "%s.session", id);
    int fd = openat(store->directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char *data = NULL;
    if (fd < 0)
        return NULL;
    if (fstat(fd, &info) == 0) {
        *length = (size_t)info.st_size;
        errno = *length > max ? EFBIG : ENOMEM;
        data = *length > max ? NULL : malloc(*length + 1);
    }
    if (data && !read_all(fd, data, *length)) {
        int cause = errno;
        free(data);
        data = NULL;
        errno = cause;
    }
    int cause = errno;
    *mark = mark_of(&info);
    close(fd);
    errno = cause;
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

bool store_write(struct store *store, const char *id, const void *data, size_t length,
                 struct store_mark *mark)
{
    char name[NAME_MAX_BYTES], temporary[NAME_MAX_BYTES];
    struct stat info;
    snprintf(name, sizeof name, "%s.session", id);
    snprintf(temporary, sizeof temporary, "%s.%ld.tmp", id, (long)getpid()); /* id is locked */
    int fd = openat(store->directory, temporary,
                    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    bool good = write_all(fd, data, length) && fstat(fd, &info) == 0;
    int cause = errno;
    close(fd);
    if (good && renameat(store->directory, temporary, store->directory, name) != 0) {
        good = false;
        cause = errno;
    }
    if (!good)
        unlinkat(store->directory, temporary, 0);
    else
        *mark = mark_of(&info);
    errno = cause;
    return good;
}

bool store_remove(struct store *store, const char *id)
{
    char name[NAME_MAX_BYTES];
    snprintf(name, sizeof name, "%s.session", id);
    return unlinkat(store->directory, name, 0) == 0 || errno == ENOENT;
}
