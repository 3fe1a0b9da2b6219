/* From code to outcome: configure, run, and tell apart the ways an execution can end. */
#define _GNU_SOURCE
#include "sandbox/execution.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "sandbox/limits.h"
#include "sandbox/sandbox.h"
#include "sandbox/scrub.h"
#include "sandbox/streams.h"
#include "sandbox/usage.h"

static const char default_filename[] = "<eryx>";

const char *execution_filename(const eryx_sandbox_t *sandbox) {
    return sandbox->filename ? sandbox->filename : default_filename;
}

/* --- Ends --------------------------------------------------------------------------------- */

static void describe(eryx_outcome_t *outcome, const char *message) {
    free(outcome->message);
    outcome->message = strdup(message);
}

static void end_stopped(const eryx_sandbox_t *sandbox, stop_reason_t reason,
                        const control_times_t *times) {
    eryx_outcome_t *outcome = sandbox->execution.outcome;
    switch (reason) {
    case STOP_WALL_TIME:
        limits_end(outcome, ERYX_LIMIT_WALL_TIME, sandbox->limits.wall_time_ns, times->wall);
        return;
    case STOP_CPU_TIME:
        limits_end(outcome, ERYX_LIMIT_CPU_TIME, sandbox->limits.cpu_time_ns, times->cpu);
        return;
    default:
        outcome->exit_code = 1;
        outcome->kind = ERYX_OUTCOME_INTERRUPTED;
        describe(outcome, "interrupted");
    }
}

/* A limit that a call of the host met; false if there was none. */
static bool end_exceeded(const eryx_sandbox_t *sandbox) {
    const eryx_execution_t *execution = &sandbox->execution;
    const eryx_limits_t *limits = &sandbox->limits;
    if (execution->exceeded == ERYX_LIMIT_OUTPUT)
        limits_end(execution->outcome, ERYX_LIMIT_OUTPUT, limits->output_bytes,
                   execution->exceeded_used);
    else if (execution->exceeded == ERYX_LIMIT_HOST_MEMORY ||
             sandbox->instance->guest.waitables.over_budget)
        limits_end(execution->outcome, ERYX_LIMIT_HOST_MEMORY, limits->host_memory_bytes,
                   atomic_load(&sandbox->budget->refused));
    else
        return false;
    return true;
}

static void end_trapped(const guest_t *guest, eryx_outcome_t *outcome) {
    char message[256];
    outcome->kind = ERYX_OUTCOME_TRAP;
    outcome->exit_code = 1;
    guest_trap_message(guest, message, sizeof message);
    describe(outcome, message);
}

static void end_refused(eryx_outcome_t *outcome) {
    outcome->kind = ERYX_OUTCOME_EXCEPTION;
    outcome->exit_code = 1;
    outcome->type = strdup("MemoryError");
    describe(outcome, "the code does not fit into the sandbox's memory");
    outcome->traceback = strdup("MemoryError: the code does not fit into the sandbox's memory\n");
}

static void end_exception(eryx_outcome_t *outcome, const guest_exception_t *exception) {
    outcome->kind = exception->exits ? ERYX_OUTCOME_EXIT : ERYX_OUTCOME_EXCEPTION;
    outcome->exit_code = exception->exits ? exception->exit_code : 1;
    outcome->type = exception->type;
    outcome->message = exception->message;
    outcome->traceback = exception->traceback;
}

