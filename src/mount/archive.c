/* Archives as sources: tar (plain or compressed with gzip, bzip2, xz or zstd) and zip are read into
 * a tree at once. libarchive takes the format apart; what it says is checked here like everything
 * from a file: names in tree.c, sizes as they come, never as they are announced. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "mount/archive.h"
#include "mount/libarchive.h"

/* Content may have that many times the bytes of the archive and still be small. */
#define RATIO_FREE_BYTES (UINT64_C(16) << 20)

enum { PART_BYTES = 65536 };

void eryx_archive_options_init(eryx_archive_options_t *options) {
    *options = (eryx_archive_options_t){.size = sizeof *options,
                                        .max_bytes = UINT64_C(1) << 30,
                                        .max_files = 100000,
                                        .max_ratio = 200};
}

/* One archive that is read. */
typedef struct reading {
    const libarchive_t *library;
    struct archive *archive;
    tree_t *tree;
    uint64_t most, done; /* bytes of content that the ratio allows, and that came */
    eryx_error_t *error;
} reading_t;

static int refuse(const reading_t *reading, const char *name, tree_result_t result) {
    int code = result == TREE_MEMORY                          ? ERYX_ERR_MEMORY
               : result == TREE_BYTES || result == TREE_FILES ? ERYX_ERR_LIMIT
                                                              : ERYX_ERR_FORMAT;
    return error_set(reading->error, code, "the archive is refused: %.120s: %s",
                     name ? name : "an entry without a name", tree_reason(result));
}

static int broken(const reading_t *reading, const char *name) {
    const char *why = reading->library->archive_error_string(reading->archive);
    return error_set(reading->error, ERYX_ERR_FORMAT, "the archive cannot be read%s%.100s: %.100s",
                     name ? ": " : "", name ? name : "", why ? why : "unknown format");
}

static int read_content(reading_t *reading, const char *name) {
    char part[PART_BYTES];
    ptrdiff_t got;
    while ((got = reading->library->archive_read_data(reading->archive, part, sizeof part)) > 0) {
        reading->done += (uint64_t)got;
        if (reading->done > reading->most)
            return error_set(
                reading->error, ERYX_ERR_LIMIT,
                "the archive is refused: %.100s: more content than max_ratio times the "
                "archive",
                name);
        tree_result_t result = tree_append(reading->tree, part, (size_t)got);
        if (result != TREE_OK)
            return refuse(reading, name, result);
    }
    if (got < 0)
        return broken(reading, name);
    tree_finish_file(reading->tree);
    return ERYX_OK;
}

static int64_t modified(const libarchive_t *library, struct archive_entry *entry) {
    int64_t seconds = library->archive_entry_mtime(entry), result;
    if (seconds < 0 || __builtin_mul_overflow(seconds, INT64_C(1000000000), &result))
        return 0;
    long rest = library->archive_entry_mtime_nsec(entry);
    return rest > 0 && rest < 1000000000 && result < INT64_MAX - rest ? result + rest : result;
}

/* libarchive turns names into the encoding of the process, which may be none: what the archive says is in
 * UTF-8 is asked for as that, the rest as it is. */
static const char *text_of(struct archive_entry *entry,
                           __typeof__(&archive_entry_pathname_utf8) utf8,
                           __typeof__(&archive_entry_pathname) bytes) {
    const char *text = utf8(entry);
    return text ? text : bytes(entry);
}

/* Devices, FIFOs and the like are left out. */
static int add_entry(reading_t *reading, struct archive_entry *entry) {
    const libarchive_t *library = reading->library;
    const char *name =
        text_of(entry, library->archive_entry_pathname_utf8, library->archive_entry_pathname);
    const char *link =
        text_of(entry, library->archive_entry_hardlink_utf8, library->archive_entry_hardlink);
    int64_t time = modified(library, entry);
    if (!name || !*name)
        return refuse(reading, name, TREE_NAME);
    if (library->archive_entry_is_encrypted(entry))
        return error_set(reading->error, ERYX_ERR_FORMAT,
                         "the archive is refused: %.120s is encrypted", name);
    if (link) {
        tree_result_t linked = tree_add_link(reading->tree, name, link);
        return linked == TREE_OK ? ERYX_OK : refuse(reading, name, linked);
    }
    tree_result_t result = TREE_OK;
    switch (library->archive_entry_filetype(entry)) {
    case AE_IFDIR:
        result = tree_add_directory(reading->tree, name, time);
        break;
    case AE_IFLNK:
        link = text_of(entry, library->archive_entry_symlink_utf8, library->archive_entry_symlink);
        result = tree_add_symlink(reading->tree, name, link ? link : "", time);
        break;
    case AE_IFREG:
    case 0:
        result = tree_add_file(reading->tree, name, time);
        if (result == TREE_OK)
            return read_content(reading, name);
        break;
    default:
        break;
    }
    return result == TREE_OK ? ERYX_OK : refuse(reading, name, result);
}

static int read_entries(reading_t *reading) {
    for (;;) {
        struct archive_entry *entry;
        int got = reading->library->archive_read_next_header(reading->archive, &entry);
        if (got == ARCHIVE_EOF)
            return ERYX_OK;
        if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
            return broken(reading, NULL);
        int status = add_entry(reading, entry);
        if (status != ERYX_OK)
            return status;
    }
}

