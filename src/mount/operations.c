/* What the guest does with mounts: checks, modes, quotas, then the source. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mount/host.h"
#include "mount/mounts.h"
#include "mount/scrub.h"
#include "mount/source.h"

#define OPEN_FLAGS                                                                                 \
    (ERYX_OPEN_CREATE | ERYX_OPEN_DIRECTORY | ERYX_OPEN_EXCLUSIVE | ERYX_OPEN_TRUNCATE |           \
     ERYX_OPEN_WRITE)

static mount_t *find_mount(const mounts_t *mounts, uint32_t number) {
    for (size_t i = 0; i < mounts->count; i++)
        if (mounts->items[i].number == number)
            return &mounts->items[i];
    return NULL;
}

bool mount_writable(const mount_t *mount) {
    return mount->mode == ERYX_MOUNT_READ_WRITE && mount->source->provider.write;
}

/* Names and targets of links, which have no surroundings. False: out of memory. */
static bool clean(const mounts_t *mounts, char *text, size_t length) {
    return !mounts->scrub.piece || mounts->scrub.piece(mounts->scrub.env, text, length);
}

/* The mount of a path, and the path with a NUL. 0 or an error. */
static int lift_path(const mounts_t *mounts, mount_path_t path, mount_t **mount,
                     char text[SOURCE_PATH_MAX]) {
    *mount = find_mount(mounts, path.mount);
    if (!*mount)
        return -ENOENT;
    if (path.length >= SOURCE_PATH_MAX)
        return -ENAMETOOLONG;
    if (!source_path_valid(path.text, path.length))
        return -EINVAL;
    memcpy(text, path.text, path.length);
    text[path.length] = '\0';
    return clean(mounts, text, path.length) ? 0 : -ENOMEM;
}

/* The same, of a mount that may be written to. */
static int lift_writable_path(const mounts_t *mounts, mount_path_t path, mount_t **mount,
                              char text[SOURCE_PATH_MAX]) {
    int error = lift_path(mounts, path, mount, text);
    return !error && !mount_writable(*mount) ? -EROFS : error;
}

/* An open file and its mount, which is gone if it was removed. */
static int find_file(const mounts_t *mounts, uint64_t number, open_file_t **file, mount_t **mount) {
    *file = files_find(&mounts->files, number);
    if (!*file)
        return -ESTALE;
    *mount = find_mount(mounts, (*file)->mount);
    return *mount ? 0 : -EIO;
}

/* Counts are of a count or length that a source said it gave. */
static ptrdiff_t trusted(ptrdiff_t count, size_t most) {
    return count > 0 && (size_t)count > most ? -EIO : count;
}

int mounts_stat(mounts_t *mounts, mount_path_t path, eryx_file_stat_t *out) {
    char text[SOURCE_PATH_MAX];
    mount_t *mount;
    int error = lift_path(mounts, path, &mount, text);
    return error ? error : mount->source->provider.stat(mount->source->env, text, out);
}

/* --- Quotas ------------------------------------------------------------------------------- */

/* How many of `wanted` further bytes the sandbox may still add. */
static uint64_t room(const mount_t *mount, uint64_t wanted) {
    if (mount->bytes < 0)
        return wanted;
    uint64_t used = (uint64_t)mount->bytes;
    uint64_t left = used < mount->max_bytes ? mount->max_bytes - used : 0;
    return wanted < left ? wanted : left;
}

static void count_bytes(mount_t *mount, uint64_t before, uint64_t after) {
    int64_t sum;
    if (!__builtin_add_overflow(mount->bytes, (int64_t)(after - before), &sum))
        mount->bytes = sum;
}

static int check_files(const mount_t *mount) {
    return mount->files >= 0 && (uint64_t)mount->files >= mount->max_files ? -ENOSPC : 0;
}

static int size_of(const open_file_t *file, uint64_t *size) {
    eryx_file_stat_t status;
    int error = file->source->provider.status(file->source->env, file->file, &status);
    *size = error ? 0 : status.size;
    return error;
}