/* The guest has come to an end of some kind: no guest code runs any more. */
static void finish(eryx_sandbox_t *sandbox, guest_status_t status,
                   const guest_exception_t *exception) {
    eryx_execution_t *execution = &sandbox->execution;
    eryx_outcome_t *outcome = execution->outcome;
    guest_t *guest = &sandbox->instance->guest;
    control_times_t times;
    stop_reason_t reason = control_end(sandbox->control, &times);
    outcome->wall_time_ns = times.wall;
    outcome->fuel_used = execution_fuel_used(sandbox);
    execution->state = EXECUTION_DONE;
    streams_flush(sandbox);
    switch (status) {
    case GUEST_ENDED:
        guest_abandon_calls(guest);
        if (exception)
            end_exception(outcome, exception);
        return;
    case GUEST_REFUSED:
        end_refused(outcome);
        return;
    case GUEST_EXITED:
        outcome->kind = ERYX_OUTCOME_EXIT;
        outcome->exit_code = guest->exit_code;
        break;
    case GUEST_TRAPPED:
        if (reason != STOP_NONE && guest_trapped_on_memory(guest))
            end_stopped(sandbox, reason, &times);
        else if (guest_out_of_fuel(guest))
            limits_end(outcome, ERYX_LIMIT_FUEL, sandbox->limits.fuel, outcome->fuel_used);
        else if (!end_exceeded(sandbox))
            end_trapped(guest, outcome);
        break;
    case GUEST_WAITING:
        guest_cancel(guest);
        end_stopped(sandbox, reason, &times);
        break;
    }
    outcome->session_lost = !sandbox_undo(sandbox);
    if (sandbox->net)
        net_sandbox_reset(sandbox->net);
    tls_reset(sandbox->tls);
}

/* The value of a good execution that the host wants. */
static guest_status_t take_result(eryx_sandbox_t *sandbox) {
    char message[128];
    eryx_execution_t *execution = &sandbox->execution;
    eryx_outcome_t *outcome = execution->outcome;
    guest_answer_t answer = {0};
    uint64_t max = sandbox->limits.result_bytes, room = budget_room(sandbox->budget);
    if (room < max)
        max = room;
    guest_status_t status = guest_result(
        &sandbox->instance->guest, *execution->result ? execution->result : NULL, max, &answer);
    if (status != GUEST_ENDED)
        free(answer.data);
    if (status == GUEST_REFUSED) {
        outcome->result_error = strdup("the sandbox is out of memory");
        return GUEST_ENDED;
    }
    if (status != GUEST_ENDED)
        return status;
    if (answer.too_long) {
        snprintf(message, sizeof message,
                 "the result has %zu bytes of JSON, more than the limit %s of %llu", answer.length,
                 max == sandbox->limits.result_bytes ? "result_bytes" : "host_memory_bytes",
                 (unsigned long long)max);
        outcome->result_error = strdup(message);
    } else if (answer.failed) {
        outcome->result_error = answer.data ? answer.data : strdup("no reason was given");
    } else {
        execution_hold(sandbox, answer.length);
        outcome->result = answer.data;
        outcome->result_length = answer.length;
    }
    return GUEST_ENDED;
}

static void absorb(eryx_sandbox_t *sandbox, guest_status_t status) {
    guest_t *guest = &sandbox->instance->guest;
    guest_exception_t exception;
    if (status == GUEST_WAITING) {
        sandbox->execution.state = EXECUTION_WAITING;
        usage_note_wait(sandbox);
        control_pause(sandbox->control, guest_deadline(guest));
        return;
    }
    if (status == GUEST_ENDED && !guest_failed(guest) && sandbox->execution.result)
        status = take_result(sandbox);
    if (status != GUEST_ENDED || !guest_failed(guest)) {
        finish(sandbox, status, NULL);
        return;
    }
    status = guest_exception(guest, &exception);
    if (status == GUEST_ENDED) {
        finish(sandbox, status, &exception);
        return;
    }
    free(exception.type);
    free(exception.message);
    free(exception.traceback);
    finish(sandbox, status, NULL);
}

/* --- Driving ------------------------------------------------------------------------------ */

