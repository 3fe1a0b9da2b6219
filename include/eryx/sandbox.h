/* A sandbox: one Python with its own linear memory, and a session in it. */
#ifndef ERYX_SANDBOX_H
#define ERYX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>
#include <eryx/export.h>
#include <eryx/limits.h>
#include <eryx/outcome.h>
#include <eryx/profile.h>
#include <eryx/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Used by one thread at a time (any thread), except eryx_sandbox_interrupt. */
typedef struct eryx_sandbox eryx_sandbox_t;

typedef enum eryx_stream { ERYX_STDOUT = 1, ERYX_STDERR = 2 } eryx_stream_t;

/* Called on the executing thread for every write of the program, in the order
 * written. data is valid during the call only. Must not call into the sandbox, and has
 * 1 MiB of stack. */
typedef void (*eryx_output_fn)(void *env, eryx_stream_t stream, const char *data, size_t length);

/* Called on the executing thread when the program reads stdin: fill at most
 * capacity bytes, return how many, 0 at the end, negative on an I/O error.
 * May block; the wall-time limit is looked at when it returns. 1 MiB of stack. */
typedef ptrdiff_t (*eryx_input_fn)(void *env, char *buffer, size_t capacity);

/* Called on the executing thread for every event of a traced program (sys.monitoring, PEP 669), before
 * it goes on; the arguments are those of `report-trace` in wit/runtime.wit. lineno 0:
 * the event has no line. event_json: {"type": "line", ...}; context_json: where it is. Both are
 * JSON objects, valid during the call only. Must not call into the sandbox, and has 1 MiB of stack. */
typedef void (*eryx_trace_fn)(void *env, uint32_t lineno, const char *event_json,
                              size_t event_length, const char *context_json, size_t context_length);

typedef enum eryx_output_mode {
    ERYX_OUTPUT_CHUNK = 0, /* on_output gets each write as it is */
    /* on_output gets whole lines, their newline included, of each stream; what has none at the end
     * of the execution, or is longer than 64 KiB, in pieces. */
    ERYX_OUTPUT_LINE = 1
} eryx_output_mode_t;

struct eryx_callback; /* <eryx/callback.h> */
struct eryx_queue;    /* <eryx/execution.h> */
struct eryx_secret;   /* <eryx/secret.h> */
struct eryx_net_options;
struct eryx_mount; /* <eryx/mount.h> */

typedef struct eryx_sandbox_options {
    size_t size; /* sizeof(eryx_sandbox_options_t), set by eryx_sandbox_options_init */
    eryx_limits_t limits;
    /* sys.argv. Copied. NULL: ['']. */
    const char *const *argv;
    size_t argc;
    /* Environment, "NAME=value" strings. Copied. Nothing of the host's
     * environment is visible otherwise. */
    const char *const *environ;
    size_t environ_count;
    /* Where output goes as it is written; NULL: it is kept for the outcome. */
    eryx_output_fn on_output;
    eryx_output_mode_t output_mode;
    /* Where stdin comes from; NULL: empty. */
    eryx_input_fn on_input;
    /* Where traces go; NULL: the program is not traced, which costs it nothing. */
    eryx_trace_fn on_trace;
    /* Bytes of local variables' text that an event may carry. Default 0: no variables. */
    uint32_t trace_locals_bytes;
    /* Where samples go of what the program does (<eryx/profile.h>); NULL: it is not sampled, which costs it
     * nothing. */
    eryx_sample_fn on_sample;
    uint64_t sample_interval_ns; /* default 1 ms; at least ERYX_SAMPLE_INTERVAL_MIN_NS */
    /* Measure CPU time and note what is waited for (<eryx/usage.h>): about 2 µs an execution and a wait. Default
     * false. */
    bool measure;
    /* Callbacks of the host that programs may call. Copied. */
    const struct eryx_callback *callbacks;
    size_t callback_count;
    /* Values that programs use by placeholders (<eryx/secret.h>). Copied. */
    const struct eryx_secret *secrets;
    size_t secret_count;
    /* Certificates (PEM, NUL-terminated, at most 2 MiB) that every TLS connection of the program
     * trusts besides the system's store. Copied. NULL: none. */
    const char *tls_authorities_pem;
    /* What an execution that ends by a limit, an interrupt, a trap or os._exit did to the session is
     * undone: names, memory and files are what they were before it (eryx_outcome_session_lost
     * is 0). Takes as much memory of the host again as the session has changed. Default true; false:
     * the session is lost then. */
    bool rollback;
    /* What of the network programs may use (<eryx/net.h>). Copied. NULL: nothing. */
    const struct eryx_net_options *net;
    /* Files of the host that programs see. Copied. */
    const struct eryx_mount *mounts;
    size_t mount_count;
    /* Passed to on_output, on_input, on_trace and on_sample. */
    void *env;
    /* Called exactly once with env, when the sandbox is freed; never if
     * eryx_sandbox_new fails. May be NULL. */
    void (*env_finalizer)(void *env);
} eryx_sandbox_options_t;

