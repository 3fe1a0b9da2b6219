/* Sandboxes: options, instance, and the blocking execute on top of the state machine. */
#define _GNU_SOURCE
#include "sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "sandbox/scrub.h"
#include "secrets/wire.h"

#define OPEN_FILES_MAX 16000u    /* below HANDLE_MAX of the guest */
#define RECURSION_MIN 100u       /* what reports of exceptions need */
#define PENDING_CALLS_MAX 60000u /* below WAITABLES_MAX */
#define UNDO_AT_ONCE_BYTES ((size_t)16 << 20)

static const char foreign_message[] =
    "it belongs to the process that this one was forked from; open a runtime here";

void eryx_sandbox_options_init(eryx_sandbox_options_t *options) {
    *options = (eryx_sandbox_options_t){
        .size = sizeof *options, .sample_interval_ns = 1000000, .rollback = true};
    eryx_limits_init(&options->limits);
}

void eryx_execute_options_init(eryx_execute_options_t *options) {
    *options = (eryx_execute_options_t){.size = sizeof *options};
}

bool text_list_copy(text_list_t *out, const char *const *items, size_t count) {
    *out = (text_list_t){NULL, 0};
    if (count == 0)
        return true;
    size_t bytes = count * sizeof(char *);
    for (size_t i = 0; i < count; i++)
        bytes += strlen(items[i]) + 1;
    char **copies = malloc(bytes);
    if (!copies)
        return false;
    char *next = (char *)(copies + count);
    for (size_t i = 0; i < count; i++) {
        copies[i] = next;
        next = stpcpy(next, items[i]) + 1;
    }
    *out = (text_list_t){copies, count};
    return true;
}

static int check_list(const char *name, const char *const *items, size_t count,
                      eryx_error_t *error) {
    if (count > 0 && !items)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL, its count is not 0", name);
    for (size_t i = 0; i < count; i++)
        if (!items[i])
            return error_set(error, ERYX_ERR_ARGUMENT, "%s[%zu] is NULL", name, i);
    return ERYX_OK;
}

static int check_options(const eryx_runtime_t *runtime, const eryx_sandbox_options_t *options,
                         eryx_error_t *error) {
    if (options->size != sizeof *options || options->limits.size != sizeof options->limits)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "options of another version: call eryx_sandbox_options_init");
    uint64_t minimum = runtime->origin.layout.minimum;
    if (options->limits.memory_bytes < minimum ||
        options->limits.memory_bytes > MEMORY_RESERVE_BYTES)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "memory limit of %llu bytes: must be from %llu MiB to 4 GiB",
                         (unsigned long long)options->limits.memory_bytes,
                         (unsigned long long)((minimum + (1 << 20) - 1) >> 20));
    if (options->limits.pending_calls > PENDING_CALLS_MAX)
        return error_set(error, ERYX_ERR_ARGUMENT, "limit pending_calls of %u: at most %u",
                         options->limits.pending_calls, PENDING_CALLS_MAX);
    if (options->mount_count > 0 && !options->mounts)
        return error_set(error, ERYX_ERR_ARGUMENT, "mounts is NULL, its count is not 0");
    if (options->limits.open_files > OPEN_FILES_MAX)
        return error_set(error, ERYX_ERR_ARGUMENT, "limit open_files of %u: at most %u",
                         options->limits.open_files, OPEN_FILES_MAX);
    if (options->limits.recursion < RECURSION_MIN)
        return error_set(error, ERYX_ERR_ARGUMENT, "limit recursion of %u: at least %u",
                         options->limits.recursion, RECURSION_MIN);
    if (options->limits.fuel > 0 && !(runtime->footer.features & IMAGE_FUEL))
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "limit fuel: this runtime does not count; open it with the option fuel");
    if (options->limits.fuel > ENGINE_FUEL_ENDLESS)
        return error_set(error, ERYX_ERR_ARGUMENT, "limit fuel of %llu: at most 2^62",
                         (unsigned long long)options->limits.fuel);
    if (options->on_sample && options->sample_interval_ns < ERYX_SAMPLE_INTERVAL_MIN_NS)
        return error_set(error, ERYX_ERR_ARGUMENT, "sample_interval_ns of %llu: at least %u",
                         (unsigned long long)options->sample_interval_ns,
                         ERYX_SAMPLE_INTERVAL_MIN_NS);
    if (options->callback_count > 0 && !options->callbacks)
        return error_set(error, ERYX_ERR_ARGUMENT, "callbacks is NULL, its count is not 0");
    if (options->secret_count > 0 && !options->secrets)
        return error_set(error, ERYX_ERR_ARGUMENT, "secrets is NULL, its count is not 0");
    int status = check_list("argv", options->argv, options->argc, error);
    if (status == ERYX_OK)
        status = check_list("environ", options->environ, options->environ_count, error);
    return status;
}

