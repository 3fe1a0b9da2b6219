/* The public interface of executions: who runs them, when, and what they wait for. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include <eryx/checkpoint.h>

#include "base/clock.h"
#include "base/error.h"
#include "sandbox/execution.h"
#include "sandbox/sandbox.h"

int eryx_execution_start(eryx_sandbox_t *sandbox, const char *code, size_t length,
                         const eryx_execute_options_t *options, eryx_execution_t **out,
                         eryx_error_t *error) {
    if (out)
        *out = NULL;
    int status = sandbox_check_execute(sandbox, code, length, options, out, error);
    if (status != ERYX_OK)
        return status;
    char *copy = malloc(length + 1);
    if (!copy)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for an execution");
    if (length > 0)
        memcpy(copy, code, length);
    status = execution_prepare(sandbox, options, error);
    if (status != ERYX_OK) {
        free(copy);
        return status;
    }
    eryx_execution_t *execution = &sandbox->execution;
    execution->code = copy;
    execution->code_length = length;
    execution->env = options ? options->env : NULL;
    control_pause(sandbox->control, 0);
    if (!queue_attach(options ? options->queue : NULL, &execution->item, execution)) {
        eryx_execution_free(execution);
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for an execution in a queue");
    }
    if (execution->item.queue)
        control_watch(sandbox->control, &execution->item);
    *out = execution;
    return ERYX_OK;
}

eryx_execution_t *eryx_sandbox_execution(eryx_sandbox_t *sandbox) {
    return sandbox->execution.state == EXECUTION_IDLE ? NULL : &sandbox->execution;
}

int eryx_queue_add(eryx_queue_t *queue, eryx_execution_t *execution, eryx_error_t *error) {
    if (!queue || !execution)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", queue ? "execution" : "queue");
    if (execution->item.queue || execution->state == EXECUTION_DONE)
        return error_set(error, ERYX_ERR_STATE, "the execution is %s",
                         execution->item.queue ? "in a queue already" : "done");
    if (!queue_attach(queue, &execution->item, execution))
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for an execution in a queue");
    control_watch(execution->sandbox->control, &execution->item);
    return ERYX_OK;
}

void eryx_execution_set_env(eryx_execution_t *execution, void *env) {
    execution->env = env;
}

void *eryx_execution_env(const eryx_execution_t *execution) {
    return execution->env;
}

/* Something happened, or its time has come. */
static bool can_go_on(const eryx_execution_t *execution) {
    const eryx_sandbox_t *sandbox = execution->sandbox;
    if (control_woken(sandbox->control))
        return true;
    uint64_t deadline = execution_deadline(sandbox);
    return deadline == 0 || deadline <= clock_monotonic();
}

/* In a child of the process that started it an execution is over, without an outcome. */
static bool foreign(const eryx_execution_t *execution) {
    return execution->sandbox && runtime_foreign(execution->sandbox->runtime);
}

eryx_execution_state_t eryx_execution_state(const eryx_execution_t *execution) {
    if (foreign(execution))
        return ERYX_EXECUTION_DONE;
    switch (execution->state) {
    case EXECUTION_READY:
        return ERYX_EXECUTION_RUNNABLE;
    case EXECUTION_RUNNING:
        return ERYX_EXECUTION_RUNNING;
    case EXECUTION_WAITING:
        return can_go_on(execution) ? ERYX_EXECUTION_RUNNABLE : ERYX_EXECUTION_WAITING;
    default:
        return ERYX_EXECUTION_DONE;
    }
}

static void leave_queue(eryx_execution_t *execution) {
    control_watch(execution->sandbox->control, NULL);
    queue_detach(&execution->item);
}

static void begin(eryx_execution_t *execution) {
    eryx_sandbox_t *sandbox = execution->sandbox;
    bool cancelled = control_resume(sandbox->control);
    if (cancelled || control_stopping(sandbox->control) != STOP_NONE) {
        execution_abort(sandbox);
        return;
    }
    execution_begin(sandbox, execution->code, execution->code_length);
    free(execution->code);
    execution->code = NULL;
}

eryx_execution_state_t eryx_execution_run(eryx_execution_t *execution) {
    if (foreign(execution))
        return ERYX_EXECUTION_DONE;
    if (execution->state == EXECUTION_DONE || execution->state == EXECUTION_RUNNING)
        return eryx_execution_state(execution);
    queue_busy(&execution->item);
    if (execution->state == EXECUTION_READY)
        begin(execution);
    else
        execution_step(execution->sandbox);
    if (execution->state == EXECUTION_DONE) {
        leave_queue(execution);
        return ERYX_EXECUTION_DONE;
    }
    queue_wait(&execution->item, execution_deadline(execution->sandbox));
    return ERYX_EXECUTION_WAITING;
}

int eryx_execution_wait(eryx_execution_t *execution, uint64_t timeout_ns) {
    if (execution->state != EXECUTION_WAITING || foreign(execution))
        return 1;
    uint64_t deadline = execution_deadline(execution->sandbox);
    uint64_t timeout = clock_add(clock_monotonic(), timeout_ns);
    uint64_t until = deadline < timeout ? deadline : timeout;
    return control_wait(execution->sandbox->control, until) || until == deadline;
}

eryx_outcome_t *eryx_execution_take_outcome(eryx_execution_t *execution) {
    return execution->state == EXECUTION_DONE && !foreign(execution)
               ? execution_take(execution->sandbox)
               : NULL;
}

void eryx_execution_cancel(eryx_execution_t *execution) {
    if (foreign(execution))
        return;
    control_cancel(execution->sandbox->control);
}

void eryx_execution_free(eryx_execution_t *execution) {
    if (!execution || foreign(execution) || execution->state == EXECUTION_IDLE ||
        execution->state == EXECUTION_RUNNING)
        return;
    if (execution->state != EXECUTION_DONE)
        execution_abort(execution->sandbox);
    leave_queue(execution);
    execution_drop(execution->sandbox);
}
