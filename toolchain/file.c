/* Files and messages of the build steps: see file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *step_name = "?";

void step_set(const char *name)
{
    step_name = name;
}

void step_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "eryx-build %s: ", step_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

static const char *advice(int error)
{
    switch (error) {
    case ENOENT:
        return "; is the path right, and did the step before run?";
    case EACCES:
    case EPERM:
    case EROFS:
        return "; check the permissions";
    case ENOSPC:
    case EDQUOT:
        return "; free some disk space and run again";
    case EISDIR:
        return "; give a file, not a folder";
    case ENOMEM:
        return "; close other programs and run again";
    default:
        return "";
    }
}

static void print_failure(const char *what, const char *path, int error)
{
    step_error("%s: %s: %s%s", what, path, strerror(error), advice(error));
}

/* Reads until the end, growing: the size that stat tells may be stale or 0 (pipes). */
static int read_all(int fd, struct file_bytes *out)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return errno;
    if (S_ISDIR(info.st_mode))
        return EISDIR;
    size_t capacity = info.st_size > 0 ? (size_t)info.st_size + 2 : 65536;
    size_t size = 0;
    uint8_t *data = malloc(capacity);
    while (data) {
        ssize_t got = read(fd, data + size, capacity - size - 1);
        if (got == 0) {
            data[size] = 0;
            *out = (struct file_bytes){data, size};
            return 0;
        }
        if (got < 0 && errno != EINTR) {
            int error = errno;
            free(data);
            return error;
        }
        size += got > 0 ? (size_t)got : 0;
        if (size + 1 == capacity) {
            uint8_t *bigger = realloc(data, capacity *= 2);
            if (!bigger)
                free(data);
            data = bigger;
        }
    }
    return ENOMEM;
}

bool file_read(const char *path, struct file_bytes *out)
{
    *out = (struct file_bytes){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int error = fd < 0 ? errno : read_all(fd, out);
    if (fd >= 0)
        close(fd);
    if (error)
        print_failure("cannot read", path, error);
    return error == 0;
}

void file_bytes_free(struct file_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct file_bytes){0};
}

bool file_output_open(const char *path, struct file_output *out)
{
    *out = (struct file_output){.fd = -1, .path = strdup(path)};
    if (!out->path || asprintf(&out->temporary, "%s.XXXXXX", path) < 0) {
        free(out->path);
        *out = (struct file_output){.fd = -1};
        print_failure("cannot write", path, ENOMEM);
        return false;
    }
    struct stat info;
    int error = stat(path, &info) == 0 && S_ISDIR(info.st_mode) ? EISDIR : 0;
    if (!error && (out->fd = mkostemp(out->temporary, O_CLOEXEC)) < 0)
        error = errno;
    if (error) {
        print_failure("cannot write", path, error);
        file_output_abort(out);
        return false;
    }
    return true;
}

bool file_output_write(struct file_output *output, const void *data, size_t size)
{
    const uint8_t *next = data;
    while (size) {
        ssize_t done = write(output->fd, next, size);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            print_failure("cannot write", output->path, errno);
            return false;
        }
        next += done;
        size -= (size_t)done;
    }
    return true;
}

bool file_output_commit(struct file_output *output)
{
    /* mkstemp makes files private; give them the mode that open would have given. */
    mode_t mask = umask(0);
    umask(mask);
    bool done = fchmod(output->fd, 0666 & ~mask) == 0 && close(output->fd) == 0;
    if (done) {
        output->fd = -1;
        done = rename(output->temporary, output->path) == 0;
    }
    if (!done) {
        print_failure("cannot write", output->path, errno);
        file_output_abort(output);
        return false;
    }
    free(output->path);
    free(output->temporary);
    *output = (struct file_output){.fd = -1};
    return true;
}

void file_output_abort(struct file_output *output)
{
    if (output->fd >= 0)
        close(output->fd);
    if (output->temporary)
        unlink(output->temporary);
    free(output->path);
    free(output->temporary);
    *output = (struct file_output){.fd = -1};
}

bool file_write(const char *path, const void *data, size_t size)
{
    struct file_output output;
    if (!file_output_open(path, &output))
        return false;
    if (!file_output_write(&output, data, size)) {
        file_output_abort(&output);
        return false;
    }
    return file_output_commit(&output);
}
