/* Changes over a mount. The upper directory of an overlay is inside, and so are the directories,
 * files and links in it that were changed: a `merged` directory shows its own entries, and of the
 * one outside those that it has no entry for. What is only outside is copied before it changes,
 * with the directories that lead there; a name that is removed leaves a whiteout. A directory that
 * has a part outside is not renamed (EXDEV, as Linux's overlay does it), so a place never moves. */
#include "vfs_internal.h"

#include <stdlib.h>
#include <string.h>

enum { COPY_PART = 65536 };

bool inode_is_whiteout(const struct vfs_inode *inode)
{
    return inode->kind == VFS_WHITEOUT;
}

bool overlay_covers(const struct lookup *lookup)
{
    return lookup->mount && lookup->mount->flags & VFS_MOUNT_OVERLAY;
}

int overlay_has_below(struct vfs *fs, const struct vfs_inode *directory, const char *name,
                      size_t length, bool *found)
{
    const struct place *place = directory->place;
    struct vfs_stat stat;
    *found = false;
    if (!directory->merged) {
        return 0;
    }
    char *path = malloc(place->length + 1 + length);
    if (!path) {
        return -VFS_ENOMEM;
    }
    size_t used = place->length;
    memcpy(path, place->path, used);
    if (used) {
        path[used++] = '/';
    }
    memcpy(path + used, name, length);
    int error = outside_stat(fs, place->mount, path, used + length, &stat);
    free(path);
    *found = !error;
    return error == -VFS_ENOENT || error == -VFS_ENAMETOOLONG ? 0 : error;
}

static int add_whiteout(struct vfs *fs, struct vfs_inode *directory, const char *name,
                        size_t length)
{
    int error = directory_add(fs, &directory->directory, name, length, fs->whiteout, true);
    if (!error) {
        inode_touch(fs, directory);
    }
    return error;
}

int overlay_detach(struct vfs *fs, struct vfs_inode *parent, const char *name, size_t length)
{
    bool below;
    int error = overlay_has_below(fs, parent, name, length, &below);
    if (error) {
        return error;
    }
    struct directory_entry *entry = directory_find(&parent->directory, name, length);
    if (entry && below) {
        /* In place of it, which needs no memory. */
        struct vfs_inode *inode = entry->inode;
        entry->inode = fs->whiteout;
        inode_unname(fs, parent, inode);
        return 0;
    }
    if (entry) {
        inode_detach(fs, parent, entry);
        return 0;
    }
    return below ? add_whiteout(fs, parent, name, length) : -VFS_ENOENT;
}

static bool has_live_entry(const struct vfs_inode *directory)
{
    const struct directory *entries = &directory->directory;
    for (uint32_t i = 0; i < entries->entries_used; i++) {
        const struct vfs_inode *inode = entries->entries[i].inode;
        if (inode && !inode_is_whiteout(inode)) {
            return true;
        }
    }
    return false;
}

int overlay_check_empty(struct vfs *fs, struct vfs_inode *directory)
{
    if (has_live_entry(directory)) {
        return -VFS_ENOTEMPTY;
    }
    if (!directory->merged) {
        return 0;
    }
    int error = outside_list(fs, directory);
    struct vfs_dirent entry;
    for (uint32_t at = 0; !error && listing_next(directory->listing, &at, &entry);) {
        if (!directory_find(&directory->directory, entry.name, entry.length)) {
            return -VFS_ENOTEMPTY;
        }
    }
    return error;
}

/* --- Copying ------------------------------------------------------------------------------ */

static struct vfs_inode *merged_directory(struct vfs *fs, struct vfs_mount *mount, const char *path,
                                          size_t length, const struct vfs_stat *stat, int *error)
{
    struct vfs_inode *made = inode_new(fs, VFS_DIRECTORY, error);
    if (!made) {
        return NULL;
    }
    made->place = place_new(mount, path, length);
    made->merged = made->place != NULL;
    made->accessed = stat->accessed;
    made->modified = stat->modified;
    if (!made->place) {
        *error = -VFS_ENOMEM;
        inode_settle(fs, made);
        return NULL;
    }
    return made;
}

