/* A runtime: the engine, the compiled Python and the pool of instances. */
#ifndef ERYX_RUNTIME_H
#define ERYX_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>
#include <eryx/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Immutable and thread-safe once opened; shared by any number of sandboxes.
 *
 * fork(): a runtime and its sandboxes belong to the process that opened it. In a child they can
 * only be freed, which gives nothing back and calls no finalizers; everything else returns
 * ERYX_ERR_STATE. The child can open a runtime of its own, if no other thread was inside of the
 * library at the moment of the fork. Outcomes, snapshots and errors are plain memory.
 *
 * Signals: see eryx_runtime_open. */
typedef struct eryx_runtime eryx_runtime_t;

typedef struct eryx_runtime_options {
    size_t size; /* sizeof(eryx_runtime_options_t), set by eryx_runtime_options_init */
    /* Sandboxes that may live at once. Default 4096. Each reserves 4 GiB of
     * address space (not memory). */
    uint32_t max_sandboxes;
    /* Used instances kept ready for the next eryx_sandbox_new. Default 16. */
    uint32_t max_warm;
    /* Check the sha256 of the whole file at opening (about 0.1 s). Default false:
     * header, sizes and versions are checked. A runtime file is code of the
     * machine and trusted like a shared library; see SECURITY.md. */
    bool verify;
    /* Where compiled extension modules are kept, so that each is compiled once on this
     * machine: machine code, trusted like the runtime file, in a folder that only its user can
     * write to; at most 1 GiB. NULL: $XDG_CACHE_HOME/eryx/extensions, or ~/.cache/eryx/extensions.
     * "": they are kept in memory only. Read when the runtime is opened. */
    const char *extension_cache;
    /* Open the build that counts what programs execute: eryx_limits_t.fuel and
     * eryx_outcome_fuel_used work, Python is about half as fast. Default false. With a path, that
     * file must be such a build (runtime-fuel.cwasm); a file that is one counts also without this. */
    bool fuel;
    /* How long eryx_sandbox_new waits for a place when max_sandboxes live already, in nanoseconds. 0,
     * the default: it fails at once. UINT64_MAX: without end. */
    uint64_t acquire_timeout_ns;
    /* Instances that are made and run once at opening, so that the first sandboxes are as fast as later
     * ones (25 us instead of 0.4 ms each). At most max_warm and max_sandboxes. Default 0. */
    uint32_t prewarm;
    /* For tests and debugging: after every recycling compare all of memory, globals and the table with
     * the image, which takes about 30 ms, and abort() if anything differs. Default false; also
     * switched on by ERYX_VERIFY_RECYCLE=1 in the environment, and by that CMake option. */
    bool verify_recycle;
    /* What programs of all sandboxes can import (<eryx/package.h>). Only while the runtime is opened.
     * NULL: nothing. */
    const struct eryx_packages *packages;
    /* Where images with packages are kept: trusted as extension_cache, at most 4 GiB. NULL:
     * $XDG_CACHE_HOME/eryx/images, or ~/.cache/eryx/images. "": they are made each time. Only while the
     * runtime is opened. */
    const char *image_cache;
    /* Bytes of compiled code that the runtime keeps of programs which new sandboxes run again and again:
     * from the third that runs the same source first on, none compiles it. One program may take an
     * eighth; those not run for the longest time go. Default 8 MiB. 0: every sandbox compiles. A runtime
     * that counts fuel keeps none. */
    size_t code_cache_bytes;
} eryx_runtime_options_t;

/* Sets the defaults. Any thread. */
ERYX_API void eryx_runtime_options_init(eryx_runtime_options_t *options);

/* Opens a runtime file. path NULL: $ERYX_RUNTIME (with options.fuel $ERYX_RUNTIME_FUEL), else
 * runtime.cwasm (runtime-fuel.cwasm) beside the library in <prefix>/lib/eryx/, else in the build tree the library was built in.
 * options NULL: defaults. On success *out is owned by the caller.
 * The first opening sets handlers for SIGSEGV, SIGILL, SIGFPE and SIGBUS, which pass on to the handlers
 * before them what is not theirs (that of a program's own faults; it may leave by siglongjmp). A
 * program that sets its own afterwards must call the one that sigaction gave it, with the same
 * arguments, for every signal that its own code did not cause: that one returns when the fault was a
 * sandbox's. Handlers run on an alternate stack that the engine gives to threads which have none.
 * Errors: ERYX_ERR_ARGUMENT, _IO, _FORMAT, _VERSION, _MEMORY, _ENGINE; with packages also ERYX_ERR_LIMIT and
 * what two packages of the list disagree about (ERYX_ERR_ARGUMENT). */
ERYX_API int eryx_runtime_open(const char *path, const eryx_runtime_options_t *options,
                               eryx_runtime_t **out, eryx_error_t *error);

/* Same from `length` bytes in memory, which are copied. Any thread. */
ERYX_API int eryx_runtime_open_buffer(const void *data, size_t length,
                                      const eryx_runtime_options_t *options, eryx_runtime_t **out,
                                      eryx_error_t *error);

/* Gives the caller's reference back; sandboxes still alive keep what they need.
 * NULL is allowed. Any thread. */
ERYX_API void eryx_runtime_free(eryx_runtime_t *runtime);

typedef struct eryx_runtime_info {
    size_t size;                   /* set by the caller to sizeof(eryx_runtime_info_t) */
    const char *eryx_version;      /* of the library */
    const char *python_version;    /* "3.14.0" */
    const char *engine;            /* "wasmtime 50.0.1" */
    const char *path;              /* of the runtime file; "" when opened from memory */
    const char *build_id;          /* hex sha256 of the module the file was compiled from */
    uint64_t file_bytes;           /* of the runtime file */
    uint64_t code_bytes;           /* machine code and engine metadata */
    uint64_t image_bytes;          /* initial linear memory, of which ... */
    uint64_t image_constant_bytes; /* ... this much is read-only and shared */
    uint64_t memory_min_bytes;     /* linear memory of a new sandbox */
    bool fuel;                     /* it counts what programs execute */
} eryx_runtime_info_t;

/* Fills *info. Strings live as long as the runtime. Any thread. Errors: ERYX_ERR_ARGUMENT. */
ERYX_API int eryx_runtime_get_info(const eryx_runtime_t *runtime, eryx_runtime_info_t *info);

/* Version of the library, "0.1.0". Static storage. Any thread. */
ERYX_API const char *eryx_version(void);

#ifdef __cplusplus
}
#endif
#endif