int sandbox_save(eryx_sandbox_t *sandbox, eryx_error_t *error) {
    if (!sandbox->rollback)
        return ERYX_OK;
    if (slot_save(sandbox->instance->slot) &&
        guest_save(&sandbox->instance->guest, &sandbox->saved))
        return ERYX_OK;
    return error_set(error, ERYX_ERR_MEMORY,
                     "out of memory for a savepoint of the session (see rollback in "
                     "eryx_sandbox_options_t)");
}

/* Back to the savepoint, with a new guest. */
static int undo(eryx_sandbox_t *sandbox, eryx_error_t *error) {
    instance_t *instance = sandbox->instance;
    if (!slot_rollback(instance->slot))
        return error_set(error, ERYX_ERR_MEMORY, "the kernel cannot give memory back: %m");
    uint64_t clock_ahead = instance->guest.clock_ahead;
    int status = guest_open(&instance->guest, sandbox->runtime->engine, instance->slot, error);
    if (status != ERYX_OK)
        return status;
    instance->guest.waitables.budget = sandbox->budget;
    const char *broken = guest_load(&instance->guest, &sandbox->saved);
    if (broken) {
        guest_close(&instance->guest);
        return error_set(error, ERYX_ERR_GUEST, "the session cannot be rolled back: %s", broken);
    }
    instance->guest.clock_ahead = clock_ahead; /* time is not rolled back */
    instance->configured = false;
    sandbox->undo_pending = false;
    return ERYX_OK;
}

/* Rolling back is left to the next use, so that the outcome is there at once; but not memory
 * that the program took much of. */
bool sandbox_undo(eryx_sandbox_t *sandbox) {
    instance_t *instance = sandbox->instance;
    mounts_forget_files(&sandbox->mounts);
    if (!sandbox->rollback) {
        pool_discard(&sandbox->runtime->pool, instance);
        sandbox->instance = NULL;
        return false;
    }
    guest_close(&instance->guest);
    sandbox->undo_pending = true;
    if (instance->slot->size - instance->slot->saved_size > UNDO_AT_ONCE_BYTES)
        undo(sandbox, NULL);
    return true;
}

void sandbox_spoil(eryx_sandbox_t *sandbox) {
    if (!sandbox->instance)
        return;
    if (sandbox->execution.state == EXECUTION_WAITING) {
        control_end(sandbox->control, NULL);
        sandbox->execution.state = EXECUTION_DONE;
    }
    pool_discard(&sandbox->runtime->pool, sandbox->instance);
    sandbox->instance = NULL;
    sandbox->undo_pending = false;
}

int sandbox_ready(eryx_sandbox_t *sandbox, eryx_error_t *error) {
    if (sandbox->undo_pending)
        return undo(sandbox, error);
    if (sandbox->instance)
        return ERYX_OK;
    int status = pool_acquire(&sandbox->runtime->pool, &sandbox->instance, error);
    sandbox->wake = sandbox->runtime->footer.features & IMAGE_OWN;
    if (status == ERYX_OK)
        sandbox->instance->slot->limit =
            sandbox->limits.memory_bytes / MEMORY_WASM_PAGE * MEMORY_WASM_PAGE;
    return status;
}

static void wake(void *env) {
    control_wake(env);
}

