/* Shared by the files of runtime/wasi: handles of resources, and the canonical ABI's layouts
 * of results (component model, CanonicalABI.md, "Loading" and "Flattening"). */
#ifndef ERYX_WASI_INTERNAL_H
#define ERYX_WASI_INTERNAL_H

#include "vfs/vfs.h"
#include "wasi.h"

#define WASI_EXPORT(name) __attribute__((export_name(name)))
#define WASI_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define WASI_VISIBLE __attribute__((visibility("default")))

/* --- Handles: one table for all resources; 0 is never a handle --- */

enum handle_kind {
    HANDLE_FREE,
    HANDLE_DESCRIPTOR,
    HANDLE_DIRECTORY_STREAM,
    HANDLE_INPUT,
    HANDLE_OUTPUT,
    HANDLE_POLLABLE,
    HANDLE_TCP,
    HANDLE_UDP,
    HANDLE_DATAGRAMS_IN,
    HANDLE_DATAGRAMS_OUT,
    HANDLE_LOOKUP,
};

enum stream_kind {
    STREAM_FILE,
    STREAM_APPEND,
    STREAM_STDIN,
    STREAM_STDOUT,
    STREAM_STDERR,
    STREAM_SOCKET
};

/* Resources without state have one handle each, outside the table. */
enum { HANDLE_THE_ERROR = 1, HANDLE_THE_NETWORK = 2, HANDLE_FIRST = 3, HANDLE_MAX = 16384 };

struct handle {
    uint8_t kind;
    uint8_t flags;  /* of a descriptor; of a pollable: enum net_interest, 0: it is a time */
    uint8_t stream; /* enum stream_kind */
    struct vfs_inode *inode;
    /* Offset of a stream, cursor of a directory, deadline of a pollable; or the host's number of a
     * socket. */
    uint64_t value;
    uint32_t next_free;
};

/* 0 when the table is full or there is no memory. */
uint32_t handle_new(struct handle value);
/* NULL when it isn't a handle of that kind. Valid until the next handle_new. */
struct handle *handle_get(uint32_t number, enum handle_kind kind);
/* The same for functions that cannot report an error: a wrong handle there is a defect of libc. */
struct handle *handle_must(uint32_t number, enum handle_kind kind);
void handle_drop(uint32_t number);

/* --- Results --- */

struct wasi_list {
    void *ptr;
    uint32_t length;
};

struct wasi_datetime {
    uint64_t seconds;
    uint32_t nanoseconds;
};

struct result_code { /* result<_, error-code> and result<u8, error-code> */
    uint8_t tag;
    uint8_t value;
};

struct result_word { /* result<own<…>, error-code> */
    uint8_t tag;
    union {
        uint32_t handle;
        uint8_t code;
    };
};

struct result_long { /* result<u64, error-code> */
    uint8_t tag;
    union {
        uint64_t value;
        uint8_t code;
    };
};

struct result_list { /* result<string, error-code> */
    uint8_t tag;
    union {
        struct wasi_list list;
        uint8_t code;
    };
};

struct stream_error {
    uint8_t tag; /* enum stream_failure */
    uint32_t error;
};

enum stream_failure { STREAM_FAILED, STREAM_CLOSED };

struct result_stream { /* result<_, stream-error> */
    uint8_t tag;
    struct stream_error error;
};

_Static_assert(sizeof(void *) != 4 || sizeof(struct result_word) == 8, "result<own, code>");
_Static_assert(sizeof(struct result_long) == 16, "result<u64, code>");
_Static_assert(sizeof(struct result_stream) == 12, "result<_, stream-error>");

enum descriptor_flags { DESCRIPTOR_READ = 1, DESCRIPTOR_WRITE = 2, DESCRIPTOR_MUTATE = 32 };

/* The WASI error-code of a negative vfs_error, which is also remembered as the last fault. */
uint8_t wasi_code(int64_t error);
void wasi_put_code(struct result_code *result, int64_t error);

/* The vfs_error (positive) behind the last failure, for what WASI cannot express: libc makes EIO
 * of all failures of streams, and has no code for too many open files. */
extern int wasi_last_fault;

/* Whether libc, when it asks for an inode number, means what a link at the path's end leads to. */
extern bool wasi_stat_follows;

/* Not NULL: syncing a descriptor does nothing but tell its handle (duplicate.c). */
extern uint32_t *wasi_sync_asked;

void wasi_drop_descriptor(uint32_t self);

/* The handle that libc's descriptor stands for; NULL: neither a file nor a directory. */
struct handle *wasi_descriptor(int fd);

/* A copy of a descriptor appends if that one does. */
void wasi_keep_appending(int fd, int copy);

/* How many bytes to make room for when a file is read from there: what there is of a file inside, a
 * part of what has no end or is outside. */
uint64_t wasi_read_most(const struct vfs_inode *inode, uint64_t offset);

/* --- Host side of the standard streams --- */

/* A count, 0 at the end, or a negative vfs_error. */
int64_t stdio_read(void *buffer, size_t length);
/* All of it or an error. */
int stdio_write(enum stream_kind stream, const void *data, size_t length);

/* Mounts, as functions of the host (mounts.c). */
extern const struct vfs_outside wasi_outside;

struct vfs_time wasi_wall_clock(void);
uint64_t wasi_monotonic_clock(void);
void wasi_random_fill(void *buffer, size_t length);

/* For a list result that cannot fail: traps when there is no memory, as cabi_realloc does. */
void *wasi_alloc(size_t length);

#endif
