/* wasi:io/streams and wasi:io/error: streams over files, and the standard streams. */
#include "abi/wait.h"
#include "network.h"
#include "wasi_internal.h"

#include <stdlib.h>

enum { DEVICE_READ_MAX = 65536, OUTSIDE_READ_MAX = 262144 };

int wasi_last_fault;

uint8_t wasi_code(int64_t error)
{
    wasi_last_fault = (int)-error;
    if (error == -VFS_EMFILE) {
        error = -VFS_ENOMEM;
    } else if (error < -VFS_EMFILE) {
        error = -VFS_EIO;
    }
    return (uint8_t)(-error - 1);
}

void wasi_put_code(struct result_code *result, int64_t error)
{
    result->tag = error < 0;
    result->value = error < 0 ? wasi_code(error) : 0;
}

static struct stream_error stream_failed(int64_t error)
{
    wasi_last_fault = (int)-error;
    if (error == -VFS_EPIPE) {
        return (struct stream_error){.tag = STREAM_CLOSED};
    }
    return (struct stream_error){.tag = STREAM_FAILED, .error = HANDLE_THE_ERROR};
}

struct result_read { /* result<list<u8>, stream-error> */
    uint8_t tag;
    union {
        struct wasi_list list;
        struct stream_error error;
    };
};

uint64_t wasi_read_most(const struct vfs_inode *inode, uint64_t offset)
{
    if (vfs_is_outside(inode)) {
        return OUTSIDE_READ_MAX;
    }
    if (vfs_kind(inode) != VFS_FILE) {
        return DEVICE_READ_MAX;
    }
    uint64_t size = vfs_stat(inode).size;
    return size > offset ? size - offset : 0;
}

static size_t read_size(const struct handle *handle, uint64_t wanted)
{
    uint64_t most = DEVICE_READ_MAX;
    if (handle->stream == STREAM_FILE) {
        most = wasi_read_most(handle->inode, handle->value);
    }
    return (size_t)(wanted < most ? wanted : most);
}

/* Nothing yet is 0, and the end is EPIPE, which stream_failed makes "closed" of. Where the sandbox
 * cannot wait, waiting for bytes is an error: libc would ask for ever. */
static int64_t read_socket(struct handle *handle, void *buffer, size_t length)
{
    int32_t got = net_receive((uint32_t)handle->value, buffer,
                              length < NET_CHUNK ? (uint32_t)length : NET_CHUNK, network_peek);
    if (got == 0) {
        return -VFS_EPIPE;
    }
    if (got == NET_WOULD_BLOCK && abi_wait_possible()) {
        return 0;
    }
    if (got < 0) {
        network_code(got);
        return -VFS_EIO;
    }
    return got;
}

static int64_t read_stream(struct handle *handle, void *buffer, size_t length)
{
    if (handle->stream == STREAM_SOCKET) {
        return read_socket(handle, buffer, length);
    }
    if (handle->stream == STREAM_STDIN) {
        return stdio_read(buffer, length);
    }
    int64_t count = vfs_read(wasi_file_system(), handle->inode, handle->value, buffer, length);
    if (count > 0) {
        handle->value += (uint64_t)count;
    }
    return count;
}

WASI_EXPORT("wasi:io/streams@0.2.0#[method]input-stream.read")
void wasi_input_stream_read(uint32_t self, uint64_t wanted, struct result_read *result)
{
    struct handle *handle = handle_must(self, HANDLE_INPUT);
    *result = (struct result_read){0};
    if (!wanted) {
        return;
    }
    size_t size = read_size(handle, wanted);
    void *buffer = size ? malloc(size) : NULL;
    int64_t count = size && !buffer ? -VFS_ENOMEM : 0;
    if (buffer) {
        count = read_stream(handle, buffer, size);
    }
    if (count > 0) {
        result->list = (struct wasi_list){buffer, (uint32_t)count};
        return;
    }
    free(buffer);
    if (!count && handle->stream == STREAM_SOCKET) {
        return; /* nothing yet */
    }
    result->tag = 1;
    result->error = count < 0 ? stream_failed(count) : (struct stream_error){.tag = STREAM_CLOSED};
}

struct result_permit { /* result<u64, stream-error> */
    uint8_t tag;
    union {
        uint64_t bytes;
        struct stream_error error;
    };
};

static uint64_t write_offset(const struct handle *handle)
{
    struct vfs_stat stat = {0};
    if (handle->stream == STREAM_APPEND) {
        vfs_status(wasi_file_system(), handle->inode, &stat);
        return stat.size;
    }
    return handle->value;
}

