/* What came out of one execution. */
#ifndef ERYX_OUTCOME_H
#define ERYX_OUTCOME_H

#include <stddef.h>
#include <stdint.h>

#include <eryx/export.h>
#include <eryx/limits.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Immutable plain memory: it outlives its sandbox and runtime. Owned by whoever got it, to be freed with
 * eryx_outcome_free; used by one thread at a time. */
typedef struct eryx_outcome eryx_outcome_t;

typedef enum eryx_outcome_kind {
    ERYX_OUTCOME_OK = 0,          /* ran to its end */
    ERYX_OUTCOME_EXCEPTION = 1,   /* an uncaught Python exception */
    ERYX_OUTCOME_EXIT = 2,        /* SystemExit or os._exit: see exit_code */
    ERYX_OUTCOME_LIMIT = 3,       /* stopped by a limit: see limit */
    ERYX_OUTCOME_INTERRUPTED = 4, /* stopped by eryx_sandbox_interrupt */
    ERYX_OUTCOME_TRAP = 5         /* os.abort(), a crash of the interpreter, C stack exhausted */
} eryx_outcome_kind_t;

/* How it ended; what else is told depends on it. */
ERYX_API eryx_outcome_kind_t eryx_outcome_kind(const eryx_outcome_t *outcome);

/* Bytes as written, UTF-8 for text. Not NUL-terminated at *length, but one NUL
 * follows. Valid until eryx_outcome_free. length may be NULL. Empty when an
 * output callback took them (eryx_sandbox_options_t.on_output). */
ERYX_API const char *eryx_outcome_stdout(const eryx_outcome_t *outcome, size_t *length);
ERYX_API const char *eryx_outcome_stderr(const eryx_outcome_t *outcome, size_t *length);
/* Bytes of output dropped because of eryx_limits_t.output_bytes. */
ERYX_API uint64_t eryx_outcome_output_dropped(const eryx_outcome_t *outcome);

/* For ERYX_OUTCOME_EXCEPTION: qualified type name, str(exception), and the
 * traceback as Python prints it. For ERYX_OUTCOME_LIMIT, _INTERRUPTED and _TRAP:
 * type and traceback are "", message says what happened. Never NULL; valid until
 * eryx_outcome_free. */
ERYX_API const char *eryx_outcome_exception_type(const eryx_outcome_t *outcome);
ERYX_API const char *eryx_outcome_exception_message(const eryx_outcome_t *outcome);
ERYX_API const char *eryx_outcome_traceback(const eryx_outcome_t *outcome);

/* For ERYX_OUTCOME_EXIT, else 0 for OK and 1 for the others. */
ERYX_API int eryx_outcome_exit_code(const eryx_outcome_t *outcome);
/* For ERYX_OUTCOME_LIMIT: which, its value, and what was used of it. */
ERYX_API eryx_limit_t eryx_outcome_limit(const eryx_outcome_t *outcome);
ERYX_API uint64_t eryx_outcome_limit_value(const eryx_outcome_t *outcome);
ERYX_API uint64_t eryx_outcome_limit_used(const eryx_outcome_t *outcome);
/* WebAssembly instructions that the execution used; 0 where the runtime does not count them
 * (eryx_runtime_options_t.fuel). */
ERYX_API uint64_t eryx_outcome_fuel_used(const eryx_outcome_t *outcome);
/* Wall time of the execution in nanoseconds. */
ERYX_API uint64_t eryx_outcome_wall_time_ns(const eryx_outcome_t *outcome);
/* After LIMIT, INTERRUPTED, TRAP and os._exit: 0 when the session is again what it was before this
 * execution, nonzero when its names are gone and the next execution starts from the fresh image
 * (eryx_sandbox_options_t.rollback is false). 0 for all other kinds. */
ERYX_API int eryx_outcome_session_lost(const eryx_outcome_t *outcome);

/* If eryx_execute_options_t.result asked for a value and the kind is OK: the value as JSON, or NULL
 * and then the reason in eryx_outcome_result_error ("a result of type set is not JSON: ..."). Both
 * NULL otherwise. Valid until eryx_outcome_free. length may be NULL. */
ERYX_API const char *eryx_outcome_result_json(const eryx_outcome_t *outcome, size_t *length);
ERYX_API const char *eryx_outcome_result_error(const eryx_outcome_t *outcome);

/* Frees it with all strings it has given. NULL is allowed. */
ERYX_API void eryx_outcome_free(eryx_outcome_t *outcome);

#ifdef __cplusplus
}
#endif
#endif
