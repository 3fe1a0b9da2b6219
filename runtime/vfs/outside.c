/* What is in mounts: inodes of files and directories that are open outside of the sandbox, and the
 * operations on them. Nothing is cached, since the host may change it at any time. After a copy or
 * a return to an earlier state of the sandbox, the host no longer knows the number of an open file:
 * it is opened again by its path. */
#include "vfs_internal.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_PART = 16384, LISTING_MAX = 64 << 20 };

static const struct vfs_outside *host_of(const struct vfs *fs)
{
    return fs->host.outside;
}

/* Numbers of the host's inodes, apart for each mount, and from those inside. */
static void mark_inode(const struct vfs_mount *mount, struct vfs_stat *stat)
{
    stat->inode = (stat->inode ^ (uint64_t)mount->number << 48) | UINT64_C(1) << 63;
}

int outside_stat(struct vfs *fs, struct vfs_mount *mount, const char *path, size_t length,
                 struct vfs_stat *stat)
{
    int error = host_of(fs)->stat(mount->number, path, length, stat);
    if (!error) {
        mark_inode(mount, stat);
    }
    return error;
}

int outside_open_file(struct vfs *fs, struct vfs_mount *mount, const char *path, size_t length,
                      uint64_t *file, struct vfs_stat *stat)
{
    int error = host_of(fs)->open(mount->number, path, length, 0, file, stat);
    if (!error) {
        mark_inode(mount, stat);
    } else {
        *file = 0;
    }
    return error;
}

int outside_readlink(struct vfs *fs, struct vfs_mount *mount, const char *path, size_t length,
                     char **target, size_t *target_length)
{
    char *buffer = malloc(VFS_PATH_MAX);
    if (!buffer) {
        return -VFS_ENOMEM;
    }
    int64_t got = host_of(fs)->readlink(mount->number, path, length, buffer, VFS_PATH_MAX);
    if (got <= 0 || got >= VFS_PATH_MAX) {
        free(buffer);
        return got < 0 ? (int)got : got == 0 ? -VFS_ENOENT : -VFS_ENAMETOOLONG;
    }
    *target = buffer;
    *target_length = (size_t)got;
    return 0;
}

static struct vfs_inode *inode_outside(struct vfs *fs, const struct lookup *lookup, int *error)
{
    struct vfs_inode *inode = inode_new(fs, lookup->status.kind, error);
    if (!inode) {
        return NULL;
    }
    inode->place = place_new(lookup->mount, lookup->path, lookup->path_length);
    if (!inode->place) {
        *error = -VFS_ENOMEM;
        inode->kind = VFS_DEVICE; /* which has nothing to free */
        inode_settle(fs, inode);
        return NULL;
    }
    inode->outside = (struct outside){0};
    return inode;
}

int outside_open(struct vfs *fs, struct lookup *lookup, unsigned flags, struct vfs_inode **inode)
{
    struct lookup at = *lookup;
    lookup->file = 0;
    if (at.mount->flags & VFS_MOUNT_READ_ONLY && (flags & (VFS_OPEN_WRITE | VFS_OPEN_TRUNCATE))) {
        return -VFS_EROFS;
    }
    uint64_t file = at.file;
    bool directory = at.exists && at.status.kind == VFS_DIRECTORY;
    if (!directory && !file) {
        if (!at.exists && at.mount->flags & VFS_MOUNT_READ_ONLY) {
            return -VFS_EROFS;
        }
        int error =
            host_of(fs)->open(at.mount->number, at.path, at.path_length, flags, &file, &at.status);
        if (error) {
            return error == -VFS_ELINK ? -VFS_ELOOP : error;
        }
    }
    int error = 0;
    struct vfs_inode *made = inode_outside(fs, &at, &error);
    if (!made) {
        if (file) {
            host_of(fs)->close(file);
        }
        return error;
    }
    made->outside = (struct outside){file, flags & VFS_OPEN_WRITE};
    *inode = made;
    return 0;
}

void outside_close(struct vfs *fs, struct vfs_inode *inode)
{
    if (inode->outside.file) {
        host_of(fs)->close(inode->outside.file);
    }
}