static int add_callbacks(eryx_sandbox_t *sandbox, const eryx_sandbox_options_t *options,
                         eryx_error_t *error) {
    int status = ERYX_OK;
    for (size_t i = 0; i < options->callback_count && status == ERYX_OK; i++)
        status = calls_add(&sandbox->calls, &options->callbacks[i], wake, sandbox->control, error);
    return status;
}

static int add_tls(eryx_sandbox_t *sandbox, const char *pem, eryx_error_t *error) {
    int status = pem ? tls_check_authorities(pem, error) : ERYX_OK;
    if (status != ERYX_OK)
        return status;
    sandbox->authorities = pem ? strdup(pem) : NULL;
    if (!pem || sandbox->authorities)
        sandbox->tls = tls_new(sandbox->secrets, sandbox->authorities, sandbox->budget);
    if (!sandbox->tls)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for a new sandbox");
    return ERYX_OK;
}

static int add_network(eryx_sandbox_t *sandbox, const eryx_sandbox_options_t *options,
                       eryx_error_t *error) {
    if (!options->net)
        return ERYX_OK;
    mailbox_t *mailbox = calls_mailbox(&sandbox->calls, wake, sandbox->control);
    if (!mailbox)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for a new sandbox");
    return net_sandbox_new(sandbox->runtime->net, options->net, &options->limits, mailbox,
                           &sandbox->net, error);
}

int eryx_sandbox_add_callback(eryx_sandbox_t *sandbox, const eryx_callback_t *callback,
                              eryx_error_t *error) {
    if (!sandbox || !callback)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", sandbox ? "callback" : "sandbox");
    int status = sandbox_idle(sandbox, error);
    if (status == ERYX_OK)
        status = calls_add(&sandbox->calls, callback, wake, sandbox->control, error);
    if (status == ERYX_OK && sandbox->instance)
        sandbox->instance->configured = false;
    return status;
}

static void sandbox_release(eryx_sandbox_t *sandbox) {
    eryx_runtime_t *runtime = sandbox->runtime;
    if (sandbox->instance && sandbox->undo_pending)
        pool_discard(&runtime->pool, sandbox->instance);
    else if (sandbox->instance)
        pool_recycle(&runtime->pool, sandbox->instance);
    guest_image_free(&sandbox->saved);
    net_sandbox_free(sandbox->net);
    calls_free(&sandbox->calls);
    mounts_free(&sandbox->mounts);
    tls_free(sandbox->tls);
    free(sandbox->authorities);
    scrub_teardown(sandbox);
    if (sandbox->control)
        control_release(&runtime->watchdog, sandbox->control);
    free(sandbox->argv.items);
    free(sandbox->environ.items);
    free(sandbox->filename);
    buffer_free(&sandbox->lines[0]);
    buffer_free(&sandbox->lines[1]);
    budget_release(sandbox->budget);
    free(sandbox);
    places_give(&runtime->places);
    eryx_runtime_free(runtime);
}

/* The callbacks and the env of another sandbox; calls of any may be pending. */
static int share_callbacks(eryx_sandbox_t *sandbox, const eryx_sandbox_t *like,
                           eryx_error_t *error) {
    if (like->shared)
        atomic_fetch_add(&like->shared->references, 1);
    sandbox->shared = like->shared;
    if ((like->calls.mailbox && !calls_mailbox(&sandbox->calls, wake, sandbox->control)) ||
        !calls_share(&sandbox->calls, &like->calls))
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for a copy of a sandbox");
    return ERYX_OK;
}

static int share_network(eryx_sandbox_t *sandbox, const eryx_sandbox_t *like, eryx_error_t *error) {
    if (!like->net)
        return ERYX_OK;
    sandbox->net = net_sandbox_like(like->net, &sandbox->limits, sandbox->calls.mailbox);
    return sandbox->net
               ? ERYX_OK
               : error_set(error, ERYX_ERR_MEMORY, "out of memory for a copy of a sandbox");
}

