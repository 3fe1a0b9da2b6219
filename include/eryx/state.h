/* The session's names as bytes: saving, restoring, clearing. */
#ifndef ERYX_STATE_H
#define ERYX_STATE_H

#include <stdbool.h>
#include <stddef.h>

#include <eryx/error.h>
#include <eryx/export.h>
#include <eryx/sandbox.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct eryx_snapshot_options {
    size_t size; /* sizeof(eryx_snapshot_options_t), set by eryx_snapshot_options_init */
    /* Leave out names that cannot be saved (open files, generators, ...). Default false: then
     * they are an error, which names them. */
    bool skip_unpicklable;
} eryx_snapshot_options_t;

/* Sets the defaults. Any thread. */
ERYX_API void eryx_snapshot_options_init(eryx_snapshot_options_t *options);

/* All three are called by the thread that uses the sandbox, and run its code (pickling may call methods of the program), within its wall time
 * limit. If that ends badly (limit, interrupt, trap) the session is rolled back (or lost), as after
 * an execution, and the error is ERYX_ERR_LIMIT, _STATE or _GUEST. Other errors leave the
 * session as it was. */

/* What the program defined in this session: variables, functions, classes, imports. options NULL:
 * defaults. On success *data is owned by the caller: eryx_bytes_free.
 * Errors: ERYX_ERR_ARGUMENT, _STATE (executing; or a name cannot be saved: the message says
 * which and why), _LIMIT (snapshot_bytes), _MEMORY, _ENGINE, _GUEST. */
ERYX_API int eryx_sandbox_snapshot(eryx_sandbox_t *sandbox, const eryx_snapshot_options_t *options,
                                   void **data, size_t *length, eryx_error_t *error);

/* Replaces the session's names by those of a snapshot. The data is code that runs inside the
 * sandbox; it can do there what any program can.
 * Errors: ERYX_ERR_ARGUMENT, _STATE (executing), _FORMAT (not a snapshot, corrupt, or of another
 * runtime), _LIMIT (snapshot_bytes), _MEMORY, _ENGINE, _GUEST. */
ERYX_API int eryx_sandbox_restore(eryx_sandbox_t *sandbox, const void *data, size_t length,
                                  eryx_error_t *error);

/* Forgets the session's names and what the program changed in the interpreter, and closes its
 * sockets.
 * Errors: ERYX_ERR_ARGUMENT, _STATE (executing), _MEMORY, _ENGINE, _GUEST. */
ERYX_API int eryx_sandbox_clear(eryx_sandbox_t *sandbox, eryx_error_t *error);

/* Frees bytes that the library has returned. NULL is allowed. Any thread. */
ERYX_API void eryx_bytes_free(void *data);

#ifdef __cplusplus
}
#endif
#endif
