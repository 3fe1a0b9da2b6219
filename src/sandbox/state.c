/* Snapshots: calls of guest exports outside of an execution, under the wall time limit. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include <eryx/state.h>

#include "base/clock.h"
#include "base/error.h"
#include "sandbox/sandbox.h"
#include "sandbox/streams.h"

void eryx_snapshot_options_init(eryx_snapshot_options_t *options) {
    *options = (eryx_snapshot_options_t){.size = sizeof *options};
}

void eryx_bytes_free(void *data) {
    free(data);
}

int session_begin(eryx_sandbox_t *sandbox, guest_status_t *status, eryx_error_t *error) {
    int result = sandbox_idle(sandbox, error);
    if (result == ERYX_OK)
        result = sandbox_ready(sandbox, error);
    if (result == ERYX_OK)
        result = sandbox_save(sandbox, error);
    if (result != ERYX_OK)
        return result;
    if (!control_begin(sandbox->control, sandbox->instance->slot, sandbox->limits.wall_time_ns,
                       sandbox->limits.cpu_time_ns))
        return error_set(error, ERYX_ERR_MEMORY, "cannot watch the time limits: no thread");
    sandbox->execution.state = EXECUTION_RUNNING;
    sandbox->execution.output_bytes = 0;
    slot_enter(sandbox->instance->slot);
    *status = execution_wake(sandbox);
    if (*status == GUEST_ENDED)
        *status = execution_configure(sandbox);
    return ERYX_OK;
}

/* How a bad end of a call is told. */
static int describe(const eryx_sandbox_t *sandbox, guest_status_t status, stop_reason_t reason,
                    const char *what, eryx_error_t *error) {
    char message[160];
    const guest_t *guest = &sandbox->instance->guest;
    const char *then =
        sandbox->rollback ? "the session is what it was before" : "the session is lost";
    if (status == GUEST_EXITED)
        return error_set(error, ERYX_ERR_GUEST, "%s: the program exited; %s", what, then);
    if (reason == STOP_INTERRUPT)
        return error_set(error, ERYX_ERR_STATE, "%s: interrupted; %s", what, then);
    if (reason == STOP_WALL_TIME)
        return error_set(error, ERYX_ERR_LIMIT, "%s: wall time limit of %g s exceeded; %s", what,
                         (double)sandbox->limits.wall_time_ns / 1e9, then);
    if (reason == STOP_CPU_TIME)
        return error_set(error, ERYX_ERR_LIMIT, "%s: CPU time limit of %g s exceeded; %s", what,
                         (double)sandbox->limits.cpu_time_ns / 1e9, then);
    guest_trap_message(guest, message, sizeof message);
    return error_set(error, ERYX_ERR_GUEST, "%s: %s; %s", what, message, then);
}

static void close_sockets(eryx_sandbox_t *sandbox) {
    if (sandbox->net)
        net_sandbox_reset(sandbox->net);
    tls_reset(sandbox->tls);
}

int session_end(eryx_sandbox_t *sandbox, guest_status_t status, const char *what,
                eryx_error_t *error) {
    stop_reason_t reason = control_end(sandbox->control, NULL);
    sandbox->execution.state = EXECUTION_IDLE;
    streams_flush(sandbox);
    if (status == GUEST_ENDED)
        return ERYX_OK;
    if (status == GUEST_REFUSED)
        return error_set(error, ERYX_ERR_LIMIT, "%s: it does not fit into the sandbox's memory",
                         what);
    if (status == GUEST_TRAPPED && !guest_trapped_on_memory(&sandbox->instance->guest))
        reason = STOP_NONE;
    int result = describe(sandbox, status, reason, what, error);
    sandbox_undo(sandbox);
    close_sockets(sandbox);
    return result;
}

/* What the guest answered, where it said why there is nothing. */
static int refused(guest_answer_t *answer, int code, eryx_error_t *error) {
    int result = error_set(error, code, "%s", answer->data ? answer->data : "no reason was given");
    free(answer->data);
    return result;
}

int eryx_sandbox_snapshot(eryx_sandbox_t *sandbox, const eryx_snapshot_options_t *options,
                          void **data, size_t *length, eryx_error_t *error) {
    if (!sandbox || !data || !length)
        return error_set(error, ERYX_ERR_ARGUMENT, "sandbox, data or length is NULL");
    *data = NULL;
    *length = 0;
    if (options && options->size != sizeof *options)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "options of another version: call eryx_snapshot_options_init");
    guest_answer_t answer = {0};
    guest_status_t status;
    int result = session_begin(sandbox, &status, error);
    if (result != ERYX_OK)
        return result;
    uint64_t max = sandbox->limits.snapshot_bytes;
    if (status == GUEST_ENDED)
        status = guest_snapshot(&sandbox->instance->guest, options && options->skip_unpicklable,
                                max, &answer);
    result = session_end(sandbox, status, "snapshot", error);
    if (result != ERYX_OK) {
        free(answer.data);
        return result;
    }
    if (answer.failed)
        return refused(&answer, ERYX_ERR_STATE, error);
    if (secrets_scrub(sandbox->secrets, answer.data, answer.length)) {
        free(answer.data);
        return error_set(error, ERYX_ERR_STATE,
                         "the session has the value of a secret in it, which must not leave the "
                         "sandbox: no snapshot is made");
    }
    if (answer.too_long)
        return error_set(error, answer.length > max ? ERYX_ERR_LIMIT : ERYX_ERR_MEMORY,
                         "the snapshot has %zu bytes, the limit snapshot_bytes is %llu",
                         answer.length, (unsigned long long)max);
    *data = answer.data;
    *length = answer.length;
    return ERYX_OK;
}

int eryx_sandbox_restore(eryx_sandbox_t *sandbox, const void *data, size_t length,
                         eryx_error_t *error) {
    if (!sandbox || (!data && length > 0))
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", sandbox ? "data" : "sandbox");
    if (length > sandbox->limits.snapshot_bytes)
        return error_set(error, ERYX_ERR_LIMIT,
                         "the snapshot has %zu bytes, the limit snapshot_bytes is %llu", length,
                         (unsigned long long)sandbox->limits.snapshot_bytes);
    guest_answer_t answer = {0};
    guest_status_t status;
    int result = session_begin(sandbox, &status, error);
    if (result != ERYX_OK)
        return result;
    if (status == GUEST_ENDED)
        status = guest_restore(&sandbox->instance->guest, data, length, &answer);
    result = session_end(sandbox, status, "restore", error);
    if (result != ERYX_OK) {
        free(answer.data);
        return result;
    }
    return answer.failed ? refused(&answer, ERYX_ERR_FORMAT, error) : ERYX_OK;
}

int eryx_sandbox_clear(eryx_sandbox_t *sandbox, eryx_error_t *error) {
    if (!sandbox)
        return error_set(error, ERYX_ERR_ARGUMENT, "sandbox is NULL");
    guest_status_t status;
    int result = session_begin(sandbox, &status, error);
    if (result != ERYX_OK)
        return result;
    if (status == GUEST_ENDED)
        status = guest_clear(&sandbox->instance->guest);
    result = session_end(sandbox, status, "clear", error);
    if (result == ERYX_OK) /* also those that modules have kept */
        close_sockets(sandbox);
    return result;
}