/* Notes how the code is to be run; the guest is told only if that changed. */
static bool choose_settings(eryx_sandbox_t *sandbox, const eryx_execute_options_t *options) {
    const char *filename = options && options->filename ? options->filename : default_filename;
    bool script = options && options->script;
    bool last_value = options && options->result && !*options->result;
    eryx_display_t display = options ? options->display : ERYX_DISPLAY_NONE;
    if (script == sandbox->script && last_value == sandbox->last_value &&
        display == sandbox->display && strcmp(filename, execution_filename(sandbox)) == 0)
        return true;
    char *copy = strdup(filename);
    if (!copy)
        return false;
    free(sandbox->filename);
    sandbox->filename = copy;
    sandbox->script = script;
    sandbox->last_value = last_value;
    sandbox->display = display;
    sandbox->instance->configured = false;
    return true;
}

void execution_attach(eryx_sandbox_t *sandbox) {
    guest_t *guest = &sandbox->instance->guest;
    guest->streams = streams_of(sandbox);
    guest->calls = &sandbox->calls;
    guest->extension_left = &sandbox->extension_left;
    guest->mounts = &sandbox->mounts;
    guest->waitables.budget = sandbox->budget;
    guest->net = sandbox->net;
    guest->tls = sandbox->tls;
}

guest_status_t execution_wake(eryx_sandbox_t *sandbox) {
    guest_t *guest = &sandbox->instance->guest;
    if (sandbox->wake) {
        guest_status_t status = guest_wake(guest);
        if (status != GUEST_ENDED)
            return status;
        sandbox->wake = false;
    }
    calls_announce(&sandbox->calls, &guest->waitables);
    return GUEST_ENDED;
}

uint64_t execution_fuel(eryx_sandbox_t *sandbox, uint64_t used) {
    if (!(sandbox->runtime->footer.features & IMAGE_FUEL))
        return 0;
    uint64_t limit = sandbox->limits.fuel > 0 ? sandbox->limits.fuel : ENGINE_FUEL_ENDLESS;
    engine_fuel_set(sandbox->instance->guest.instance, used < limit ? limit - used : 0);
    return limit;
}

uint64_t execution_fuel_used(const eryx_sandbox_t *sandbox) {
    uint64_t left = engine_fuel_get(sandbox->instance->guest.instance);
    return sandbox->execution.fuel > left ? sandbox->execution.fuel - left : 0;
}

guest_status_t execution_configure(eryx_sandbox_t *sandbox) {
    instance_t *instance = sandbox->instance;
    if (instance->configured)
        return GUEST_ENDED;
    guest_settings_t settings = {
        .argv = (const char *const *)sandbox->argv.items,
        .argc = sandbox->argv.count,
        .environ = (const char *const *)sandbox->environ.items,
        .environ_count = sandbox->environ.count,
        .filename = execution_filename(sandbox),
        .script = sandbox->script,
        .last_value = sandbox->last_value,
        .trace = sandbox->on_trace != NULL,
        .trace_locals = sandbox->trace_locals,
        .display = (uint32_t)sandbox->display,
        .file_system_bytes = sandbox->limits.file_system_bytes,
        .files = sandbox->limits.files,
        .open_files = sandbox->limits.open_files,
        .recursion = sandbox->limits.recursion,
    };
    execution_attach(sandbox);
    guest_status_t status = guest_configure(&instance->guest, &settings);
    instance->configured = status == GUEST_ENDED;
    return status;
}

int execution_prepare(eryx_sandbox_t *sandbox, const eryx_execute_options_t *options,
                      eryx_error_t *error) {
    int status = sandbox_ready(sandbox, error);
    if (status == ERYX_OK)
        status = sandbox_save(sandbox, error);
    if (status != ERYX_OK)
        return status;
    eryx_outcome_t *outcome = calloc(1, sizeof *outcome);
    char *result = options && options->result ? strdup(options->result) : NULL;
    if (!outcome || !choose_settings(sandbox, options) || (options && options->result && !result)) {
        free(outcome);
        free(result);
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for an execution");
    }
    if (!control_begin(sandbox->control, sandbox->instance->slot, sandbox->limits.wall_time_ns,
                       sandbox->limits.cpu_time_ns)) {
        free(outcome);
        free(result);
        return error_set(error, ERYX_ERR_MEMORY, "cannot watch the time limits: no thread");
    }
    sandbox->execution = (eryx_execution_t){
        .sandbox = sandbox, .state = EXECUTION_READY, .outcome = outcome, .result = result};
    sandbox->calls.total = 0;
    return ERYX_OK;
}

