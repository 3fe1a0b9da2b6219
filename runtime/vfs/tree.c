/* Operations on names: directories, links, removing, reading directories. */
#include "vfs_internal.h"

#include <stdlib.h>
#include <string.h>

/* Whether a new name can be made where the lookup ended. `directory`: for a directory, so that
 * a trailing slash is fine. */
static int check_free(const struct lookup *lookup, bool directory)
{
    bool found;
    lookup_kind(lookup, &found);
    if (found) {
        return -VFS_EEXIST;
    }
    if (lookup->slash && !directory) {
        return -VFS_ENOENT;
    }
    return lookup->mount || lookup->parent->links ? 0 : -VFS_ENOENT;
}

/* Checks that, and makes sure that the directory can be changed. */
static int enter_free(struct vfs *fs, struct lookup *lookup, bool directory)
{
    int error = check_free(lookup, directory);
    if (!error && overlay_covers(lookup)) {
        error = overlay_enter(fs, lookup, false);
    }
    return error;
}

static int make_named(struct vfs *fs, const struct lookup *lookup, enum vfs_kind kind,
                      struct vfs_inode **made)
{
    int error = 0;
    struct vfs_inode *inode = inode_new(fs, kind, &error);
    if (!inode) {
        return error;
    }
    error = inode_attach(fs, lookup->parent, lookup->name, lookup->name_length, inode);
    if (error) {
        inode_settle(fs, inode);
        return error;
    }
    *made = inode;
    return 0;
}

int vfs_mkdir(struct vfs *fs, struct vfs_path path)
{
    struct lookup lookup;
    int error = lookup_begin(fs, path, LOOKUP_NAME, &lookup);
    if (error) {
        return error;
    }
    struct vfs_inode *made = NULL;
    error = enter_free(fs, &lookup, true);
    if (!error && lookup.mount) {
        error = outside_change(fs, VFS_CHANGE_MKDIR, &lookup);
    } else if (!error) {
        error = make_named(fs, &lookup, VFS_DIRECTORY, &made);
    }
    lookup_end(&lookup);
    return error;
}

static int make_symlink(struct vfs *fs, const struct lookup *lookup, const char *target,
                        size_t length)
{
    int error = usage_charge(fs, length);
    if (error) {
        return error;
    }
    char *copy = malloc(length);
    struct vfs_inode *made = NULL;
    error = copy ? make_named(fs, lookup, VFS_SYMLINK, &made) : -VFS_ENOMEM;
    if (error) {
        free(copy);
        usage_refund(fs, length);
        return error;
    }
    memcpy(copy, target, length);
    made->symlink = (struct symlink){copy, (uint32_t)length};
    return 0;
}

int vfs_symlink(struct vfs *fs, const char *target, size_t length, struct vfs_path path)
{
    if (length == 0) {
        return -VFS_ENOENT;
    }
    if (length >= VFS_PATH_MAX) {
        return -VFS_ENAMETOOLONG;
    }
    if (memchr(target, 0, length)) {
        return -VFS_EINVAL;
    }
    struct lookup lookup;
    int error = lookup_begin(fs, path, LOOKUP_NAME, &lookup);
    if (error) {
        return error;
    }
    error = enter_free(fs, &lookup, false);
    if (!error) {
        error = lookup.mount ? outside_symlink(fs, &lookup, target, length)
                             : make_symlink(fs, &lookup, target, length);
    }
    lookup_end(&lookup);
    return error;
}

/* A link outside is read to a buffer that lives until the next one is. */
static int readlink_outside(struct vfs *fs, const struct lookup *lookup, const char **target,
                            size_t *length)
{
    char *text = NULL;
    int error =
        outside_readlink(fs, lookup->mount, lookup->path, lookup->path_length, &text, length);
    if (!error) {
        free(fs->link_target);
        *target = fs->link_target = text;
    }
    return error;
}

