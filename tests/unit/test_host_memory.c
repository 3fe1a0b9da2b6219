/* What a guest makes the host hold is counted, capped, and given back. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

enum { HELD_MAX = 2000 };

static eryx_call_t *held[HELD_MAX];
static size_t held_count;

static void on_call(void *env, eryx_call_t *call) {
    (void)env;
    assert_true(held_count < HELD_MAX);
    held[held_count++] = call;
}

static eryx_sandbox_t *new_sandbox(uint64_t host_memory_bytes) {
    eryx_sandbox_options_t options;
    eryx_callback_t callback;
    eryx_sandbox_options_init(&options);
    eryx_callback_init(&callback);
    callback.name = "echo";
    callback.on_call = on_call;
    options.callbacks = &callback;
    options.callback_count = 1;
    options.limits.host_memory_bytes = host_memory_bytes;
    eryx_sandbox_t *sandbox = NULL;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    return sandbox;
}

static void test_output(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(100000);
    for (int i = 0; i < 3; i++) {
        fixture_expect_kind(sandbox, "flood 90", ERYX_OUTCOME_OK, false);
        eryx_outcome_t *outcome = fixture_run(sandbox, "flood 98");
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_LIMIT);
        assert_int_equal(eryx_outcome_limit(outcome), ERYX_LIMIT_HOST_MEMORY);
        assert_int_equal(eryx_outcome_limit_value(outcome), 100000);
        assert_int_equal(eryx_outcome_limit_used(outcome), 98 * 1024);
        assert_string_equal(eryx_outcome_exception_message(outcome),
                            "host memory limit of 100000 bytes exceeded");
        eryx_outcome_free(outcome);
    }
    eryx_sandbox_free(sandbox);
}

/* Output counts until the outcome is the host's. */
static void test_outcome_taken(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(100000);
    for (int i = 0; i < 2; i++) {
        eryx_execution_t *execution;
        assert_int_equal(eryx_execution_start(sandbox, "flood 60", 8, NULL, &execution, NULL),
                         ERYX_OK);
        assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
        eryx_outcome_t *outcome = i == 0 ? eryx_execution_take_outcome(execution) : NULL;
        eryx_execution_free(execution);
        fixture_expect_kind(sandbox, "flood 60", ERYX_OUTCOME_OK, false);
        eryx_outcome_free(outcome);
    }
    eryx_sandbox_free(sandbox);
}

static void complete_held(const char *result, size_t length, int status) {
    while (held_count > 0) {
        eryx_call_t *call = held[--held_count];
        eryx_error_t error = {0, ""};
        if (eryx_call_complete(call, result, length, &error) != status)
            fail_msg("%d: %s", error.code, error.message);
        if (status == ERYX_ERR_LIMIT)
            assert_non_null(strstr(error.message, "host_memory_bytes"));
        eryx_call_free(call);
    }
}

static eryx_outcome_t *run_and_complete(eryx_sandbox_t *sandbox, const char *command,
                                        const char *result, size_t length, int status) {
    eryx_execution_t *execution;
    assert_int_equal(
        eryx_execution_start(sandbox, command, strlen(command), NULL, &execution, NULL), ERYX_OK);
    while (eryx_execution_run(execution) != ERYX_EXECUTION_DONE)
        complete_held(result, length, status);
    eryx_outcome_t *outcome = eryx_execution_take_outcome(execution);
    eryx_execution_free(execution);
    return outcome;
}

/* The program sees an error that names the limit, instead of a result that is too much. */
static void test_result(void **state) {
    (void)state;
    static char result[60000];
    memset(result, '7', sizeof result);
    eryx_sandbox_t *sandbox = new_sandbox(50000);
    for (int i = 0; i < 3; i++) {
        eryx_outcome_t *outcome =
            run_and_complete(sandbox, "call", result, sizeof result, ERYX_ERR_LIMIT);
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_OK);
        const char *output = eryx_outcome_stdout(outcome, NULL);
        if (!strstr(output, "error:") || !strstr(output, "host_memory_bytes"))
            fail_msg("%s", output);
        eryx_outcome_free(outcome);
        outcome = run_and_complete(sandbox, "call", result, 40000, ERYX_OK);
        assert_string_equal(eryx_outcome_stdout(outcome, NULL), "ok:40000");
        eryx_outcome_free(outcome);
    }
    eryx_sandbox_free(sandbox);
}