static int copy_content(struct vfs *fs, uint64_t file, struct content *content)
{
    const struct vfs_outside *host = fs->host.outside;
    uint8_t *part = malloc(COPY_PART);
    if (!part) {
        return -VFS_ENOMEM;
    }
    int64_t got;
    for (uint64_t at = 0; (got = host->read(file, at, part, COPY_PART)) > 0; at += (uint64_t)got) {
        uint64_t limit = fs->limits.file_bytes;
        int64_t done = at + (uint64_t)got > limit
                           ? -VFS_EFBIG
                           : content_write(fs, content, at, part, (size_t)got);
        if (done != got) {
            got = done < 0 ? done : -VFS_ENOSPC;
            break;
        }
    }
    free(part);
    return got < 0 ? (int)got : 0;
}

static int copy_file(struct vfs *fs, const struct lookup *from, struct vfs_inode *to)
{
    const struct vfs_outside *host = fs->host.outside;
    struct vfs_stat stat;
    uint64_t file;
    int error = host->open(from->mount->number, from->path, from->path_length, 0, &file, &stat);
    if (error) {
        return error == -VFS_ELINK ? -VFS_ELOOP : error;
    }
    error = copy_content(fs, file, &to->content);
    host->close(file);
    to->accessed = stat.accessed;
    to->modified = stat.modified;
    return error;
}

static int copy_link(struct vfs *fs, const struct lookup *from, struct vfs_inode *to)
{
    char *target = NULL;
    size_t length = 0;
    int error = outside_readlink(fs, from->mount, from->path, from->path_length, &target, &length);
    if (!error) {
        error = usage_charge(fs, length);
    }
    if (error) {
        free(target);
        return error;
    }
    to->symlink = (struct symlink){target, (uint32_t)length};
    return 0;
}

/* A copy of what the lookup found, inside and without a name. */
static struct vfs_inode *copy(struct vfs *fs, const struct lookup *from, int *error)
{
    enum vfs_kind kind = from->status.kind;
    if (kind == VFS_DIRECTORY) {
        return merged_directory(fs, from->mount, from->path, from->path_length, &from->status,
                                error);
    }
    if (kind != VFS_FILE && kind != VFS_SYMLINK) {
        *error = -VFS_EACCES;
        return NULL;
    }
    struct vfs_inode *made = inode_new(fs, kind, error);
    if (!made) {
        return NULL;
    }
    *error = kind == VFS_FILE ? copy_file(fs, from, made) : copy_link(fs, from, made);
    if (*error) {
        inode_settle(fs, made);
        return NULL;
    }
    return made;
}

/* The directory at a path of the mount, inside; made where there is none yet. */
static int enter_directory(struct vfs *fs, struct vfs_mount *mount, const char *path, size_t length,
                           struct vfs_inode **out)
{
    struct vfs_inode *at = mount->upper;
    for (size_t start = 0; start < length;) {
        const char *slash = memchr(path + start, '/', length - start);
        size_t end = slash ? (size_t)(slash - path) : length;
        struct directory_entry *entry = directory_find(&at->directory, path + start, end - start);
        struct vfs_inode *next = entry ? entry->inode : NULL;
        if (!next) {
            struct vfs_stat stat;
            int error = outside_stat(fs, mount, path, end, &stat);
            if (!error && stat.kind != VFS_DIRECTORY) {
                error = -VFS_ENOTDIR;
            }
            next = error ? NULL : merged_directory(fs, mount, path, end, &stat, &error);
            if (next) {
                struct vfs_time modified = at->modified;
                error = inode_attach(fs, at, path + start, end - start, next);
                at->modified = modified; /* it had this entry before */
            }
            if (error && next) {
                inode_settle(fs, next);
            }
            if (error) {
                return error;
            }
        }
        if (next->kind != VFS_DIRECTORY) {
            return inode_is_whiteout(next) ? -VFS_ENOENT : -VFS_ENOTDIR;
        }
        at = next;
        start = end + 1;
    }
    *out = at;
    return 0;
}

/* A single file is copied to the mount point, which then is an ordinary file. */
static int enter_file(struct vfs *fs, struct lookup *lookup, bool with_copy)
{
    struct vfs_inode *point = lookup->mount->point;
    int error = content_resize(fs, &point->content, 0);
    if (!error && with_copy) {
        error = copy_file(fs, lookup, point);
    }
    if (!error) {
        point->mount_point = false;
        lookup->inode = point;
        lookup->mount = NULL;
    }
    return error;
}

