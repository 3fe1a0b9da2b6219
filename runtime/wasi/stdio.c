/* Standard streams (wasi:cli/stdin, stdout, stderr, terminal-*): forwarded to the host, stdout
 * also captured in memory. None is a terminal. */
#include "abi/memory.h"
#include "wasi_internal.h"

#include <stdlib.h>
#include <string.h>

enum { HOST_WRITE_MAX = 4096, HOST_READ_MAX = 65536 };

/* The host's handles are numbers of the host's table, unrelated to ours. */
WASI_IMPORT("wasi:cli/stdin@0.2.0", "get-stdin") uint32_t host_get_stdin(void);
WASI_IMPORT("wasi:cli/stdout@0.2.0", "get-stdout") uint32_t host_get_stdout(void);
WASI_IMPORT("wasi:cli/stderr@0.2.0", "get-stderr") uint32_t host_get_stderr(void);
WASI_IMPORT("wasi:io/error@0.2.0", "[resource-drop]error") void host_drop_error(uint32_t error);

WASI_IMPORT("wasi:io/streams@0.2.0", "[method]output-stream.blocking-write-and-flush")
void host_write(uint32_t stream, const void *data, uint32_t length, struct result_stream *result);

struct host_read_result {
    uint8_t tag;
    union {
        struct wasi_list list;
        struct stream_error error;
    };
};

WASI_IMPORT("wasi:io/streams@0.2.0", "[method]input-stream.blocking-read")
void host_read(uint32_t stream, uint64_t length, struct host_read_result *result);

/* Fetched once: each call of get-… makes a new handle. 0 may be a handle of the host. */
static uint32_t host_streams[3];
static bool host_stream_known[3];

static uint32_t host_stream(enum stream_kind kind)
{
    size_t index = (size_t)(kind - STREAM_STDIN);
    if (!host_stream_known[index]) {
        /* No table of functions: a dylib cannot take the address of an import of the host. */
        host_streams[index] = kind == STREAM_STDIN    ? host_get_stdin()
                              : kind == STREAM_STDOUT ? host_get_stdout()
                                                      : host_get_stderr();
        host_stream_known[index] = true;
    }
    return host_streams[index];
}

static int failure(const struct stream_error *error)
{
    if (error->tag == STREAM_CLOSED) {
        return -VFS_EPIPE;
    }
    host_drop_error(error->error);
    return -VFS_EIO;
}

static struct {
    bool active;
    char *text;
    size_t length, capacity;
} capture;

void wasi_stdout_capture_begin(void)
{
    capture.active = true;
    capture.length = 0;
}

char *wasi_stdout_capture_take(size_t *length)
{
    char *text = capture.text;
    *length = capture.length;
    if (!capture.length) {
        free(text);
        text = NULL;
    }
    capture.active = false;
    capture.text = NULL;
    capture.length = capture.capacity = 0;
    return text;
}

static int capture_write(const void *data, size_t length)
{
    if (length > WASI_CAPTURE_MAX - capture.length) {
        return -VFS_ENOSPC;
    }
    if (length > capture.capacity - capture.length) {
        size_t wanted = capture.capacity ? capture.capacity * 2 : 1024;
        while (wanted < capture.length + length) {
            wanted *= 2;
        }
        char *grown = realloc(capture.text, wanted);
        if (!grown) {
            return -VFS_ENOMEM;
        }
        capture.text = grown;
        capture.capacity = wanted;
    }
    memcpy(capture.text + capture.length, data, length);
    capture.length += length;
    return 0;
}

static uint64_t written; /* except what is captured */

uint64_t wasi_stdio_written(void)
{
    return written;
}

int stdio_write(enum stream_kind stream, const void *data, size_t length)
{
    if (stream == STREAM_STDOUT && capture.active) {
        return length ? capture_write(data, length) : 0;
    }
    const uint8_t *bytes = data;
    while (length) {
        uint32_t part = (uint32_t)(length < HOST_WRITE_MAX ? length : HOST_WRITE_MAX);
        struct result_stream result;
        host_write(host_stream(stream), bytes, part, &result);
        if (result.tag) {
            return failure(&result.error);
        }
        bytes += part;
        length -= part;
        written += part;
    }
    return 0;
}

/* liberyx puts the bytes into the arena, which is the buffer itself; another host into memory
 * of cabi_realloc. */
int64_t stdio_read(void *buffer, size_t length)
{
    uint32_t wanted = (uint32_t)(length < HOST_READ_MAX ? length : HOST_READ_MAX);
    uint32_t stream = host_stream(STREAM_STDIN);
    struct host_read_result result;
    struct abi_arena arena = eryx_arena;
    eryx_arena = (struct abi_arena){(uint32_t)(uintptr_t)buffer, wanted};
    host_read(stream, wanted, &result);
    eryx_arena = arena;
    if (result.tag) {
        return result.error.tag == STREAM_CLOSED ? 0 : failure(&result.error);
    }
    if (result.list.length > wanted) {
        __builtin_trap(); /* the host broke the contract of blocking-read */
    }
    if (result.list.length && result.list.ptr != buffer) {
        memcpy(buffer, result.list.ptr, result.list.length);
        free(result.list.ptr);
    }
    return result.list.length;
}

static uint32_t new_stream(enum handle_kind kind, enum stream_kind stream)
{
    uint32_t number = handle_new((struct handle){.kind = (uint8_t)kind, .stream = (uint8_t)stream});
    if (!number) {
        __builtin_trap();
    }
    return number;
}

WASI_EXPORT("wasi:cli/stdin@0.2.0#get-stdin")
uint32_t wasi_get_stdin(void)
{
    return new_stream(HANDLE_INPUT, STREAM_STDIN);
}

WASI_EXPORT("wasi:cli/stdout@0.2.0#get-stdout")
uint32_t wasi_get_stdout(void)
{
    return new_stream(HANDLE_OUTPUT, STREAM_STDOUT);
}

WASI_EXPORT("wasi:cli/stderr@0.2.0#get-stderr")
uint32_t wasi_get_stderr(void)
{
    return new_stream(HANDLE_OUTPUT, STREAM_STDERR);
}

struct option_handle {
    uint8_t tag;
    uint32_t handle;
};

WASI_EXPORT("wasi:cli/terminal-stdin@0.2.0#get-terminal-stdin")
void wasi_get_terminal_stdin(struct option_handle *result)
{
    result->tag = 0;
}

WASI_EXPORT("wasi:cli/terminal-stdout@0.2.0#get-terminal-stdout")
void wasi_get_terminal_stdout(struct option_handle *result)
{
    result->tag = 0;
}

WASI_EXPORT("wasi:cli/terminal-stderr@0.2.0#get-terminal-stderr")
void wasi_get_terminal_stderr(struct option_handle *result)
{
    result->tag = 0;
}

/* No handle of a terminal is ever given out, so there is none to drop. */
WASI_EXPORT("wasi:cli/terminal-input@0.2.0#[resource-drop]terminal-input")
void wasi_drop_terminal_input(uint32_t terminal)
{
    (void)terminal;
    __builtin_trap();
}

WASI_EXPORT("wasi:cli/terminal-output@0.2.0#[resource-drop]terminal-output")
void wasi_drop_terminal_output(uint32_t terminal)
{
    (void)terminal;
    __builtin_trap();
}
