/* Limits of one sandbox. Every field has a safe default; docs/limits.md tells what each does when it is
 * reached. Sizes are bytes, times nanoseconds. */
#ifndef ERYX_LIMITS_H
#define ERYX_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Which limit ended an execution. */
typedef enum eryx_limit {
    ERYX_LIMIT_NONE = 0,
    ERYX_LIMIT_WALL_TIME = 1,   /* nanoseconds */
    ERYX_LIMIT_OUTPUT = 2,      /* bytes of stdout and stderr together */
    ERYX_LIMIT_CPU_TIME = 3,    /* nanoseconds */
    ERYX_LIMIT_HOST_MEMORY = 4, /* bytes */
    ERYX_LIMIT_FUEL = 5         /* WebAssembly instructions */
} eryx_limit_t;

typedef struct eryx_limits {
    size_t size; /* sizeof(eryx_limits_t), set by eryx_limits_init */
    /* Wall time of one execution in nanoseconds, waiting included, but not the time when it could
     * go on and the host does not run it (<eryx/execution.h>): one thread may drive thousands of
     * sandboxes without their limits growing shorter. 0: none. Default 60 s. The program is
     * stopped at its next loop iteration. */
    uint64_t wall_time_ns;
    /* Linear memory of the sandbox in bytes, the image included (see memory_min_bytes in
     * <eryx/runtime.h>, the least possible). Rounded down to 64 KiB. Default 512 MiB, at
     * most 4 GiB.
     * Past it Python raises MemoryError and the sandbox goes on. */
    uint64_t memory_bytes;
    /* Bytes of stdout and stderr of one execution that are kept or given to on_output.
     * Default 16 MiB. What exceeds it is dropped and counted
     * (eryx_outcome_output_dropped); the program goes on, unless stop_on_output is set. */
    uint64_t output_bytes;
    /* Calls of callbacks: what goes beyond these raises an exception in the program that names the
     * limit, and the program goes on. */
    uint32_t pending_calls; /* at once; default 16,384, at most 60,000. A call that the program has
                             * cancelled counts until the host frees it (eryx_call_free). */
    uint64_t total_calls;   /* in one execution; default 1,000,000 */
    /* Bytes of the arguments of all these calls together. Default 64 MiB. */
    uint64_t call_argument_bytes;
    /* Bytes of the result of one call. Default 64 MiB. */
    uint64_t call_result_bytes;
    /* Bytes of eryx_outcome_result_json. Default 64 MiB. */
    uint64_t result_bytes;
    /* Bytes of a snapshot (eryx_sandbox_snapshot). Default 256 MiB. */
    uint64_t snapshot_bytes;
    /* CPU time of one execution in nanoseconds: that of the threads that run it, while they do,
     * calls of the host's functions included. Exceeded by up to 0.2 ms before it is noticed. 0:
     * none. Default 0, as an execution runs on one thread at a time and so never uses more CPU
     * time than wall time. With it every execution costs about 1 us more. */
    uint64_t cpu_time_ns;
    /* What the host holds in its own memory for the sandbox, besides a few KiB: output that is
     * kept, pending calls with their arguments and results, the result, waitables, tables of
     * handles. Default 256 MiB. Output beyond it ends the execution; a call beyond it raises an
     * exception in the program; a call's result or the execution's result beyond it is replaced by
     * an error that says so. What the host has taken over (outcomes, snapshots) does not count. */
    uint64_t host_memory_bytes;
    /* The first write beyond output_bytes ends the execution. Default false. */
    bool stop_on_output;
    /* Network (eryx_sandbox_options_t.net). What goes beyond these fails in the program with an
     * exception that names the limit. */
    uint32_t net_connections;       /* sockets in use at once, listeners included; default 64 */
    uint64_t net_connections_total; /* in the sandbox's life; default 10,000 */
    uint64_t net_bytes_in;          /* of all sockets, in the sandbox's life; default 1 GiB */
    uint64_t net_bytes_out;         /* the same; default 1 GiB */
    uint64_t net_connect_time_ns;   /* until a connection stands; 0: none; default 30 s */
    uint64_t net_idle_time_ns;      /* without a byte on a connection; 0: none; default 300 s */
    /* The sandbox's own file system, which lies in its memory. Contents and names of files that the
     * program makes: default 1 GiB. Files, folders and symlinks: default 200,000. Open files
     * (counted apart: those in mounts, <eryx/mount.h>): default 1,000, at most 16,000. Past them
     * OSError with ENOSPC or EMFILE. */
    uint64_t file_system_bytes;
    uint32_t files;
    uint32_t open_files;
    /* What sys.setrecursionlimit sets at most; it takes larger numbers for this one. Default
     * 1,000,000, at least 100. Python's own default of 1,000 holds until the program changes it. */
    uint32_t recursion;
    /* What one execution may execute, in WebAssembly instructions (copying 64 bytes of memory counts
     * as about five; what the host does for the program costs nothing). The same program with the
     * same input in the same state uses exactly the same, on any machine. 0: no limit, the default.
     * Needs a runtime that counts (eryx_runtime_options_t.fuel). At most 2^62. */
    uint64_t fuel;
    /* Bytes of native extensions (.so files) that a sandbox may load in its life, those that are
     * refused included: each byte takes the host about a microsecond to compile, once (on
     * another thread; meanwhile the sandbox waits and can be stopped). Default 64 MiB; 0: none.
     * Past it ImportError. */
    uint64_t extension_bytes;
} eryx_limits_t;

/* Sets the defaults. Any thread. */
ERYX_API void eryx_limits_init(eryx_limits_t *limits);

/* "wall time", "output", "CPU time", ... Static storage. Any thread. */
ERYX_API const char *eryx_limit_name(eryx_limit_t limit);

#ifdef __cplusplus
}
#endif
#endif
