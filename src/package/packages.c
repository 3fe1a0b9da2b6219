#define _GNU_SOURCE
#include "package/packages.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "mount/archive.h"
#include "package/folder.h"
#include "package/pack.h"
#include "package/wheel.h"

#define STAMP_SUFFIX ".stamp"

static int no_memory(eryx_error_t *error) {
    return error_set(error, ERYX_ERR_MEMORY, "out of memory for packages");
}

/* --- The list ----------------------------------------------------------------------------- */

int eryx_packages_new(eryx_packages_t **out, eryx_error_t *error) {
    if (!out)
        return error_set(error, ERYX_ERR_ARGUMENT, "out is NULL");
    *out = calloc(1, sizeof **out);
    return *out ? ERYX_OK : no_memory(error);
}

void eryx_packages_free(eryx_packages_t *packages) {
    if (!packages)
        return;
    for (size_t i = 0; i < packages->count; i++) {
        free(packages->items[i].path);
        free(packages->items[i].project);
    }
    free(packages->items);
    free(packages);
}

const char *eryx_packages_path(const eryx_packages_t *packages, size_t index) {
    return packages && index < packages->count ? packages->items[index].path : NULL;
}

/* Takes over path and project. */
static int append(eryx_packages_t *packages, char *path, char *project, eryx_error_t *error) {
    package_t *items = realloc(packages->items, (packages->count + 1) * sizeof *items);
    if (!items) {
        free(path);
        free(project);
        return no_memory(error);
    }
    packages->items = items;
    items[packages->count++] = (package_t){path, strrchr(path, '/') + 1, project};
    return ERYX_OK;
}

static int check_new(const eryx_packages_t *packages, const char *path, const char *file,
                     const char *project, bool *known, eryx_error_t *error) {
    for (size_t i = 0; i < packages->count; i++) {
        const package_t *other = &packages->items[i];
        *known = *known || strcmp(other->path, path) == 0;
        if (!*known && project && other->project && strcmp(project, other->project) == 0) {
            if (strcmp(file, other->file) != 0)
                return error_set(error, ERYX_ERR_ARGUMENT,
                                 "two versions of %.60s: %.80s and %.80s; give one of them",
                                 project, other->file, file);
        }
    }
    return ERYX_OK;
}

int eryx_packages_add(eryx_packages_t *packages, const char *path, eryx_error_t *error) {
    struct stat info;
    char *project = NULL;
    bool known = false;
    if (!packages || !path)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", packages ? "path" : "packages");
    char *whole = realpath(path, NULL);
    if (!whole || stat(whole, &info) != 0) {
        int reason = errno;
        free(whole);
        return error_set(error, ERYX_ERR_IO, "cannot open the package %.150s: %s", path,
                         strerror(reason));
    }
    /* The name that was given counts: a cache may keep files under others. */
    const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
    int status = ERYX_OK;
    if (S_ISREG(info.st_mode))
        status = wheel_check_name(file, &project, error);
    else if (!S_ISDIR(info.st_mode))
        status = error_set(error, ERYX_ERR_ARGUMENT,
                           "%.150s is neither a wheel nor a folder of modules", path);
    if (status == ERYX_OK)
        status = check_new(packages, whole, strrchr(whole, '/') + 1, project, &known, error);
    if (status == ERYX_OK && !known)
        return append(packages, whole, project, error);
    free(whole);
    free(project);
    return status;
}

/* --- Together ----------------------------------------------------------------------------- */

static int read_one(const package_t *package, tree_t **out, eryx_error_t *error) {
    if (package->project)
        return wheel_read(package->path, package->file, out, error);
    return folder_read(package->path, folder_is_package(package->path) ? package->file : "", out,
                       error);
}

typedef struct merge {
    const eryx_packages_t *packages;
    tree_t **trees; /* of each, until `current` */
    size_t current;
    tree_t *out;
    int status;
    eryx_error_t *error;
} merge_t;

static bool is_same(const tree_entry_t *a, const tree_entry_t *b) {
    return a->kind == b->kind && a->length == b->length &&
           (a->length == 0 || memcmp(a->data, b->data, a->length) == 0);
}