static int fill_sandbox(eryx_sandbox_t *sandbox, const eryx_sandbox_options_t *options,
                        const eryx_sandbox_t *like, bool inherit, eryx_error_t *error) {
    sandbox->limits = options->limits;
    sandbox->rollback = options->rollback;
    sandbox->on_output = options->on_output;
    sandbox->output_mode = options->output_mode;
    sandbox->on_input = options->on_input;
    sandbox->on_trace = options->on_trace;
    sandbox->trace_locals = options->trace_locals_bytes;
    sandbox->on_sample = options->on_sample;
    sandbox->sample_interval = options->sample_interval_ns;
    sandbox->budget = budget_new(options->limits.host_memory_bytes);
    calls_init(&sandbox->calls, &options->limits, sandbox->budget);
    mounts_init(&sandbox->mounts, options->limits.open_files, sandbox->budget);
    sandbox->env = options->env;
    sandbox->measure = options->measure;
    sandbox->control = control_acquire(&sandbox->runtime->watchdog);
    if (sandbox->control)
        control_measured(sandbox->control, options->measure);
    calls_wake(&sandbox->calls, wake, sandbox->control);
    sandbox->extension_left = options->limits.extension_bytes;
    if (!sandbox->control || !sandbox->budget ||
        !text_list_copy(&sandbox->argv, options->argv, options->argc) ||
        !text_list_copy(&sandbox->environ, options->environ, options->environ_count))
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for a new sandbox");
    int status = like ? scrub_share(sandbox, like, inherit ? NULL : options, error)
                      : scrub_setup(sandbox, options, error);
    if (status == ERYX_OK)
        status = inherit ? sandbox_share_mounts(sandbox, like, error)
                         : sandbox_add_mounts(sandbox, options, error);
    if (status == ERYX_OK)
        status = inherit ? share_callbacks(sandbox, like, error)
                         : add_callbacks(sandbox, options, error);
    if (status == ERYX_OK)
        status =
            add_tls(sandbox, inherit ? like->authorities : options->tls_authorities_pem, error);
    if (status == ERYX_OK)
        status =
            inherit ? share_network(sandbox, like, error) : add_network(sandbox, options, error);
    wire_secrets(sandbox->net, sandbox->secrets);
    return status == ERYX_OK ? sandbox_ready(sandbox, error) : status;
}

static eryx_sandbox_options_t options_of(const eryx_sandbox_t *sandbox) {
    return (eryx_sandbox_options_t){
        .size = sizeof(eryx_sandbox_options_t),
        .limits = sandbox->limits,
        .argv = (const char *const *)sandbox->argv.items,
        .argc = sandbox->argv.count,
        .environ = (const char *const *)sandbox->environ.items,
        .environ_count = sandbox->environ.count,
        .on_output = sandbox->on_output,
        .output_mode = sandbox->output_mode,
        .on_input = sandbox->on_input,
        .on_trace = sandbox->on_trace,
        .trace_locals_bytes = sandbox->trace_locals,
        .on_sample = sandbox->on_sample,
        .sample_interval_ns = sandbox->sample_interval,
        .measure = sandbox->measure,
        .rollback = sandbox->rollback,
        .env = sandbox->env,
    };
}

/* From now on the sandbox owns the env. */
static int own_env(eryx_sandbox_t *sandbox, const eryx_sandbox_options_t *options,
                   eryx_error_t *error) {
    if (!options->env_finalizer)
        return ERYX_OK;
    shared_env_t *shared = malloc(sizeof *shared);
    if (!shared)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for a new sandbox");
    atomic_init(&shared->references, 1);
    shared->env = options->env;
    shared->finalizer = options->env_finalizer;
    sandbox->shared = shared;
    return ERYX_OK;
}

static void release_env(shared_env_t *shared) {
    if (!shared || atomic_fetch_sub(&shared->references, 1) != 1)
        return;
    shared->finalizer(shared->env);
    free(shared);
}

int eryx_sandbox_new(eryx_runtime_t *runtime, const eryx_sandbox_options_t *options,
                     eryx_sandbox_t **out, eryx_error_t *error) {
    if (out)
        *out = NULL;
    if (!runtime || !out)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", runtime ? "out" : "runtime");
    eryx_sandbox_options_t defaults;
    eryx_sandbox_options_init(&defaults);
    return sandbox_create(runtime, options ? options : &defaults, NULL, out, error);
}

