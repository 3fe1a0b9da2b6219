/* A tree of a sandbox as a tar archive. Directories are walked with a list of paths that are still to do,
 * and all that is kept or written counts against the caller's cap: names and sizes are the program's. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eryx/fs.h>

#include "base/error.h"
#include "mount/libarchive.h"
#include "mount/source.h"
#include "sandbox/files.h"
#include "sandbox/sandbox.h"
#include "secrets/secrets.h"

enum { ENTRY_COST = 1024 }; /* headers in the archive, the path in memory */

typedef struct export {
    files_session_t files;
    const libarchive_t *library;
    struct archive *archive;
    struct archive_entry *entry;
    size_t root;  /* length of the tree's own path */
    char **paths; /* still to do */
    size_t count, capacity;
    const char *directory; /* whose entries are listed */
    uint64_t left;
    eryx_write_fn write;
    void *env;
    bool gave_up;
} export_t;

static la_ssize_t write_out(struct archive *archive, void *env, const void *data, size_t length) {
    export_t *export = env;
    (void)archive;
    if (!export->gave_up)
        export->gave_up = !export->write(export->env, data, length);
    return export->gave_up ? -1 : (la_ssize_t)length;
}

static bool charge(export_t *export, uint64_t bytes) {
    if (bytes > export->left)
        return false;
    export->left -= bytes;
    return true;
}

static int too_large(export_t *export, const char *path) {
    return files_fail(&export->files, ERYX_ERR_LIMIT, path, "the tree has more than max_bytes");
}

/* *name: NULL for the tree itself, which is no entry. */
static bool push(export_t *export, const char *directory, const char *name, size_t length) {
    if (export->count == export->capacity) {
        size_t capacity = export->capacity > 0 ? export->capacity * 2 : 64;
        char **paths = realloc(export->paths, capacity * sizeof *paths);
        if (!paths)
            return false;
        export->paths = paths;
        export->capacity = capacity;
    }
    char *path;
    size_t front = strlen(directory);
    const char *slash = front > 0 && directory[front - 1] == '/' ? "" : "/";
    int printed = name ? asprintf(&path, "%s%s%.*s", directory, slash, (int)length, name)
                       : asprintf(&path, "%s", directory);
    if (printed < 0)
        return false;
    export->paths[export->count++] = path;
    return true;
}

static bool push_entry(void *env, const eryx_file_entry_t *entry) {
    export_t *export = env;
    if (!charge(export, ENTRY_COST)) {
        too_large(export, export->directory);
        return false;
    }
    if (push(export, export->directory, entry->name, entry->length))
        return true;
    files_fail(&export->files, ERYX_ERR_MEMORY, export->directory, "out of memory");
    return false;
}

/* A name or the target of a link as the host is to see it. */
static int scrub_name(export_t *export, const char *path, char *text) {
    const secrets_t *secrets = export->files.sandbox->secrets;
    if (!secrets || secrets_scrub_piece(secrets, text, strlen(text)))
        return ERYX_OK;
    return files_fail(&export->files, ERYX_ERR_MEMORY, path, "out of memory");
}

static int put_header(export_t *export, const char *path, const eryx_file_stat_t *status,
                      unsigned kind, size_t size) {
    const libarchive_t *library = export->library;
    const char *name = path + export->root;
    while (*name == '/')
        name++;
    if (!*name && kind == AE_IFDIR)
        return ERYX_OK;
    if (!*name)
        name = strrchr(path, '/') + 1; /* the tree is a single file */
    char shown[SOURCE_PATH_MAX];
    if (snprintf(shown, sizeof shown, "%s", name) >= (int)sizeof shown)
        return files_fail(&export->files, ERYX_ERR_IO, path, strerror(ENAMETOOLONG));
    if (scrub_name(export, path, shown) != ERYX_OK)
        return export->files.result;
    library->archive_entry_set_pathname(export->entry, shown);
    library->archive_entry_set_filetype(export->entry, kind);
    library->archive_entry_set_perm(export->entry, kind == AE_IFDIR ? 0755 : 0644);
    library->archive_entry_set_size(export->entry, (la_int64_t)size);
    library->archive_entry_set_mtime(export->entry, (time_t)(status->modified_ns / 1000000000),
                                     (long)(status->modified_ns % 1000000000));
    if (library->archive_write_header(export->archive, export->entry) == ARCHIVE_OK)
        return ERYX_OK;
    const char *why = library->archive_error_string(export->archive);
    return files_fail(&export->files, ERYX_ERR_IO, path,
                      export->gave_up ? "the writer gave up"
                      : why           ? why
                                      : "it cannot be told");
}