int vfs_readlink(struct vfs *fs, struct vfs_path path, const char **target, size_t *length)
{
    struct lookup lookup;
    int error = lookup_begin(fs, path, LOOKUP_LINK, &lookup);
    if (error) {
        return error;
    }
    bool found;
    enum vfs_kind kind = lookup_kind(&lookup, &found);
    if (!found) {
        error = -VFS_ENOENT;
    } else if (kind != VFS_SYMLINK) {
        error = lookup.slash && kind != VFS_DIRECTORY ? -VFS_ENOTDIR : -VFS_EINVAL;
    } else if (lookup.mount) {
        error = readlink_outside(fs, &lookup, target, length);
    } else {
        *target = lookup.inode->symlink.target;
        *length = lookup.inode->symlink.length;
    }
    lookup_end(&lookup);
    return error;
}

static int link_found(struct vfs *fs, struct lookup *from, struct lookup *to)
{
    bool found;
    int error = check_free(to, false);
    if (error) {
        return error;
    }
    if (lookup_kind(from, &found) == VFS_DIRECTORY) {
        return -VFS_EPERM;
    }
    if (overlay_covers(to) && (!from->mount || overlay_covers(from))) {
        error = overlay_enter(fs, to, false);
    }
    if (!error && overlay_covers(from) && !to->mount) {
        error = overlay_enter(fs, from, true);
    }
    if (error) {
        return error;
    }
    if (from->mount && to->mount) {
        return outside_change_two(fs, VFS_CHANGE_LINK, from, to);
    }
    if (from->mount || to->mount) {
        return -VFS_EXDEV;
    }
    if (from->inode->links >= VFS_LINK_MAX) {
        return -VFS_EMLINK;
    }
    error = inode_attach(fs, to->parent, to->name, to->name_length, from->inode);
    if (!error) {
        from->inode->changed = to->parent->changed;
    }
    return error;
}

int vfs_link(struct vfs *fs, struct vfs_path from, bool follow, struct vfs_path to)
{
    struct lookup old, new;
    int error = lookup_begin(fs, from, follow ? LOOKUP_FOLLOW : LOOKUP_LINK, &old);
    if (error) {
        return error;
    }
    bool found;
    enum vfs_kind kind = lookup_kind(&old, &found);
    if (!found) {
        error = -VFS_ENOENT;
    } else if (old.slash && kind != VFS_DIRECTORY) {
        error = -VFS_ENOTDIR;
    } else {
        error = lookup_begin(fs, to, LOOKUP_NAME, &new);
    }
    if (!error) {
        error = link_found(fs, &old, &new);
        lookup_end(&new);
    }
    lookup_end(&old);
    return error;
}

int vfs_unlink(struct vfs *fs, struct vfs_path path)
{
    struct lookup lookup;
    int error = lookup_begin(fs, path, LOOKUP_NAME, &lookup);
    if (error) {
        return error;
    }
    if (overlay_covers(&lookup)) {
        error = outside_check(VFS_CHANGE_UNLINK, &lookup);
        if (!error) {
            error = overlay_enter(fs, &lookup, false);
        }
        if (!error) {
            error = overlay_detach(fs, lookup.parent, lookup.name, lookup.name_length);
        }
    } else if (lookup.mount) {
        error = outside_change(fs, VFS_CHANGE_UNLINK, &lookup);
    } else if (lookup_is_mount(&lookup)) {
        error = -VFS_EBUSY;
    } else if (!lookup.inode) {
        error = -VFS_ENOENT;
    } else if (lookup.inode->kind == VFS_DIRECTORY) {
        error = -VFS_EISDIR;
    } else if (lookup.slash) {
        error = -VFS_ENOTDIR;
    } else {
        error = overlay_detach(fs, lookup.parent, lookup.name, lookup.name_length);
    }
    lookup_end(&lookup);
    return error;
}

static int check_rmdir(struct vfs *fs, const struct lookup *lookup)
{
    switch (lookup->last) {
    case LAST_DOT:
        return -VFS_EINVAL;
    case LAST_DOTDOT:
        return -VFS_ENOTEMPTY;
    case LAST_ROOT:
        return -VFS_EBUSY;
    case LAST_NAME:
        break;
    }
    if (!lookup->inode) {
        return -VFS_ENOENT;
    }
    if (lookup->inode->kind != VFS_DIRECTORY) {
        return -VFS_ENOTDIR;
    }
    if (lookup_is_mount(lookup)) {
        return -VFS_EBUSY;
    }
    return overlay_check_empty(fs, lookup->inode);
}