static guest_status_t start(eryx_sandbox_t *sandbox, const char *code, size_t length) {
    codes_open(sandbox, code, length);
    guest_status_t reached = guest_start(&sandbox->instance->guest, code, length);
    sandbox->code.state = CODE_CLOSED;
    return reached;
}

void execution_begin(eryx_sandbox_t *sandbox, const char *code, size_t length) {
    instance_t *instance = sandbox->instance;
    sandbox->execution.state = EXECUTION_RUNNING;
    slot_enter(instance->slot);
    guest_status_t reached = execution_wake(sandbox);
    if (reached == GUEST_ENDED)
        reached = execution_configure(sandbox);
    sandbox->execution.fuel = execution_fuel(sandbox, 0);
    if (reached == GUEST_ENDED)
        reached = start(sandbox, code, length);
    absorb(sandbox, reached);
}

void execution_step(eryx_sandbox_t *sandbox) {
    eryx_execution_t *execution = &sandbox->execution;
    guest_t *guest = &sandbox->instance->guest;
    if (execution->state != EXECUTION_WAITING)
        return;
    bool cancelled = control_resume(sandbox->control);
    if (cancelled && !guest_can_cancel(guest))
        control_stop(sandbox->control, STOP_INTERRUPT);
    if (control_stopping(sandbox->control) != STOP_NONE) {
        finish(sandbox, GUEST_WAITING, NULL);
        return;
    }
    execution->state = EXECUTION_RUNNING;
    slot_enter(sandbox->instance->slot);
    guest_status_t reached = execution_wake(sandbox);
    if (reached == GUEST_ENDED)
        reached = cancelled ? guest_cancel_task(guest) : guest_continue(guest);
    absorb(sandbox, reached);
}

void execution_abort(eryx_sandbox_t *sandbox) {
    eryx_execution_t *execution = &sandbox->execution;
    if (execution->state == EXECUTION_READY) {
        control_times_t times;
        stop_reason_t reason = control_end(sandbox->control, &times);
        execution->outcome->wall_time_ns = times.wall;
        end_stopped(sandbox, reason, &times);
        execution->state = EXECUTION_DONE;
    } else if (execution->state == EXECUTION_WAITING) {
        control_stop(sandbox->control, STOP_INTERRUPT);
        finish(sandbox, GUEST_WAITING, NULL);
    }
}

uint64_t execution_deadline(const eryx_sandbox_t *sandbox) {
    return guest_deadline(&sandbox->instance->guest);
}

bool execution_hold(eryx_sandbox_t *sandbox, uint64_t bytes) {
    if (!budget_take(sandbox->budget, bytes))
        return false;
    sandbox->execution.held += bytes;
    return true;
}

static void release_held(eryx_sandbox_t *sandbox) {
    budget_give(sandbox->budget, sandbox->execution.held);
    sandbox->execution.held = 0;
}

eryx_outcome_t *execution_take(eryx_sandbox_t *sandbox) {
    eryx_outcome_t *outcome = sandbox->execution.outcome;
    sandbox->execution.outcome = NULL;
    release_held(sandbox);
    scrub_outcome(sandbox, outcome);
    return outcome;
}

void execution_drop(eryx_sandbox_t *sandbox) {
    eryx_execution_t *execution = &sandbox->execution;
    release_held(sandbox);
    eryx_outcome_free(execution->outcome);
    free(execution->result);
    free(execution->code);
    *execution = (eryx_execution_t){.state = EXECUTION_IDLE};
}
