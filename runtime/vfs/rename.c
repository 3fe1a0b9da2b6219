/* Renaming, with all that can be wrong with it, in the order in which Linux says so. */
#include "vfs_internal.h"

#include <string.h>

/* The entry behind a lookup that ended in a name. */
static struct directory_entry *entry_of(const struct lookup *lookup)
{
    return directory_find(&lookup->parent->directory, lookup->name, lookup->name_length);
}

static bool is_below(const struct vfs_inode *inode, const struct vfs_inode *top)
{
    while (inode && inode != top && inode->directory.parent != inode) {
        inode = inode->directory.parent;
    }
    return inode == top;
}

static int check_rename(struct vfs *fs, const struct lookup *from, const struct lookup *to)
{
    if (from->last != LAST_NAME || to->last != LAST_NAME) {
        return -VFS_EBUSY;
    }
    bool found;
    bool directory = lookup_kind(from, &found) == VFS_DIRECTORY;
    if (!found) {
        return -VFS_ENOENT;
    }
    if (!directory && (from->slash || to->slash)) {
        return -VFS_ENOTDIR;
    }
    if (lookup_is_mount(from) || lookup_is_mount(to)) {
        return -VFS_EBUSY;
    }
    if (from->mount || to->mount) {
        return from->mount && to->mount ? 0 : -VFS_EXDEV;
    }
    if (directory && from->inode->merged) {
        return -VFS_EXDEV;
    }
    if (directory && is_below(to->parent, from->inode)) {
        return -VFS_EINVAL;
    }
    if (!to->inode) {
        return to->parent->links ? 0 : -VFS_ENOENT;
    }
    if (to->inode->kind == VFS_DIRECTORY && is_below(from->parent, to->inode)) {
        return -VFS_ENOTEMPTY;
    }
    if (to->inode == from->inode) {
        return 0;
    }
    if (directory && to->inode->kind != VFS_DIRECTORY) {
        return -VFS_ENOTDIR;
    }
    if (!directory && to->inode->kind == VFS_DIRECTORY) {
        return -VFS_EISDIR;
    }
    return directory ? overlay_check_empty(fs, to->inode) : 0;
}

/* Puts the inode behind an existing name, and lets go of what was there. */
static void replace_target(struct vfs *fs, const struct lookup *to, struct vfs_inode *inode)
{
    struct vfs_inode *replaced = to->inode;
    entry_of(to)->inode = inode;
    inode->links++;
    replaced->links--;
    replaced->changed = fs->host.now();
    if (inode->kind == VFS_DIRECTORY) {
        replaced->directory.parent = NULL;
        inode->directory.parent = to->parent;
    }
    inode_touch(fs, to->parent);
    inode_settle(fs, replaced);
}

/* Over a mount: brings inside what will change. What cannot be renamed is left to check_rename. */
static int enter_rename(struct vfs *fs, struct lookup *from, struct lookup *to)
{
    bool found, replaces;
    bool directory = lookup_kind(from, &found) == VFS_DIRECTORY;
    bool onto_directory = lookup_kind(to, &replaces) == VFS_DIRECTORY;
    bool inside = (!from->mount || overlay_covers(from)) && (!to->mount || overlay_covers(to));
    if (!inside || !found || from->last != LAST_NAME || to->last != LAST_NAME ||
        lookup_is_mount(from) || lookup_is_mount(to)) {
        return 0;
    }
    if (directory && from->mount) {
        return -VFS_EXDEV;
    }
    int error = from->mount ? overlay_enter(fs, from, true) : 0;
    if (!error && to->mount) {
        /* A file that is replaced by another need not be copied. */
        error = overlay_enter(fs, to, onto_directory || (replaces && directory));
    }
    return error;
}

static int rename_found(struct vfs *fs, struct lookup *from, struct lookup *to)
{
    int error = overlay_covers(from) || overlay_covers(to) ? enter_rename(fs, from, to) : 0;
    if (!error) {
        error = check_rename(fs, from, to);
    }
    if (!error && from->mount) {
        return outside_change_two(fs, VFS_CHANGE_RENAME, from, to);
    }
    if (error || to->inode == from->inode) {
        return error;
    }
    struct vfs_inode *inode = from->inode;
    bool below;
    error = overlay_has_below(fs, from->parent, from->name, from->name_length, &below);
    if (error) {
        return error;
    }
    if (to->inode) {
        replace_target(fs, to, inode);
    } else {
        error = inode_attach(fs, to->parent, to->name, to->name_length, inode);
        if (error) {
            return error;
        }
    }
    if (below) {
        entry_of(from)->inode = fs->whiteout;
    } else {
        directory_remove(fs, &from->parent->directory, entry_of(from));
    }
    inode->links--;
    if (inode->kind == VFS_DIRECTORY) {
        from->parent->directory.subdirectories--;
    }
    inode_touch(fs, from->parent);
    inode->changed = from->parent->changed;
    return 0;
}

int vfs_rename(struct vfs *fs, struct vfs_path from, struct vfs_path to)
{
    struct lookup old, new;
    int error = lookup_begin(fs, from, LOOKUP_NAME, &old);
    if (error) {
        return error;
    }
    error = lookup_begin(fs, to, LOOKUP_NAME, &new);
    if (!error) {
        error = rename_found(fs, &old, &new);
        lookup_end(&new);
    }
    lookup_end(&old);
    return error;
}