/* Sets the defaults. Any thread. */
ERYX_API void eryx_sandbox_options_init(eryx_sandbox_options_t *options);

/* Takes an instance from the runtime's pool, or makes one. options NULL: defaults. Any thread.
 * On success *out is owned by the caller.
 * Errors: ERYX_ERR_ARGUMENT, _LIMIT (max_sandboxes live), _MEMORY, _ENGINE. */
ERYX_API int eryx_sandbox_new(eryx_runtime_t *runtime, const eryx_sandbox_options_t *options,
                              eryx_sandbox_t **out, eryx_error_t *error);

/* Recycles the instance; an execution that waits is aborted. Not while one is running. NULL is allowed. */
ERYX_API void eryx_sandbox_free(eryx_sandbox_t *sandbox);

/* Values of expressions that stand as statements, outside of functions: which are written, as
 * sys.displayhook does it (repr to stdout, nothing for None, the value kept as `_`). */
typedef enum eryx_display {
    ERYX_DISPLAY_NONE = 0,
    ERYX_DISPLAY_LAST = 1, /* that of the last statement, as a cell of a notebook */
    ERYX_DISPLAY_ALL = 2   /* all, also those in loops, as at Python's prompt */
} eryx_display_t;

typedef struct eryx_execute_options {
    size_t size; /* sizeof(eryx_execute_options_t), set by eryx_execute_options_init */
    /* Name of the code in tracebacks. NULL: "<eryx>". Copied. */
    const char *filename;
    /* Run as a script, like `python FILE`: in a fresh `__main__` without the session's
     * names. Default false. */
    bool script;
    /* What value of a good execution the outcome is to carry as JSON (eryx_outcome_result_json).
     * NULL: none. "": that of the last expression. Else that of the variable of this name. */
    const char *result;
    /* For eryx_execution_start (<eryx/execution.h>): tells when the execution can go on. NULL:
     * none. Ignored by eryx_sandbox_execute. */
    struct eryx_queue *queue;
    eryx_display_t display; /* Default ERYX_DISPLAY_NONE. */
    /* For eryx_execution_start: what eryx_execution_env returns. Default NULL. */
    void *env;
} eryx_execute_options_t;

/* Sets the defaults. Any thread. */
ERYX_API void eryx_execute_options_init(eryx_execute_options_t *options);

/* Runs Python code (UTF-8, length bytes; may contain top-level await) to its end,
 * blocking the calling thread, also while calls of callbacks are pending. Names persist from one execution to the next.
 * options NULL: defaults. Returns ERYX_OK whenever there is an outcome, which is
 * then owned by the caller; a Python exception is an outcome.
 * Errors: ERYX_ERR_ARGUMENT, _STATE (executing already), _MEMORY, _ENGINE, _GUEST. */
ERYX_API int eryx_sandbox_execute(eryx_sandbox_t *sandbox, const char *code, size_t length,
                                  const eryx_execute_options_t *options, eryx_outcome_t **out,
                                  eryx_error_t *error);

/* Stops the running execution at its next loop iteration; it ends with
 * ERYX_OUTCOME_INTERRUPTED. Without one running nothing happens. Any thread, any
 * number of times; not from a signal handler. */
ERYX_API void eryx_sandbox_interrupt(eryx_sandbox_t *sandbox);

#ifdef __cplusplus
}
#endif
#endif