/* What is at a path now. */
typedef struct found {
    bool exists;
    uint64_t inode;
    uint64_t size; /* that goes with this name */
} found_t;

static found_t look(const mount_t *mount, const char *path) {
    eryx_file_stat_t status;
    if (mount->source->provider.stat(mount->source->env, path, &status) != 0)
        return (found_t){0};
    bool counts = status.kind == ERYX_FILE_REGULAR && status.links <= 1;
    return (found_t){true, status.inode, counts ? status.size : 0};
}

/* --- Open files --------------------------------------------------------------------------- */

static int open_source(mount_t *mount, const char *text, uint32_t flags, open_file_t *file) {
    const eryx_provider_t *provider = &mount->source->provider;
    found_t before = {.exists = true};
    int error = 0;
    if (flags & (ERYX_OPEN_CREATE | ERYX_OPEN_TRUNCATE))
        before = look(mount, text);
    if (!before.exists && flags & ERYX_OPEN_CREATE)
        error = check_files(mount);
    if (!error)
        error = provider->open(mount->source->env, text, flags, &file->file);
    if (error)
        return error;
    if (!before.exists)
        mount->files++;
    else if (flags & ERYX_OPEN_TRUNCATE)
        count_bytes(mount, before.size, 0);
    return 0;
}

int mounts_open(mounts_t *mounts, mount_path_t path, uint32_t flags, uint64_t *number,
                eryx_file_stat_t *out) {
    char text[SOURCE_PATH_MAX];
    mount_t *mount;
    flags &= OPEN_FLAGS;
    int error = lift_path(mounts, path, &mount, text);
    if (error)
        return error;
    if (!mount_writable(mount)) {
        if (flags & (ERYX_OPEN_WRITE | ERYX_OPEN_TRUNCATE))
            return -EROFS;
        flags &= ~(uint32_t)(ERYX_OPEN_CREATE | ERYX_OPEN_EXCLUSIVE);
    }
    open_file_t file = {.mount = mount->number, .flags = flags, .source = mount->source};
    error = files_reserve(&mounts->files);
    if (error)
        return error;
    error = open_source(mount, text, flags, &file);
    if (!error) {
        error = mount->source->provider.status(mount->source->env, file.file, out);
        if (error)
            mount->source->provider.close(mount->source->env, file.file);
    }
    if (error) {
        files_unreserve(&mounts->files);
        return error;
    }
    *number = files_add(&mounts->files, &file);
    return 0;
}

int mounts_close(mounts_t *mounts, uint64_t number) {
    open_file_t *file = files_find(&mounts->files, number);
    if (!file)
        return -ESTALE;
    files_close(&mounts->files, file);
    return 0;
}

int mounts_status(mounts_t *mounts, uint64_t number, eryx_file_stat_t *out) {
    open_file_t *file;
    mount_t *mount;
    int error = find_file(mounts, number, &file, &mount);
    return error ? error : file->source->provider.status(file->source->env, file->file, out);
}

ptrdiff_t mounts_read(mounts_t *mounts, uint64_t number, uint64_t offset, void *buffer,
                      size_t length) {
    open_file_t *file;
    mount_t *mount;
    int error = find_file(mounts, number, &file, &mount);
    if (error)
        return error;
    if (file->flags & ERYX_OPEN_DIRECTORY)
        return -EISDIR;
    if (mounts->scrub.piece)
        return scrub_read(mounts, file, offset, buffer, length);
    return trusted(
        file->source->provider.read(file->source->env, file->file, offset, buffer, length), length);
}

int mounts_descriptor(const mounts_t *mounts, uint64_t number) {
    open_file_t *file;
    mount_t *mount;
    if (mounts->scrub.piece || find_file(mounts, number, &file, &mount))
        return -1;
    return host_descriptor(file->source, file->file);
}

/* A file that may be written, with its size. */
static int find_writable(mounts_t *mounts, uint64_t number, open_file_t **file, mount_t **mount,
                         uint64_t *size) {
    int error = find_file(mounts, number, file, mount);
    if (error)
        return error;
    if (!((*file)->flags & ERYX_OPEN_WRITE))
        return -EBADF;
    return !mount_writable(*mount) ? -EROFS : size_of(*file, size);
}

