/* --put and --get. What comes out of a sandbox is to be distrusted: only regular files and
 * directories are taken, new or in place of files (under a temporary name first), all together up
 * to a cap. */
#include "transfer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "message.h"

enum { DEPTH_MAX = 64, FILES_MAX = 100000 };

static const uint64_t bytes_max = UINT64_C(1) << 30;

/* One copy, with what is left of the caps. */
struct copy {
    eryx_sandbox_t *sandbox;
    const struct transfer *transfer;
    const char *option; /* "--get", for messages */
    uint64_t bytes_left;
    unsigned files_left;
};

int transfers_add(struct transfers *transfers, bool put, const char *value)
{
    const char *option = put ? "--put" : "--get";
    /* Of paths outside, colons are allowed in the source. */
    const char *colon = strchr(value, ':');
    for (const char *at = put ? strstr(value, ":/") : NULL; at; at = strstr(at + 1, ":/"))
        colon = at;
    const char *inside = !colon ? NULL : put ? colon + 1 : value;
    if (!inside || inside[0] != '/' || colon == value || colon[1] == '\0')
        return message_usage("run", "%s %s: SOURCE:TARGET is needed, with %s an absolute path",
                             option, value, put ? "TARGET" : "SOURCE");
    struct transfer *list =
        realloc(transfers->list, (transfers->count + 1) * sizeof *transfers->list);
    if (list)
        transfers->list = list;
    struct transfer added = {strndup(value, (size_t)(colon - value)), strdup(colon + 1)};
    if (!list || !added.from || !added.to) {
        free(added.from);
        free(added.to);
        message_error("out of memory");
        return EXIT_FAILED;
    }
    list[transfers->count++] = added;
    return EXIT_OK;
}

void transfers_free(struct transfers *transfers)
{
    for (size_t i = 0; i < transfers->count; i++) {
        free(transfers->list[i].from);
        free(transfers->list[i].to);
    }
    free(transfers->list);
    *transfers = (struct transfers){0};
}

static int fail(const struct copy *copy, const char *path, const char *why)
{
    message_error("%s %s:%s: %s: %s", copy->option, copy->transfer->from, copy->transfer->to, path,
                  why);
    return EXIT_FAILED;
}

static int count_file(struct copy *copy, const char *path, uint64_t bytes)
{
    if (copy->files_left == 0)
        return fail(copy, path, "more than 100,000 files");
    if (bytes > copy->bytes_left)
        return fail(copy, path, "more than 1 GiB all together");
    copy->files_left--;
    copy->bytes_left -= bytes;
    return EXIT_OK;
}

static char *join(const char *folder, const char *name, size_t length)
{
    char *path;
    if (asprintf(&path, "%s/%.*s", folder, (int)length, name) < 0)
        path = NULL;
    return path;
}

/* --- Into the sandbox --------------------------------------------------------------------- */

static int put_file(struct copy *copy, int fd, const struct stat *status, const char *from,
                    const char *to)
{
    int result = count_file(copy, from, (uint64_t)status->st_size);
    if (result != EXIT_OK)
        return result;
    size_t size = (size_t)status->st_size, done = 0;
    char *data = malloc(size + 1);
    if (!data)
        return fail(copy, from, strerror(ENOMEM));
    ssize_t got = 1;
    while (done < size && got > 0) {
        got = read(fd, data + done, size - done);
        done += got > 0 ? (size_t)got : 0;
    }
    eryx_error_t error = {0};
    if (got < 0)
        result = fail(copy, from, strerror(errno));
    else if (eryx_fs_write(copy->sandbox, to, data, done, &error) != ERYX_OK)
        result = fail(copy, to, error.message);
    free(data);
    return result;
}

static int put_path(struct copy *copy, const char *from, const char *to, int depth);

static int put_directory(struct copy *copy, int fd, const char *from, const char *to, int depth)
{
    eryx_error_t error = {0};
    if (depth == DEPTH_MAX)
        return fail(copy, from, "more than 64 directories deep");
    if (eryx_fs_make_directory(copy->sandbox, to, true, &error) != ERYX_OK)
        return fail(copy, to, error.message);
    DIR *directory = fdopendir(dup(fd));
    if (!directory)
        return fail(copy, from, strerror(errno));
    int result = EXIT_OK;
    const struct dirent *entry;
    while (result == EXIT_OK && (entry = readdir(directory))) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        char *below = join(from, name, strlen(name)), *target = join(to, name, strlen(name));
        result = below && target ? put_path(copy, below, target, depth + 1)
                                 : fail(copy, from, strerror(ENOMEM));
        free(below);
        free(target);
    }
    closedir(directory);
    return result;
}

/* Below the top, links are not followed; what is neither file nor directory is left out. */
static int put_path(struct copy *copy, const char *from, const char *to, int depth)
{
    struct stat status;
    if (depth > 0 && lstat(from, &status) == 0 && !S_ISREG(status.st_mode) &&
        !S_ISDIR(status.st_mode)) {
        message_error("%s: left out: neither a regular file nor a directory", from);
        return EXIT_OK;
    }
    int fd = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (depth ? O_NOFOLLOW : 0));
    if (fd < 0 || fstat(fd, &status) != 0) {
        int result = fail(copy, from, strerror(errno));
        if (fd >= 0)
            close(fd);
        return depth == 0 ? EXIT_USAGE : result;
    }
    int result;
    if (S_ISDIR(status.st_mode))
        result = put_directory(copy, fd, from, to, depth);
    else if (S_ISREG(status.st_mode))
        result = put_file(copy, fd, &status, from, to);
    else
        result = fail(copy, from, "neither a regular file nor a directory");
    close(fd);
    return result;
}

