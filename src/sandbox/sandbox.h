/* The fields behind eryx_sandbox_t. */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <eryx/sandbox.h>

#include "abi/callbacks.h"
#include "base/buffer.h"
#include "mount/mounts.h"
#include "sandbox/codes.h"
#include "sandbox/execution.h"
#include "sandbox/pool.h"
#include "sandbox/runtime.h"
#include "sandbox/watchdog.h"
#include "secrets/filter.h"
#include "secrets/secrets.h"
#include "tls/tls.h"

/* Copies of strings; one allocation. */
typedef struct text_list {
    char **items;
    size_t count;
} text_list_t;

/* An env that a sandbox and its forks share; the finalizer runs when the last is freed. */
typedef struct shared_env {
    atomic_uint references;
    void *env;
    void (*finalizer)(void *env);
} shared_env_t;

struct eryx_sandbox {
    eryx_runtime_t *runtime;
    eryx_limits_t limits;
    text_list_t argv, environ;
    char *filename; /* of the last execution; NULL: the default */
    bool script, last_value;
    eryx_display_t display;
    eryx_output_fn on_output;
    eryx_output_mode_t output_mode;
    buffer_t lines[2]; /* ERYX_OUTPUT_LINE: of stdout and stderr, not complete yet */
    eryx_input_fn on_input;
    eryx_trace_fn on_trace;
    uint32_t trace_locals;
    eryx_sample_fn on_sample;
    uint64_t sample_interval; /* nanoseconds */
    bool measure;
    calls_t calls;
    uint64_t extension_left; /* bytes of extensions that may still be loaded */
    secrets_t *secrets;      /* NULL: none */
    filter_t scrub[2];       /* of stdout and stderr, if there are secrets */
    buffer_t scrubbed;       /* see scrub.h */
    mounts_t mounts;
    budget_t *budget;   /* limits.host_memory_bytes */
    net_sandbox_t *net; /* NULL: no network is granted */
    tls_t *tls;
    char *authorities; /* tls_authorities_pem; a copy, or NULL */
    void *env;
    shared_env_t *shared; /* whose env it is; NULL: without a finalizer */
    control_t *control;
    instance_t *instance;      /* NULL after the session was lost, until the next execution */
    uint8_t checkpoint_id[32]; /* of the last checkpoint, if the slot notes pages since */
    bool wake;                 /* memory is another's: the guest is to be woken before it runs */
    bool rollback;             /* bad ends are undone */
    bool undo_pending;         /* ... before the next execution; the guest is closed until then */
    guest_image_t saved;       /* what belongs to the slot's savepoint */
    eryx_execution_t execution;
    code_query_t code; /* while execution_begin runs */
};

/* Calls of guest exports outside of an execution (state.c): the guest is ready for one; *status: how
 * that went. */
int session_begin(eryx_sandbox_t *sandbox, guest_status_t *status, eryx_error_t *error);
/* Takes in how the calls went; `what` is for the message. */
int session_end(eryx_sandbox_t *sandbox, guest_status_t status, const char *what,
                eryx_error_t *error);

/* Those of the options (mounts.c). */
int sandbox_add_mounts(eryx_sandbox_t *sandbox, const eryx_sandbox_options_t *options,
                       eryx_error_t *error);

int sandbox_share_mounts(eryx_sandbox_t *sandbox, const eryx_sandbox_t *like, eryx_error_t *error);

bool text_list_copy(text_list_t *out, const char *const *items, size_t count);

/* Makes a sandbox. like: of its session (fork), whose callbacks, secrets and env it shares; options
 * NULL then: it has the same. Errors as of eryx_sandbox_new. */
int sandbox_create(eryx_runtime_t *runtime, const eryx_sandbox_options_t *options,
                   const eryx_sandbox_t *like, eryx_sandbox_t **out, eryx_error_t *error);
/* Makes what the session is now what it comes back to. Errors: ERYX_ERR_MEMORY. */
int sandbox_save(eryx_sandbox_t *sandbox, eryx_error_t *error);
/* The guest must not run again. True: the session will be what it was when it was saved; false: it
 * is lost. */
bool sandbox_undo(eryx_sandbox_t *sandbox);
/* The guest and its memory must not be used again, not even to go back to the savepoint. */
void sandbox_spoil(eryx_sandbox_t *sandbox);
/* Makes sure that there is an instance. */
int sandbox_ready(eryx_sandbox_t *sandbox, eryx_error_t *error);
/* ERYX_ERR_STATE in a child of the process that made it. */
int sandbox_own(const eryx_sandbox_t *sandbox, eryx_error_t *error);
/* Same, and ERYX_ERR_STATE while there is an execution. */
int sandbox_idle(const eryx_sandbox_t *sandbox, eryx_error_t *error);
/* The arguments of eryx_sandbox_execute and eryx_execution_start. */
int sandbox_check_execute(const eryx_sandbox_t *sandbox, const char *code, size_t length,
                          const eryx_execute_options_t *options, const void *out,
                          eryx_error_t *error);

#endif