static int put_file(export_t *export, const char *path, const eryx_file_stat_t *status) {
    buffer_t bytes = {0};
    size_t max = export->left < SIZE_MAX ? (size_t)export->left : SIZE_MAX;
    int result = files_read(&export->files, path, max, &bytes);
    if (result == ERYX_OK) {
        charge(export, bytes.length);
        secrets_scrub(export->files.sandbox->secrets, bytes.data, bytes.length);
        result = put_header(export, path, status, AE_IFREG, bytes.length);
    }
    if (result == ERYX_OK && bytes.length > 0 &&
        export->library->archive_write_data(export->archive, bytes.data, bytes.length) !=
            (la_ssize_t)bytes.length)
        result = files_fail(&export->files, ERYX_ERR_IO, path, "the writer gave up");
    buffer_free(&bytes);
    return result;
}

static int put_link(export_t *export, const char *path, const eryx_file_stat_t *status) {
    char target[SOURCE_PATH_MAX];
    guest_file_call_t call = {.operation = FILE_READLINK, .path = path};
    int result = files_call(&export->files, &call);
    if (result != ERYX_OK)
        return result;
    if (call.answer_length == 0 || call.answer_length >= sizeof target)
        return files_fail(&export->files, ERYX_ERR_GUEST, path, "the target makes no sense");
    memcpy(target, call.answer, call.answer_length);
    target[call.answer_length] = '\0';
    if (scrub_name(export, path, target) != ERYX_OK)
        return export->files.result;
    export->library->archive_entry_set_symlink(export->entry, target);
    return put_header(export, path, status, AE_IFLNK, 0);
}

/* Devices and the like are left out. */
static int put_path(export_t *export, const char *path) {
    eryx_file_stat_t status;
    int result = files_stat(&export->files, path, &status);
    if (result != ERYX_OK)
        return result;
    export->library->archive_entry_clear(export->entry);
    switch (status.kind) {
    case ERYX_FILE_REGULAR:
        return put_file(export, path, &status);
    case ERYX_FILE_SYMLINK:
        return put_link(export, path, &status);
    case ERYX_FILE_DIRECTORY:
        result = put_header(export, path, &status, AE_IFDIR, 0);
        export->directory = path;
        if (result == ERYX_OK)
            result = files_list(&export->files, path, push_entry, export);
        return result == ERYX_OK ? export->files.result : result;
    default:
        return ERYX_OK;
    }
}

static void put_tree(export_t *export, const char *path) {
    int result = push(export, path, NULL, 0)
                     ? ERYX_OK
                     : files_fail(&export->files, ERYX_ERR_MEMORY, path, "out of memory");
    while (result == ERYX_OK && export->count > 0) {
        char *next = export->paths[--export->count];
        result = put_path(export, next);
        free(next);
    }
    while (export->count > 0)
        free(export->paths[--export->count]);
    free(export->paths);
    if (result == ERYX_OK && export->library->archive_write_close(export->archive) != ARCHIVE_OK)
        files_fail(&export->files, ERYX_ERR_IO, path, "the writer gave up");
}

static int open_archive(export_t *export, eryx_error_t *error) {
    const libarchive_t *library = export->library = libarchive_load(error);
    if (!library)
        return ERYX_ERR_IO;
    export->archive = library->archive_write_new();
    export->entry = library->archive_entry_new();
    if (!export->archive || !export->entry ||
        library->archive_write_set_format_pax_restricted(export->archive) != ARCHIVE_OK ||
        /* Names as they are, whatever the encoding of the process. */
        library->archive_write_set_options(export->archive, "hdrcharset=BINARY") != ARCHIVE_OK ||
        library->archive_write_open(export->archive, export, NULL, write_out, NULL) != ARCHIVE_OK)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for an archive");
    return ERYX_OK;
}

int eryx_fs_export_tar(eryx_sandbox_t *sandbox, const char *path, uint64_t max_bytes,
                       eryx_write_fn write, void *env, eryx_error_t *error) {
    if (!write)
        return error_set(error, ERYX_ERR_ARGUMENT, "write is NULL");
    export_t export = {.left = max_bytes, .write = write, .env = env};
    int status = open_archive(&export, error);
    if (status == ERYX_OK)
        status = files_begin(&export.files, sandbox, "export", path, error);
    if (status == ERYX_OK) {
        export.root = strlen(path);
        put_tree(&export, path);
        status = files_end(&export.files);
    }
    if (export.entry)
        export.library->archive_entry_free(export.entry);
    export.gave_up = true; /* freeing an archive that was not closed would write its end */
    if (export.archive)
        export.library->archive_write_free(export.archive);
    return status;
}