/* Calls that the host still holds count, also those of an execution that is over. */
static void test_calls(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(400000);
    eryx_execution_t *execution;
    assert_int_equal(eryx_execution_start(sandbox, "gather 1000", 11, NULL, &execution, NULL),
                     ERYX_OK);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    size_t made = held_count;
    assert_in_range(made, 100, 900);
    eryx_execution_free(execution);
    /* What is left is what the subtasks of the lost session had taken. */
    assert_int_equal(eryx_execution_start(sandbox, "gather 1000", 11, NULL, &execution, NULL),
                     ERYX_OK);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    assert_in_range(held_count - made, 1, made / 4);
    eryx_execution_free(execution);
    while (held_count > 0)
        eryx_call_free(held[--held_count]);
    eryx_outcome_t *outcome = run_and_complete(sandbox, "gather 100", "1", 1, ERYX_OK);
    assert_string_equal(eryx_outcome_stdout(outcome, NULL), "100 calls");
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
}

static void test_call_refused(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(500);
    eryx_outcome_t *outcome = fixture_run(sandbox, "call");
    const char *output = eryx_outcome_stdout(outcome, NULL);
    if (strncmp(output, "error:limit host_memory_bytes: a call of ", 41) != 0)
        fail_msg("%s", output);
    eryx_outcome_free(outcome);
    assert_int_equal(held_count, 0);
    eryx_sandbox_free(sandbox);
}

/* A call may be freed after its sandbox, and is counted to the end. */
static void test_call_outlives(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(100000);
    eryx_execution_t *execution;
    assert_int_equal(eryx_execution_start(sandbox, "call", 4, NULL, &execution, NULL), ERYX_OK);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    eryx_sandbox_free(sandbox);
    eryx_call_free(held[--held_count]);
    assert_int_equal(held_count, 0);
}

/* Timers without end (the guest's own doing: Python's loop has one). */
static void test_waitables(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(200000);
    for (int i = 0; i < 3; i++) {
        eryx_outcome_t *outcome = fixture_run(sandbox, "hostile 16");
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_LIMIT);
        assert_int_equal(eryx_outcome_limit(outcome), ERYX_LIMIT_HOST_MEMORY);
        assert_true(eryx_outcome_limit_used(outcome) > 200000);
        eryx_outcome_free(outcome);
        fixture_expect(sandbox, "sleep 1", "102");
    }
    eryx_sandbox_free(sandbox);
    sandbox = new_sandbox((uint64_t)256 << 20);
    fixture_expect_kind(sandbox, "hostile 16", ERYX_OUTCOME_TRAP, false);
    eryx_sandbox_free(sandbox);
}

static void test_execution_result(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(1000);
    eryx_execute_options_t options;
    eryx_execute_options_init(&options);
    options.result = "big 1001";
    eryx_outcome_t *outcome;
    assert_int_equal(eryx_sandbox_execute(sandbox, "get", 3, &options, &outcome, NULL), ERYX_OK);
    assert_null(eryx_outcome_result_json(outcome, NULL));
    assert_string_equal(
        eryx_outcome_result_error(outcome),
        "the result has 1001 bytes of JSON, more than the limit host_memory_bytes of 999");
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output),           cmocka_unit_test(test_outcome_taken),
        cmocka_unit_test(test_result),           cmocka_unit_test(test_calls),
        cmocka_unit_test(test_waitables),        cmocka_unit_test(test_call_outlives),
        cmocka_unit_test(test_execution_result), cmocka_unit_test(test_call_refused),
    };
    int status = fixture_main(argc, argv);
    if (status != 0)
        return status;
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
