/* What can be seen of a sandbox from another thread. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <eryx.h>

#include "python_runtime.h"
#include "signals.h"

static eryx_call_t *open_call;

static void on_call(void *env, eryx_call_t *call) {
    (void)env;
    open_call = call;
}

static eryx_sandbox_t *new_sandbox(bool measured) {
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    eryx_callback_t callback;
    eryx_callback_init(&callback);
    callback.name = "host.slow";
    callback.on_call = on_call;
    options.callbacks = &callback;
    options.callback_count = 1;
    options.measure = measured;
    eryx_sandbox_t *sandbox = NULL;
    eryx_error_t error = {0};
    signals_restore();
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return sandbox;
}

static eryx_usage_t usage_of(eryx_sandbox_t *sandbox) {
    eryx_usage_t usage;
    eryx_usage_init(&usage);
    assert_int_equal(eryx_sandbox_usage(sandbox, &usage, NULL), ERYX_OK);
    return usage;
}

static eryx_execution_t *start(eryx_sandbox_t *sandbox, const char *code) {
    eryx_execution_t *execution = NULL;
    eryx_error_t error = {0};
    if (eryx_execution_start(sandbox, code, strlen(code), NULL, &execution, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return execution;
}

static void end(eryx_execution_t *execution) {
    while (eryx_execution_run(execution) != ERYX_EXECUTION_DONE)
        eryx_execution_wait(execution, UINT64_MAX);
    eryx_execution_free(execution);
}

static void test_waits(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(true);
    eryx_usage_t usage = usage_of(sandbox);
    assert_false(usage.executing);
    assert_int_equal(usage.cpu_ns + usage.memory_bytes + usage.wall_ns, 0);
    eryx_execution_t *execution = start(sandbox, "import asyncio\n"
                                                 "await asyncio.gather(host.slow(), host.slow())\n"
                                                 "await asyncio.sleep(0.01)");
    assert_int_equal(usage_of(sandbox).wait, ERYX_WAIT_HOST);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    usage = usage_of(sandbox);
    assert_true(usage.executing && !usage.running);
    assert_int_equal(usage.wait, ERYX_WAIT_CALLBACK);
    assert_int_equal(usage.wait_count, 2);
    assert_string_equal(usage.callback, "host.slow");
    assert_true(usage.cpu_ns > 0 && usage.wall_ns > 0 && usage.memory_bytes > 100000);
    eryx_call_free(open_call); /* which fails it */
    assert_int_equal(usage_of(sandbox).wait, ERYX_WAIT_HOST);
    eryx_execution_cancel(execution);
    end(execution);
    usage = usage_of(sandbox);
    assert_false(usage.executing);
    assert_int_equal(usage.wait, ERYX_WAIT_NOTHING);
    assert_true(usage.cpu_ns > 0);
    assert_true(eryx_sandbox_memory(sandbox) > 100000);
    execution = start(sandbox, "import time\ntime.sleep(100)");
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    usage = usage_of(sandbox);
    assert_int_equal(usage.wait, ERYX_WAIT_TIMER);
    assert_int_equal(usage.wait_count, 0);
    eryx_execution_free(execution);
    eryx_sandbox_free(sandbox);
}

static void test_not_measured(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(false);
    eryx_execution_t *execution = start(sandbox, "await host.slow()");
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    eryx_usage_t usage = usage_of(sandbox);
    assert_true(usage.executing);
    assert_int_equal(usage.cpu_ns, 0);
    eryx_call_free(open_call);
    end(execution);
    eryx_sandbox_free(sandbox);
}

/* While it runs, grows, is stopped and rolled back. */
static atomic_bool over;

static void *look(void *env) {
    eryx_sandbox_t *sandbox = env;
    uint64_t most = 0;
    while (!atomic_load(&over)) {
        eryx_usage_t usage = usage_of(sandbox);
        most = usage.memory_bytes > most ? usage.memory_bytes : most;
    }
    return (void *)(uintptr_t)most;
}

static void test_other_thread(void **state) {
    (void)state;
    pthread_t thread;
    void *most;
    eryx_sandbox_t *sandbox = new_sandbox(true);
    atomic_store(&over, false);
    assert_int_equal(pthread_create(&thread, NULL, look, sandbox), 0);
    for (int i = 0; i < 5; i++) {
        eryx_outcome_t *outcome = NULL;
        const char code[] = "x = b''\n"
                            "for i in range(6): x = bytes([i + 1]) * (i << 23)\n"
                            "import os\n"
                            "os._exit(1)";
        assert_int_equal(eryx_sandbox_execute(sandbox, code, sizeof code - 1, NULL, &outcome, NULL),
                         ERYX_OK);
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_EXIT);
        eryx_outcome_free(outcome);
    }
    atomic_store(&over, true);
    pthread_join(thread, &most);
    assert_true((uintptr_t)most > 4 << 20);
    eryx_sandbox_free(sandbox);
}

static void test_arguments(void **state) {
    (void)state;
    eryx_usage_t usage = {0};
    eryx_error_t error = {0};
    assert_int_equal(eryx_sandbox_usage(NULL, &usage, &error), ERYX_ERR_ARGUMENT);
    assert_string_equal(error.message, "sandbox is NULL");
    eryx_sandbox_t *sandbox = new_sandbox(false);
    assert_int_equal(eryx_sandbox_usage(sandbox, &usage, &error), ERYX_ERR_ARGUMENT);
    assert_string_equal(error.message, "usage: call eryx_usage_init");
    eryx_sandbox_free(sandbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_not_measured),
        cmocka_unit_test(test_other_thread),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
