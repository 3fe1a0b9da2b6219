/* One `execute` in flight: a state machine, driven by whoever waits for it.
 *
 *     execution_start → RUNNING only while it returns → WAITING or DONE
 *     execution_step, when the deadline has come → WAITING or DONE
 *     execution_take → the outcome; idle again
 *
 * Nothing here blocks. A stop from another thread makes a WAITING execution's deadline
 * pass: the next step ends it. */
#ifndef SANDBOX_EXECUTION_H
#define SANDBOX_EXECUTION_H

#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>
#include <eryx/sandbox.h>

#include "sandbox/outcome.h"

typedef enum execution_state {
    EXECUTION_IDLE,
    EXECUTION_RUNNING, /* guest code is on the stack of the calling thread */
    EXECUTION_WAITING,
    EXECUTION_DONE
} execution_state_t;

typedef struct execution {
    execution_state_t state;
    uint64_t started;
    uint64_t output_bytes; /* kept or handed over so far */
    eryx_outcome_t *outcome;
} execution_t;

/* Errors as of eryx_sandbox_execute; the execution is then idle again. */
int execution_start(eryx_sandbox_t *sandbox, const char *code, size_t length,
                    const eryx_execute_options_t *options, eryx_error_t *error);
/* Goes on with a waiting execution as far as possible. */
void execution_step(eryx_sandbox_t *sandbox);
/* When a waiting execution is to be stepped (clock_monotonic; 0: at once). */
uint64_t execution_deadline(const eryx_sandbox_t *sandbox);
/* Of a DONE execution; owned by the caller. */
eryx_outcome_t *execution_take(eryx_sandbox_t *sandbox);

#endif