/* Files that several packages have must be the same: which one a program gets is nobody's choice. */
static bool agrees(merge_t *merge, const tree_entry_t *entry) {
    tree_entry_t other;
    for (size_t i = 0; i < merge->current; i++) {
        if (!tree_get(merge->trees[i], entry->path, &other) || is_same(&other, entry) ||
            (other.kind == ERYX_FILE_DIRECTORY && entry->kind == ERYX_FILE_DIRECTORY))
            continue;
        merge->status =
            error_set(merge->error, ERYX_ERR_ARGUMENT,
                      "%.70s and %.70s both have %.90s, and not the same; give one of them",
                      merge->packages->items[i].file, merge->packages->items[merge->current].file,
                      entry->path);
        return false;
    }
    return true;
}

static bool merge_entry(void *env, const tree_entry_t *entry) {
    merge_t *merge = env;
    tree_result_t result;
    if (!agrees(merge, entry))
        return false;
    if (entry->kind == ERYX_FILE_DIRECTORY) {
        result = tree_add_directory(merge->out, entry->path, entry->modified_ns);
    } else if (entry->kind == ERYX_FILE_SYMLINK) {
        char target[PATH_MAX] = "";
        memcpy(target, entry->data, entry->length < PATH_MAX ? entry->length : PATH_MAX - 1);
        result = tree_add_symlink(merge->out, entry->path, target, entry->modified_ns);
    } else {
        result = tree_add_file(merge->out, entry->path, entry->modified_ns);
        if (result == TREE_OK && entry->length > 0)
            result = tree_append(merge->out, entry->data, entry->length);
    }
    if (result != TREE_OK)
        merge->status =
            error_set(merge->error, result == TREE_MEMORY ? ERYX_ERR_MEMORY : ERYX_ERR_ARGUMENT,
                      "%.80s: %.120s: %s", merge->packages->items[merge->current].file, entry->path,
                      tree_reason(result));
    return result == TREE_OK;
}

static int read_all(merge_t *merge) {
    const eryx_packages_t *packages = merge->packages;
    int status = ERYX_OK;
    for (; merge->current < packages->count && status == ERYX_OK; merge->current++) {
        tree_t **tree = &merge->trees[merge->current];
        status = read_one(&packages->items[merge->current], tree, merge->error);
        if (status == ERYX_OK)
            tree_walk(*tree, merge_entry, merge);
        if (status == ERYX_OK)
            status = merge->status;
    }
    return status;
}

/* --- Modules at the top ------------------------------------------------------------------- */

static bool is_identifier(const char *name, size_t length) {
    for (size_t i = 0; i < length; i++) {
        bool letter = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z') ||
                      name[i] == '_' || (i > 0 && name[i] >= '0' && name[i] <= '9');
        if (!letter)
            return false;
    }
    /* What begins with _ is imported by what it belongs to. */
    return length > 0 && name[0] != '_';
}

/* Things that stand beside packages and are not meant to be imported. */
static bool is_wanted(const char *name, size_t length) {
    static const char *const others[] = {"test", "tests", "docs", "examples", "setup", "conftest"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strlen(others[i]) == length && memcmp(others[i], name, length) == 0)
            return false;
    return is_identifier(name, length);
}

typedef struct listing {
    buffer_t *modules;
    bool failed;
} listing_t;

/* NAME.py, NAME.cpython-314-wasm32-wasi.so, NAME/__init__.py. */
static bool list_module(void *env, const tree_entry_t *entry) {
    listing_t *listing = env;
    size_t length = strcspn(entry->path, "./");
    const char *rest = entry->path + length;
    bool module = strcmp(rest, ".py") == 0 || strcmp(rest, "/__init__.py") == 0 ||
                  strcmp(rest, ".abi3.so") == 0 || strcmp(rest, ".cpython-314-wasm32-wasi.so") == 0;
    if (module && is_wanted(entry->path, length))
        listing->failed = !buffer_append(listing->modules, entry->path, length) ||
                          !buffer_append(listing->modules, "", 1);
    return !listing->failed;
}

