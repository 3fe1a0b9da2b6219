/* The image is a session of a sandbox in which each module at the top was imported. What it
 * depends on is its name: the runtime file, the packages, and this file's version. */
#define _GNU_SOURCE
#include "package/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <eryx/package.h>

#include "base/error.h"
#include "checkpoint/image.h"
#include "package/pack.h"
#include "package/packages.h"
#include "sandbox/runtime.h"

#define BYTES_MAX ((uint64_t)4 << 30)
#define IMPORT_NS UINT64_C(120000000000) /* for one module, with what it imports */
#define VERSION "eryx packages 1"
#define SUFFIX ".cwasm"

bool packages_wanted(const eryx_runtime_options_t *options) {
    return options->packages && options->packages->count > 0;
}

/* --- Making one --------------------------------------------------------------------------- */

/* How it ends is not looked at: a module that cannot be imported here is imported by programs, and
 * tells them why. */
static int import_module(eryx_sandbox_t *sandbox, const char *name, eryx_error_t *error) {
    char code[256];
    eryx_outcome_t *outcome;
    int length = snprintf(code, sizeof code, "__import__('_eryx_packages').preload('%s')", name);
    if (length < 0 || (size_t)length >= sizeof code)
        return ERYX_OK;
    int status = eryx_sandbox_execute(sandbox, code, (size_t)length, NULL, &outcome, error);
    if (status == ERYX_OK)
        eryx_outcome_free(outcome);
    return status;
}

static void drop_output(void *env, eryx_stream_t stream, const char *data, size_t length) {
    (void)env, (void)stream, (void)data, (void)length;
}

static int import_all(eryx_sandbox_t *sandbox, const buffer_t *modules, eryx_error_t *error) {
    int status = import_module(sandbox, "", error);
    for (size_t at = 0; at < modules->length && status == ERYX_OK;
         at += strlen(modules->data + at) + 1)
        status = import_module(sandbox, modules->data + at, error);
    return status;
}

/* With the memory that an image can have: what does not fit is not imported in it. */
static int make_session(eryx_runtime_t *runtime, eryx_source_t *source, const buffer_t *modules,
                        eryx_sandbox_t **out, eryx_error_t *error) {
    eryx_mount_t mount;
    eryx_sandbox_options_t options;
    eryx_mount_init(&mount);
    mount.target = ERYX_PACKAGES_TARGET;
    mount.source = source;
    eryx_sandbox_options_init(&options);
    options.limits.memory_bytes = IMAGE_MEMORY_MAX;
    options.limits.wall_time_ns = IMPORT_NS;
    options.on_output = drop_output;
    options.mounts = &mount;
    options.mount_count = 1;
    int status = eryx_sandbox_new(runtime, &options, out, error);
    if (status != ERYX_OK)
        return status;
    status = import_all(*out, modules, error);
    if (status != ERYX_OK)
        eryx_sandbox_free(*out);
    return status;
}

static int write_session(eryx_runtime_t *runtime, const buffer_t *pack, const buffer_t *modules,
                         int fd, eryx_error_t *error) {
    eryx_source_t *source;
    eryx_sandbox_t *sandbox;
    const image_part_t part = {pack->data, pack->length};
    int status = pack_source(pack->data, pack->length, NULL, &source, error);
    if (status != ERYX_OK)
        return status;
    status = make_session(runtime, source, modules, &sandbox, error);
    if (status == ERYX_OK) {
        status = session_image_write(sandbox, fd, &part, error);
        eryx_sandbox_free(sandbox);
    }
    eryx_source_free(source);
    return status;
}

