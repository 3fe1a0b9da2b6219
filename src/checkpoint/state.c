/* Taking and giving a state: see state.h. */
#define _GNU_SOURCE
#include "checkpoint/state.h"

#include <stdlib.h>
#include <string.h>

#include "abi/invoke.h"
#include "base/error.h"
#include "sandbox/streams.h"

int state_check(eryx_sandbox_t *sandbox, eryx_error_t *error) {
    const eryx_execution_t *execution = &sandbox->execution;
    int status = sandbox_own(sandbox, error);
    if (status != ERYX_OK)
        return status;
    switch (execution->state) {
    case EXECUTION_IDLE:
        return sandbox_ready(sandbox, error);
    case EXECUTION_WAITING:
        if (guest_can_save(&sandbox->instance->guest))
            return ERYX_OK;
        return error_set(error, ERYX_ERR_STATE,
                         "the program is blocked in a call that is not awaited (time.sleep, a "
                         "blocking callback): try again when it has returned");
    case EXECUTION_READY:
        return error_set(error, ERYX_ERR_STATE, "the execution has not begun: run it first");
    case EXECUTION_RUNNING:
        return error_set(error, ERYX_ERR_STATE, "the program is running");
    default:
        return error_set(error, ERYX_ERR_STATE, "free the last execution first");
    }
}

/* --- Capturing ---------------------------------------------------------------------------- */

static bool copy_buffer(buffer_t *to, const buffer_t *from) {
    to->length = 0;
    return from->length == 0 || buffer_append(to, from->data, from->length);
}

static bool copy_image(guest_image_t *to, const guest_image_t *from) {
    buffer_t waitables = to->waitables;
    engine_libraries_t libraries = to->libraries;
    *to = *from;
    to->waitables = waitables;
    to->libraries = libraries;
    return copy_buffer(&to->waitables, &from->waitables) &&
           engine_libraries_copy(&from->libraries, &to->libraries);
}

static bool copy_string(char **to, const char *from) {
    *to = from ? strdup(from) : NULL;
    return !from || *to;
}

saved_call_t *state_add_call(session_state_t *state) {
    if (state->call_count == state->call_capacity) {
        size_t capacity = state->call_capacity > 0 ? 2 * state->call_capacity : 8;
        saved_call_t *grown = realloc(state->calls, capacity * sizeof *grown);
        if (!grown)
            return NULL;
        state->calls = grown;
        state->call_capacity = capacity;
    }
    saved_call_t *call = &state->calls[state->call_count++];
    *call = (saved_call_t){0};
    return call;
}

bool state_add_placeholder(session_state_t *state, char *name, char *text) {
    size_t count = state->placeholder_count + 1;
    placeholder_t *grown = realloc(state->placeholders, count * sizeof *grown);
    if (grown)
        state->placeholders = grown;
    if (!grown || !name || !text) {
        free(name);
        free(text);
        return false;
    }
    grown[state->placeholder_count++] = (placeholder_t){name, text};
    return true;
}

static bool capture_placeholders(session_state_t *state, const secrets_t *secrets) {
    for (size_t i = 0; secrets && i < secrets->count; i++)
        if (!state_add_placeholder(state, strdup(secrets->items[i].name),
                                   strdup(secrets->items[i].placeholder)))
            return false;
    return true;
}

static char *put(char *at, const char *text, size_t length) {
    if (length > 0)
        memcpy(at, text, length);
    at[length] = '\0';
    return at + length + 1;
}