int packages_read(const eryx_packages_t *packages, tree_t **out, buffer_t *modules,
                  eryx_error_t *error) {
    const tree_limits_t limits = {UINT64_C(4) << 30, UINT32_MAX};
    merge_t merge = {.packages = packages,
                     .trees = calloc(packages->count + 1, sizeof *merge.trees),
                     .out = tree_new(&limits),
                     .error = error};
    listing_t listing = {.modules = modules};
    int status = merge.trees && merge.out ? read_all(&merge) : no_memory(error);
    if (status == ERYX_OK)
        tree_walk(merge.out, list_module, &listing);
    if (status == ERYX_OK && listing.failed)
        status = no_memory(error);
    for (size_t i = 0; merge.trees && i < packages->count; i++)
        tree_free(merge.trees[i]);
    free(merge.trees);
    if (status == ERYX_OK)
        *out = merge.out;
    else
        tree_free(merge.out);
    return status;
}

/* --- Hashes ------------------------------------------------------------------------------- */

static int hash_one(const package_t *package, sha256_t *hash, eryx_error_t *error) {
    uint8_t sum[SHA256_BYTES];
    int status;
    if (package->project) {
        char *data;
        size_t length;
        status = archive_read_file(package->path, &data, &length, error);
        if (status != ERYX_OK)
            return status;
        sha256_digest(data, length, sum);
        free(data);
    } else {
        tree_t *tree;
        buffer_t bytes = {0};
        status = read_one(package, &tree, error);
        if (status != ERYX_OK)
            return status;
        status = pack_write(tree, &bytes, error);
        sha256_digest(bytes.data, bytes.length, sum);
        tree_free(tree);
        buffer_free(&bytes);
    }
    sha256_update(hash, package->file, strlen(package->file) + 1);
    sha256_update(hash, sum, sizeof sum);
    return status;
}

static int stamp_all(const eryx_packages_t *packages, uint8_t out[SHA256_BYTES], bool *recent,
                     eryx_error_t *error) {
    sha256_t hash;
    int status = ERYX_OK;
    sha256_init(&hash);
    for (size_t i = 0; i < packages->count && status == ERYX_OK; i++) {
        const package_t *package = &packages->items[i];
        sha256_update(&hash, package->path, strlen(package->path) + 1);
        status = package->project ? file_stamp(package->path, &hash, recent, error)
                                  : folder_stamp(package->path, &hash, recent, error);
    }
    sha256_final(&hash, out);
    return status;
}

static bool read_stamp(const cache_folder_t *cache, const char *name, uint8_t out[SHA256_BYTES]) {
    int folder = cache_folder_open(cache);
    int file = folder >= 0 ? cache_file_open(folder, name) : -1;
    bool found = file >= 0 && read(file, out, SHA256_BYTES) == SHA256_BYTES;
    if (file >= 0)
        close(file);
    if (folder >= 0)
        close(folder);
    return found;
}

static void keep_stamp(const cache_folder_t *cache, const char *name,
                       const uint8_t hash[SHA256_BYTES]) {
    char temporary[CACHE_NAME_BYTES];
    int folder = cache_folder_make(cache);
    int file = folder >= 0 ? cache_file_begin(cache, folder, SHA256_BYTES, temporary) : -1;
    if (file >= 0)
        cache_file_end(folder, file, temporary, name, cache_write(file, hash, SHA256_BYTES));
    if (folder >= 0)
        close(folder);
}

int packages_hash(const eryx_packages_t *packages, const cache_folder_t *cache,
                  uint8_t out[SHA256_BYTES], eryx_error_t *error) {
    uint8_t stamp[SHA256_BYTES];
    char name[CACHE_NAME_BYTES];
    bool recent = false;
    int status = stamp_all(packages, stamp, &recent, error);
    if (status != ERYX_OK)
        return status;
    cache_name(stamp, STAMP_SUFFIX, name);
    if (!recent && read_stamp(cache, name, out))
        return ERYX_OK;
    sha256_t hash;
    sha256_init(&hash);
    for (size_t i = 0; i < packages->count && status == ERYX_OK; i++)
        status = hash_one(&packages->items[i], &hash, error);
    sha256_final(&hash, out);
    if (status == ERYX_OK && !recent)
        keep_stamp(cache, name, out);
    return status;
}
