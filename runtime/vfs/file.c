/* Open inodes: opening, data, times and status; devices. */
#include "vfs_internal.h"

#include <string.h>

/* How much is written to a mount at once: the host tells of a lack of space when it comes, and what
 * was written of this part is then not told to the program. */
enum { OUTSIDE_WRITE = 1 << 16 };

static int create_file(struct vfs *fs, const struct lookup *lookup, struct vfs_inode **inode)
{
    if (!lookup->parent->links) {
        return -VFS_ENOENT;
    }
    int error = 0;
    struct vfs_inode *made = inode_new(fs, VFS_FILE, &error);
    if (!made) {
        return error;
    }
    error = inode_attach(fs, lookup->parent, lookup->name, lookup->name_length, made);
    if (error) {
        inode_settle(fs, made);
        return error;
    }
    *inode = made;
    return 0;
}

static int check_existing(const struct lookup *lookup, unsigned flags)
{
    bool found;
    enum vfs_kind kind = lookup_kind(lookup, &found);
    if ((flags & VFS_OPEN_CREATE) && lookup->last == LAST_NAME && lookup->slash) {
        return -VFS_EISDIR;
    }
    if ((flags & VFS_OPEN_CREATE) && (flags & VFS_OPEN_EXCLUSIVE)) {
        return -VFS_EEXIST;
    }
    if (kind == VFS_DIRECTORY) {
        unsigned unfit = VFS_OPEN_CREATE | VFS_OPEN_WRITE | VFS_OPEN_TRUNCATE;
        return flags & unfit ? -VFS_EISDIR : 0;
    }
    if (lookup->slash) {
        return -VFS_ENOTDIR;
    }
    if (flags & VFS_OPEN_DIRECTORY) {
        return -VFS_ENOTDIR;
    }
    return kind == VFS_SYMLINK ? -VFS_ELOOP : 0;
}

static int check_open(const struct lookup *lookup, unsigned flags)
{
    bool found;
    lookup_kind(lookup, &found);
    if (found) {
        return check_existing(lookup, flags);
    }
    if (!(flags & VFS_OPEN_CREATE)) {
        return -VFS_ENOENT;
    }
    return flags & VFS_OPEN_DIRECTORY ? -VFS_EINVAL : lookup->slash ? -VFS_EISDIR : 0;
}

static int open_found(struct vfs *fs, struct lookup *lookup, unsigned flags)
{
    int error = check_open(lookup, flags);
    if (error) {
        return error;
    }
    bool writes = !lookup->exists || flags & (VFS_OPEN_WRITE | VFS_OPEN_TRUNCATE);
    if (overlay_covers(lookup) && writes) {
        error = overlay_enter(fs, lookup, !(flags & VFS_OPEN_TRUNCATE));
        if (error) {
            return error;
        }
    }
    if (lookup->mount) {
        return outside_open(fs, lookup, flags, &lookup->inode);
    }
    if (!lookup->inode) {
        return create_file(fs, lookup, &lookup->inode);
    }
    if ((flags & VFS_OPEN_TRUNCATE) && lookup->inode->kind == VFS_FILE) {
        error = vfs_truncate(fs, lookup->inode, 0);
    }
    return error;
}

static enum lookup_mode open_mode(unsigned flags)
{
    if (flags & VFS_OPEN_CREATE) {
        bool itself = flags & (VFS_OPEN_EXCLUSIVE | VFS_OPEN_NOFOLLOW);
        return itself ? LOOKUP_NAME : LOOKUP_CREATE;
    }
    return flags & VFS_OPEN_NOFOLLOW ? LOOKUP_LINK : LOOKUP_FOLLOW;
}

