#define _GNU_SOURCE
#include "package/wheel.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "mount/archive.h"

#define PYTHON_MINOR 14
#define PLATFORM "wasi_wasm32"
#define SUFFIX ".whl"

/* --- Names -------------------------------------------------------------------------------- */

bool wheel_is_named(const char *file) {
    size_t length = strlen(file);
    return length > strlen(SUFFIX) && strcmp(file + length - strlen(SUFFIX), SUFFIX) == 0;
}

/* The tags: the last three parts of the name, each a set with dots between. */
typedef struct tags {
    char python[64], abi[64], platform[256];
} tags_t;

static bool take_part(const char *start, const char *end, char *out, size_t capacity) {
    size_t length = (size_t)(end - start);
    if (length == 0 || length >= capacity)
        return false;
    memcpy(out, start, length);
    out[length] = '\0';
    return true;
}

/* Five parts with dashes between, or six with a build tag. */
static bool split(const char *file, tags_t *tags, size_t *name_length) {
    const char *dashes[5];
    size_t count = 0;
    const char *end = file + strlen(file) - strlen(SUFFIX);
    for (const char *at = file; at < end; at++) {
        if (*at == '-' && count == 5)
            return false;
        if (*at == '-')
            dashes[count++] = at;
    }
    if (count < 4)
        return false;
    *name_length = (size_t)(dashes[0] - file);
    return *name_length > 0 &&
           take_part(dashes[count - 3] + 1, dashes[count - 2], tags->python, sizeof tags->python) &&
           take_part(dashes[count - 2] + 1, dashes[count - 1], tags->abi, sizeof tags->abi) &&
           take_part(dashes[count - 1] + 1, end, tags->platform, sizeof tags->platform);
}

/* Whether one of the tags between dots is accepted. */
static bool any(const char *set, bool (*accepts)(const char *tag, const char *abi),
                const char *abi) {
    char tag[256];
    for (const char *at = set; *at;) {
        size_t length = strcspn(at, ".");
        if (take_part(at, at + length, tag, sizeof tag) && accepts(tag, abi))
            return true;
        at += length + (at[length] == '.');
    }
    return false;
}

static bool has(const char *set, const char *wanted) {
    char padded[260], text[64];
    snprintf(padded, sizeof padded, ".%s.", set);
    snprintf(text, sizeof text, ".%s.", wanted);
    return strstr(padded, text) != NULL;
}

/* py3, py312, cp314; cp38 only with the stable ABI. */
static bool is_python(const char *tag, const char *abi) {
    bool ours = strncmp(tag, "cp", 2) == 0;
    if ((!ours && strncmp(tag, "py", 2) != 0) || tag[2] != '3')
        return false;
    if (!tag[3])
        return !ours;
    char *end;
    long minor = strtol(tag + 3, &end, 10);
    if (*end || !isdigit((unsigned char)tag[3]) || minor > PYTHON_MINOR)
        return false;
    return !ours || minor == PYTHON_MINOR || has(abi, "abi3");
}

static bool is_abi(const char *tag, const char *unused) {
    (void)unused;
    return strcmp(tag, "none") == 0 || strcmp(tag, "abi3") == 0 || strcmp(tag, "cp314") == 0;
}

static bool is_platform(const char *tag, const char *unused) {
    (void)unused;
    return strcmp(tag, "any") == 0 || strcmp(tag, PLATFORM) == 0;
}

static int check_tags(const char *file, const tags_t *tags, eryx_error_t *error) {
    if (!any(tags->platform, is_platform, NULL))
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "%.90s has native code for %.40s; the sandbox needs 'any' or " PLATFORM
                         ": 'eryx sdk build-wheel' makes one",
                         file, tags->platform);
    if (!any(tags->python, is_python, tags->abi))
        return error_set(
            error, ERYX_ERR_ARGUMENT,
            "%.100s is for the Python %.40s, the sandbox has CPython 3.14 (py3, cp314)", file,
            tags->python);
    if (!any(tags->abi, is_abi, NULL))
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "%.100s is for the ABI %.40s, the sandbox has cp314 and abi3", file,
                         tags->abi);
    return ERYX_OK;
}

