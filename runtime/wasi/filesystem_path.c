/* wasi:filesystem/types, part 2: status and times, and operations on paths relative to an open
 * directory. `..` and absolute links may lead anywhere in the file system: all of it belongs
 * to the sandbox. */
#include "wasi_internal.h"

#include <string.h>

enum { PATH_FOLLOW = 1 };

/* A path from a descriptor; base NULL: it isn't one. */
static struct vfs_path path_at(uint32_t self, const char *text, uint32_t length)
{
    const struct handle *handle = handle_get(self, HANDLE_DESCRIPTOR);
    return (struct vfs_path){handle ? handle->inode : NULL, text, length};
}

struct wasi_stat {
    uint8_t kind;
    uint64_t links;
    uint64_t size;
    struct {
        uint8_t tag;
        struct wasi_datetime value;
    } accessed, modified, changed;
};

struct stat_result {
    uint8_t tag;
    union {
        struct wasi_stat stat;
        uint8_t code;
    };
};
_Static_assert(sizeof(struct stat_result) == 104, "result<descriptor-stat, error-code>");

static struct wasi_datetime datetime(struct vfs_time time)
{
    return (struct wasi_datetime){(uint64_t)time.seconds, time.nanoseconds};
}

static void put_stat(struct stat_result *result, int error, const struct vfs_stat *stat)
{
    *result = (struct stat_result){.tag = error < 0};
    if (error) {
        result->code = wasi_code(error);
        return;
    }
    result->stat = (struct wasi_stat){
        .kind = (uint8_t)stat->kind,
        .links = stat->links,
        .size = stat->size,
        .accessed = {1, datetime(stat->accessed)},
        .modified = {1, datetime(stat->modified)},
        .changed = {1, datetime(stat->changed)},
    };
}

/* libc asks for the inode number and then, at once, for the status: of an open file the second
 * question is answered with what the first found out. */
static struct {
    uint32_t self; /* 0: nothing is remembered */
    struct vfs_stat stat;
} last_hash;

static int stat_descriptor(uint32_t self, struct vfs_stat *stat)
{
    const struct handle *handle = handle_get(self, HANDLE_DESCRIPTOR);
    if (!handle) {
        return -VFS_EBADF;
    }
    return vfs_status(wasi_file_system(), handle->inode, stat);
}

