/* One `execute` in flight: a state machine, driven by whoever waits for it.
 *
 *     execution_prepare → READY
 *     execution_begin → RUNNING only while it returns → WAITING or DONE
 *     execution_step, when the deadline has come or the control is woken → WAITING or DONE
 *     execution_take → the outcome;  execution_drop → idle again
 *
 * Nothing here blocks. A stop from another thread wakes the control: the next step ends the
 * execution. A sandbox has one, which is the eryx_execution_t of the public interface too. */
#ifndef SANDBOX_EXECUTION_H
#define SANDBOX_EXECUTION_H

#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>
#include <eryx/execution.h>
#include <eryx/sandbox.h>

#include "abi/guest.h"
#include "sandbox/outcome.h"
#include "sandbox/queue.h"

typedef enum execution_state {
    EXECUTION_IDLE,
    EXECUTION_READY,   /* not begun */
    EXECUTION_RUNNING, /* guest code is on the stack of the calling thread */
    EXECUTION_WAITING,
    EXECUTION_DONE
} execution_state_t;

struct eryx_execution {
    eryx_sandbox_t *sandbox;
    execution_state_t state;
    uint64_t output_bytes; /* kept or handed over so far */
    uint64_t held;         /* bytes taken from the sandbox's budget, until the outcome is taken */
    eryx_limit_t exceeded; /* a limit that ended it at a call of the host, and what was used */
    uint64_t exceeded_used;
    uint64_t fuel; /* what it began with */
    eryx_outcome_t *outcome;
    char *result; /* as in eryx_execute_options_t; a copy */
    void *env;
    /* Of eryx_execution_start. */
    char *code; /* until it begins */
    size_t code_length;
    queue_item_t item;
};

/* Errors as of eryx_sandbox_execute; the execution is then idle again. */
int execution_prepare(eryx_sandbox_t *sandbox, const eryx_execute_options_t *options,
                      eryx_error_t *error);
void execution_begin(eryx_sandbox_t *sandbox, const char *code, size_t length);
/* Goes on with a waiting execution as far as possible. */
void execution_step(eryx_sandbox_t *sandbox);
/* Ends one that is not done, without running guest code. */
void execution_abort(eryx_sandbox_t *sandbox);
/* When a waiting execution is to be stepped (clock_monotonic; 0: at once). */
uint64_t execution_deadline(const eryx_sandbox_t *sandbox);
/* Of a DONE execution; owned by the caller. */
eryx_outcome_t *execution_take(eryx_sandbox_t *sandbox);
void execution_drop(eryx_sandbox_t *sandbox);
/* Notes bytes that the outcome holds. False: over the limit of host memory. */
bool execution_hold(eryx_sandbox_t *sandbox, uint64_t bytes);

/* What tracebacks call the code. */
const char *execution_filename(const eryx_sandbox_t *sandbox);

/* Connects the guest with its sandbox's streams and calls. */
void execution_attach(eryx_sandbox_t *sandbox);
/* Before guest code runs: a copy of another sandbox is woken, its pending calls go to the host. */
guest_status_t execution_wake(eryx_sandbox_t *sandbox);
/* Gives the guest the fuel of one execution that has used some already; tells how much that is in all
 * (0: it is not counted). */
uint64_t execution_fuel(eryx_sandbox_t *sandbox, uint64_t used);
uint64_t execution_fuel_used(const eryx_sandbox_t *sandbox);
/* Tells the guest how it is to run, if it does not know. */
guest_status_t execution_configure(eryx_sandbox_t *sandbox);

#endif
