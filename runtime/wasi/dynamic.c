/* dlopen and friends, through which libpython loads extension modules.
 *
 * The host checks and compiles the file, and makes it a part of this instance (module "eryx", see
 * docs/architecture.md, "Extensions"). Here is what needs guest code: reading the file, memory for
 * its data, and running what a library runs when it is loaded. Libraries are never unloaded, and
 * opening one again gives a handle of the same. Python turns dlerror's text into an ImportError. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/wait.h"
#include "wasi_internal.h"

enum {
    MAX_FILE_BYTES = 64 << 20,
    REPLY_DONE = 0,
    REPLY_REFUSED = 1,
    REPLY_BYTES = 2,
    SUBTASK = 16
};

struct reply {
    uint32_t numbers[5];
    char reason[236];
};

WASI_IMPORT("eryx", "library-find")
int32_t host_library_find(uint64_t file, struct reply *reply);
WASI_IMPORT("eryx", "library-prepare")
int32_t host_library_prepare(const void *bytes, size_t length, struct reply *reply);
WASI_IMPORT("eryx", "library-prepared")
int32_t host_library_prepared(struct reply *reply);
WASI_IMPORT("eryx", "library-load")
int32_t host_library_load(void *memory, struct reply *reply);
WASI_IMPORT("eryx", "library-symbol")
int32_t host_library_symbol(uint32_t library, const char *name, size_t length, struct reply *reply);

struct library {
    struct library *next;
    uint32_t number;
    char path[];
};

static struct library *libraries;
static char error_text[512];
static bool has_error;

WASI_VISIBLE void *dlopen(const char *path, int flags);
WASI_VISIBLE void *dlsym(void *library, const char *name);
WASI_VISIBLE int dlclose(void *library);
WASI_VISIBLE const char *dlerror(void);

static void fail(const char *what, const char *reason)
{
    snprintf(error_text, sizeof error_text, "%s: %s", what, reason);
    has_error = true;
}

/* The host's answer, or why there is none. */
static bool succeeded(int32_t answer, const char *what, struct reply *reply)
{
    if (answer == REPLY_DONE)
        return true;
    reply->reason[sizeof reply->reason - 1] = 0;
    fail(what, answer == REPLY_REFUSED ? reply->reason : "this host cannot load extension modules");
    return false;
}

static bool read_all(int file, char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t got = read(file, bytes, length);
        if (got == 0)
            errno = EIO; /* it became shorter */
        if (got <= 0)
            return false;
        bytes += got;
        length -= (size_t)got;
    }
    return true;
}

/* The whole file, from malloc. */
static char *read_file(const char *path, int file, size_t *length)
{
    struct stat info;
    char *bytes = NULL;
    bool done = fstat(file, &info) == 0;
    if (done && info.st_size > MAX_FILE_BYTES) {
        errno = EFBIG;
        done = false;
    }
    if (done) {
        *length = (size_t)info.st_size;
        bytes = malloc(*length + 1);
        done = bytes && read_all(file, bytes, *length);
    }
    if (!done) {
        fail(path, strerror(errno));
        free(bytes);
        return NULL;
    }
    return bytes;
}

/* A file of the host's need not be read here, if its code is there. */
static int32_t find(int file, struct reply *reply)
{
    const struct handle *handle = wasi_descriptor(file);
    uint64_t number = handle ? vfs_outside_number(handle->inode) : 0;
    return number ? host_library_find(number, reply) : REPLY_BYTES;
}

static bool prepare_file(const char *path, int file, bool by_bytes, struct reply *reply)
{
    size_t length;
    int32_t answer = by_bytes ? REPLY_BYTES : find(file, reply);
    if (answer == REPLY_DONE || answer == REPLY_REFUSED)
        return succeeded(answer, path, reply);
    char *bytes = read_file(path, file, &length);
    if (!bytes)
        return false;
    answer = host_library_prepare(bytes, length, reply);
    free(bytes);
    if (answer >= SUBTASK) {
        /* It is being compiled. Where waiting is not possible, the next call blocks the host. */
        uint32_t subtask = (uint32_t)answer >> 4;
        abi_wait_subtasks(&subtask, 1, UINT64_MAX);
        answer = host_library_prepared(reply);
    }
    return succeeded(answer, path, reply);
}

static bool prepare(const char *path, bool by_bytes, struct reply *reply)
{
    int file = open(path, O_RDONLY);
    if (file < 0) {
        fail(path, strerror(errno));
        return false;
    }
    bool done = prepare_file(path, file, by_bytes, reply);
    close(file);
    return done;
}

/* Zeroed, since what a library does not fill is zero. It is never given back. */
static void *allocate(const char *path, size_t size, size_t alignment)
{
    if (alignment < 16)
        alignment = 16;
    size = (size + alignment) & ~(alignment - 1);
    void *memory = aligned_alloc(alignment, size);
    if (memory)
        memset(memory, 0, size);
    else
        fail(path, "out of memory for its data");
    return memory;
}

/* A function pointer is a slot of the table. */
static void run(uint32_t slot)
{
    if (slot)
        ((void (*)(void))(uintptr_t)slot)();
}

static bool load(struct library *library)
{
    struct reply reply = {0};
    int32_t answer = REPLY_BYTES;
    void *memory = NULL;
    /* The second time: code that was kept turned out to be damaged. */
    for (int attempt = 0; answer == REPLY_BYTES && attempt < 2; attempt++) {
        free(memory);
        if (!prepare(library->path, attempt > 0, &reply))
            return false;
        memory = allocate(library->path, reply.numbers[0], reply.numbers[1]);
        if (!memory)
            return false;
        answer = host_library_load(memory, &reply);
    }
    if (!succeeded(answer, library->path, &reply)) {
        free(memory);
        return false;
    }
    library->number = reply.numbers[0];
    for (int i = 1; i < 5; i++)
        run(reply.numbers[i]);
    return true;
}

void *dlopen(const char *path, int flags)
{
    (void)flags;
    if (!path) {
        fail("dlopen", "there is no handle of the program itself");
        return NULL;
    }
    for (struct library *library = libraries; library; library = library->next)
        if (strcmp(library->path, path) == 0)
            return library;
    struct library *library = malloc(sizeof *library + strlen(path) + 1);
    if (!library) {
        fail(path, strerror(ENOMEM));
        return NULL;
    }
    strcpy(library->path, path);
    if (!load(library)) {
        free(library);
        return NULL;
    }
    library->next = libraries;
    libraries = library;
    return library;
}

void *dlsym(void *handle, const char *name)
{
    struct reply reply = {0};
    for (struct library *library = libraries; library; library = library->next)
        if (library == handle)
            return succeeded(host_library_symbol(library->number, name, strlen(name), &reply),
                             library->path, &reply)
                       ? (void *)(uintptr_t)reply.numbers[0]
                       : NULL;
    fail("dlsym", "no such library");
    return NULL;
}

int dlclose(void *handle)
{
    (void)handle;
    return 0;
}

/* As POSIX wants it: reading the error clears it. */
const char *dlerror(void)
{
    const char *error = has_error ? error_text : NULL;
    has_error = false;
    return error;
}
