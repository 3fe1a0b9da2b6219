/* Copies of sandboxes: forks in this process, checkpoints that outlive it. Both can be taken while the
 * program waits for calls or timers: the copy then waits for them, too.
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

/* The execution of a sandbox that is not freed yet; NULL at rest. Of a fork or a resumed sandbox it is the
 * one that waits. */
ERYX_API eryx_execution_t *eryx_sandbox_execution(eryx_sandbox_t *sandbox);

#ifdef __cplusplus
}
#endif
#endif