/* After the host did not know the file. 0: it does now. */
static int open_again(struct vfs *fs, struct vfs_inode *inode)
{
    struct vfs_stat stat;
    const struct place *place = inode->place;
    if (inode->kind != VFS_FILE) {
        return -VFS_EBADF;
    }
    inode->outside.file = 0;
    int error = host_of(fs)->open(place->mount->number, place->path, place->length,
                                  inode->outside.flags, &inode->outside.file, &stat);
    return error ? -VFS_EIO : 0;
}

/* Whether the operation is to be tried once more. *result: its result, or why it cannot. */
static bool again(struct vfs *fs, struct vfs_inode *inode, bool *tried, int64_t *result)
{
    if (*result != -VFS_ESTALE) {
        return false;
    }
    int error = *tried ? -VFS_EIO : open_again(fs, inode);
    *tried = true;
    if (error) {
        *result = error;
    }
    return !error;
}

int outside_status(struct vfs *fs, struct vfs_inode *inode, struct vfs_stat *stat)
{
    const struct place *place = inode->place;
    bool tried = false;
    int64_t result;
    if (inode->kind == VFS_DIRECTORY) {
        return outside_stat(fs, place->mount, place->path, place->length, stat);
    }
    do {
        result = host_of(fs)->status(inode->outside.file, stat);
    } while (again(fs, inode, &tried, &result));
    if (!result) {
        mark_inode(place->mount, stat);
    }
    return (int)result;
}

int64_t outside_read(struct vfs *fs, struct vfs_inode *inode, uint64_t offset, void *buffer,
                     size_t length)
{
    bool tried = false;
    int64_t result;
    if (inode->kind == VFS_DIRECTORY) {
        return -VFS_EISDIR;
    }
    do {
        result = host_of(fs)->read(inode->outside.file, offset, buffer, length);
    } while (again(fs, inode, &tried, &result));
    return result;
}

int64_t outside_write(struct vfs *fs, struct vfs_inode *inode, uint64_t offset, const void *data,
                      size_t length)
{
    bool tried = false;
    int64_t result;
    if (inode->kind == VFS_DIRECTORY) {
        return -VFS_EISDIR;
    }
    do {
        result = host_of(fs)->write(inode->outside.file, offset, data, length);
    } while (again(fs, inode, &tried, &result));
    return result;
}

int outside_resize(struct vfs *fs, struct vfs_inode *inode, uint64_t size)
{
    bool tried = false;
    int64_t result;
    if (inode->kind == VFS_DIRECTORY) {
        return -VFS_EISDIR;
    }
    do {
        result = host_of(fs)->resize(inode->outside.file, size);
    } while (again(fs, inode, &tried, &result));
    return (int)result;
}

int outside_sync(struct vfs *fs, struct vfs_inode *inode)
{
    if (inode->kind != VFS_FILE || !(inode->outside.flags & VFS_OPEN_WRITE)) {
        return 0;
    }
    bool tried = false;
    int64_t result;
    do {
        result = host_of(fs)->sync(inode->outside.file);
    } while (again(fs, inode, &tried, &result));
    return (int)result;
}

int outside_set_times(struct vfs *fs, const struct vfs_mount *mount, const char *path,
                      size_t length, const struct vfs_time *accessed,
                      const struct vfs_time *modified)
{
    if (mount->flags & VFS_MOUNT_READ_ONLY) {
        return -VFS_EROFS;
    }
    return host_of(fs)->set_times(mount->number, path, length, accessed, modified);
}

/* --- Names -------------------------------------------------------------------------------- */

int outside_check(enum vfs_change change, const struct lookup *lookup)
{
    bool directory = lookup->exists && lookup->status.kind == VFS_DIRECTORY;
    if (change == VFS_CHANGE_MKDIR || change == VFS_CHANGE_SYMLINK) {
        if (lookup->exists) {
            return -VFS_EEXIST;
        }
        return change == VFS_CHANGE_SYMLINK && lookup->slash ? -VFS_ENOENT : 0;
    }
    if (lookup->last == LAST_DOT) {
        return change == VFS_CHANGE_RMDIR ? -VFS_EINVAL : -VFS_EISDIR;
    }
    if (lookup->last == LAST_DOTDOT) {
        return change == VFS_CHANGE_RMDIR ? -VFS_ENOTEMPTY : -VFS_EISDIR;
    }
    if (!lookup->exists) {
        return -VFS_ENOENT;
    }
    if (lookup_is_mount(lookup)) {
        return -VFS_EBUSY;
    }
    if (change == VFS_CHANGE_RMDIR) {
        return directory ? 0 : -VFS_ENOTDIR;
    }
    return directory ? -VFS_EISDIR : lookup->slash ? -VFS_ENOTDIR : 0;
}