static int read_archive(reading_t *reading, const void *data, size_t length) {
    const libarchive_t *library = reading->library;
    struct archive *archive = reading->archive = library->archive_read_new();
    if (!archive)
        return error_set(reading->error, ERYX_ERR_MEMORY, "out of memory for an archive");
    library->archive_read_support_filter_gzip(archive);
    library->archive_read_support_filter_bzip2(archive);
    library->archive_read_support_filter_xz(archive);
    library->archive_read_support_filter_zstd(archive);
    library->archive_read_support_format_tar(archive);
    library->archive_read_support_format_zip_seekable(archive);
    int status = library->archive_read_open_memory(archive, data, length) == ARCHIVE_OK
                     ? read_entries(reading)
                     : broken(reading, NULL);
    library->archive_read_free(archive);
    return status;
}

static int check(const void *data, const eryx_archive_options_t *options, const void *out,
                 eryx_error_t *error) {
    if (!data || !out)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", out ? "data" : "out");
    if (options && options->size != sizeof *options)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "options of another version: call eryx_archive_options_init");
    return ERYX_OK;
}

int archive_tree(const void *data, size_t length, const eryx_archive_options_t *options,
                 tree_t **out, eryx_error_t *error) {
    eryx_archive_options_t chosen;
    eryx_archive_options_init(&chosen);
    if (options)
        chosen = *options;
    reading_t reading = {.error = error, .library = libarchive_load(error)};
    if (!reading.library)
        return ERYX_ERR_IO;
    if (chosen.max_ratio == 0 ||
        __builtin_mul_overflow((uint64_t)length, chosen.max_ratio, &reading.most))
        reading.most = UINT64_MAX;
    if (reading.most < RATIO_FREE_BYTES)
        reading.most = RATIO_FREE_BYTES;
    tree_limits_t limits = {chosen.max_bytes, chosen.max_files};
    reading.tree = tree_new(&limits);
    if (!reading.tree)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for an archive");
    int status = read_archive(&reading, data, length);
    if (status == ERYX_OK)
        *out = reading.tree;
    else
        tree_free(reading.tree);
    return status;
}

int eryx_source_new_archive(const void *data, size_t length, const eryx_archive_options_t *options,
                            eryx_source_t **out, eryx_error_t *error) {
    tree_t *tree;
    if (out)
        *out = NULL;
    int status = check(data, options, out, error);
    if (status == ERYX_OK)
        status = archive_tree(data, length, options, &tree, error);
    if (status != ERYX_OK)
        return status;
    *out = tree_source(tree);
    return *out ? ERYX_OK : error_set(error, ERYX_ERR_MEMORY, "out of memory for an archive");
}

/* All of an open file, from malloc. */
static int read_bytes(int fd, size_t size, const char *path, char **data, size_t *length,
                      eryx_error_t *error) {
    char *bytes = malloc(size + 1);
    size_t done = 0;
    ssize_t got = bytes ? 1 : -1;
    while (done < size && got > 0) {
        got = read(fd, bytes + done, size - done);
        done += got > 0 ? (size_t)got : 0;
    }
    if (!bytes || got < 0) {
        int reason = bytes ? errno : ENOMEM;
        free(bytes);
        return error_set(error, reason == ENOMEM ? ERYX_ERR_MEMORY : ERYX_ERR_IO,
                         "cannot read %.150s: %s", path, strerror(reason));
    }
    *data = bytes;
    *length = done;
    return ERYX_OK;
}

int archive_read_file(const char *path, char **data, size_t *length, eryx_error_t *error) {
    struct stat status = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int result;
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        result = error_set(error, ERYX_ERR_IO, "cannot open %.150s: %s", path,
                           fd >= 0 && S_ISDIR(status.st_mode) ? "it is a directory"
                                                              : strerror(fd < 0 ? errno : EINVAL));
    else
        result = read_bytes(fd, (size_t)status.st_size, path, data, length, error);
    if (fd >= 0)
        close(fd);
    return result;
}

int eryx_source_new_archive_file(const char *path, const eryx_archive_options_t *options,
                                 eryx_source_t **out, eryx_error_t *error) {
    char *data;
    size_t length;
    if (out)
        *out = NULL;
    int result = check(path, options, out, error);
    if (result == ERYX_OK)
        result = archive_read_file(path, &data, &length, error);
    if (result != ERYX_OK)
        return result;
    result = eryx_source_new_archive(data, length, options, out, error);
    free(data);
    return result;
}

int eryx_source_new_tree(const eryx_tree_file_t *files, size_t count, eryx_source_t **out,
                         eryx_error_t *error) {
    if (!out || (!files && count > 0))
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", out ? "files" : "out");
    *out = NULL;
    const tree_limits_t limits = {UINT64_MAX, UINT32_MAX};
    tree_t *tree = tree_new(&limits);
    tree_result_t result = tree ? TREE_OK : TREE_MEMORY;
    size_t i = 0;
    for (; i < count && result == TREE_OK; i++) {
        if (!files[i].path || (!files[i].data && files[i].length > 0))
            result = TREE_NAME;
        else
            result = tree_add_file(tree, files[i].path, files[i].modified_ns);
        if (result == TREE_OK)
            result = tree_append(tree, files[i].data, files[i].length);
    }
    if (result != TREE_OK) {
        tree_free(tree);
        return error_set(error, result == TREE_MEMORY ? ERYX_ERR_MEMORY : ERYX_ERR_ARGUMENT,
                         "file %zu of a tree: %s", i > 0 ? i - 1 : 0, tree_reason(result));
    }
    *out = tree_source(tree);
    return *out ? ERYX_OK : error_set(error, ERYX_ERR_MEMORY, "out of memory for a tree");
}