int vfs_open(struct vfs *fs, struct vfs_path path, unsigned flags, struct vfs_inode **inode)
{
    if (fs->usage.open_files >= fs->limits.open_files) {
        return -VFS_EMFILE;
    }
    struct lookup lookup;
    bool reads = !(flags & ~(unsigned)VFS_OPEN_NOFOLLOW);
    int error = reads ? lookup_open(fs, path, open_mode(flags), &lookup)
                      : lookup_begin(fs, path, open_mode(flags), &lookup);
    if (error) {
        return error;
    }
    error = open_found(fs, &lookup, flags);
    if (lookup.file) {
        fs->host.outside->close(lookup.file); /* could not be taken over */
    }
    if (!error) {
        lookup.inode->references++;
        fs->usage.open_files++;
        *inode = lookup.inode;
    }
    lookup_end(&lookup);
    return error;
}

static int64_t device_read(struct vfs *fs, enum vfs_device device, void *buffer, size_t length)
{
    switch (device) {
    case VFS_DEVICE_NULL:
        return 0;
    case VFS_DEVICE_ZERO:
        memset(buffer, 0, length);
        return (int64_t)length;
    default:
        return fs->host.device_read(device, buffer, length);
    }
}

int64_t vfs_read(struct vfs *fs, struct vfs_inode *inode, uint64_t offset, void *buffer,
                 size_t length)
{
    if (inode_is_outside(inode)) {
        return outside_read(fs, inode, offset, buffer, length);
    }
    switch ((enum vfs_kind)inode->kind) {
    case VFS_FILE:
        return content_read(&inode->content, offset, buffer, length);
    case VFS_DEVICE:
        return device_read(fs, (enum vfs_device)inode->device, buffer, length);
    case VFS_DIRECTORY:
        return -VFS_EISDIR;
    default:
        return -VFS_EINVAL;
    }
}

int64_t vfs_write(struct vfs *fs, struct vfs_inode *inode, uint64_t offset, const void *buffer,
                  size_t length)
{
    if (inode->kind == VFS_DEVICE) {
        if (inode->device == VFS_DEVICE_NULL || inode->device == VFS_DEVICE_ZERO) {
            return (int64_t)length;
        }
        return fs->host.device_write((enum vfs_device)inode->device, buffer, length);
    }
    if (inode_is_outside(inode)) {
        return outside_write(fs, inode, offset, buffer, length);
    }
    if (inode->kind != VFS_FILE) {
        return inode->kind == VFS_DIRECTORY ? -VFS_EISDIR : -VFS_EINVAL;
    }
    if (!length) {
        return 0;
    }
    uint64_t limit = fs->limits.file_bytes;
    if (offset >= limit) {
        return -VFS_EFBIG;
    }
    if (length > limit - offset) {
        length = (size_t)(limit - offset);
    }
    int64_t written = content_write(fs, &inode->content, offset, buffer, length);
    if (written > 0) {
        inode_touch(fs, inode);
    }
    return written;
}

uint64_t vfs_write_room(const struct vfs *fs, const struct vfs_inode *inode, uint64_t offset,
                        uint64_t length)
{
    if (inode_is_outside(inode)) {
        return length < OUTSIDE_WRITE ? length : OUTSIDE_WRITE;
    }
    if (inode->kind != VFS_FILE) {
        return length;
    }
    uint64_t limit = fs->limits.file_bytes;
    if (offset >= limit) {
        return 0;
    }
    if (length > limit - offset) {
        length = limit - offset;
    }
    return content_room(fs, &inode->content, offset, length);
}

int vfs_truncate(struct vfs *fs, struct vfs_inode *inode, uint64_t size)
{
    if (inode_is_outside(inode)) {
        return outside_resize(fs, inode, size);
    }
    if (inode->kind != VFS_FILE) {
        return inode->kind == VFS_DIRECTORY ? -VFS_EISDIR : -VFS_EINVAL;
    }
    if (size > fs->limits.file_bytes) {
        return -VFS_EFBIG;
    }
    int error = content_resize(fs, &inode->content, size);
    if (!error) {
        inode_touch(fs, inode);
    }
    return error;
}

int vfs_sync(struct vfs *fs, struct vfs_inode *inode)
{
    return inode_is_outside(inode) ? outside_sync(fs, inode) : 0;
}

bool vfs_is_outside(const struct vfs_inode *inode)
{
    return inode_is_outside(inode);
}