/* Writes the image to an empty file. */
static int make(const image_t *base, const eryx_runtime_options_t *options, int fd,
                eryx_error_t *error) {
    eryx_runtime_options_t own;
    eryx_runtime_t *runtime;
    tree_t *tree;
    buffer_t pack = {0}, modules = {0};
    int status = packages_read(options->packages, &tree, &modules, error);
    if (status == ERYX_OK) {
        status = pack_write(tree, &pack, error);
        tree_free(tree);
    }
    eryx_runtime_options_init(&own);
    own.fuel = options->fuel;
    own.extension_cache = options->extension_cache;
    own.max_warm = 0;
    if (status == ERYX_OK)
        status = runtime_open_image(base, &own, &runtime, error);
    if (status == ERYX_OK) {
        status = write_session(runtime, &pack, &modules, fd, error);
        eryx_runtime_free(runtime);
    }
    buffer_free(&pack);
    buffer_free(&modules);
    return status;
}

/* --- Finding it --------------------------------------------------------------------------- */

static int make_name(const image_t *base, const eryx_runtime_options_t *options,
                     const cache_folder_t *cache, char name[CACHE_NAME_BYTES],
                     eryx_error_t *error) {
    uint8_t content[SHA256_BYTES], key[SHA256_BYTES];
    sha256_t hash;
    int status = packages_hash(options->packages, cache, content, error);
    if (status != ERYX_OK)
        return status;
    sha256_init(&hash);
    sha256_update(&hash, VERSION, sizeof VERSION);
    sha256_update(&hash, base->footer.footer_sha256, sizeof base->footer.footer_sha256);
    sha256_update(&hash, content, sizeof content);
    sha256_final(&hash, key);
    cache_name(key, SUFFIX, name);
    return ERYX_OK;
}

static int open_fd(int fd, image_t *out, eryx_error_t *error) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return image_open(path, &runtime_versions, out, error);
}

/* A file that is damaged is made again. */
static bool find(const cache_folder_t *cache, const char *name, image_t *out) {
    int folder = cache_folder_open(cache);
    int file = folder >= 0 ? cache_file_open(folder, name) : -1;
    bool found = file >= 0 && open_fd(file, out, NULL) == ERYX_OK;
    if (file >= 0 && !found)
        unlinkat(folder, name, 0);
    if (file >= 0)
        close(file);
    if (folder >= 0)
        close(folder);
    return found;
}

/* Where nothing can be kept it is made in memory. *kept: it is in the folder now. */
static int make_and_keep(const image_t *base, const eryx_runtime_options_t *options,
                         const cache_folder_t *cache, const char *name, image_t *out, bool *kept,
                         eryx_error_t *error) {
    char temporary[CACHE_NAME_BYTES];
    int folder = cache_folder_make(cache);
    int fd = folder >= 0 ? cache_file_begin(cache, folder, base->file_bytes, temporary) : -1;
    bool in_folder = fd >= 0;
    if (!in_folder)
        fd = memfd_create("eryx-image", MFD_CLOEXEC);
    int status = fd >= 0 ? make(base, options, fd, error)
                         : error_set(error, ERYX_ERR_MEMORY, "cannot make an image: %m");
    if (status == ERYX_OK)
        status = open_fd(fd, out, error);
    if (in_folder)
        *kept = cache_file_end(folder, fd, temporary, name, status == ERYX_OK);
    else if (fd >= 0)
        close(fd);
    if (folder >= 0)
        close(folder);
    return status;
}

int packages_image(image_t *image, const eryx_runtime_options_t *options, char *path,
                   size_t capacity, eryx_error_t *error) {
    cache_folder_t cache;
    char name[CACHE_NAME_BYTES];
    image_t found;
    bool kept = true;
    if (image->footer.packages.length > 0)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "the runtime file has packages already; make one with all of them");
    if (!cache_folder_init(&cache, options->image_cache, "images", BYTES_MAX))
        return error_set(error, ERYX_ERR_MEMORY, "out of memory opening a runtime");
    int status = make_name(image, options, &cache, name, error);
    if (status == ERYX_OK && !find(&cache, name, &found)) {
        kept = false;
        status = make_and_keep(image, options, &cache, name, &found, &kept, error);
    }
    if (status == ERYX_OK) {
        image_close(image);
        *image = found;
        if (!kept || (size_t)snprintf(path, capacity, "%s/%s", cache.path, name) >= capacity)
            *path = '\0';
    }
    cache_folder_free(&cache);
    return status;
}
