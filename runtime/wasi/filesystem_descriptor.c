/* wasi:filesystem/types, part 1: what an open file or directory can do. */
#include "wasi_internal.h"

#include <stdlib.h>
#include <string.h>

static struct handle *descriptor(uint32_t self)
{
    return handle_get(self, HANDLE_DESCRIPTOR);
}

/* A stream or directory stream over the descriptor's inode, or the error that prevents it. */
static void open_stream(struct handle *handle, uint8_t needed, struct handle stream,
                        struct result_word *result)
{
    int error = 0;
    *result = (struct result_word){0};
    if (!handle || (handle->flags & needed) != needed) {
        error = -VFS_EBADF;
    } else if (stream.kind != HANDLE_DIRECTORY_STREAM && vfs_kind(handle->inode) == VFS_DIRECTORY) {
        error = -VFS_EISDIR;
    } else if (stream.kind == HANDLE_DIRECTORY_STREAM && vfs_kind(handle->inode) != VFS_DIRECTORY) {
        error = -VFS_ENOTDIR;
    }
    if (!error) {
        stream.inode = handle->inode;
        result->handle = handle_new(stream);
        error = result->handle ? 0 : -VFS_ENOMEM;
    }
    if (error) {
        result->tag = 1;
        result->code = wasi_code(error);
        return;
    }
    vfs_retain(stream.inode);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.read-via-stream")
void wasi_descriptor_read_via_stream(uint32_t self, uint64_t offset, struct result_word *result)
{
    struct handle stream = {.kind = HANDLE_INPUT, .stream = STREAM_FILE, .value = offset};
    open_stream(descriptor(self), DESCRIPTOR_READ, stream, result);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.write-via-stream")
void wasi_descriptor_write_via_stream(uint32_t self, uint64_t offset, struct result_word *result)
{
    struct handle stream = {.kind = HANDLE_OUTPUT, .stream = STREAM_FILE, .value = offset};
    open_stream(descriptor(self), DESCRIPTOR_WRITE, stream, result);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.append-via-stream")
void wasi_descriptor_append_via_stream(uint32_t self, struct result_word *result)
{
    struct handle stream = {.kind = HANDLE_OUTPUT, .stream = STREAM_APPEND};
    open_stream(descriptor(self), DESCRIPTOR_WRITE, stream, result);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.read-directory")
void wasi_descriptor_read_directory(uint32_t self, struct result_word *result)
{
    open_stream(descriptor(self), 0, (struct handle){.kind = HANDLE_DIRECTORY_STREAM}, result);
}

static void check_open(uint32_t self, struct result_code *result)
{
    wasi_put_code(result, descriptor(self) ? 0 : -VFS_EBADF);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.advise")
void wasi_descriptor_advise(uint32_t self, uint64_t offset, uint64_t length, uint32_t advice,
                            struct result_code *result)
{
    (void)offset, (void)length, (void)advice;
    check_open(self, result);
}

static void sync_open(uint32_t self, struct result_code *result)
{
    if (wasi_sync_asked) {
        *wasi_sync_asked = self;
        wasi_put_code(result, 0);
        return;
    }
    const struct handle *handle = descriptor(self);
    wasi_put_code(result, handle ? vfs_sync(wasi_file_system(), handle->inode) : -VFS_EBADF);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.sync-data")
void wasi_descriptor_sync_data(uint32_t self, struct result_code *result)
{
    sync_open(self, result);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.sync")
void wasi_descriptor_sync(uint32_t self, struct result_code *result)
{
    sync_open(self, result);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.get-flags")
void wasi_descriptor_get_flags(uint32_t self, struct result_code *result)
{
    const struct handle *handle = descriptor(self);
    check_open(self, result);
    if (handle) {
        result->value = handle->flags;
    }
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.set-size")
void wasi_descriptor_set_size(uint32_t self, uint64_t size, struct result_code *result)
{
    const struct handle *handle = descriptor(self);
    int error = -VFS_EBADF;
    if (handle) {
        bool writable = handle->flags & DESCRIPTOR_WRITE;
        error = writable ? vfs_truncate(wasi_file_system(), handle->inode, size) : -VFS_EINVAL;
    }
    wasi_put_code(result, error);
}

struct read_result { /* result<tuple<list<u8>, bool>, error-code> */
    uint8_t tag;
    union {
        struct {
            struct wasi_list list;
            uint8_t at_end;
        };
        uint8_t code;
    };
};
_Static_assert(sizeof(void *) != 4 || sizeof(struct read_result) == 16, "descriptor.read");

static int64_t read_at(const struct handle *handle, uint64_t length, uint64_t offset, void **data)
{
    if (!handle || !(handle->flags & DESCRIPTOR_READ)) {
        return -VFS_EBADF;
    }
    uint64_t most = wasi_read_most(handle->inode, offset);
    size_t wanted = (size_t)(length < most ? length : most);
    if (!wanted) {
        return 0;
    }
    void *buffer = malloc(wanted);
    if (!buffer) {
        return -VFS_ENOMEM;
    }
    int64_t count = vfs_read(wasi_file_system(), handle->inode, offset, buffer, wanted);
    if (count <= 0) {
        free(buffer);
        return count;
    }
    *data = buffer;
    return count;
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.read")
void wasi_descriptor_read(uint32_t self, uint64_t length, uint64_t offset,
                          struct read_result *result)
{
    void *data = NULL;
    int64_t count = read_at(descriptor(self), length, offset, &data);
    *result = (struct read_result){.tag = count < 0};
    if (count < 0) {
        result->code = wasi_code(count);
        return;
    }
    result->list = (struct wasi_list){data, (uint32_t)count};
    result->at_end = (uint64_t)count < length;
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]descriptor.write")
void wasi_descriptor_write(uint32_t self, const void *data, uint32_t length, uint64_t offset,
                           struct result_long *result)
{
    const struct handle *handle = descriptor(self);
    int64_t count = -VFS_EBADF;
    if (handle && (handle->flags & DESCRIPTOR_WRITE)) {
        count = vfs_write(wasi_file_system(), handle->inode, offset, data, length);
    }
    *result = (struct result_long){.tag = count < 0};
    if (count < 0) {
        result->code = wasi_code(count);
    } else {
        result->value = (uint64_t)count;
    }
}

struct entry_result { /* result<option<directory-entry>, error-code> */
    uint8_t tag;
    union {
        struct {
            uint8_t present;
            struct {
                uint8_t kind;
                struct wasi_list name;
            } entry;
        };
        uint8_t code;
    };
};
_Static_assert(sizeof(void *) != 4 || sizeof(struct entry_result) == 20, "read-directory-entry");

WASI_EXPORT("wasi:filesystem/types@0.2.0#[method]directory-entry-stream.read-directory-entry")
void wasi_read_directory_entry(uint32_t self, struct entry_result *result)
{
    struct handle *handle = handle_get(self, HANDLE_DIRECTORY_STREAM);
    struct vfs_dirent entry;
    int found = handle
                    ? vfs_read_directory(wasi_file_system(), handle->inode, &handle->value, &entry)
                    : -VFS_EBADF;
    *result = (struct entry_result){.tag = found < 0};
    if (found < 0) {
        result->code = wasi_code(found);
    } else if (found) {
        result->present = 1;
        result->entry.kind = (uint8_t)entry.kind;
        result->entry.name = (struct wasi_list){wasi_alloc(entry.length), entry.length};
        memcpy(result->entry.name.ptr, entry.name, entry.length);
    }
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[resource-drop]descriptor")
void wasi_drop_descriptor(uint32_t self)
{
    vfs_close(wasi_file_system(), handle_must(self, HANDLE_DESCRIPTOR)->inode);
    handle_drop(self);
}

WASI_EXPORT("wasi:filesystem/types@0.2.0#[resource-drop]directory-entry-stream")
void wasi_drop_directory_entry_stream(uint32_t self)
{
    vfs_release(wasi_file_system(), handle_must(self, HANDLE_DIRECTORY_STREAM)->inode);
    handle_drop(self);
}
