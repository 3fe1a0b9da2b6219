/* What never losing a session costs: rolling back, forking, checkpoints, and executing small things in
 * a session with 200 MB. The copied session is a small one that waits for a call. */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARM_UP = 5, REPETITIONS = 60, BIG_MB = 200, BIG_RUNS = 1000 };

static eryx_call_t *first, *held; /* of the session, and of a copy */

static void on_hold(void *env, eryx_call_t *call)
{
    (void)env;
    if (first) {
        eryx_call_free(held);
        held = call;
    } else {
        first = call;
    }
}

static void hold_options(eryx_sandbox_options_t *options, eryx_callback_t *callback)
{
    eryx_callback_init(callback);
    callback->name = "hold";
    callback->on_call = on_hold;
    eryx_sandbox_options_init(options);
    options->callbacks = callback;
    options->callback_count = 1;
}

/* From the return of a stopped execution until another one has started. */
static void measure_rollback(eryx_runtime_t *runtime)
{
    struct samples samples = {0};
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits.wall_time_ns = 50000000;
    eryx_sandbox_t *sandbox = new_sandbox(runtime, &options);
    eryx_outcome_free(execute(sandbox, "names = {n: str(n) for n in range(100)}", ERYX_OUTCOME_OK));
    for (int i = 0; i < WARM_UP + REPETITIONS; i++) {
        eryx_execution_t *execution;
        eryx_error_t error;
        eryx_outcome_free(execute(sandbox, "names.clear()\nwhile True: pass", ERYX_OUTCOME_LIMIT));
        uint64_t start = now_ns();
        if (eryx_execution_start(sandbox, "x = 1", 5, NULL, &execution, &error) != ERYX_OK)
            fail("cannot start after a time limit: %s", error.message);
        if (i >= WARM_UP)
            samples_add_since(&samples, start);
        eryx_execution_free(execution);
    }
    eryx_outcome_free(execute(sandbox, "assert len(names) == 100", ERYX_OUTCOME_OK));
    eryx_sandbox_free(sandbox);
    samples_print(&samples, "rollback_us");
}

static void measure_big(eryx_runtime_t *runtime)
{
    struct samples samples = {0};
    char code[128];
    eryx_sandbox_t *sandbox = new_sandbox(runtime, NULL);
    snprintf(code, sizeof code, "big = [bytes([n %% 256]) * 1000000 for n in range(%d)]", BIG_MB);
    eryx_outcome_free(execute(sandbox, code, ERYX_OUTCOME_OK));
    for (int i = 0; i < WARM_UP + BIG_RUNS; i++) {
        uint64_t start = now_ns();
        eryx_outcome_t *outcome = execute(sandbox, "x = 1", ERYX_OUTCOME_OK);
        if (i >= WARM_UP)
            samples_add_since(&samples, start);
        eryx_outcome_free(outcome);
    }
    samples_print(&samples, "exec_200mb_us");
    for (int i = 0; i < WARM_UP + REPETITIONS; i++) {
        snprintf(code, sizeof code, "x = [%d] * 3", i);
        uint64_t start = now_ns();
        eryx_outcome_t *outcome = execute(sandbox, code, ERYX_OUTCOME_OK);
        if (i >= WARM_UP)
            samples_add_since(&samples, start);
        eryx_outcome_free(outcome);
    }
    samples_print(&samples, "exec_200mb_new_us");
    eryx_sandbox_free(sandbox);
}

static void check_copy(eryx_sandbox_t *copy)
{
    eryx_execution_t *execution = eryx_sandbox_execution(copy);
    if (!execution || eryx_execution_run(execution) != ERYX_EXECUTION_WAITING || !held)
        fail("the copy does not wait for its call");
}

static void measure_forks(eryx_runtime_t *runtime, eryx_sandbox_t *sandbox)
{
    struct samples samples = {0};
    eryx_error_t error;
    (void)runtime;
    for (int i = 0; i < WARM_UP + REPETITIONS; i++) {
        eryx_sandbox_t *copy;
        uint64_t start = now_ns();
        if (eryx_sandbox_fork(sandbox, NULL, 1, &copy, &error) != ERYX_OK)
            fail("cannot fork: %s", error.message);
        if (i >= WARM_UP)
            samples_add_since(&samples, start);
        if (i == 0)
            check_copy(copy);
        eryx_sandbox_free(copy);
    }
    samples_print(&samples, "fork_us");
}

static void measure_checkpoints(eryx_runtime_t *runtime, eryx_sandbox_t *sandbox)
{
    struct samples written = {0}, resumed = {0};
    eryx_sandbox_options_t options;
    eryx_callback_t callback;
    eryx_error_t error;
    size_t length = 0;
    hold_options(&options, &callback);
    for (int i = 0; i < WARM_UP + REPETITIONS; i++) {
        void *data;
        eryx_sandbox_t *copy;
        uint64_t start = now_ns();
        if (eryx_sandbox_checkpoint(sandbox, NULL, &data, &length, &error) != ERYX_OK)
            fail("cannot make a checkpoint: %s", error.message);
        if (i >= WARM_UP)
            samples_add_since(&written, start);
        eryx_checkpoint_part_t part = {data, length};
        start = now_ns();
        if (eryx_sandbox_resume(runtime, &part, 1, &options, &copy, &error) != ERYX_OK)
            fail("cannot resume: %s", error.message);
        if (i >= WARM_UP)
            samples_add_since(&resumed, start);
        if (i == 0)
            check_copy(copy);
        eryx_sandbox_free(copy);
        eryx_bytes_free(data);
    }
    samples_print(&written, "checkpoint_us");
    samples_print(&resumed, "resume_us");
    json_number("checkpoint_kib", (double)length / 1024);
}

void bench_copies(void)
{
    static const char code[] = "local = [1, 2, 3]\nprint(await hold(question='?'))";
    eryx_sandbox_options_t options;
    eryx_callback_t callback;
    eryx_execution_t *execution;
    eryx_error_t error;
    eryx_runtime_t *runtime = open_runtime();
    json_open(NULL);
    measure_big(runtime);
    measure_rollback(runtime);
    hold_options(&options, &callback);
    eryx_sandbox_t *sandbox = new_sandbox(runtime, &options);
    eryx_outcome_free(
        execute(sandbox, "import json\nnames = {n: str(n) for n in range(100)}", ERYX_OUTCOME_OK));
    if (eryx_execution_start(sandbox, code, strlen(code), NULL, &execution, &error) != ERYX_OK ||
        eryx_execution_run(execution) != ERYX_EXECUTION_WAITING)
        fail("the session does not wait: %s", error.message);
    measure_forks(runtime, sandbox);
    measure_checkpoints(runtime, sandbox);
    json_close();
    eryx_sandbox_free(sandbox);
    eryx_call_free(first);
    eryx_call_free(held);
    eryx_runtime_free(runtime);
}
