/* Runs one program in a sandbox: the runtime, the sandbox, its callbacks, the outcome. */
#include "program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "callbacks.h"
#include "checkpoint.h"
#include "commands.h"
#include "interrupt.h"
#include "message.h"
#include "processes.h"
#include "profile/profile.h"
#include "report.h"
#include "streams.h"
#include "trace.h"

/* A second more to come to an await, if it can be written to a file there. */
static uint64_t extra_time(const struct program *program)
{
    bool extra = program->limits.wall_time_ns && program->checkpoint_path;
    return extra ? UINT64_C(1000000000) : 0;
}

static uint64_t hard_limit(const struct program *program)
{
    return program->limits.wall_time_ns + extra_time(program);
}

/* *written: EXIT_OK, or the exit code of a program that was written to a file instead of ending. */
static int run_to_end(const struct program *program, eryx_sandbox_t *sandbox,
                      eryx_outcome_t **outcome, int *written, eryx_error_t *error)
{
    eryx_execute_options_t options;
    eryx_execution_t *execution = eryx_sandbox_execution(sandbox);
    *written = EXIT_OK;
    *outcome = NULL;
    eryx_execute_options_init(&options);
    options.filename = program->source.name;
    options.result = program->result;
    if (!program->checkpoint_path && !program->resume_path)
        return eryx_sandbox_execute(sandbox, program->source.text, program->source.length, &options,
                                    outcome, error);
    int status = ERYX_OK;
    if (!program->resume_path)
        status = eryx_execution_start(sandbox, program->source.text, program->source.length,
                                      &options, &execution, error);
    if (status == ERYX_OK)
        status = checkpoint_drive(program, sandbox, execution, outcome, written, error);
    return status;
}

/* What a session is after a program that did not end badly: then it is what it was before. */
static bool keep_session(const struct program *program, eryx_sandbox_t *sandbox,
                         const eryx_outcome_t *outcome)
{
    eryx_error_t error;
    eryx_outcome_kind_t kind = eryx_outcome_kind(outcome);
    if (!program->session_path || kind == ERYX_OUTCOME_LIMIT || kind == ERYX_OUTCOME_INTERRUPTED ||
        kind == ERYX_OUTCOME_TRAP)
        return true;
    if (eryx_sandbox_checkpoint_file(sandbox, NULL, program->session_path, &error) == ERYX_OK)
        return true;
    message_error("the session cannot be kept: %s", error.message);
    return false;
}

static int execute(const struct program *program, eryx_sandbox_t *sandbox, struct streams *streams)
{
    eryx_outcome_t *outcome;
    eryx_error_t error = {0};
    if (!interrupt_watch(sandbox, hard_limit(program))) {
        message_error("cannot start a thread: %s", strerror(errno));
        return EXIT_FAILED;
    }
    streams_begin(streams);
    int written;
    profile_begin();
    int status = run_to_end(program, sandbox, &outcome, &written, &error);
    profile_end();
    processes_stop();
    bool traced = status == ERYX_OK && trace_finish();
    interrupt_end();
    if (status != ERYX_OK) {
        message_error("cannot run %s: %s", program->source.name, error.message);
        return EXIT_FAILED;
    }
    bool profiled = profile_write(&program->source, sandbox, outcome);
    if (written != EXIT_OK)
        return profiled ? written : EXIT_FAILED;
    bool kept = keep_session(program, sandbox, outcome);
    int code = program->json ? report_json(outcome, program->result, extra_time(program))
                             : report_text(outcome, program->result, extra_time(program));
    eryx_outcome_free(outcome);
    return traced && profiled && kept ? code : EXIT_FAILED;
}

static int make_sandbox(const struct program *program, eryx_runtime_t *runtime,
                        const eryx_sandbox_options_t *options, eryx_sandbox_t **out,
                        eryx_error_t *error)
{
    const char *path = program->resume_path;
    if (!path && program->session_path && access(program->session_path, F_OK) == 0)
        path = program->session_path;
    if (!path)
        return eryx_sandbox_new(runtime, options, out, error);
    int status = eryx_sandbox_resume_file(runtime, path, options, out, error);
    if (status != ERYX_OK)
        return status;
    bool waits = eryx_sandbox_execution(*out) != NULL;
    if (waits == (program->resume_path != NULL))
        return ERYX_OK;
    eryx_sandbox_free(*out);
    error->code = ERYX_ERR_STATE;
    snprintf(error->message, sizeof error->message,
             waits ? "%.200s: its program waits: 'eryx resume' goes on with it"
                   : "%.200s: a session at rest, in which nothing waits",
             path);
    return ERYX_ERR_STATE;
}