/* A result is there once the state says so; what completes the call later is too late for the copy. */
static bool capture_call(session_state_t *state, eryx_call_t *call, uint32_t subtask) {
    saved_call_t *saved = state_add_call(state);
    if (!saved)
        return false;
    bool ready = atomic_load(&call->state) == CALL_READY;
    const char *arguments = eryx_call_arguments(call, &saved->arguments_length);
    saved->subtask = subtask;
    saved->result_at = call->result_at;
    saved->end = !ready ? SAVED_OPEN : (call->failed ? SAVED_FAILURE : SAVED_RESULT);
    saved->name_length = call->name_length;
    saved->result_length = ready ? call->result_length : 0;
    saved->text = malloc(saved->name_length + saved->arguments_length + saved->result_length + 3);
    if (!saved->text)
        return false;
    char *at = put(saved->text, call->text, saved->name_length);
    at = put(at, arguments, saved->arguments_length);
    put(at, call->result, saved->result_length);
    /* The guest would get it without secrets, and so may whoever has the copy. */
    secrets_scrub(call->calls ? call->calls->secrets : NULL, at, saved->result_length);
    return true;
}

static bool capture_calls(session_state_t *state, const guest_t *guest) {
    const waitables_t *waitables = &guest->waitables;
    for (uint32_t i = 1; i <= waitables_last(waitables); i++) {
        pending_t *pending = waitables_owner(waitables, i);
        if (pending && pending->kind == &call_kind &&
            !capture_call(state, (eryx_call_t *)pending, i))
            return false;
    }
    return true;
}

static bool capture_execution(const eryx_sandbox_t *sandbox, saved_execution_t *out) {
    const eryx_execution_t *execution = &sandbox->execution;
    const eryx_outcome_t *outcome = execution->outcome;
    control_measure(sandbox->control, &out->times);
    out->fuel_used = execution_fuel_used(sandbox);
    out->calls_total = sandbox->calls.total;
    out->output_bytes = execution->output_bytes;
    out->dropped = outcome->output_dropped;
    out->has_savepoint = sandbox->rollback;
    for (int i = 0; i < 2; i++)
        if (!copy_buffer(&out->output[i], &outcome->output[i]) ||
            !copy_buffer(&out->lines[i], &sandbox->lines[i]))
            return false;
    return copy_string(&out->result, execution->result) &&
           copy_image(&out->before, &sandbox->saved);
}

int state_capture(eryx_sandbox_t *sandbox, session_state_t *out, eryx_error_t *error) {
    guest_t *guest = &sandbox->instance->guest;
    *out = (session_state_t){0};
    invoke_collect(guest);
    out->script = sandbox->script;
    out->last_value = sandbox->last_value;
    out->display = (uint32_t)sandbox->display;
    out->executing = sandbox->execution.state == EXECUTION_WAITING;
    if (guest_save(guest, &out->guest) && copy_string(&out->filename, sandbox->filename) &&
        capture_placeholders(out, sandbox->secrets) && capture_calls(out, guest) &&
        (!out->executing || capture_execution(sandbox, &out->execution)))
        return ERYX_OK;
    state_free(out);
    return error_set(error, ERYX_ERR_MEMORY, "out of memory for a copy of the session");
}

/* --- Applying ----------------------------------------------------------------------------- */

static int apply_call(eryx_sandbox_t *sandbox, const saved_call_t *saved, eryx_error_t *error) {
    waitables_t *waitables = &sandbox->instance->guest.waitables;
    text_t name = {saved->text, saved->name_length};
    text_t arguments = {name.data + name.length + 1, saved->arguments_length};
    text_t result = {arguments.data + arguments.length + 1, saved->result_length};
    eryx_call_t *call;
    int status = calls_adopt(&sandbox->calls, waitables, saved->subtask, saved->result_at, &name,
                             &arguments, &call, error);
    if (status != ERYX_OK || saved->end == SAVED_OPEN)
        return status;
    return calls_settle(call, waitables, saved->end == SAVED_FAILURE, &result, error);
}

static int no_memory(eryx_error_t *error) {
    return error_set(error, ERYX_ERR_MEMORY, "out of memory for a copy of a session");
}

