/* Where mounts are in the tree. A mount point is an inode inside that the lookup goes past: into
 * the mount, or, of an overlay over a directory, into its upper directory, which is inside. */
#include "vfs_internal.h"

#include <stdlib.h>
#include <string.h>

struct place *place_new(struct vfs_mount *mount, const char *path, size_t length)
{
    struct place *place = malloc(sizeof *place + length);
    if (place) {
        place->mount = mount;
        place->length = (uint32_t)length;
        memcpy(place->path, path, length);
        mount->references++;
    }
    return place;
}

static void mount_release(struct vfs_mount *mount)
{
    if (--mount->references == 0) {
        free(mount);
    }
}

void place_free(struct place *place)
{
    if (place) {
        mount_release(place->mount);
        free(place);
    }
}

struct vfs_inode *mount_parent(const struct vfs_mount *mount)
{
    return mount->point->directory.parent;
}

struct vfs_mount *mount_at(const struct vfs *fs, const struct vfs_inode *point)
{
    struct vfs_mount *mount = fs->mounts;
    while (mount && mount->point != point) {
        mount = mount->next;
    }
    return mount;
}

bool lookup_is_mount(const struct lookup *lookup)
{
    if (lookup->mount) {
        return lookup->path_length == 0;
    }
    const struct vfs_inode *inode = lookup->inode;
    return inode && (inode->mount_point || (inode->merged && inode->place->length == 0));
}

/* The directory that a path without links and dots leads to; made where there is none. */
static int make_directories(struct vfs *fs, const char *path, size_t length)
{
    for (size_t end = 1; end <= length; end++) {
        if (end < length && path[end] != '/') {
            continue;
        }
        struct vfs_path part = {fs->root, path, end};
        struct vfs_stat stat;
        int error = vfs_stat_path(fs, part, true, &stat);
        if (error == -VFS_ENOENT) {
            error = vfs_mkdir(fs, part);
        }
        if (error) {
            return error;
        }
    }
    return 0;
}

/* The inode to mount on. */
static int find_point(struct vfs *fs, const char *path, size_t length, bool directory,
                      struct vfs_inode **point)
{
    size_t parent = length;
    while (parent > 0 && path[parent - 1] != '/') {
        parent--;
    }
    int error = make_directories(fs, path, directory ? length : parent ? parent - 1 : 0);
    struct vfs_path at = {fs->root, path, length};
    unsigned flags = directory ? VFS_OPEN_DIRECTORY : VFS_OPEN_CREATE;
    struct vfs_inode *inode = NULL;
    if (!error) {
        error = vfs_open(fs, at, flags, &inode);
    }
    if (error) {
        return error;
    }
    bool fits = !inode->place && inode != fs->root && (inode->kind == VFS_DIRECTORY) == directory &&
                (directory || inode->kind == VFS_FILE);
    vfs_close(fs, inode);
    *point = inode; /* its name keeps it */
    return fits ? 0 : -VFS_EINVAL;
}

/* The mount at a path, which cannot be looked up: that would lead into it. */
static struct vfs_mount *mounted_at(struct vfs *fs, const char *path, size_t length)
{
    for (struct vfs_mount *mount = fs->mounts; mount; mount = mount->next) {
        if (mount->path_length == length && memcmp(mount->path, path, length) == 0) {
            return mount;
        }
    }
    return NULL;
}

static int make_upper(struct vfs *fs, struct vfs_mount *mount)
{
    int error = 0;
    if (!fs->whiteout) {
        fs->whiteout = inode_new(fs, VFS_FILE, &error);
        if (!fs->whiteout) {
            return error;
        }
        fs->whiteout->kind = VFS_WHITEOUT;
        fs->whiteout->links = 1;
    }
    if (mount->flags & VFS_MOUNT_FILE) {
        return 0;
    }
    struct vfs_inode *upper = inode_new(fs, VFS_DIRECTORY, &error);
    if (!upper) {
        return error;
    }
    upper->place = place_new(mount, "", 0);
    if (!upper->place) {
        inode_settle(fs, upper);
        return -VFS_ENOMEM;
    }
    upper->merged = true;
    upper->links = 1;
    upper->directory.parent = mount_parent(mount);
    mount->upper = upper;
    return 0;
}

static void drop_mount(struct vfs *fs, struct vfs_mount *mount)
{
    struct vfs_mount **at = &fs->mounts;
    while (*at != mount) {
        at = &(*at)->next;
    }
    *at = mount->next;
    mount->point->mount_point = false;
    mount->point->references--;
    inode_settle(fs, mount->point);
    mount->point = NULL;
    mount->number = 0;
    if (mount->upper) {
        free_below(fs, mount->upper);
        mount->upper->links = 0;
        mount->upper->directory.parent = NULL;
        inode_settle(fs, mount->upper);
        mount->upper = NULL;
    }
    mount_release(mount);
}

static int add_mount(struct vfs *fs, struct vfs_mount *mount)
{
    struct vfs_inode *point = NULL;
    int error =
        find_point(fs, mount->path, mount->path_length, !(mount->flags & VFS_MOUNT_FILE), &point);
    if (error) {
        mount_release(mount);
        return error;
    }
    mount->point = point;
    mount->next = fs->mounts;
    fs->mounts = mount;
    point->mount_point = true;
    point->references++;
    if (mount->flags & VFS_MOUNT_OVERLAY) {
        error = make_upper(fs, mount);
    }
    if (error) {
        drop_mount(fs, mount);
    }
    return error;
}

int vfs_mount(struct vfs *fs, uint32_t number, unsigned flags, const char *path, size_t length)
{
    if (!fs->host.outside || number == 0 || length < 2 || path[0] != '/' ||
        length >= VFS_PATH_MAX || path[length - 1] == '/') {
        return -VFS_EINVAL;
    }
    struct vfs_mount *known = mounted_at(fs, path, length);
    if (known && known->flags == flags && known->number == number) {
        return 0;
    }
    if (known) {
        drop_mount(fs, known);
    }
    struct vfs_mount *mount = malloc(sizeof *mount + length);
    if (!mount) {
        return -VFS_ENOMEM;
    }
    *mount = (struct vfs_mount){
        .number = number, .references = 1, .flags = (uint8_t)flags, .path_length = length};
    memcpy(mount->path, path, length);
    return add_mount(fs, mount);
}

void vfs_renumber(struct vfs *fs, uint32_t number, unsigned flags, const char *path, size_t length)
{
    struct vfs_mount *known = mounted_at(fs, path, length);
    if (known && known->flags == flags) {
        known->number = number;
    }
}

void vfs_unmount(struct vfs *fs, vfs_keep_fn *keep, void *context)
{
    struct vfs_mount *next;
    for (struct vfs_mount *mount = fs->mounts; mount; mount = next) {
        next = mount->next;
        if (!keep || !keep(mount->number, mount->path, mount->path_length, context)) {
            drop_mount(fs, mount);
        }
    }
}