ptrdiff_t mounts_write(mounts_t *mounts, uint64_t number, uint64_t offset, const void *data,
                       size_t length) {
    open_file_t *file;
    mount_t *mount;
    uint64_t size, end;
    int error = find_writable(mounts, number, &file, &mount, &size);
    if (error || length == 0)
        return error;
    if (__builtin_add_overflow(offset, (uint64_t)length, &end) || end > INT64_MAX)
        return -EFBIG;
    if (end > size) {
        uint64_t allowed = size + room(mount, end - size);
        if (allowed <= offset)
            return -ENOSPC;
        length = (size_t)(allowed - offset);
    }
    ptrdiff_t count =
        mounts->scrub.piece
            ? scrub_write(mounts, file, offset, data, length)
            : file->source->provider.write(file->source->env, file->file, offset, data, length);
    count = trusted(count, length);
    if (count == 0)
        return -EIO;
    if (count > 0 && offset + (uint64_t)count > size)
        count_bytes(mount, size, offset + (uint64_t)count);
    return count;
}

int mounts_resize(mounts_t *mounts, uint64_t number, uint64_t size) {
    open_file_t *file;
    mount_t *mount;
    uint64_t before;
    int error = find_writable(mounts, number, &file, &mount, &before);
    if (error)
        return error;
    if (!file->source->provider.resize)
        return -EROFS;
    if (size > INT64_MAX)
        return -EFBIG;
    if (size > before && room(mount, size - before) < size - before)
        return -ENOSPC;
    error = file->source->provider.resize(file->source->env, file->file, size);
    if (!error)
        count_bytes(mount, before, size);
    return error;
}

int mounts_sync(mounts_t *mounts, uint64_t number) {
    open_file_t *file;
    mount_t *mount;
    int error = find_file(mounts, number, &file, &mount);
    if (error || !file->source->provider.sync)
        return error;
    return file->source->provider.sync(file->source->env, file->file);
}

/* --- Directories and names ---------------------------------------------------------------- */

static bool is_shown(const eryx_file_entry_t *entry) {
    return entry->length >= 1 && entry->length <= SOURCE_NAME_MAX &&
           source_path_valid(entry->name, entry->length) &&
           !memchr(entry->name, '/', entry->length);
}

static void put_entry(const mounts_t *mounts, uint8_t *to, const eryx_file_entry_t *entry) {
    to[0] = (uint8_t)entry->kind;
    to[1] = (uint8_t)entry->length;
    memcpy(to + 2, entry->name, entry->length);
    if (!clean(mounts, (char *)to + 2, entry->length))
        memset(to + 2, '*', entry->length);
}

ptrdiff_t mounts_entries(mounts_t *mounts, uint64_t number, uint8_t *buffer, size_t capacity) {
    open_file_t *file;
    mount_t *mount;
    size_t used = 0;
    int error = find_file(mounts, number, &file, &mount);
    if (error)
        return error;
    if (!(file->flags & ERYX_OPEN_DIRECTORY))
        return -ENOTDIR;
    if (capacity < 2 + SOURCE_NAME_MAX)
        return -EINVAL;
    if (file->left) {
        used = 2u + file->left[1];
        memcpy(buffer, file->left, used);
        free(file->left);
        file->left = NULL;
    }
    eryx_file_entry_t entry;
    int found = 0;
    while (!file->ended &&
           (found = file->source->provider.next_entry(file->source->env, file->file, &entry)) > 0) {
        if (!is_shown(&entry))
            continue;
        if (capacity - used >= 2 + entry.length) {
            put_entry(mounts, buffer + used, &entry);
            used += 2 + entry.length;
            continue;
        }
        file->left = malloc(2 + entry.length);
        if (!file->left)
            return -ENOMEM;
        put_entry(mounts, file->left, &entry);
        break;
    }
    file->ended = file->ended || found == 0;
    return found < 0 && used == 0 ? found : (ptrdiff_t)used;
}

