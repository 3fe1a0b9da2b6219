#define _GNU_SOURCE
#include "checkpoint/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

static int fail(const char *path, const char *what, eryx_error_t *error) {
    return error_set(error, ERYX_ERR_IO, "%.150s: %s: %s", path, what, strerror(errno));
}

static bool write_all(int fd, const char *data, size_t length) {
    while (length > 0) {
        ssize_t written = write(fd, data, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        data += written;
        length -= (size_t)written;
    }
    return true;
}

/* Makes the new name last, as far as the file system can. */
static void sync_folder(const char *path) {
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

int file_begin(const char *path, file_new_t *file, eryx_error_t *error) {
    struct stat old;
    file->path = path;
    int needed = snprintf(file->temporary, sizeof file->temporary, "%s.XXXXXX", path);
    if (needed < 0 || (size_t)needed >= sizeof file->temporary)
        return error_set(error, ERYX_ERR_IO, "%.150s...: the path is too long", path);
    if (stat(path, &old) == 0 && !S_ISREG(old.st_mode))
        return error_set(error, ERYX_ERR_IO, "%.150s: is not a regular file", path);
    file->fd = mkostemp(file->temporary, O_CLOEXEC);
    return file->fd < 0 ? fail(path, "cannot make a file beside it", error) : ERYX_OK;
}

int file_end(file_new_t *file, int status, eryx_error_t *error) {
    if (status == ERYX_OK && fsync(file->fd) != 0)
        status = fail(file->path, "cannot write", error);
    if (close(file->fd) != 0 && status == ERYX_OK)
        status = fail(file->path, "cannot write", error);
    if (status == ERYX_OK && rename(file->temporary, file->path) != 0)
        status = fail(file->path, "cannot rename", error);
    if (status != ERYX_OK)
        unlink(file->temporary);
    else
        sync_folder(file->path);
    return status;
}

int file_replace(const char *path, const void *data, size_t length, eryx_error_t *error) {
    file_new_t file;
    int status = file_begin(path, &file, error);
    if (status != ERYX_OK)
        return status;
    status = write_all(file.fd, data, length) ? ERYX_OK : fail(path, "cannot write", error);
    return file_end(&file, status, error);
}

int file_map(const char *path, void **data, size_t *length, eryx_error_t *error) {
    struct stat found;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail(path, "cannot open", error);
    int status = ERYX_OK;
    if (fstat(fd, &found) != 0)
        status = fail(path, "cannot examine", error);
    else if (!S_ISREG(found.st_mode))
        status = error_set(error, ERYX_ERR_IO, "%.150s: is not a regular file", path);
    else if (found.st_size == 0)
        status = error_set(error, ERYX_ERR_FORMAT, "%.150s: is empty, not a checkpoint", path);
    if (status == ERYX_OK) {
        *length = (size_t)found.st_size;
        *data = mmap(NULL, *length, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        if (*data == MAP_FAILED)
            status = fail(path, "cannot map", error);
    }
    close(fd);
    return status;
}

void file_unmap(void *data, size_t length) {
    munmap(data, length);
}

int file_name_error(int status, const char *path, eryx_error_t *error) {
    if (status == ERYX_OK || !error || strncmp(error->message, path, strlen(path)) == 0)
        return status;
    eryx_error_t cause = *error;
    return error_set(error, status, "%.120s: %s", path, cause.message);
}
