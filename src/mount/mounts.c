/* Which mounts a sandbox has. */
#define _GNU_SOURCE
#include "mount/mounts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "mount/source.h"

void mounts_init(mounts_t *mounts, uint32_t open_max, budget_t *budget) {
    *mounts = (mounts_t){0};
    files_init(&mounts->files, open_max, budget);
}

static void drop(mounts_t *mounts, size_t index) {
    mount_t *mount = &mounts->items[index];
    eryx_source_free(mount->source);
    free(mount->target);
    memmove(mount, mount + 1, (--mounts->count - index) * sizeof *mount);
}

void mounts_free(mounts_t *mounts) {
    files_free(&mounts->files);
    while (mounts->count > 0)
        drop(mounts, mounts->count - 1);
    free(mounts->items);
    free(mounts->bounce);
    *mounts = (mounts_t){0};
}

void mounts_forget_files(mounts_t *mounts) {
    files_close_all(&mounts->files);
}

void eryx_mount_init(eryx_mount_t *mount) {
    *mount =
        (eryx_mount_t){.size = sizeof *mount, .max_bytes = UINT64_C(1) << 30, .max_files = 100000};
}

static bool is_below(const char *path, size_t length, const mount_t *top) {
    return length > top->target_length && path[top->target_length] == '/' &&
           memcmp(path, top->target, top->target_length) == 0;
}

/* *same: the index of a mount with this target, or the count. */
static int check_target(const mounts_t *mounts, const char *target, size_t *same,
                        eryx_error_t *error) {
    size_t length = strlen(target);
    if (target[0] != '/' || length < 2 || !source_path_valid(target + 1, length - 1))
        return error_set(
            error, ERYX_ERR_ARGUMENT,
            "target %.150s: an absolute path is needed, without . and .., other than /", target);
    *same = mounts->count;
    for (size_t i = 0; i < mounts->count; i++) {
        const mount_t *other = &mounts->items[i];
        const mount_t self = {.target = (char *)target, .target_length = length};
        if (strcmp(other->target, target) == 0)
            *same = i;
        else if (is_below(target, length, other) ||
                 is_below(other->target, other->target_length, &self))
            return error_set(error, ERYX_ERR_ARGUMENT,
                             "target %.100s: mounts cannot lie in each other, and there is one at "
                             "%.100s",
                             target, other->target);
    }
    return ERYX_OK;
}

static int check_source(const eryx_mount_t *mount, bool *is_file, eryx_error_t *error) {
    eryx_file_stat_t status;
    eryx_source_t *source = mount->source;
    int failed = source->provider.stat(source->env, "", &status);
    if (failed)
        return error_set(error, ERYX_ERR_IO, "cannot mount at %.120s: its source says: %s",
                         mount->target, strerror(-failed));
    if (status.kind != ERYX_FILE_DIRECTORY && status.kind != ERYX_FILE_REGULAR)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "cannot mount at %.120s: the root of its source is neither directory nor "
                         "regular file",
                         mount->target);
    *is_file = status.kind == ERYX_FILE_REGULAR;
    return ERYX_OK;
}

static int check_mount(const mounts_t *mounts, const eryx_mount_t *mount, size_t *same,
                       eryx_error_t *error) {
    if (!mount || mount->size != sizeof *mount)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         mount ? "mount of another version: call eryx_mount_init"
                               : "mount is NULL");
    if (!mount->target || !mount->source)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s of a mount is NULL",
                         mount->target ? "source" : "target");
    if (mount->mode > ERYX_MOUNT_OVERLAY)
        return error_set(error, ERYX_ERR_ARGUMENT, "mode %d of a mount is unknown",
                         (int)mount->mode);
    int status = check_target(mounts, mount->target, same, error);
    if (status == ERYX_OK && *same == mounts->count && mounts->count == MOUNTS_MAX)
        return error_set(error, ERYX_ERR_LIMIT, "a sandbox has at most %u mounts", MOUNTS_MAX);
    return status;
}

int mounts_add(mounts_t *mounts, const eryx_mount_t *mount, eryx_error_t *error) {
    size_t same = 0;
    bool is_file = false;
    int status = check_mount(mounts, mount, &same, error);
    if (status == ERYX_OK)
        status = check_source(mount, &is_file, error);
    if (status != ERYX_OK)
        return status;
    mount_t *items = realloc(mounts->items, (mounts->count + 1) * sizeof *items);
    char *target = strdup(mount->target);
    if (items)
        mounts->items = items;
    if (!items || !target) {
        free(target);
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for a mount");
    }
    if (same < mounts->count)
        drop(mounts, same);
    source_retain(mount->source);
    items[mounts->count++] = (mount_t){
        .number = ++mounts->last_number,
        .target = target,
        .target_length = strlen(target),
        .source = mount->source,
        .mode = mount->mode,
        .is_file = is_file,
        .max_bytes = mount->max_bytes,
        .max_files = mount->max_files,
    };
    return ERYX_OK;
}

int mounts_share(mounts_t *mounts, const mounts_t *from, eryx_error_t *error) {
    mounts->items = calloc(from->count + 1, sizeof *mounts->items);
    if (!mounts->items)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for the mounts of a copy");
    for (; mounts->count < from->count; mounts->count++) {
        mount_t *item = &mounts->items[mounts->count];
        *item = from->items[mounts->count];
        item->target = strdup(item->target);
        if (!item->target)
            return error_set(error, ERYX_ERR_MEMORY, "out of memory for the mounts of a copy");
        source_retain(item->source);
    }
    mounts->last_number = from->last_number;
    return ERYX_OK;
}

int mounts_remove(mounts_t *mounts, const char *target, eryx_error_t *error) {
    for (size_t i = 0; i < mounts->count; i++) {
        if (strcmp(mounts->items[i].target, target) != 0)
            continue;
        drop(mounts, i);
        return ERYX_OK;
    }
    return error_set(error, ERYX_ERR_ARGUMENT, "nothing is mounted at %.200s", target);
}