int sandbox_create(eryx_runtime_t *runtime, const eryx_sandbox_options_t *options,
                   const eryx_sandbox_t *like, eryx_sandbox_t **out, eryx_error_t *error) {
    eryx_sandbox_options_t inherited;
    bool inherit = !options;
    if (inherit) {
        inherited = options_of(like);
        options = &inherited;
    }
    int status = check_options(runtime, options, error);
    if (status != ERYX_OK)
        return status;
    if (runtime_foreign(runtime))
        return error_set(error, ERYX_ERR_STATE, foreign_message);
    if (!places_take(&runtime->places, runtime->options.acquire_timeout_ns))
        return error_set(error, ERYX_ERR_LIMIT,
                         "%u sandboxes live already (max_sandboxes of the runtime)",
                         runtime->options.max_sandboxes);
    eryx_sandbox_t *sandbox = calloc(1, sizeof *sandbox);
    if (!sandbox) {
        places_give(&runtime->places);
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for a new sandbox");
    }
    sandbox->runtime = runtime;
    runtime_retain(runtime);
    status = fill_sandbox(sandbox, options, like, inherit, error);
    if (status == ERYX_OK)
        status = own_env(sandbox, options, error);
    if (status != ERYX_OK) {
        calls_disown(&sandbox->calls);
        if (sandbox->net)
            net_sandbox_disown(sandbox->net);
        shared_env_t *shared = sandbox->shared;
        sandbox_release(sandbox);
        release_env(shared);
        return status;
    }
    *out = sandbox;
    return ERYX_OK;
}

void eryx_sandbox_free(eryx_sandbox_t *sandbox) {
    if (!sandbox || runtime_foreign(sandbox->runtime))
        return;
    shared_env_t *shared = sandbox->shared;
    if (sandbox->execution.state != EXECUTION_IDLE)
        eryx_execution_free(&sandbox->execution);
    sandbox_release(sandbox);
    release_env(shared);
}

int sandbox_own(const eryx_sandbox_t *sandbox, eryx_error_t *error) {
    if (!runtime_foreign(sandbox->runtime))
        return ERYX_OK;
    return error_set(error, ERYX_ERR_STATE, foreign_message);
}

int sandbox_idle(const eryx_sandbox_t *sandbox, eryx_error_t *error) {
    int status = sandbox_own(sandbox, error);
    if (status != ERYX_OK)
        return status;
    if (sandbox->execution.state == EXECUTION_IDLE)
        return ERYX_OK;
    if (sandbox->execution.state == EXECUTION_DONE)
        return error_set(error, ERYX_ERR_STATE, "free the last execution first");
    return error_set(error, ERYX_ERR_STATE, "the sandbox is executing already");
}

int sandbox_check_execute(const eryx_sandbox_t *sandbox, const char *code, size_t length,
                          const eryx_execute_options_t *options, const void *out,
                          eryx_error_t *error) {
    if (!sandbox || !out || (!code && length > 0))
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL",
                         !sandbox ? "sandbox" : (out ? "code" : "out"));
    if (options && options->size != sizeof *options)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "options of another version: call eryx_execute_options_init");
    return sandbox_idle(sandbox, error);
}

int eryx_sandbox_execute(eryx_sandbox_t *sandbox, const char *code, size_t length,
                         const eryx_execute_options_t *options, eryx_outcome_t **out,
                         eryx_error_t *error) {
    if (out)
        *out = NULL;
    int status = sandbox_check_execute(sandbox, code, length, options, out, error);
    if (status == ERYX_OK)
        status = execution_prepare(sandbox, options, error);
    if (status != ERYX_OK)
        return status;
    execution_begin(sandbox, code, length);
    while (sandbox->execution.state == EXECUTION_WAITING) {
        control_wait(sandbox->control, execution_deadline(sandbox));
        execution_step(sandbox);
    }
    *out = execution_take(sandbox);
    execution_drop(sandbox);
    return ERYX_OK;
}

void eryx_sandbox_interrupt(eryx_sandbox_t *sandbox) {
    if (runtime_foreign(sandbox->runtime))
        return;
    control_stop(sandbox->control, STOP_INTERRUPT);
}