static int stat_path(uint32_t self, uint32_t flags, const char *path, uint32_t length,
                     struct vfs_stat *stat)
{
    struct vfs_path at = path_at(self, path, length);
    return at.base ? vfs_stat_path(wasi_file_system(), at, flags & PATH_FOLLOW, stat) : -VFS_EBADF;
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.stat")
void wasi_descriptor_stat(uint32_t self, struct stat_result *result)
{
    struct vfs_stat stat = last_hash.stat;
    int error = last_hash.self == self ? 0 : stat_descriptor(self, &stat);
    last_hash.self = 0;
    put_stat(result, error, &stat);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.stat-at")
void wasi_descriptor_stat_at(uint32_t self, uint32_t flags, const char *path, uint32_t length,
                             struct stat_result *result)
{
    struct vfs_stat stat;
    put_stat(result, stat_path(self, flags, path, length, &stat), &stat);
}

struct hash_result { /* result<metadata-hash-value, error-code> */
    uint8_t tag;
    union {
        uint64_t halves[2];
        uint8_t code;
    };
};
_Static_assert(sizeof(struct hash_result) == 24, "metadata-hash");

/* libc takes the lower half as the inode number. */
static void put_hash(struct hash_result *result, int error, const struct vfs_stat *stat)
{
    *result = (struct hash_result){.tag = error < 0};
    if (error) {
        result->code = wasi_code(error);
    } else {
        result->halves[0] = stat->inode;
    }
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.metadata-hash")
void wasi_descriptor_metadata_hash(uint32_t self, struct hash_result *result)
{
    int error = stat_descriptor(self, &last_hash.stat);
    last_hash.self = error ? 0 : self;
    put_hash(result, error, &last_hash.stat);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.metadata-hash-at")
void wasi_descriptor_metadata_hash_at(uint32_t self, uint32_t flags, const char *path,
                                      uint32_t length, struct hash_result *result)
{
    struct vfs_stat stat;
    flags |= wasi_stat_follows ? PATH_FOLLOW : 0;
    put_hash(result, stat_path(self, flags, path, length, &stat), &stat);
}

enum new_timestamp { TIMESTAMP_KEEP, TIMESTAMP_NOW, TIMESTAMP_GIVEN };

/* The time that a new-timestamp stands for, or NULL for no change. */
static const struct vfs_time *new_time(uint32_t tag, uint64_t seconds, uint32_t nanoseconds,
                                       struct vfs_time *time)
{
    if (tag == TIMESTAMP_KEEP) {
        return NULL;
    }
    *time =
        tag == TIMESTAMP_NOW ? wasi_wall_clock() : (struct vfs_time){(int64_t)seconds, nanoseconds};
    return time;
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.set-times")
void wasi_descriptor_set_times(uint32_t self, uint32_t accessed_tag, uint64_t accessed_seconds,
                               uint32_t accessed_nanoseconds, uint32_t modified_tag,
                               uint64_t modified_seconds, uint32_t modified_nanoseconds,
                               struct result_code *result)
{
    struct vfs_time accessed, modified;
    const struct vfs_time *new_accessed =
        new_time(accessed_tag, accessed_seconds, accessed_nanoseconds, &accessed);
    const struct vfs_time *new_modified =
        new_time(modified_tag, modified_seconds, modified_nanoseconds, &modified);
    const struct handle *handle = handle_get(self, HANDLE_DESCRIPTOR);
    int error = -VFS_EBADF;
    if (handle) {
        error = vfs_set_times(wasi_file_system(), handle->inode, new_accessed, new_modified);
    }
    wasi_put_code(result, error);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.set-times-at")
void wasi_descriptor_set_times_at(uint32_t self, uint32_t flags, const char *path, uint32_t length,
                                  uint32_t accessed_tag, uint64_t accessed_seconds,
                                  uint32_t accessed_nanoseconds, uint32_t modified_tag,
                                  uint64_t modified_seconds, uint32_t modified_nanoseconds,
                                  struct result_code *result)
{
    struct vfs_time accessed, modified;
    const struct vfs_time *new_accessed =
        new_time(accessed_tag, accessed_seconds, accessed_nanoseconds, &accessed);
    const struct vfs_time *new_modified =
        new_time(modified_tag, modified_seconds, modified_nanoseconds, &modified);
    struct vfs_path at = path_at(self, path, length);
    int error = at.base ? vfs_set_times_path(wasi_file_system(), at, flags & PATH_FOLLOW,
                                             new_accessed, new_modified)
                        : -VFS_EBADF;
    wasi_put_code(result, error);
}

static int open_path(struct vfs_path at, unsigned flags, uint8_t descriptor_flags, uint32_t *handle)
{
    struct vfs_inode *inode = NULL;
    int error = at.base ? vfs_open(wasi_file_system(), at, flags, &inode) : -VFS_EBADF;
    if (error) {
        return error;
    }
    *handle = handle_new((struct handle){
        .kind = HANDLE_DESCRIPTOR,
        .flags = descriptor_flags,
        .inode = inode,
    });
    if (!*handle) {
        vfs_close(wasi_file_system(), inode);
        return -VFS_EMFILE;
    }
    return 0;
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.open-at")
void wasi_descriptor_open_at(uint32_t self, uint32_t path_flags, const char *path, uint32_t length,
                             uint32_t open_flags, uint32_t descriptor_flags,
                             struct result_word *result)
{
    unsigned flags = open_flags & (VFS_OPEN_CREATE | VFS_OPEN_DIRECTORY | VFS_OPEN_EXCLUSIVE |
                                   VFS_OPEN_TRUNCATE);
    flags |= path_flags & PATH_FOLLOW ? 0 : VFS_OPEN_NOFOLLOW;
    flags |= descriptor_flags & DESCRIPTOR_WRITE ? VFS_OPEN_WRITE : 0;
    *result = (struct result_word){0};
    int error =
        open_path(path_at(self, path, length), flags, (uint8_t)descriptor_flags, &result->handle);
    if (error) {
        result->tag = 1;
        result->code = wasi_code(error);
    }
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.readlink-at")
void wasi_descriptor_readlink_at(uint32_t self, const char *path, uint32_t length,
                                 struct result_list *result)
{
    const char *target = NULL;
    size_t target_length = 0;
    struct vfs_path at = path_at(self, path, length);
    int error =
        at.base ? vfs_readlink(wasi_file_system(), at, &target, &target_length) : -VFS_EBADF;
    *result = (struct result_list){.tag = error < 0};
    if (error) {
        result->code = wasi_code(error);
        return;
    }
    result->list = (struct wasi_list){wasi_alloc(target_length), (uint32_t)target_length};
    memcpy(result->list.ptr, target, target_length);
}

/* The operations that take one path and give nothing. */
static void apply(int (*operation)(struct vfs *, struct vfs_path), uint32_t self, const char *path,
                  uint32_t length, struct result_code *result)
{
    struct vfs_path at = path_at(self, path, length);
    wasi_put_code(result, at.base ? operation(wasi_file_system(), at) : -VFS_EBADF);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.create-directory-at")
void wasi_descriptor_create_directory_at(uint32_t self, const char *path, uint32_t length,
                                         struct result_code *result)
{
    apply(vfs_mkdir, self, path, length, result);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.remove-directory-at")
void wasi_descriptor_remove_directory_at(uint32_t self, const char *path, uint32_t length,
                                         struct result_code *result)
{
    apply(vfs_rmdir, self, path, length, result);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.unlink-file-at")
void wasi_descriptor_unlink_file_at(uint32_t self, const char *path, uint32_t length,
                                    struct result_code *result)
{
    apply(vfs_unlink, self, path, length, result);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.link-at")
void wasi_descriptor_link_at(uint32_t self, uint32_t flags, const char *path, uint32_t length,
                             uint32_t new_base, const char *new_path, uint32_t new_length,
                             struct result_code *result)
{
    struct vfs_path from = path_at(self, path, length);
    struct vfs_path to = path_at(new_base, new_path, new_length);
    bool valid = from.base && to.base;
    wasi_put_code(result,
                  valid ? vfs_link(wasi_file_system(), from, flags & PATH_FOLLOW, to) : -VFS_EBADF);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.rename-at")
void wasi_descriptor_rename_at(uint32_t self, const char *path, uint32_t length, uint32_t new_base,
                               const char *new_path, uint32_t new_length,
                               struct result_code *result)
{
    struct vfs_path from = path_at(self, path, length);
    struct vfs_path to = path_at(new_base, new_path, new_length);
    bool valid = from.base && to.base;
    wasi_put_code(result, valid ? vfs_rename(wasi_file_system(), from, to) : -VFS_EBADF);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.symlink-at")
void wasi_descriptor_symlink_at(uint32_t self, const char *target, uint32_t target_length,
                                const char *path, uint32_t length, struct result_code *result)
{
    struct vfs_path at = path_at(self, path, length);
    int error = at.base ? vfs_symlink(wasi_file_system(), target, target_length, at) : -VFS_EBADF;
    wasi_put_code(result, error);
}