static bool is_file_stream(const struct handle *handle)
{
    return handle->stream == STREAM_FILE || handle->stream == STREAM_APPEND;
}

/* The host keeps what its system does not take at once, so it takes a whole chunk or nothing. */
static void permit_socket(const struct handle *handle, struct result_permit *result)
{
    int32_t error = net_send((uint32_t)handle->value, NULL, 0);
    *result = (struct result_permit){.bytes = error < 0 ? 0 : NET_CHUNK};
    if (error < 0 && (error != NET_WOULD_BLOCK || !abi_wait_possible())) {
        network_code(error);
        result->tag = 1;
        result->error = stream_failed(-VFS_EIO);
    }
}

/* libc writes at most what is permitted here, so that a file system that gets full takes the
 * first part of a write, and fails the next one. */
WASI_EXPORT("wasi:io/streams@0.2.0#[method]output-stream.check-write")
void wasi_output_stream_check_write(uint32_t self, struct result_permit *result)
{
    struct handle *handle = handle_must(self, HANDLE_OUTPUT);
    if (handle->stream == STREAM_SOCKET) {
        permit_socket(handle, result);
        return;
    }
    *result = (struct result_permit){.bytes = INT32_MAX};
    if (!is_file_stream(handle)) {
        return;
    }
    uint64_t offset = write_offset(handle);
    result->bytes = vfs_write_room(wasi_file_system(), handle->inode, offset, INT32_MAX);
    if (!result->bytes) {
        bool too_large = offset >= vfs_get_limits(wasi_file_system()).file_bytes;
        result->tag = 1;
        result->error = stream_failed(too_large ? -VFS_EFBIG : -VFS_ENOSPC);
    }
}

static int64_t write_socket(struct handle *handle, const uint8_t *data, size_t length)
{
    while (length) {
        uint32_t part = length < NET_CHUNK ? (uint32_t)length : NET_CHUNK;
        int32_t sent = net_send((uint32_t)handle->value, data, part);
        if (sent < 0) {
            network_code(sent);
            return -VFS_EIO;
        }
        data += sent;
        length -= (size_t)sent;
    }
    return 0;
}

static int64_t write_stream(struct handle *handle, const uint8_t *data, size_t length)
{
    if (handle->stream == STREAM_SOCKET) {
        return write_socket(handle, data, length);
    }
    if (!is_file_stream(handle)) {
        return stdio_write((enum stream_kind)handle->stream, data, length);
    }
    uint64_t offset = write_offset(handle);
    while (length) {
        int64_t count = vfs_write(wasi_file_system(), handle->inode, offset, data, length);
        if (count < 0) {
            return count;
        }
        offset += (uint64_t)count;
        data += count;
        length -= (size_t)count;
        handle->value = offset;
    }
    return 0;
}

WASI_EXPORT("wasi:io/streams@0.2.0#[method]output-stream.write")
void wasi_output_stream_write(uint32_t self, const uint8_t *data, uint32_t length,
                              struct result_stream *result)
{
    struct handle *handle = handle_must(self, HANDLE_OUTPUT);
    int64_t error = write_stream(handle, data, length);
    *result = (struct result_stream){.tag = error < 0};
    if (error < 0) {
        result->error = stream_failed(error);
    }
}

/* Nothing is buffered. */
WASI_EXPORT("wasi:io/streams@0.2.0#[method]output-stream.blocking-flush")
void wasi_output_stream_blocking_flush(uint32_t self, struct result_stream *result)
{
    handle_must(self, HANDLE_OUTPUT);
    *result = (struct result_stream){0};
}

static void drop_stream(uint32_t self, enum handle_kind kind)
{
    struct handle *handle = handle_must(self, kind);
    if (is_file_stream(handle)) {
        vfs_release(wasi_file_system(), handle->inode);
    }
    handle_drop(self);
}

WASI_EXPORT("wasi:io/streams@0.2.0#[resource-drop]input-stream")
void wasi_drop_input_stream(uint32_t self)
{
    drop_stream(self, HANDLE_INPUT);
}

WASI_EXPORT("wasi:io/streams@0.2.0#[resource-drop]output-stream")
void wasi_drop_output_stream(uint32_t self)
{
    drop_stream(self, HANDLE_OUTPUT);
}

WASI_EXPORT("wasi:io/error@0.2.0#[resource-drop]error")
void wasi_drop_error(uint32_t self)
{
    (void)self; /* HANDLE_THE_ERROR has no state */
}