ptrdiff_t mounts_readlink(mounts_t *mounts, mount_path_t path, char *buffer, size_t capacity) {
    char text[SOURCE_PATH_MAX];
    mount_t *mount;
    int error = lift_path(mounts, path, &mount, text);
    if (error || !mount->source->provider.readlink)
        return error ? error : -EINVAL;
    ptrdiff_t count = trusted(
        mount->source->provider.readlink(mount->source->env, text, buffer, capacity), capacity);
    return count > 0 && !clean(mounts, buffer, (size_t)count) ? -ENOMEM : count;
}

int mounts_set_times(mounts_t *mounts, mount_path_t path, const int64_t *accessed_ns,
                     const int64_t *modified_ns) {
    char text[SOURCE_PATH_MAX];
    mount_t *mount;
    int error = lift_writable_path(mounts, path, &mount, text);
    if (error || !mount->source->provider.set_times)
        return error ? error : -EROFS;
    return mount->source->provider.set_times(mount->source->env, text, accessed_ns, modified_ns);
}

static int change_one(mount_t *mount, enum mount_change change, const char *path) {
    const eryx_provider_t *provider = &mount->source->provider;
    int (*function)(void *, const char *) = change == MOUNT_MKDIR   ? provider->make_directory
                                            : change == MOUNT_RMDIR ? provider->remove_directory
                                                                    : provider->remove_file;
    if (!function)
        return -EROFS;
    found_t before = change == MOUNT_UNLINK ? look(mount, path) : (found_t){0};
    int error = change == MOUNT_MKDIR ? check_files(mount) : 0;
    if (!error)
        error = function(mount->source->env, path);
    if (error)
        return error;
    mount->files += change == MOUNT_MKDIR ? 1 : -1;
    count_bytes(mount, before.size, 0);
    return 0;
}

/* Renaming over a file makes that one vanish, if it is another. */
static int change_two(mount_t *mount, enum mount_change change, const char *from, const char *to) {
    const eryx_provider_t *provider = &mount->source->provider;
    if (change == MOUNT_SYMLINK) {
        int error = check_files(mount);
        if (!error)
            error = provider->symlink ? provider->symlink(mount->source->env, to, from) : -EPERM;
        mount->files += !error;
        return error;
    }
    int (*function)(void *, const char *, const char *) =
        change == MOUNT_RENAME ? provider->rename : provider->link;
    if (!function)
        return change == MOUNT_RENAME ? -EROFS : -EPERM;
    found_t old = look(mount, from), before = look(mount, to);
    int error = change == MOUNT_LINK ? check_files(mount) : 0;
    if (!error)
        error = function(mount->source->env, from, to);
    if (error)
        return error;
    if (change == MOUNT_LINK)
        mount->files++;
    else if (before.exists && before.inode != old.inode) {
        mount->files--;
        count_bytes(mount, before.size, 0);
    }
    return 0;
}

int mounts_change(mounts_t *mounts, enum mount_change change, mount_path_t path, const char *other,
                  size_t other_length) {
    char text[SOURCE_PATH_MAX], second[SOURCE_PATH_MAX];
    mount_t *mount;
    int error = lift_writable_path(mounts, path, &mount, text);
    if (error)
        return error;
    if (change >= MOUNT_MKDIR && change <= MOUNT_UNLINK)
        return path.length == 0 ? -EBUSY : change_one(mount, change, text);
    if (change < MOUNT_RENAME || change > MOUNT_SYMLINK)
        return -EINVAL;
    if (other_length >= SOURCE_PATH_MAX)
        return -ENAMETOOLONG;
    bool valid = change == MOUNT_SYMLINK ? !memchr(other, '\0', other_length)
                                         : source_path_valid(other, other_length);
    if (!valid || other_length == 0 || path.length == 0)
        return valid ? -EBUSY : -EINVAL;
    memcpy(second, other, other_length);
    second[other_length] = '\0';
    if (!clean(mounts, second, other_length))
        return -ENOMEM;
    return change_two(mount, change, text, second);
}
