/* What a sandbox is beside its linear memory, at rest or while its execution waits: taken from one,
 * given to another. Forks hand it over directly, checkpoints write and read it (format.h).
 *
 * Nothing in a state that was read is trusted. */
#ifndef CHECKPOINT_STATE_H
#define CHECKPOINT_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/guest.h"
#include "base/buffer.h"
#include "sandbox/sandbox.h"
#include "sandbox/scrub.h"

typedef enum saved_call_end { SAVED_OPEN, SAVED_RESULT, SAVED_FAILURE } saved_call_end_t;

/* A call whose end the guest does not know of. */
typedef struct saved_call {
    uint32_t subtask, result_at;
    saved_call_end_t end;
    size_t name_length, arguments_length, result_length;
    char *text; /* from malloc: name, arguments, result, a NUL after each */
} saved_call_t;

/* The execution in flight. */
typedef struct saved_execution {
    control_times_t times; /* so far */
    uint64_t fuel_used;
    uint64_t calls_total, output_bytes, dropped;
    buffer_t output[2], lines[2];
    char *result;         /* as in eryx_execute_options_t, from malloc */
    guest_image_t before; /* the guest at the savepoint */
    bool has_savepoint;
} saved_execution_t;

/* All zero is empty. */
typedef struct session_state {
    guest_image_t guest;
    char *filename; /* of the last execution; NULL: the default */
    bool script, last_value;
    uint32_t display;
    bool executing;
    saved_execution_t execution; /* if executing */
    placeholder_t *placeholders; /* of the secrets */
    size_t placeholder_count;
    saved_call_t *calls;
    size_t call_count, call_capacity;
} session_state_t;

/* Whether the sandbox can be copied now. Errors: ERYX_ERR_STATE, and those of sandbox_ready. */
int state_check(eryx_sandbox_t *sandbox, eryx_error_t *error);
/* Copies. Errors: ERYX_ERR_MEMORY. */
int state_capture(eryx_sandbox_t *sandbox, session_state_t *out, eryx_error_t *error);
/* Makes a new sandbox, whose memory is the state's already, what the state says. If it is executing,
 * its execution is waiting and can go on.
 * Errors: ERYX_ERR_ARGUMENT (a callback is not registered), _FORMAT, _LIMIT, _MEMORY; the sandbox is
 * then to be freed. */
int state_apply(eryx_sandbox_t *sandbox, const session_state_t *state, eryx_error_t *error);
/* Takes both strings, also when it fails. False when out of memory. */
bool state_add_placeholder(session_state_t *state, char *name, char *text);
/* Room for one more call; NULL when out of memory. */
saved_call_t *state_add_call(session_state_t *state);
void state_free(session_state_t *state);

#endif