int vfs_rmdir(struct vfs *fs, struct vfs_path path)
{
    struct lookup lookup;
    int error = lookup_begin(fs, path, LOOKUP_NAME, &lookup);
    if (error) {
        return error;
    }
    if (overlay_covers(&lookup)) {
        error = outside_check(VFS_CHANGE_RMDIR, &lookup);
        if (!error) {
            error = overlay_enter(fs, &lookup, true);
        }
    }
    if (!error && lookup.mount) {
        error = outside_change(fs, VFS_CHANGE_RMDIR, &lookup);
    } else if (!error) {
        error = check_rmdir(fs, &lookup);
        if (!error) {
            error = overlay_detach(fs, lookup.parent, lookup.name, lookup.name_length);
        }
    }
    lookup_end(&lookup);
    return error;
}

int vfs_read_directory(struct vfs *fs, struct vfs_inode *directory, uint64_t *cursor,
                       struct vfs_dirent *dirent)
{
    if (directory->kind != VFS_DIRECTORY) {
        return -VFS_ENOTDIR;
    }
    if (inode_is_outside(directory)) {
        struct vfs_inode *upper = overlay_upper(directory->place);
        if (!upper) {
            return outside_read_directory(fs, directory, cursor, dirent);
        }
        directory = upper;
    }
    if (directory->merged) {
        return overlay_read_directory(fs, directory, cursor, dirent);
    }
    const struct directory_entry *entry = directory_after(&directory->directory, *cursor);
    if (!entry) {
        return 0;
    }
    *cursor = entry->order;
    *dirent = (struct vfs_dirent){
        .name = entry->name,
        .length = entry->length,
        .kind = (enum vfs_kind)entry->inode->kind,
        .inode = entry->inode->number,
    };
    return 1;
}

static const struct directory_entry *name_in_parent(const struct vfs_inode *directory)
{
    const struct directory *parent = &directory->directory.parent->directory;
    for (uint32_t i = 0; i < parent->entries_used; i++) {
        if (parent->entries[i].inode == directory) {
            return &parent->entries[i];
        }
    }
    return NULL;
}

/* Puts `/` and the text in front of what begins at *start. */
static bool prepend(char *buffer, size_t *start, const char *text, size_t length)
{
    if (*start < length + 1) {
        return false;
    }
    *start -= length;
    memcpy(buffer + *start, text, length);
    buffer[--*start] = '/';
    return true;
}

/* The directory inside that the path goes on with: past mounts, to their points. */
static struct vfs_inode *skip_mount(struct vfs_inode *directory, char *buffer, size_t *start,
                                    int *error)
{
    const struct place *place = directory->place;
    if (!place || (directory->merged && place->length)) {
        return directory;
    }
    if (place->length && !prepend(buffer, start, place->path, place->length)) {
        *error = -VFS_ENAMETOOLONG;
    } else if (!place->mount->point) {
        *error = -VFS_ENOENT;
    }
    return place->mount->point;
}

int vfs_directory_path(struct vfs *fs, struct vfs_inode *directory, char *buffer, size_t capacity)
{
    if (directory->kind != VFS_DIRECTORY) {
        return -VFS_ENOTDIR;
    }
    size_t start = capacity; /* built from the end */
    int error = 0;
    for (struct vfs_inode *at = directory; at != fs->root; at = at->directory.parent) {
        at = skip_mount(at, buffer, &start, &error);
        const struct directory_entry *entry =
            !error && at->directory.parent ? name_in_parent(at) : NULL;
        if (!entry) {
            return error ? error : -VFS_ENOENT;
        }
        if (!prepend(buffer, &start, entry->name, entry->length)) {
            return -VFS_ENAMETOOLONG;
        }
    }
    if (start == capacity) {
        if (!capacity) {
            return -VFS_ENAMETOOLONG;
        }
        buffer[--start] = '/';
    }
    memmove(buffer, buffer + start, capacity - start);
    return (int)(capacity - start);
}
