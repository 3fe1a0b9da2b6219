#define _GNU_SOURCE
#include "package/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

enum { DEPTH_MAX = 64, ENTRIES_MAX = 100000, RECENT_SECONDS = 2, PART_BYTES = 65536 };

bool folder_is_package(const char *path) {
    char file[PATH_MAX];
    return (size_t)snprintf(file, sizeof file, "%s/__init__.py", path) < sizeof file &&
           access(file, F_OK) == 0;
}

/* One walk over a folder, in the order of names, so that two of the same folder are alike. */
typedef struct walk {
    /* Of everything that counts; path: from the folder. */
    int (*visit)(struct walk *walk, int directory, const char *name, const char *path,
                 const struct stat *info);
    tree_t *tree;
    sha256_t *hash;
    bool *recent;
    time_t now;
    size_t entries;
    const char *root;
    eryx_error_t *error;
} walk_t;

static int fail(const walk_t *walk, const char *path, const char *reason) {
    return error_set(walk->error, errno == ENOMEM ? ERYX_ERR_MEMORY : ERYX_ERR_IO,
                     "the package %.100s: %.100s: %s", walk->root, path, reason);
}

static int counts(const struct dirent *entry) {
    return entry->d_name[0] != '.' && strcmp(entry->d_name, "__pycache__") != 0;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int walk_directory(walk_t *walk, int directory, const char *path, unsigned depth);

static int walk_entry(walk_t *walk, int directory, const char *above, const char *name,
                      unsigned depth) {
    char path[PATH_MAX];
    struct stat info;
    int length = snprintf(path, sizeof path, "%s%s%s", above, *above ? "/" : "", name);
    if (length < 0 || (size_t)length >= sizeof path)
        return fail(walk, above, "a path is too long");
    if (fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(walk, path, strerror(errno));
    if (++walk->entries > ENTRIES_MAX || depth > DEPTH_MAX)
        return error_set(walk->error, ERYX_ERR_LIMIT,
                         "the package %.150s: more than %d files, or deeper than %d folders",
                         walk->root, ENTRIES_MAX, DEPTH_MAX);
    int status = walk->visit(walk, directory, name, path, &info);
    if (status != ERYX_OK || !S_ISDIR(info.st_mode))
        return status;
    int inner = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner < 0)
        return fail(walk, path, strerror(errno));
    status = walk_directory(walk, inner, path, depth + 1);
    close(inner);
    return status;
}

static int walk_directory(walk_t *walk, int directory, const char *path, unsigned depth) {
    struct dirent **entries;
    int count = scandirat(directory, ".", &entries, counts, by_name), status = ERYX_OK;
    if (count < 0)
        return fail(walk, path, strerror(errno));
    for (int i = 0; i < count; i++) {
        if (status == ERYX_OK)
            status = walk_entry(walk, directory, path, entries[i]->d_name, depth);
        free(entries[i]);
    }
    free(entries);
    return status;
}

static int walk_folder(walk_t *walk) {
    int fd = open(walk->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(walk, ".", strerror(errno));
    int status = walk_directory(walk, fd, "", 0);
    close(fd);
    return status;
}

/* --- Reading ------------------------------------------------------------------------------ */

typedef struct reading {
    walk_t walk; /* the first member */
    const char *prefix;
} reading_t;

static int refuse(const walk_t *walk, const char *path, tree_result_t result) {
    return error_set(walk->error,
                     result == TREE_MEMORY ? ERYX_ERR_MEMORY
                     : result == TREE_NAME ? ERYX_ERR_IO
                                           : ERYX_ERR_LIMIT,
                     "the package %.100s: %.80s: %s", walk->root, path, tree_reason(result));
}

static int read_file(walk_t *walk, int directory, const char *name, const char *path) {
    char part[PART_BYTES];
    ssize_t got;
    int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    tree_result_t result = TREE_OK;
    if (fd < 0)
        return fail(walk, path, strerror(errno));
    while ((got = read(fd, part, sizeof part)) > 0 && result == TREE_OK)
        result = tree_append(walk->tree, part, (size_t)got);
    int reason = errno;
    close(fd);
    if (result != TREE_OK)
        return refuse(walk, path, result);
    tree_finish_file(walk->tree);
    return got < 0 ? fail(walk, path, strerror(reason)) : ERYX_OK;
}

/* Symbolic links are those of the sandbox then: they lead nowhere outside of it. */
static int read_entry(walk_t *walk, int directory, const char *name, const char *path,
                      const struct stat *info) {
    const char *prefix = ((const reading_t *)walk)->prefix;
    char place[PATH_MAX + 256], target[PATH_MAX];
    int64_t time = info->st_mtim.tv_sec * INT64_C(1000000000) + info->st_mtim.tv_nsec;
    snprintf(place, sizeof place, "%s%s%s", prefix, *prefix ? "/" : "", path);
    tree_result_t result = TREE_OK;
    if (S_ISDIR(info->st_mode)) {
        result = tree_add_directory(walk->tree, place, time);
    } else if (S_ISLNK(info->st_mode)) {
        ssize_t length = readlinkat(directory, name, target, sizeof target - 1);
        if (length < 0)
            return fail(walk, path, strerror(errno));
        target[length] = '\0';
        result = tree_add_symlink(walk->tree, place, target, time);
    } else if (S_ISREG(info->st_mode)) {
        result = tree_add_file(walk->tree, place, time);
        if (result == TREE_OK)
            return read_file(walk, directory, name, path);
    }
    return result == TREE_OK ? ERYX_OK : refuse(walk, path, result);
}

int folder_read(const char *path, const char *prefix, tree_t **out, eryx_error_t *error) {
    const tree_limits_t limits = {UINT64_C(1) << 30, ENTRIES_MAX};
    reading_t reading = {
        .walk = {.visit = read_entry, .root = path, .tree = tree_new(&limits), .error = error},
        .prefix = prefix};
    if (!reading.walk.tree)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for packages");
    int status = walk_folder(&reading.walk);
    if (status == ERYX_OK)
        *out = reading.walk.tree;
    else
        tree_free(reading.walk.tree);
    return status;
}

/* --- Stamps ------------------------------------------------------------------------------- */

static int stamp_entry(walk_t *walk, int directory, const char *name, const char *path,
                       const struct stat *info) {
    (void)directory, (void)name;
    const int64_t values[] = {(int64_t)info->st_dev,         (int64_t)info->st_ino,
                              (int64_t)info->st_mode,        (int64_t)info->st_size,
                              (int64_t)info->st_mtim.tv_sec, (int64_t)info->st_mtim.tv_nsec,
                              (int64_t)info->st_ctim.tv_sec, (int64_t)info->st_ctim.tv_nsec};
    sha256_update(walk->hash, path, strlen(path) + 1);
    sha256_update(walk->hash, values, sizeof values);
    if (info->st_ctim.tv_sec + RECENT_SECONDS >= walk->now)
        *walk->recent = true;
    return ERYX_OK;
}

int folder_stamp(const char *path, sha256_t *hash, bool *recent, eryx_error_t *error) {
    walk_t walk = {.visit = stamp_entry,
                   .hash = hash,
                   .recent = recent,
                   .now = time(NULL),
                   .root = path,
                   .error = error};
    return walk_folder(&walk);
}

int file_stamp(const char *path, sha256_t *hash, bool *recent, eryx_error_t *error) {
    walk_t walk = {.hash = hash, .recent = recent, .now = time(NULL)};
    struct stat info;
    if (stat(path, &info) != 0)
        return error_set(error, ERYX_ERR_IO, "cannot read %.150s: %s", path, strerror(errno));
    return stamp_entry(&walk, -1, NULL, path, &info);
}