uint64_t vfs_outside_number(const struct vfs_inode *inode)
{
    return inode_is_outside(inode) && inode->kind == VFS_FILE ? inode->outside.file : 0;
}

enum vfs_kind vfs_kind(const struct vfs_inode *inode)
{
    return (enum vfs_kind)inode->kind;
}

struct vfs_stat vfs_stat(const struct vfs_inode *inode)
{
    struct vfs_stat stat = {
        .inode = inode->number,
        .links = inode->links,
        .kind = (enum vfs_kind)inode->kind,
        .accessed = inode->accessed,
        .modified = inode->modified,
        .changed = inode->changed,
    };
    if (inode->kind == VFS_FILE) {
        stat.size = inode->content.size;
    } else if (inode->kind == VFS_SYMLINK) {
        stat.size = inode->symlink.length;
    } else if (inode->kind == VFS_DIRECTORY) {
        /* Its own `.` and the `..` of each subdirectory count as names. */
        stat.links = inode->links ? 2 + inode->directory.subdirectories : 0;
    }
    return stat;
}

int vfs_status(struct vfs *fs, struct vfs_inode *inode, struct vfs_stat *stat)
{
    if (inode_is_outside(inode)) {
        return outside_status(fs, inode, stat);
    }
    *stat = vfs_stat(inode);
    return 0;
}

/* What a path names, without opening it. After success, lookup_end must be called. */
static int find(struct vfs *fs, struct vfs_path path, bool follow, struct lookup *lookup)
{
    int error = lookup_begin(fs, path, follow ? LOOKUP_FOLLOW : LOOKUP_LINK, lookup);
    if (error) {
        return error;
    }
    bool found;
    enum vfs_kind kind = lookup_kind(lookup, &found);
    if (!found) {
        error = -VFS_ENOENT;
    } else if (lookup->slash && kind != VFS_DIRECTORY) {
        error = -VFS_ENOTDIR;
    }
    if (error) {
        lookup_end(lookup);
    }
    return error;
}

int vfs_stat_path(struct vfs *fs, struct vfs_path path, bool follow, struct vfs_stat *stat)
{
    struct lookup lookup;
    int error = find(fs, path, follow, &lookup);
    if (!error) {
        *stat = lookup.mount ? lookup.status : vfs_stat(lookup.inode);
        lookup_end(&lookup);
    }
    return error;
}

static bool are_times(const struct vfs_time *accessed, const struct vfs_time *modified)
{
    return (!accessed || accessed->nanoseconds <= 999999999) &&
           (!modified || modified->nanoseconds <= 999999999);
}

int vfs_set_times(struct vfs *fs, struct vfs_inode *inode, const struct vfs_time *accessed,
                  const struct vfs_time *modified)
{
    if (!are_times(accessed, modified)) {
        return -VFS_EINVAL;
    }
    if (inode_is_outside(inode)) {
        const struct place *place = inode->place;
        return outside_set_times(fs, place->mount, place->path, place->length, accessed, modified);
    }
    if (accessed) {
        inode->accessed = *accessed;
    }
    if (modified) {
        inode->modified = *modified;
    }
    if (accessed || modified) {
        inode->changed = fs->host.now();
    }
    return 0;
}

int vfs_set_times_path(struct vfs *fs, struct vfs_path path, bool follow,
                       const struct vfs_time *accessed, const struct vfs_time *modified)
{
    struct lookup lookup;
    int error = find(fs, path, follow, &lookup);
    if (error) {
        return error;
    }
    if (overlay_covers(&lookup)) {
        error = overlay_enter(fs, &lookup, true);
    }
    if (!error && !lookup.mount) {
        error = vfs_set_times(fs, lookup.inode, accessed, modified);
    } else if (error) {
        /* not copied */
    } else if (!are_times(accessed, modified)) {
        error = -VFS_EINVAL;
    } else {
        error = outside_set_times(fs, lookup.mount, lookup.path, lookup.path_length, accessed,
                                  modified);
    }
    lookup_end(&lookup);
    return error;
}
