/* Callbacks: functions of the host that programs call.
 *
 * Each call is an asynchronous call of the import `invoke` (wit/runtime.wit): a subtask in the terms of the
 * component model's canonical ABI. Arguments and results are JSON (RFC 8259), schemas JSON Schema. */
#ifndef ERYX_CALLBACK_H
#define ERYX_CALLBACK_H

#include <stdbool.h>
#include <stddef.h>

#include <eryx/error.h>
#include <eryx/export.h>
#include <eryx/sandbox.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One call of a callback by a program. Any thread may use it, at the same time as others. The
 * callback owns it from on_call on and gives it back with eryx_call_free, when the call is
 * completed or later. It outlives the execution, the sandbox and the runtime. */
typedef struct eryx_call eryx_call_t;

/* Called on the executing thread, with 1 MiB of stack; must not call into the sandbox. The program
 * goes on at once if the call is completed before on_call returns, else when it is completed,
 * by any thread. */
typedef void (*eryx_call_fn)(void *env, eryx_call_t *call);

/* A description of a callback. Everything is copied. */
typedef struct eryx_callback {
    size_t size; /* sizeof(eryx_callback_t), set by eryx_callback_init */
    /* What programs call: `name(...)`, or `space.name(...)` for a name with dots. At most 255 bytes.
     * A name that is no Python name is only reachable by `invoke(name, json)`. */
    const char *name;
    const char *description; /* for help() and list_callbacks(); NULL: "" */
    /* JSON schema of an object: names, order, types and defaults of the parameters. NULL: any
     * keyword arguments. */
    const char *parameters_schema_json;
    /* A plain function, which blocks the program, instead of an async one. */
    bool blocking;
    eryx_call_fn on_call;
    /* The program no longer wants the result, or its execution is over. Called on the thread that
     * uses the sandbox, possibly while another one completes the call; must not call into the
     * sandbox. The call is still to be freed. May be NULL. */
    eryx_call_fn on_cancel;
    void *env; /* passed to both */
    /* Called exactly once with env, when the sandbox is freed; never if the callback was not
     * registered. Calls may still exist then. May be NULL. */
    void (*env_finalizer)(void *env);
} eryx_callback_t;

/* Sets the defaults. Any thread. */
ERYX_API void eryx_callback_init(eryx_callback_t *callback);

/* Registers a callback; programs see it from the next execution on. The same is done with those
 * of eryx_sandbox_options_t.callbacks. The thread that uses the sandbox.
 * Errors: ERYX_ERR_ARGUMENT (no name or on_call, not UTF-8, schema not a JSON object, a callback
 * of that name exists), _STATE (executing), _MEMORY. */
ERYX_API int eryx_sandbox_add_callback(eryx_sandbox_t *sandbox, const eryx_callback_t *callback,
                                       eryx_error_t *error);

/* Name of the callback, and the arguments: a JSON object of the program's, to be checked. UTF-8,
 * NUL-terminated, valid until eryx_call_free. length (bytes) may be NULL. Any thread. */
ERYX_API const char *eryx_call_name(const eryx_call_t *call);
ERYX_API const char *eryx_call_arguments(const eryx_call_t *call, size_t *length);

/* Completes the call: the program gets `json` (copied; UTF-8), or an exception with `message`
 * (copied; UTF-8, NUL-terminated). Exactly one of these takes effect, once. Any thread.
 * Errors: ERYX_ERR_STATE (completed already; or too late: the program cancelled the call, or
 * the execution or sandbox is gone), _ARGUMENT (NULL, not UTF-8: the call is still open), _LIMIT
 * (more than eryx_limits_t.call_result_bytes: the program gets an exception that says so), _MEMORY
 * (the same). */
ERYX_API int eryx_call_complete(eryx_call_t *call, const char *json, size_t length,
                                eryx_error_t *error);
ERYX_API int eryx_call_fail(eryx_call_t *call, const char *message, eryx_error_t *error);

/* Whether completing it is in vain: the program cancelled it, or is gone. Any thread. */
ERYX_API bool eryx_call_cancelled(const eryx_call_t *call);

/* Gives the call back. One that is not completed fails with "the host dropped the call". NULL is
 * allowed. Any thread, once. */
ERYX_API void eryx_call_free(eryx_call_t *call);

#ifdef __cplusplus
}
#endif
#endif
