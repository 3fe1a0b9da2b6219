/* Puts the read-only archive (archive.h) and the standard directories into a file system.
 * The inodes of the archive come from one array; names and data stay where they are. */
#include "archive.h"
#include "vfs_internal.h"

#include <stdlib.h>
#include <string.h>

struct reader {
    const uint8_t *bytes;
    uint32_t length;
    uint32_t count;
    const struct archive_entry *entries;
};

static bool inside(const struct reader *reader, uint32_t offset, uint32_t length)
{
    return offset <= reader->length && length <= reader->length - offset;
}

static int reader_open(struct reader *reader, const void *archive, size_t length)
{
    const struct archive_header *header = archive;
    if (length < sizeof *header || (uintptr_t)archive % _Alignof(struct archive_header) ||
        memcmp(header->magic, ARCHIVE_MAGIC, sizeof header->magic) != 0 ||
        header->total_bytes > length) {
        return -VFS_EINVAL;
    }
    *reader = (struct reader){
        .bytes = archive,
        .length = header->total_bytes,
        .count = header->entry_count,
        .entries = (const struct archive_entry *)(header + 1),
    };
    if (header->total_bytes < sizeof *header ||
        reader->count > (header->total_bytes - sizeof *header) / sizeof *reader->entries) {
        return -VFS_EINVAL;
    }
    return 0;
}

static bool valid_name(const char *name, size_t length)
{
    bool dots = (length == 1 && name[0] == '.') || (length == 2 && memcmp(name, "..", 2) == 0);
    return length > 0 && length <= VFS_NAME_MAX && !dots && !memchr(name, 0, length);
}

/* The directory an entry belongs to (entries of directories come before what is in them). */
static struct vfs_inode *find_parent(struct vfs *fs, const char *path, size_t length)
{
    struct vfs_inode *directory = fs->root;
    size_t start = 0;
    while (directory && directory->kind == VFS_DIRECTORY && start < length) {
        const char *slash = memchr(path + start, '/', length - start);
        size_t end = slash ? (size_t)(slash - path) : length;
        struct directory_entry *entry =
            directory_find(&directory->directory, path + start, end - start);
        directory = entry ? entry->inode : NULL;
        start = end + 1;
    }
    return directory && directory->kind == VFS_DIRECTORY ? directory : NULL;
}

static int add_entry(struct vfs *fs, const struct reader *reader, const struct archive_entry *entry,
                     struct vfs_inode *inode)
{
    if (!inside(reader, entry->path_offset, entry->path_length) ||
        !inside(reader, entry->data_offset, entry->data_length) ||
        entry->kind > ARCHIVE_DIRECTORY) {
        return -VFS_EINVAL;
    }
    const char *path = (const char *)reader->bytes + entry->path_offset;
    size_t name = entry->path_length;
    while (name > 0 && path[name - 1] != '/') {
        name--;
    }
    size_t length = entry->path_length - name;
    struct vfs_inode *parent = find_parent(fs, path, name ? name - 1 : 0);
    if (!parent || !valid_name(path + name, length)) {
        return -VFS_EINVAL;
    }
    if (directory_find(&parent->directory, path + name, length)) {
        return -VFS_EINVAL;
    }
    int error = directory_add(fs, &parent->directory, path + name, length, inode, false);
    if (error) {
        return error;
    }
    struct vfs_time time = {.seconds = entry->mtime};
    bool directory = entry->kind == ARCHIVE_DIRECTORY;
    inode_init(fs, inode, directory ? VFS_DIRECTORY : VFS_FILE, time);
    inode->pooled = true;
    inode->links = 1;
    if (directory) {
        inode->directory.parent = parent;
        parent->directory.subdirectories++;
    } else {
        inode->content.base = reader->bytes + entry->data_offset;
        inode->content.size = inode->content.base_length = entry->data_length;
    }
    return 0;
}

int vfs_add_archive(struct vfs *fs, const void *archive, size_t length)
{
    struct reader reader;
    int error = reader_open(&reader, archive, length);
    if (error || !reader.count) {
        return error;
    }
    if (fs->pool || reader.count > fs->limits.inodes - fs->usage.inodes) {
        return -VFS_ENOSPC;
    }
    fs->pool = calloc(reader.count, sizeof *fs->pool);
    if (!fs->pool) {
        return -VFS_ENOMEM;
    }
    for (uint32_t i = 0; i < reader.count && !error; i++) {
        error = add_entry(fs, &reader, &reader.entries[i], &fs->pool[i]);
    }
    return error;
}

static int add_device(struct vfs *fs, struct vfs_inode *parent, const char *name,
                      enum vfs_device device)
{
    int error = 0;
    struct vfs_inode *inode = inode_new(fs, VFS_DEVICE, &error);
    if (!inode) {
        return error;
    }
    inode->device = (uint8_t)device;
    error = inode_attach(fs, parent, name, strlen(name), inode);
    inode_settle(fs, inode);
    return error;
}

int vfs_add_standard_tree(struct vfs *fs)
{
    static const char *const directories[] = {"tmp", "home", "home/sandbox", "dev"};
    static const struct {
        const char *name;
        enum vfs_device device;
    } devices[] = {
        {"null", VFS_DEVICE_NULL},      {"zero", VFS_DEVICE_ZERO},   {"random", VFS_DEVICE_RANDOM},
        {"urandom", VFS_DEVICE_RANDOM}, {"stdin", VFS_DEVICE_STDIN}, {"stdout", VFS_DEVICE_STDOUT},
        {"stderr", VFS_DEVICE_STDERR},
    };
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
        int error =
            vfs_mkdir(fs, (struct vfs_path){fs->root, directories[i], strlen(directories[i])});
        if (error) {
            return error;
        }
    }
    struct vfs_inode *parent = find_parent(fs, "dev", 3);
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        int error = add_device(fs, parent, devices[i].name, devices[i].device);
        if (error) {
            return error;
        }
    }
    return 0;
}