int wheel_check_name(const char *file, char **project, eryx_error_t *error) {
    tags_t tags;
    size_t length;
    if (!wheel_is_named(file) || !split(file, &tags, &length))
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "%.100s is not named like a wheel, NAME-VERSION-PYTHON-ABI-PLATFORM.whl",
                         file);
    int status = check_tags(file, &tags, error);
    if (status != ERYX_OK)
        return status;
    char *name = strndup(file, length);
    if (!name)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for packages");
    for (char *at = name; *at; at++)
        *at = *at == '_' || *at == '.' ? '-' : (char)tolower((unsigned char)*at);
    *project = name;
    return ERYX_OK;
}

/* --- Contents ----------------------------------------------------------------------------- */

typedef struct reading {
    const char *file;
    tree_t *out;
    bool has_metadata; /* NAME.dist-info/WHEEL */
    int status;
    eryx_error_t *error;
} reading_t;

/* Where a file of a wheel is installed: what is in NAME.data/purelib and platlib goes to the top; scripts,
 * headers and data have no place in the sandbox: NULL. */
static const char *place(const char *path) {
    size_t length = strcspn(path, "/");
    if (length < 6 || strncmp(path + length - 5, ".data", 5) != 0)
        return path;
    path += length + (path[length] == '/');
    if (strncmp(path, "purelib/", 8) == 0 || strncmp(path, "platlib/", 8) == 0)
        return path + 8;
    return NULL;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), size = strlen(end);
    return length >= size && strcmp(text + length - size, end) == 0;
}

/* A shared library that is no WebAssembly. */
static bool is_foreign(const tree_entry_t *entry) {
    if (!ends_with(entry->path, ".so") && !ends_with(entry->path, ".pyd"))
        return false;
    return entry->length >= 4 && memcmp(entry->data, "\0asm", 4) != 0;
}

static bool put(void *env, const tree_entry_t *entry) {
    reading_t *reading = env;
    const char *path = place(entry->path);
    const char *slash = strchr(entry->path, '/');
    if (slash && strcmp(slash, "/WHEEL") == 0 && slash - entry->path > 10 &&
        strncmp(slash - 10, ".dist-info", 10) == 0)
        reading->has_metadata = true;
    if (!path || !*path || entry->kind == ERYX_FILE_DIRECTORY)
        return true;
    if (is_foreign(entry)) {
        reading->status = error_set(reading->error, ERYX_ERR_FORMAT,
                                    "%.80s: %.100s is native code of another machine",
                                    reading->file, entry->path);
        return false;
    }
    tree_result_t result;
    if (entry->kind == ERYX_FILE_SYMLINK) {
        result = TREE_NAME; /* wheels have none */
    } else {
        result = tree_add_file(reading->out, path, entry->modified_ns);
        if (result == TREE_OK && entry->length > 0)
            result = tree_append(reading->out, entry->data, entry->length);
        if (result == TREE_OK)
            tree_finish_file(reading->out);
    }
    if (result != TREE_OK)
        reading->status =
            error_set(reading->error, result == TREE_MEMORY ? ERYX_ERR_MEMORY : ERYX_ERR_FORMAT,
                      "%.80s: %.100s: %s", reading->file, entry->path, tree_reason(result));
    return result == TREE_OK;
}

static int arrange(const char *file, const tree_t *raw, tree_t **out, eryx_error_t *error) {
    const tree_limits_t limits = {UINT64_MAX, UINT32_MAX};
    reading_t reading = {.file = file, .out = tree_new(&limits), .error = error};
    if (!reading.out)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for packages");
    tree_walk(raw, put, &reading);
    if (reading.status == ERYX_OK && !reading.has_metadata)
        reading.status = error_set(error, ERYX_ERR_FORMAT,
                                   "%.120s is no wheel: there is no .dist-info/WHEEL in it", file);
    if (reading.status == ERYX_OK)
        *out = reading.out;
    else
        tree_free(reading.out);
    return reading.status;
}

int wheel_read(const char *path, const char *file, tree_t **out, eryx_error_t *error) {
    char *data;
    size_t length;
    tree_t *raw;
    eryx_error_t cause = {0};
    int status = archive_read_file(path, &data, &length, error);
    if (status != ERYX_OK)
        return status;
    if (length < 4 || memcmp(data, "PK\3\4", 4) != 0)
        status =
            error_set(error, ERYX_ERR_FORMAT, "%.120s is no wheel: it is no zip archive", file);
    else if ((status = archive_tree(data, length, NULL, &raw, &cause)) != ERYX_OK)
        error_set(error, status, "%.80s: %.170s", file, cause.message);
    free(data);
    if (status != ERYX_OK)
        return status;
    status = arrange(file, raw, out, error);
    tree_free(raw);
    return status;
}
