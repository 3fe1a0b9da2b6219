/* Files of the sandbox for the host, between executions: one exported function for all of
 * <eryx/fs.h>, called by src/abi/files.c. It uses nothing of Python. What it gives beside the
 * result lies in the arena (docs/architecture.md, section 5). */
#include <stdlib.h>
#include <string.h>

#include "abi/memory.h"
#include "mounts.h"
#include "wasi.h"
#include "wasi_internal.h"

enum file_operation {
    FILE_STAT = 1, /* a struct mount_stat */
    FILE_READ,     /* some bytes from the offset on; 0: the end */
    FILE_CREATE,   /* an empty file, in place of what there is */
    FILE_WRITE,    /* all of the data at the offset, or an error */
    FILE_LIST,     /* the next cursor (8 bytes), then entries: kind, length of the name, name */
    FILE_MKDIR,
    FILE_UNLINK,
    FILE_RMDIR,
    FILE_READLINK,
    FILE_SET_TIME /* of modification; the offset is nanoseconds since 1970 */
};

enum { PART_BYTES = 1 << 18, LIST_BYTES = 1 << 16, CURSOR_BYTES = 8 };

static struct vfs_path path_of(const char *text, uint32_t length)
{
    return (struct vfs_path){vfs_root(wasi_file_system()), text, length};
}

static int64_t stat_file(struct vfs_path path)
{
    struct vfs_stat stat;
    int error = vfs_stat_path(wasi_file_system(), path, false, &stat);
    if (error) {
        return error;
    }
    struct mount_stat out = {
        .kind = stat.kind,
        .links = stat.links,
        .inode = stat.inode,
        .size = stat.size,
        .seconds = {stat.accessed.seconds, stat.modified.seconds, stat.changed.seconds},
        .nanoseconds = {stat.accessed.nanoseconds, stat.modified.nanoseconds,
                        stat.changed.nanoseconds},
    };
    memcpy((void *)eryx_arena.ptr, &out, sizeof out);
    return sizeof out;
}

/* Devices and the like are not for the host: reading them might wait. */
static int open_file(struct vfs_path path, unsigned flags, struct vfs_inode **inode)
{
    struct vfs *fs = wasi_file_system();
    int error = vfs_open(fs, path, flags, inode);
    if (!error && vfs_kind(*inode) != VFS_FILE) {
        error = vfs_kind(*inode) == VFS_DIRECTORY ? -VFS_EISDIR : -VFS_EACCES;
        vfs_close(fs, *inode);
    }
    return error;
}

static int64_t read_file(struct vfs_path path, uint64_t offset)
{
    struct vfs_inode *inode = NULL;
    int error = open_file(path, 0, &inode);
    if (error) {
        return error;
    }
    int64_t count = vfs_read(wasi_file_system(), inode, offset, (void *)eryx_arena.ptr, PART_BYTES);
    vfs_close(wasi_file_system(), inode);
    return count;
}

static int64_t create_file(struct vfs_path path)
{
    struct vfs_inode *inode = NULL;
    int error = open_file(path, VFS_OPEN_CREATE | VFS_OPEN_TRUNCATE | VFS_OPEN_WRITE, &inode);
    if (!error) {
        vfs_close(wasi_file_system(), inode);
    }
    return error;
}

static int64_t write_file(struct vfs_path path, uint64_t offset, const uint8_t *data,
                          uint32_t length)
{
    struct vfs_inode *inode = NULL;
    int error = open_file(path, VFS_OPEN_WRITE, &inode);
    if (error) {
        return error;
    }
    int64_t count = 0;
    for (uint32_t done = 0; done < length && count >= 0; done += (uint32_t)count) {
        count = vfs_write(wasi_file_system(), inode, offset + done, data + done, length - done);
    }
    vfs_close(wasi_file_system(), inode);
    return count < 0 ? count : 0;
}

static int64_t list_open(struct vfs_inode *directory, uint64_t cursor)
{
    uint8_t *out = (uint8_t *)eryx_arena.ptr;
    uint32_t used = CURSOR_BYTES;
    struct vfs_dirent entry;
    uint64_t next = cursor;
    int found;
    while ((found = vfs_read_directory(wasi_file_system(), directory, &next, &entry)) > 0 &&
           used + 2 + entry.length <= LIST_BYTES) {
        out[used] = (uint8_t)entry.kind;
        out[used + 1] = (uint8_t)entry.length;
        memcpy(out + used + 2, entry.name, entry.length);
        used += 2 + entry.length;
        cursor = next;
    }
    memcpy(out, &cursor, sizeof cursor);
    return found < 0 ? found : used;
}

static int64_t list_directory(struct vfs_path path, uint64_t cursor)
{
    struct vfs_inode *inode = NULL;
    int error = vfs_open(wasi_file_system(), path, VFS_OPEN_DIRECTORY, &inode);
    if (error) {
        return error;
    }
    int64_t result = list_open(inode, cursor);
    vfs_close(wasi_file_system(), inode);
    return result;
}

static int64_t read_link(struct vfs_path path)
{
    const char *target;
    size_t length;
    int error = vfs_readlink(wasi_file_system(), path, &target, &length);
    if (error) {
        return error;
    }
    memcpy((void *)eryx_arena.ptr, target, length);
    return (int64_t)length;
}

static int64_t set_time(struct vfs_path path, uint64_t nanoseconds)
{
    struct vfs_time time = {(int64_t)(nanoseconds / 1000000000),
                            (uint32_t)(nanoseconds % 1000000000)};
    return vfs_set_times_path(wasi_file_system(), path, false, &time, &time);
}

static int64_t operate(enum file_operation operation, struct vfs_path path, uint64_t offset,
                       const uint8_t *data, uint32_t length)
{
    struct vfs *fs = wasi_file_system();
    switch (operation) {
    case FILE_STAT:
        return stat_file(path);
    case FILE_READ:
        return read_file(path, offset);
    case FILE_CREATE:
        return create_file(path);
    case FILE_WRITE:
        return write_file(path, offset, data, length);
    case FILE_LIST:
        return list_directory(path, offset);
    case FILE_MKDIR:
        return vfs_mkdir(fs, path);
    case FILE_UNLINK:
        return vfs_unlink(fs, path);
    case FILE_RMDIR:
        return vfs_rmdir(fs, path);
    case FILE_READLINK:
        return read_link(path);
    case FILE_SET_TIME:
        return set_time(path, offset);
    }
    return -VFS_EINVAL;
}

/* Takes path and data, which the host has put into memory from cabi_realloc. The count of bytes in
 * the arena, or the negative of a vfs_error. */
WASI_EXPORT("eryx_file_call")
int32_t eryx_file_call(uint32_t operation, char *path, uint32_t path_length, uint64_t offset,
                       uint8_t *data, uint32_t length)
{
    int64_t result = -VFS_ENOMEM;
    if (abi_arena_reserve(PART_BYTES)) {
        result = operate((enum file_operation)operation, path_of(path, path_length), offset, data,
                         length);
    }
    if (path_length) {
        free(path);
    }
    if (length) {
        free(data);
    }
    return (int32_t)result;
}