static int apply_output(eryx_sandbox_t *sandbox, const saved_execution_t *saved,
                        eryx_error_t *error) {
    eryx_outcome_t *outcome = sandbox->execution.outcome;
    for (int i = 0; i < 2; i++) {
        uint64_t bytes = saved->output[i].length;
        if (!execution_hold(sandbox, bytes))
            return error_set(error, ERYX_ERR_LIMIT,
                             "the session's output exceeds the limit host_memory_bytes");
        if (!copy_buffer(&outcome->output[i], &saved->output[i]) ||
            !copy_buffer(&sandbox->lines[i], &saved->lines[i]))
            return no_memory(error);
    }
    outcome->output_dropped = saved->dropped;
    return ERYX_OK;
}

/* The execution goes on, with what it has used of its limits. */
static int apply_execution(eryx_sandbox_t *sandbox, const saved_execution_t *saved,
                           eryx_error_t *error) {
    eryx_outcome_t *outcome = calloc(1, sizeof *outcome);
    char *result;
    if (!outcome || !copy_string(&result, saved->result)) {
        free(outcome);
        return no_memory(error);
    }
    if (!control_begin(sandbox->control, sandbox->instance->slot, sandbox->limits.wall_time_ns,
                       sandbox->limits.cpu_time_ns)) {
        free(outcome);
        free(result);
        return error_set(error, ERYX_ERR_MEMORY, "cannot watch the time limits: no thread");
    }
    control_used(sandbox->control, &saved->times);
    control_pause(sandbox->control, 0);
    control_wake(sandbox->control);
    sandbox->execution = (eryx_execution_t){.sandbox = sandbox,
                                            .state = EXECUTION_WAITING,
                                            .output_bytes = saved->output_bytes,
                                            .outcome = outcome,
                                            .result = result,
                                            .fuel = execution_fuel(sandbox, saved->fuel_used)};
    sandbox->calls.total = saved->calls_total;
    return apply_output(sandbox, saved, error);
}

static int apply_settings(eryx_sandbox_t *sandbox, const session_state_t *state,
                          eryx_error_t *error) {
    free(sandbox->filename);
    sandbox->script = state->script;
    sandbox->last_value = state->last_value;
    sandbox->display = (eryx_display_t)state->display;
    sandbox->wake = true;
    return copy_string(&sandbox->filename, state->filename) ? ERYX_OK : no_memory(error);
}

int state_apply(eryx_sandbox_t *sandbox, const session_state_t *state, eryx_error_t *error) {
    guest_t *guest = &sandbox->instance->guest;
    execution_attach(sandbox);
    const char *broken = guest_load(guest, &state->guest);
    if (!broken && (guest->phase == PHASE_IDLE) == state->executing)
        broken = "a guest that neither rests nor waits";
    if (broken)
        return error_set(error, ERYX_ERR_FORMAT, "corrupt session: %s", broken);
    int status = apply_settings(sandbox, state, error);
    for (size_t i = 0; i < state->call_count && status == ERYX_OK; i++)
        status = apply_call(sandbox, &state->calls[i], error);
    if (status != ERYX_OK)
        return status;
    waitables_settle(&guest->waitables);
    if (!state->executing)
        return ERYX_OK;
    if (sandbox->rollback && !copy_image(&sandbox->saved, &state->execution.before))
        return no_memory(error);
    return apply_execution(sandbox, &state->execution, error);
}

void state_free(session_state_t *state) {
    saved_execution_t *execution = &state->execution;
    guest_image_free(&state->guest);
    guest_image_free(&execution->before);
    for (int i = 0; i < 2; i++) {
        buffer_free(&execution->output[i]);
        buffer_free(&execution->lines[i]);
    }
    for (size_t i = 0; i < state->call_count; i++)
        free(state->calls[i].text);
    for (size_t i = 0; i < state->placeholder_count; i++) {
        free(state->placeholders[i].name);
        free(state->placeholders[i].text);
    }
    free(state->placeholders);
    free(execution->result);
    free(state->filename);
    free(state->calls);
    *state = (session_state_t){0};
}
