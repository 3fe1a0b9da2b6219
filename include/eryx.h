/* eryx: run Python you do not trust.
 *
 * A runtime (eryx_runtime_t) is opened once per process and shared by all threads.
 * From it come sandboxes (eryx_sandbox_t), each a full CPython of its own in a
 * WebAssembly linear memory. A sandbox executes code, keeps the session's names
 * from one execution to the next, and yields outcomes (eryx_outcome_t).
 *
 *     eryx_runtime_t *runtime;
 *     eryx_sandbox_t *sandbox;
 *     eryx_outcome_t *outcome;
 *     eryx_error_t error;
 *     if (eryx_runtime_open(NULL, NULL, &runtime, &error) != ERYX_OK) ...
 *     eryx_sandbox_new(runtime, NULL, &sandbox, &error);
 *     eryx_sandbox_execute(sandbox, code, strlen(code), NULL, &outcome, &error);
 *     puts(eryx_outcome_stdout(outcome, NULL));
 *     eryx_outcome_free(outcome);
 *     eryx_sandbox_free(sandbox);
 *     eryx_runtime_free(runtime);
 *
 * Programs call functions of the host through callbacks (<eryx/callback.h>). An event loop drives
 * many sandboxes on one thread with executions and queues (<eryx/execution.h>). A session
 * is saved and restored as bytes (<eryx/state.h>). Programs see files of the host where it mounts them
 * (<eryx/mount.h>), and import packages that it gives them (<eryx/package.h>).
 *
 * Conventions:
 * - Errors: functions that can fail return ERYX_OK or a negative eryx_status_t and fill an optional
 *   eryx_error_t. Outputs count on success only.
 * - NULL: where a function does not allow it, one that returns a status answers ERYX_ERR_ARGUMENT; one that
 *   only tells something of an object (eryx_outcome_..., eryx_call_name, ...) or drives it must get one.
 * - Options structs are set up by their _init function. What they point to is copied during the call, except
 *   `env`, which is passed back until its finalizer has been called.
 * - Ownership: what _new, _open, _start, _fork, _resume and _take give is the caller's, and goes back by the
 *   _free of its type. _free(NULL) does nothing.
 * - Threads: a runtime, a source, a queue and a call are used by any number of threads at a time; a sandbox
 *   with its executions, and an outcome, by one at a time, any. Where a function differs it says so.
 * - Strings are UTF-8 and NUL-terminated; times are nanoseconds, sizes bytes, unless a name says
 *   otherwise.
 * - Sources: the world of the runtime is wit/runtime.wit, spoken by the component model's canonical ABI;
 *   docs/architecture.md has what is ours. docs/embedding.md shows how the pieces are used. */
#ifndef ERYX_H
#define ERYX_H

#include <eryx/callback.h>
#include <eryx/checkpoint.h>
#include <eryx/error.h>
#include <eryx/execution.h>
#include <eryx/fs.h>
#include <eryx/image.h>
#include <eryx/limits.h>
#include <eryx/mount.h>
#include <eryx/net.h>
#include <eryx/outcome.h>
#include <eryx/package.h>
#include <eryx/profile.h>
#include <eryx/runtime.h>
#include <eryx/sandbox.h>
#include <eryx/secret.h>
#include <eryx/state.h>
#include <eryx/usage.h>

#endif
