/* Reading outcomes. */
#include "sandbox/outcome.h"

#include <stdlib.h>

static const char *text(const char *stored) {
    return stored ? stored : "";
}

static const char *output(const buffer_t *buffer, size_t *length) {
    if (length)
        *length = buffer->length;
    return text(buffer->data);
}

eryx_outcome_kind_t eryx_outcome_kind(const eryx_outcome_t *outcome) {
    return outcome->kind;
}

const char *eryx_outcome_stdout(const eryx_outcome_t *outcome, size_t *length) {
    return output(&outcome->output[0], length);
}

const char *eryx_outcome_stderr(const eryx_outcome_t *outcome, size_t *length) {
    return output(&outcome->output[1], length);
}

uint64_t eryx_outcome_output_dropped(const eryx_outcome_t *outcome) {
    return outcome->output_dropped;
}

const char *eryx_outcome_exception_type(const eryx_outcome_t *outcome) {
    return text(outcome->type);
}

const char *eryx_outcome_exception_message(const eryx_outcome_t *outcome) {
    return text(outcome->message);
}

const char *eryx_outcome_traceback(const eryx_outcome_t *outcome) {
    return text(outcome->traceback);
}

int eryx_outcome_exit_code(const eryx_outcome_t *outcome) {
    return outcome->exit_code;
}

eryx_limit_t eryx_outcome_limit(const eryx_outcome_t *outcome) {
    return outcome->limit;
}

uint64_t eryx_outcome_limit_value(const eryx_outcome_t *outcome) {
    return outcome->limit_value;
}

uint64_t eryx_outcome_limit_used(const eryx_outcome_t *outcome) {
    return outcome->limit_used;
}

uint64_t eryx_outcome_fuel_used(const eryx_outcome_t *outcome) {
    return outcome->fuel_used;
}

uint64_t eryx_outcome_wall_time_ns(const eryx_outcome_t *outcome) {
    return outcome->wall_time_ns;
}

int eryx_outcome_session_lost(const eryx_outcome_t *outcome) {
    return outcome->session_lost;
}

const char *eryx_outcome_result_json(const eryx_outcome_t *outcome, size_t *length) {
    if (length)
        *length = outcome->result_length;
    return outcome->result;
}

const char *eryx_outcome_result_error(const eryx_outcome_t *outcome) {
    return outcome->result_error;
}

void eryx_outcome_free(eryx_outcome_t *outcome) {
    if (!outcome)
        return;
    buffer_free(&outcome->output[0]);
    buffer_free(&outcome->output[1]);
    free(outcome->type);
    free(outcome->message);
    free(outcome->traceback);
    free(outcome->result);
    free(outcome->result_error);
    free(outcome);
}
