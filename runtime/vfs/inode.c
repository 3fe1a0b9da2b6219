/* Life of inodes, the allowance they take from, and the file system as a whole. */
#include "vfs_internal.h"

#include <stdlib.h>
#include <string.h>

int usage_charge(struct vfs *fs, uint64_t bytes)
{
    if (bytes > usage_left(fs)) {
        return -VFS_ENOSPC;
    }
    fs->usage.total_bytes += bytes;
    return 0;
}

void usage_refund(struct vfs *fs, uint64_t bytes)
{
    fs->usage.total_bytes -= bytes;
}

uint64_t usage_left(const struct vfs *fs)
{
    uint64_t limit = fs->limits.total_bytes;
    return limit > fs->usage.total_bytes ? limit - fs->usage.total_bytes : 0;
}

void inode_init(struct vfs *fs, struct vfs_inode *inode, enum vfs_kind kind, struct vfs_time now)
{
    *inode = (struct vfs_inode){
        .number = ++fs->last_number,
        .kind = (uint8_t)kind,
        .accessed = now,
        .modified = now,
        .changed = now,
    };
    fs->usage.inodes++;
}

struct vfs_inode *inode_new(struct vfs *fs, enum vfs_kind kind, int *error)
{
    if (fs->usage.inodes >= fs->limits.inodes) {
        *error = -VFS_ENOSPC;
        return NULL;
    }
    struct vfs_inode *inode = malloc(sizeof *inode);
    if (!inode) {
        *error = -VFS_ENOMEM;
        return NULL;
    }
    inode_init(fs, inode, kind, fs->host.now());
    return inode;
}

static void inode_free(struct vfs *fs, struct vfs_inode *inode)
{
    if (inode_is_outside(inode)) {
        outside_close(fs, inode);
    } else if (inode->kind == VFS_FILE) {
        content_clear(fs, &inode->content);
    } else if (inode->kind == VFS_DIRECTORY) {
        directory_clear(fs, &inode->directory);
    } else if (inode->kind == VFS_SYMLINK) {
        usage_refund(fs, inode->symlink.length);
        free(inode->symlink.target);
    }
    place_free(inode->place);
    free(inode->listing);
    fs->usage.inodes--;
    if (!inode->pooled) {
        free(inode);
    }
}

void inode_settle(struct vfs *fs, struct vfs_inode *inode)
{
    if (!inode->links && !inode->references) {
        inode_free(fs, inode);
    }
}

void inode_touch(struct vfs *fs, struct vfs_inode *inode)
{
    inode->modified = inode->changed = fs->host.now();
}

int inode_attach(struct vfs *fs, struct vfs_inode *parent, const char *name, size_t length,
                 struct vfs_inode *inode)
{
    struct directory_entry *entry = directory_find(&parent->directory, name, length);
    if (entry) {
        entry->inode = inode; /* a whiteout was there */
    } else {
        int error = directory_add(fs, &parent->directory, name, length, inode, true);
        if (error) {
            return error;
        }
    }
    inode->links++;
    if (inode->kind == VFS_DIRECTORY) {
        inode->directory.parent = parent;
        parent->directory.subdirectories++;
    }
    inode_touch(fs, parent);
    return 0;
}

void inode_detach(struct vfs *fs, struct vfs_inode *parent, struct directory_entry *entry)
{
    struct vfs_inode *inode = entry->inode;
    directory_remove(fs, &parent->directory, entry);
    if (!inode_is_whiteout(inode)) {
        inode_unname(fs, parent, inode);
    }
}

void inode_unname(struct vfs *fs, struct vfs_inode *parent, struct vfs_inode *inode)
{
    inode_touch(fs, parent);
    inode->changed = parent->changed;
    inode->links--;
    if (inode->kind == VFS_DIRECTORY) {
        parent->directory.subdirectories--;
        inode->directory.parent = NULL;
    }
    inode_settle(fs, inode);
}

struct vfs *vfs_new(const struct vfs_host *host)
{
    struct vfs *fs = calloc(1, sizeof *fs);
    if (!fs) {
        return NULL;
    }
    fs->host = *host;
    fs->limits = (struct vfs_limits){
        .total_bytes = UINT64_C(1) << 30,
        .file_bytes = UINT64_C(1) << 34,
        .inodes = 1u << 18,
        .open_files = 1000, /* so that libc numbers them below FD_SETSIZE */
    };
    int error = 0;
    fs->root = inode_new(fs, VFS_DIRECTORY, &error);
    if (!fs->root) {
        free(fs);
        return NULL;
    }
    fs->root->links = 1;
    fs->root->directory.parent = fs->root;
    return fs;
}

void free_below(struct vfs *fs, struct vfs_inode *top)
{
    struct vfs_inode *directory = top;
    for (;;) {
        struct directory_entry *entry = directory_last(&directory->directory);
        struct vfs_inode *inode = entry ? entry->inode : NULL;
        if (inode && inode->kind == VFS_DIRECTORY && inode->directory.entries_live) {
            directory = inode;
        } else if (inode) {
            inode_detach(fs, directory, entry);
        } else if (directory != top) {
            directory = directory->directory.parent;
        } else {
            return;
        }
    }
}

void vfs_free(struct vfs *fs)
{
    if (!fs) {
        return;
    }
    vfs_unmount(fs, NULL, NULL);
    free_below(fs, fs->root);
    if (fs->whiteout) {
        fs->whiteout->links = 0;
        inode_settle(fs, fs->whiteout);
    }
    free(fs->link_target);
    fs->root->links = 0;
    inode_settle(fs, fs->root);
    free(fs->pool);
    free(fs);
}

void vfs_set_limits(struct vfs *fs, const struct vfs_limits *limits)
{
    fs->limits = *limits;
}

struct vfs_limits vfs_get_limits(const struct vfs *fs)
{
    return fs->limits;
}

struct vfs_usage vfs_get_usage(const struct vfs *fs)
{
    return fs->usage;
}

struct vfs_inode *vfs_root(struct vfs *fs)
{
    return fs->root;
}

void vfs_retain(struct vfs_inode *inode)
{
    inode->references++;
}

void vfs_release(struct vfs *fs, struct vfs_inode *inode)
{
    inode->references--;
    inode_settle(fs, inode);
}

int vfs_open_again(struct vfs *fs, struct vfs_inode *inode)
{
    if (fs->usage.open_files >= fs->limits.open_files) {
        return -VFS_EMFILE;
    }
    fs->usage.open_files++;
    inode->references++;
    return 0;
}

void vfs_close(struct vfs *fs, struct vfs_inode *inode)
{
    fs->usage.open_files--;
    vfs_release(fs, inode);
}