static int run_in_sandbox(const struct program *program, eryx_runtime_t *runtime,
                          const struct callbacks *callbacks)
{
    struct streams streams = {.limit_ns = program->limits.wall_time_ns};
    eryx_net_options_t net;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits = program->limits;
    options.limits.wall_time_ns = hard_limit(program);
    options.argv = program->argv;
    options.argc = program->argc;
    options.environ = (const char *const *)program->environ;
    options.environ_count = program->environ_count;
    options.on_output = program->json ? NULL : streams_on_output;
    options.on_input = program->pass_stdin ? streams_on_input : NULL;
    options.on_trace = program->trace_path ? trace_on_event : NULL;
    options.trace_locals_bytes = program->trace_locals_bytes;
    options.on_sample = profile_wanted() ? profile_on_sample : NULL;
    options.callbacks = callbacks->list;
    options.callback_count = callbacks->count;
    options.mounts = program->mounts.list;
    options.mount_count = program->mounts.count;
    options.secrets = program->secrets.list;
    options.secret_count = program->secrets.count;
    options.tls_authorities_pem = program->secrets.authorities;
    network_options(&program->net, &net);
    options.net = program->net.wanted ? &net : NULL;
    options.env = &streams;

    eryx_sandbox_t *sandbox;
    eryx_error_t error = {0};
    int status = make_sandbox(program, runtime, &options, &sandbox, &error);
    if (status != ERYX_OK) {
        message_error("%s%s", program->resume_path ? "" : "cannot make a sandbox: ", error.message);
        return status == ERYX_ERR_ARGUMENT ? EXIT_USAGE : EXIT_FAILED;
    }
    int code = transfers_put(&program->puts, sandbox);
    if (code == EXIT_OK) {
        code = execute(program, sandbox, &streams);
        int got = transfers_get(&program->gets, sandbox);
        code = code == EXIT_OK ? got : code;
    }
    eryx_sandbox_free(sandbox);
    return code;
}

static int run_with(const struct program *program, const struct callbacks *callbacks)
{
    eryx_runtime_t *runtime;
    eryx_error_t error = {0};
    eryx_runtime_options_t runtime_options;
    eryx_runtime_options_init(&runtime_options);
    runtime_options.max_sandboxes = 1;
    runtime_options.max_warm = 0;
    runtime_options.fuel = program->limits.fuel > 0;
    eryx_packages_t *packages;
    int code = package_options_load(&program->packages, &packages);
    if (code != EXIT_OK)
        return code;
    runtime_options.packages = packages;
    code = EXIT_FAILED;
    if (eryx_runtime_open(program->runtime_path, &runtime_options, &runtime, &error) != ERYX_OK) {
        message_error("%s", error.message);
    } else {
        if (callbacks->count == 0 || processes_start())
            code = run_in_sandbox(program, runtime, callbacks);
        processes_stop();
        eryx_runtime_free(runtime);
    }
    eryx_packages_free(packages);
    return code;
}

int program_run(const struct program *program)
{
    struct callbacks callbacks = {0};
    if (program->callbacks_path &&
        !callbacks_read(program->callbacks_path, program->runtime_path, &callbacks))
        return EXIT_USAGE;
    signal(SIGPIPE, SIG_IGN);
    interrupt_block();
    int code = EXIT_FAILED;
    if (network_begin(&program->net) &&
        (!program->trace_path || trace_begin(program->trace_path, program->trace_bytes)) &&
        (!program->profile_path || profile_open(program->profile_path)))
        code = run_with(program, &callbacks);
    if (!network_finish())
        code = EXIT_FAILED;
    trace_abandon();
    profile_abandon();
    callbacks_free(&callbacks);
    return code;
}