int outside_change(struct vfs *fs, enum vfs_change change, const struct lookup *lookup)
{
    int error = outside_check(change, lookup);
    if (!error && lookup->mount->flags & VFS_MOUNT_READ_ONLY) {
        error = -VFS_EROFS;
    }
    if (!error) {
        error = host_of(fs)->change(change, lookup->mount->number, lookup->path,
                                    lookup->path_length, "", 0);
    }
    return error == -VFS_ELINK ? -VFS_ELOOP : error;
}

int outside_symlink(struct vfs *fs, const struct lookup *lookup, const char *target, size_t length)
{
    int error = outside_check(VFS_CHANGE_SYMLINK, lookup);
    if (!error && lookup->mount->flags & VFS_MOUNT_READ_ONLY) {
        error = -VFS_EROFS;
    }
    if (!error) {
        error = host_of(fs)->change(VFS_CHANGE_SYMLINK, lookup->mount->number, lookup->path,
                                    lookup->path_length, target, length);
    }
    return error == -VFS_ELINK ? -VFS_ELOOP : error;
}

int outside_change_two(struct vfs *fs, enum vfs_change change, const struct lookup *from,
                       const struct lookup *to)
{
    if (from->mount != to->mount) {
        return -VFS_EXDEV;
    }
    if (from->mount->flags & VFS_MOUNT_READ_ONLY) {
        return -VFS_EROFS;
    }
    int error = host_of(fs)->change(change, from->mount->number, from->path, from->path_length,
                                    to->path, to->path_length);
    return error == -VFS_ELINK ? -VFS_ELOOP : error;
}

/* --- Directories -------------------------------------------------------------------------- */

static int read_listing(const struct vfs_outside *host, uint64_t file, struct listing **out)
{
    struct listing *listing = NULL;
    size_t capacity = 0, used = 0;
    for (;;) {
        if (capacity - used < LIST_PART / 2) {
            capacity = capacity ? capacity * 2 : LIST_PART;
            struct listing *more =
                capacity > LISTING_MAX ? NULL : realloc(listing, sizeof *more + capacity);
            if (!more) {
                free(listing);
                return -VFS_ENOMEM;
            }
            listing = more;
        }
        int64_t got = host->list(file, listing->bytes + used, capacity - used);
        if (got <= 0) {
            listing->used = (uint32_t)used;
            *out = listing;
            if (got < 0) {
                free(listing);
            }
            return (int)got;
        }
        used += (size_t)got;
    }
}

int outside_list(struct vfs *fs, struct vfs_inode *inode)
{
    const struct vfs_outside *host = host_of(fs);
    const struct place *place = inode->place;
    struct vfs_stat stat;
    uint64_t file = 0;
    int error = host->open(place->mount->number, place->path, place->length, VFS_OPEN_DIRECTORY,
                           &file, &stat);
    if (error) {
        return error == -VFS_ELINK ? -VFS_ENOTDIR : error;
    }
    struct listing *listing = NULL;
    error = read_listing(host, file, &listing);
    host->close(file);
    if (error) {
        return error;
    }
    free(inode->listing);
    inode->listing = listing;
    return 0;
}

bool listing_next(const struct listing *listing, uint32_t *at, struct vfs_dirent *entry)
{
    uint32_t left = listing->used - *at;
    if (left < 2 || left - 2 < listing->bytes[*at + 1]) {
        return false;
    }
    const uint8_t *record = listing->bytes + *at;
    *entry = (struct vfs_dirent){
        .name = (const char *)record + 2,
        .length = record[1],
        .kind = (enum vfs_kind)record[0],
    };
    *at += 2u + record[1];
    return true;
}

int outside_read_directory(struct vfs *fs, struct vfs_inode *directory, uint64_t *cursor,
                           struct vfs_dirent *entry)
{
    if (!*cursor || !directory->listing) {
        int error = outside_list(fs, directory);
        if (error) {
            return error;
        }
    }
    uint32_t at = (uint32_t)*cursor;
    bool found = at <= directory->listing->used && listing_next(directory->listing, &at, entry);
    *cursor = at;
    return found;
}