int transfers_put(const struct transfers *transfers, eryx_sandbox_t *sandbox)
{
    struct copy copy = {sandbox, NULL, "--put", bytes_max, FILES_MAX};
    int result = EXIT_OK;
    for (size_t i = 0; i < transfers->count && result == EXIT_OK; i++) {
        copy.transfer = &transfers->list[i];
        result = put_path(&copy, copy.transfer->from, copy.transfer->to, 0);
    }
    return result;
}

/* --- Out of the sandbox ------------------------------------------------------------------- */

static bool write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t count = write(fd, data, length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        data += count;
        length -= (size_t)count;
    }
    return true;
}

static int write_file(const struct copy *copy, const char *to, const char *data, size_t length)
{
    char *temporary;
    if (asprintf(&temporary, "%s.%ld.tmp", to, (long)getpid()) < 0)
        return fail(copy, to, strerror(ENOMEM));
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    bool done = fd >= 0 && write_all(fd, data, length);
    int error = errno;
    if (fd >= 0 && close(fd) != 0 && done) {
        done = false;
        error = errno;
    }
    if (done && rename(temporary, to) != 0) {
        done = false;
        error = errno;
    }
    if (!done && fd >= 0)
        unlink(temporary);
    free(temporary);
    return done ? EXIT_OK : fail(copy, to, strerror(error));
}

static int get_file(struct copy *copy, const char *from, const char *to)
{
    eryx_error_t error = {0};
    void *data;
    size_t length;
    int status = eryx_fs_read(copy->sandbox, from, copy->bytes_left, &data, &length, &error);
    if (status == ERYX_ERR_LIMIT)
        return count_file(copy, from, UINT64_MAX);
    if (status != ERYX_OK)
        return fail(copy, from, error.message);
    int result = count_file(copy, from, length);
    if (result == EXIT_OK)
        result = write_file(copy, to, data, length);
    eryx_bytes_free(data);
    return result;
}

struct names {
    char **list;
    size_t count;
    bool full;
};

static bool collect(void *env, const eryx_file_entry_t *entry)
{
    struct names *names = env;
    char **list = names->count < FILES_MAX
                      ? realloc(names->list, (names->count + 1) * sizeof *names->list)
                      : NULL;
    if (list) {
        names->list = list;
        list[names->count] = strndup(entry->name, entry->length);
    }
    if (!list || !list[names->count++])
        names->full = true;
    return !names->full;
}

static int get_path(struct copy *copy, const char *from, const char *to, int depth);

static int get_directory(struct copy *copy, const char *from, const char *to, int depth)
{
    struct names names = {0};
    eryx_error_t error = {0};
    if (depth == DEPTH_MAX)
        return fail(copy, from, "more than 64 directories deep");
    if (mkdir(to, 0777) != 0 && errno != EEXIST)
        return fail(copy, to, strerror(errno));
    int result = count_file(copy, from, 0);
    if (result == EXIT_OK && eryx_fs_list(copy->sandbox, from, collect, &names, &error) != ERYX_OK)
        result = fail(copy, from, error.message);
    if (result == EXIT_OK && names.full)
        result = fail(copy, from, "too many entries");
    for (size_t i = 0; i < names.count && result == EXIT_OK; i++) {
        size_t length = strlen(names.list[i]);
        char *below = join(from, names.list[i], length), *target = join(to, names.list[i], length);
        result = below && target ? get_path(copy, below, target, depth + 1)
                                 : fail(copy, from, strerror(ENOMEM));
        free(below);
        free(target);
    }
    for (size_t i = 0; i < names.count; i++)
        free(names.list[i]);
    free(names.list);
    return result;
}

static int get_path(struct copy *copy, const char *from, const char *to, int depth)
{
    eryx_file_stat_t status;
    eryx_error_t error = {0};
    struct stat there;
    if (eryx_fs_stat(copy->sandbox, from, &status, &error) != ERYX_OK)
        return fail(copy, from, error.message);
    if (depth > 0 && lstat(to, &there) == 0 && S_ISLNK(there.st_mode))
        return fail(copy, to, "a symbolic link is there");
    if (status.kind == ERYX_FILE_REGULAR || (depth == 0 && status.kind == ERYX_FILE_SYMLINK))
        return get_file(copy, from, to);
    if (status.kind == ERYX_FILE_DIRECTORY)
        return get_directory(copy, from, to, depth);
    message_error("%s: left out: neither a regular file nor a directory", from);
    return depth > 0 ? EXIT_OK : EXIT_FAILED;
}

int transfers_get(const struct transfers *transfers, eryx_sandbox_t *sandbox)
{
    struct copy copy = {sandbox, NULL, "--get", bytes_max, FILES_MAX};
    int result = EXIT_OK;
    for (size_t i = 0; i < transfers->count; i++) {
        copy.transfer = &transfers->list[i];
        int got = get_path(&copy, copy.transfer->from, copy.transfer->to, 0);
        result = result == EXIT_OK ? got : result;
    }
    return result;
}