int overlay_enter(struct vfs *fs, struct lookup *lookup, bool with_copy)
{
    struct vfs_mount *mount = lookup->mount;
    if (mount->flags & VFS_MOUNT_FILE) {
        return enter_file(fs, lookup, with_copy);
    }
    size_t start = lookup->path_length;
    while (start > 0 && lookup->path[start - 1] != '/') {
        start--;
    }
    struct vfs_inode *parent = NULL;
    int error = enter_directory(fs, mount, lookup->path, start ? start - 1 : 0, &parent);
    if (error) {
        return error;
    }
    struct directory_entry *entry =
        directory_find(&parent->directory, lookup->path + start, lookup->path_length - start);
    struct vfs_inode *made = entry && !inode_is_whiteout(entry->inode) ? entry->inode : NULL;
    if (!made && with_copy && lookup->exists) {
        made = copy(fs, lookup, &error);
        if (!made) {
            return error;
        }
        struct vfs_time modified = parent->modified;
        error = inode_attach(fs, parent, lookup->path + start, lookup->path_length - start, made);
        parent->modified = modified;
        if (error) {
            inode_settle(fs, made);
            return error;
        }
    }
    lookup->parent = parent;
    lookup->name = lookup->path + start;
    lookup->name_length = lookup->path_length - start;
    lookup->inode = made;
    lookup->mount = NULL;
    return 0;
}

/* --- Reading merged directories ----------------------------------------------------------- */

struct vfs_inode *overlay_upper(const struct place *place)
{
    struct vfs_inode *at = place->mount->upper;
    for (size_t start = 0; at && start < place->length;) {
        const char *name = place->path + start;
        const char *slash = memchr(name, '/', place->length - start);
        size_t length = slash ? (size_t)(slash - name) : place->length - start;
        struct directory_entry *entry = directory_find(&at->directory, name, length);
        at = entry && entry->inode->kind == VFS_DIRECTORY ? entry->inode : NULL;
        start += length + 1;
    }
    return at && at->merged ? at : NULL;
}

/* A cursor is the order of the last entry inside; then, with the highest bit set, the position in
 * the listing (27 bits) and the order of the last entry inside that was there when that began (36
 * bits). */
#define OUTSIDE_BIT (UINT64_C(1) << 63)
#define ORDER_BITS 36
#define ORDER_MASK ((UINT64_C(1) << ORDER_BITS) - 1)

static bool next_inside(const struct vfs_inode *directory, uint64_t *cursor,
                        struct vfs_dirent *dirent)
{
    const struct directory_entry *entry;
    while ((entry = directory_after(&directory->directory, *cursor))) {
        *cursor = entry->order;
        if (!inode_is_whiteout(entry->inode)) {
            *dirent = (struct vfs_dirent){entry->name, entry->length,
                                          (enum vfs_kind)entry->inode->kind, entry->inode->number};
            return true;
        }
    }
    return false;
}

int overlay_read_directory(struct vfs *fs, struct vfs_inode *directory, uint64_t *cursor,
                           struct vfs_dirent *dirent)
{
    if (!(*cursor & OUTSIDE_BIT)) {
        if (next_inside(directory, cursor, dirent)) {
            return 1;
        }
        int error = outside_list(fs, directory);
        if (error) {
            return error == -VFS_ENOENT ? 0 : error;
        }
        *cursor = OUTSIDE_BIT | (directory->directory.last_order & ORDER_MASK);
    }
    uint64_t limit = *cursor & ORDER_MASK;
    uint32_t at = (uint32_t)((*cursor & ~OUTSIDE_BIT) >> ORDER_BITS);
    while (directory->listing && at <= directory->listing->used &&
           listing_next(directory->listing, &at, dirent)) {
        *cursor = OUTSIDE_BIT | (uint64_t)at << ORDER_BITS | limit;
        struct directory_entry *entry =
            directory_find(&directory->directory, dirent->name, dirent->length);
        if (!entry || (entry->order > limit && !inode_is_whiteout(entry->inode))) {
            return 1;
        }
    }
    return 0;
}
