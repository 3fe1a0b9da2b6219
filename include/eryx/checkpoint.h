/* Copies of sandboxes: forks in this process, checkpoints that outlive it. Both can be taken while the
 * program waits for calls or timers: the copy then waits for them, too. Functions of a sandbox are called by
 * the thread that uses it, the others by any. Memory is compressed with zstd (RFC 8878), checksums are
 * SHA-256 (FIPS 180-4); docs/architecture.md, "Copies", has the format.
 *
 *     eryx_sandbox_checkpoint_file(sandbox, NULL, "session.ckpt", &error);
 *     ... another process, another day, the same runtime file:
 *     eryx_sandbox_resume_file(runtime, "session.ckpt", &options, &sandbox, &error);
 *     if ((execution = eryx_sandbox_execution(sandbox)) != NULL)
 *         while (eryx_execution_run(execution) != ERYX_EXECUTION_DONE)
 *             eryx_execution_wait(execution, UINT64_MAX); */
#ifndef ERYX_CHECKPOINT_H
#define ERYX_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>
#include <eryx/execution.h>
#include <eryx/export.h>
#include <eryx/sandbox.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes `count` independent copies of a session: memory, files, names, and if its execution waits, that
 * execution with its calls, timers and what it has used of its limits. out[0..count) are the
 * caller's. The copy of a waiting execution can go on at once (eryx_sandbox_execution); its first
 * eryx_execution_run gives the pending calls to the callbacks (on_call), as calls of their own. What
 * must not repeat (random, uuid, secrets) is seeded anew; connections are not copied.
 * options NULL: those of the sandbox, its callbacks and env included, whose finalizers then run when the
 * last of them is freed. Otherwise they replace them; secrets are always the sandbox's.
 * Costs follow what the session has changed in memory.
 * Errors: ERYX_ERR_ARGUMENT (also: a pending call's callback is not among the options'), _STATE (running,
 * not begun, done but not freed, or blocked in a call that is not awaited: time.sleep, a blocking
 * callback), _LIMIT (max_sandboxes; the session exceeds the options' limits), _MEMORY, _ENGINE.
 * The sandbox itself is unchanged; after an error there is no copy. */
ERYX_API int eryx_sandbox_fork(eryx_sandbox_t *sandbox, const eryx_sandbox_options_t *options,
                               size_t count, eryx_sandbox_t **out, eryx_error_t *error);

typedef struct eryx_checkpoint_options {
    size_t size; /* sizeof(eryx_checkpoint_options_t), set by eryx_checkpoint_options_init */
    /* Only what has changed since the last checkpoint of this sandbox, or since the one it was resumed
     * from. If there was none, or if memory was given back by a rollback since, it has all. */
    bool incremental;
    int level; /* of zstd: -100 (fast) to 19 (small). Default 1. */
} eryx_checkpoint_options_t;

/* Sets the defaults. Any thread. */
ERYX_API void eryx_checkpoint_options_init(eryx_checkpoint_options_t *options);

/* Writes a session as bytes: versioned, checksummed (sha256), bound to the runtime file (build and
 * image), compressed. At rest, or while its execution waits: then with its calls and timers. options
 * NULL: defaults. On success *data is the caller's: eryx_bytes_free. Host objects are not in it:
 * callbacks, streams, mounts and network rules are given again when it is resumed; placeholders of
 * secrets are, values never.
 * Errors: ERYX_ERR_ARGUMENT, _STATE (as of eryx_sandbox_fork; the value of a secret was found in
 * memory), _MEMORY, _ENGINE. The sandbox is unchanged. */
ERYX_API int eryx_sandbox_checkpoint(eryx_sandbox_t *sandbox,
                                     const eryx_checkpoint_options_t *options, void **data,
                                     size_t *length, eryx_error_t *error);

/* Same into a file, which is replaced at once: whatever happens, there is the old one or the new one.
 * Errors: also ERYX_ERR_IO. */
ERYX_API int eryx_sandbox_checkpoint_file(eryx_sandbox_t *sandbox,
                                          const eryx_checkpoint_options_t *options,
                                          const char *path, eryx_error_t *error);

/* A checkpoint, valid during the call. */
typedef struct eryx_checkpoint_part {
    const void *data;
    size_t length;
} eryx_checkpoint_part_t;

/* Makes a sandbox of a checkpoint: parts[0] is a whole one, those after it are incremental, each made
 * after the one before. Its execution, if it waited, can go on (eryx_sandbox_execution): the first
 * eryx_execution_run gives the pending calls to the options' callbacks. Monotonic clocks and timers go
 * on where they were, what must not repeat is seeded anew, connections are lost. On success *out
 * is the caller's.
 * The data is code that runs inside the sandbox; it can do there what any program can.
 * Secrets of the options get the placeholders that they had.
 * Errors: ERYX_ERR_ARGUMENT (also: parts in the wrong order, a callback is missing, a secret has another
 * length or shape than it had), _FORMAT (no
 * checkpoint, corrupt, cut off), _VERSION (of another format or runtime file), _LIMIT (it exceeds the
 * options' limits, or max_sandboxes), _MEMORY, _ENGINE. */
ERYX_API int eryx_sandbox_resume(eryx_runtime_t *runtime, const eryx_checkpoint_part_t *parts,
                                 size_t count, const eryx_sandbox_options_t *options,
                                 eryx_sandbox_t **out, eryx_error_t *error);

/* Same from one file. Errors: also ERYX_ERR_IO. */
ERYX_API int eryx_sandbox_resume_file(eryx_runtime_t *runtime, const char *path,
                                      const eryx_sandbox_options_t *options, eryx_sandbox_t **out,
                                      eryx_error_t *error);

typedef struct eryx_checkpoint_info {
    size_t size; /* set by the caller to sizeof(eryx_checkpoint_info_t) */
    uint32_t format_version;
    bool incremental;
    bool waiting;           /* an execution was in flight */
    uint64_t created_ns;    /* since 1970 */
    uint64_t memory_bytes;  /* linear memory */
    uint64_t changed_bytes; /* of memory that are in the checkpoint */
    uint32_t pending_calls;
    char runtime_id[65]; /* of the runtime file that it belongs to, in hex */
    char id[65];         /* of the checkpoint */
    char base_id[65];    /* of the one before it, if incremental; else "" */
} eryx_checkpoint_info_t;

/* Reads what is told of a checkpoint, after checking its checksum. Any runtime's. Any thread.
 * Errors: ERYX_ERR_ARGUMENT, _FORMAT, _VERSION. */
ERYX_API int eryx_checkpoint_get_info(const void *data, size_t length, eryx_checkpoint_info_t *info,
                                      eryx_error_t *error);

/* The execution of a sandbox that is not freed yet; NULL at rest. Of a fork or a resumed sandbox it is the
 * one that waits. Owned by the caller as if it had started it (eryx_execution_free). */
ERYX_API eryx_execution_t *eryx_sandbox_execution(eryx_sandbox_t *sandbox);

#ifdef __cplusplus
}
#endif
#endif
