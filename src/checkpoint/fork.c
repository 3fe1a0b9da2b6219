/* Copies of a sandbox in this process. */
#define _GNU_SOURCE
#include <eryx/checkpoint.h>

#include "base/error.h"
#include "checkpoint/pages.h"
#include "checkpoint/state.h"

static int fork_one(const eryx_sandbox_t *from, const eryx_sandbox_options_t *options,
                    const session_state_t *state, eryx_sandbox_t **out, eryx_error_t *error) {
    eryx_sandbox_t *copy;
    int status = sandbox_create(from->runtime, options, from, &copy, error);
    if (status != ERYX_OK)
        return status;
    memory_slot_t *slot = from->instance->slot;
    if (slot->size > copy->instance->slot->limit)
        status = error_set(
            error, ERYX_ERR_LIMIT,
            "the session has %zu bytes of memory, more than memory_bytes of its copy", slot->size);
    else if (!pages_copy(copy->instance->slot, slot, state->executing && from->rollback))
        status = error_set(error, ERYX_ERR_MEMORY, "out of memory for a copy of a session");
    if (status == ERYX_OK)
        status = state_apply(copy, state, error);
    if (status != ERYX_OK) {
        sandbox_spoil(copy);
        eryx_sandbox_free(copy);
        return status;
    }
    copy->instance->configured = !options && from->instance->configured;
    *out = copy;
    return ERYX_OK;
}

int eryx_sandbox_fork(eryx_sandbox_t *sandbox, const eryx_sandbox_options_t *options, size_t count,
                      eryx_sandbox_t **out, eryx_error_t *error) {
    for (size_t i = 0; out && i < count; i++)
        out[i] = NULL;
    if (!sandbox || (!out && count > 0))
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", sandbox ? "out" : "sandbox");
    if (options && options->secret_count > 0)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "a fork has the secrets of its sandbox: secret_count must be 0");
    session_state_t state;
    int status = state_check(sandbox, error);
    if (status == ERYX_OK)
        status = state_capture(sandbox, &state, error);
    if (status != ERYX_OK)
        return status;
    size_t made = 0;
    while (made < count && status == ERYX_OK) {
        status = fork_one(sandbox, options, &state, &out[made], error);
        made += status == ERYX_OK;
    }
    state_free(&state);
    if (status == ERYX_OK)
        return ERYX_OK;
    while (made > 0) {
        eryx_sandbox_free(out[--made]);
        out[made] = NULL;
    }
    return status;
}
