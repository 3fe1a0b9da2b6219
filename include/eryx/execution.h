/* Executions step by step, for event loops: one thread drives any number of sandboxes. A program that
 * waits has returned WAIT from `execute` (callback ABI of the component model's canonical ABI), so it
 * holds no stack and no thread.
 *
 *     eryx_queue_new(&queue, &error);
 *     eryx_execute_options_init(&options);
 *     options.queue = queue;
 *     eryx_execution_start(sandbox, code, length, &options, &execution, &error);  (1,000 times)
 *     for (;;) {
 *         poll() on eryx_queue_fd(queue), beside whatever else the program waits for
 *         while ((execution = eryx_queue_next(queue)) != NULL)
 *             if (eryx_execution_run(execution) == ERYX_EXECUTION_DONE) {
 *                 outcome = eryx_execution_take_outcome(execution);
 *                 eryx_execution_free(execution);
 *             }
 *     } */
#ifndef ERYX_EXECUTION_H
#define ERYX_EXECUTION_H

#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>
#include <eryx/export.h>
#include <eryx/sandbox.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One execution of a sandbox. Used by one thread at a time (any thread), except
 * eryx_execution_cancel. Belongs to its sandbox: eryx_sandbox_free frees it too. */
typedef struct eryx_execution eryx_execution_t;

/* Executions that can go on. Thread-safe: several threads may take executions from one queue. */
typedef struct eryx_queue eryx_queue_t;

typedef enum eryx_execution_state {
    ERYX_EXECUTION_RUNNABLE = 0, /* eryx_execution_run would get on with it */
    ERYX_EXECUTION_RUNNING = 1,  /* inside of eryx_execution_run */
    ERYX_EXECUTION_WAITING = 2,  /* for calls or timers */
    ERYX_EXECUTION_DONE = 3      /* eryx_execution_take_outcome has the outcome */
} eryx_execution_state_t;

/* Starts an execution: copies the code; the program runs, and its wall time begins, when
 * eryx_execution_run is called. options as of eryx_sandbox_execute. On success *out is the
 * caller's, to be freed before the next execution of the sandbox.
 * Errors: ERYX_ERR_ARGUMENT, _STATE (executing already), _MEMORY, _ENGINE. */
ERYX_API int eryx_execution_start(eryx_sandbox_t *sandbox, const char *code, size_t length,
                                  const eryx_execute_options_t *options, eryx_execution_t **out,
                                  eryx_error_t *error);

/* Where it is. The thread that uses the sandbox. */
ERYX_API eryx_execution_state_t eryx_execution_state(const eryx_execution_t *execution);

/* Runs the program until it waits or is done, and returns the state then. Never blocks by itself:
 * a program that computes takes its time, callbacks of the host too. */
ERYX_API eryx_execution_state_t eryx_execution_run(eryx_execution_t *execution);

/* Blocks until the execution can go on or is done (1), or timeout_ns nanoseconds have passed (0).
 * UINT64_MAX: without end. The blocking way to drive one execution:
 *     while (eryx_execution_run(execution) != ERYX_EXECUTION_DONE)
 *         eryx_execution_wait(execution, UINT64_MAX); */
ERYX_API int eryx_execution_wait(eryx_execution_t *execution, uint64_t timeout_ns);

/* The outcome of an execution that is DONE, once; NULL otherwise. Owned by the caller. */
ERYX_API eryx_outcome_t *eryx_execution_take_outcome(eryx_execution_t *execution);

/* Asks a program to end. One that waits for calls or timers sees its main task cancelled
 * (asyncio.CancelledError) at the next eryx_execution_run, and may clean up; its tasks and calls
 * are cancelled when that task ends. One that is computing, or blocks (time.sleep, a
 * blocking callback), is interrupted as by eryx_sandbox_interrupt. Any thread. */
ERYX_API void eryx_execution_cancel(eryx_execution_t *execution);

/* An execution that is not done is aborted: its calls are cancelled, the session is
 * rolled back (eryx_sandbox_options_t.rollback).
 * NULL is allowed. Not while it is running. */
ERYX_API void eryx_execution_free(eryx_execution_t *execution);

/* A queue without executions. Takes three file descriptors. On success *out is the caller's. Any
 * thread. Errors: ERYX_ERR_ARGUMENT, _MEMORY, _IO (no descriptor left). */
ERYX_API int eryx_queue_new(eryx_queue_t **out, eryx_error_t *error);

/* Adds an execution that is in no queue (of a fork or a resumed sandbox, or started without), ready. The
 * thread that uses its sandbox.
 * Errors: ERYX_ERR_ARGUMENT, _STATE (in a queue already, done), _MEMORY. */
ERYX_API int eryx_queue_add(eryx_queue_t *queue, eryx_execution_t *execution, eryx_error_t *error);

/* Readable (POLLIN) when an execution of the queue can go on: it was started, a call was
 * completed, a timer or the wall time is due, it was cancelled. Only to be waited for: not to
 * be read or closed. It stays readable until eryx_queue_next has returned NULL. Belongs to the queue. */
ERYX_API int eryx_queue_fd(const eryx_queue_t *queue);

/* eryx_execute_options_t.env: whose execution this is that came out of a queue. */
ERYX_API void *eryx_execution_env(const eryx_execution_t *execution);
/* For the execution of a fork or a resumed sandbox, which has NULL. Before it is in a queue. */
ERYX_API void eryx_execution_set_env(eryx_execution_t *execution, void *env);

/* The next execution that can go on; NULL if there is none. Never blocks. It is to be run or freed by
 * the thread that got it; until that, the queue does not give it again. Any thread. */
ERYX_API eryx_execution_t *eryx_queue_next(eryx_queue_t *queue);

/* Executions of the queue may still be alive; they are then driven without it. NULL is allowed. */
ERYX_API void eryx_queue_free(eryx_queue_t *queue);

#ifdef __cplusplus
}
#endif
#endif
