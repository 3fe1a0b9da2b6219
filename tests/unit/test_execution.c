/* Executions step by step on the test guest: their states, waiting, cancelling, giving up, result
 * values; snapshots; traces and output by lines. */
#include "fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "signals.h"

static const uint64_t millisecond = 1000000, forever = UINT64_MAX;

static void hold(void *env, eryx_call_t *call) {
    *(eryx_call_t **)env = call;
}

static eryx_sandbox_t *new_sandbox(eryx_call_t **held, uint64_t wall_time_ns) {
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, wall_time_ns);
    eryx_callback_t callback;
    eryx_callback_init(&callback);
    callback.name = "echo";
    callback.on_call = hold;
    callback.env = held;
    assert_int_equal(eryx_sandbox_add_callback(sandbox, &callback, NULL), ERYX_OK);
    return sandbox;
}

static eryx_execution_t *start(eryx_sandbox_t *sandbox, const char *command) {
    eryx_execution_t *execution = NULL;
    eryx_error_t error = {0, ""};
    signals_restore();
    if (eryx_execution_start(sandbox, command, strlen(command), NULL, &execution, &error) !=
        ERYX_OK)
        fail_msg("%s: %s", command, error.message);
    assert_int_equal(eryx_execution_state(execution), ERYX_EXECUTION_RUNNABLE);
    return execution;
}

/* Takes the outcome of a DONE execution, which must be of this kind with this output. */
static void expect_outcome(eryx_execution_t *execution, eryx_outcome_kind_t kind,
                           const char *output) {
    assert_int_equal(eryx_execution_state(execution), ERYX_EXECUTION_DONE);
    eryx_outcome_t *outcome = eryx_execution_take_outcome(execution);
    assert_non_null(outcome);
    assert_null(eryx_execution_take_outcome(execution));
    if (eryx_outcome_kind(outcome) != kind)
        fail_msg("kind %d, not %d: %s", eryx_outcome_kind(outcome), kind,
                 eryx_outcome_exception_message(outcome));
    assert_string_equal(eryx_outcome_stdout(outcome, NULL), output);
    assert_int_equal(eryx_outcome_session_lost(outcome), 0);
    eryx_outcome_free(outcome);
    eryx_execution_free(execution);
}

static void test_states(void **state) {
    (void)state;
    eryx_call_t *call = NULL;
    eryx_sandbox_t *sandbox = new_sandbox(&call, 0);
    eryx_execution_t *execution = start(sandbox, "print hi"), *other;
    eryx_outcome_t *outcome;
    eryx_error_t error = {0, ""};
    assert_int_equal(eryx_execution_start(sandbox, "get", 3, NULL, &other, &error), ERYX_ERR_STATE);
    assert_null(other);
    assert_int_equal(eryx_sandbox_execute(sandbox, "get", 3, NULL, &outcome, &error),
                     ERYX_ERR_STATE);
    assert_int_equal(eryx_sandbox_clear(sandbox, &error), ERYX_ERR_STATE);
    assert_null(eryx_execution_take_outcome(execution));
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
    assert_int_equal(eryx_execution_wait(execution, 0), 1);
    assert_int_equal(eryx_sandbox_execute(sandbox, "get", 3, NULL, &outcome, &error),
                     ERYX_ERR_STATE);
    expect_outcome(execution, ERYX_OUTCOME_OK, "print hi");

    execution = start(sandbox, "call x");
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    assert_int_equal(eryx_execution_state(execution), ERYX_EXECUTION_WAITING);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    assert_int_equal(eryx_execution_wait(execution, millisecond), 0);
    assert_int_equal(eryx_call_complete(call, "7", 1, NULL), ERYX_OK);
    assert_int_equal(eryx_execution_state(execution), ERYX_EXECUTION_RUNNABLE);
    assert_int_equal(eryx_execution_wait(execution, forever), 1);
    eryx_call_free(call);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
    expect_outcome(execution, ERYX_OUTCOME_OK, "ok:7");

    execution = start(sandbox, "sleep 20");
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    assert_int_equal(eryx_execution_wait(execution, 5 * millisecond), 0);
    assert_int_equal(eryx_execution_wait(execution, forever), 1);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
    expect_outcome(execution, ERYX_OUTCOME_OK, "102");
    eryx_execution_free(NULL);
    eryx_sandbox_free(sandbox);
}

static void test_wall_time(void **state) {
    (void)state;
    eryx_call_t *call = NULL;
    eryx_sandbox_t *sandbox = new_sandbox(&call, 20 * millisecond);
    static const char *const commands[] = {"call", "pause"};
    for (int i = 0; i < 2; i++) {
        eryx_execution_t *execution = start(sandbox, commands[i]);
        assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
        assert_int_equal(eryx_execution_wait(execution, forever), 1);
        assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
        expect_outcome(execution, ERYX_OUTCOME_LIMIT, "");
        assert_true(eryx_call_cancelled(call));
        eryx_call_free(call);
    }
    /* Its time begins when it is first run, and stands still when it could go on. */
    static const char *const later[] = {"get", "sleep 1"};
    static const char *const outputs[] = {"0", "102"};
    for (int i = 0; i < 2; i++) {
        eryx_execution_t *execution = start(sandbox, later[i]);
        usleep(40000);
        if (eryx_execution_run(execution) == ERYX_EXECUTION_WAITING)
            usleep(40000);
        assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
        eryx_outcome_t *outcome = eryx_execution_take_outcome(execution);
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_OK);
        assert_string_equal(eryx_outcome_stdout(outcome, NULL), outputs[i]);
        assert_true(eryx_outcome_wall_time_ns(outcome) < 20 * millisecond);
        eryx_outcome_free(outcome);
        eryx_execution_free(execution);
    }
    eryx_sandbox_free(sandbox);
}

static void *cancel_soon(void *execution) {
    usleep(10000);
    eryx_execution_cancel(execution);
    return NULL;
}

static void test_cancel(void **state) {
    (void)state;
    eryx_call_t *call = NULL;
    eryx_sandbox_t *sandbox = new_sandbox(&call, 0);
    pthread_t thread;
    static const struct {
        const char *command;
        eryx_outcome_kind_t kind;
        const char *output;
    } cases[] = {
        {"call", ERYX_OUTCOME_OK, "cancelled"}, /* waits: the program is told */
        {"sleep 100000", ERYX_OUTCOME_OK, "cancelled"},
        {"pause", ERYX_OUTCOME_INTERRUPTED, ""}, /* blocks */
        {"loop", ERYX_OUTCOME_INTERRUPTED, ""},
    };
    for (size_t i = 0; i < 4; i++) {
        call = NULL;
        eryx_execution_t *execution = start(sandbox, cases[i].command);
        assert_int_equal(pthread_create(&thread, NULL, cancel_soon, execution), 0);
        while (eryx_execution_run(execution) != ERYX_EXECUTION_DONE)
            eryx_execution_wait(execution, forever);
        pthread_join(thread, NULL);
        expect_outcome(execution, cases[i].kind, cases[i].output);
        if (call)
            assert_int_equal(eryx_call_complete(call, "1", 1, NULL), ERYX_ERR_STATE);
        eryx_call_free(call);
    }
    fixture_expect(sandbox, "set 3", "");
    eryx_execution_t *execution = start(sandbox, "set 4"); /* not begun: nothing happens */
    eryx_execution_cancel(execution);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
    expect_outcome(execution, ERYX_OUTCOME_INTERRUPTED, "");
    fixture_expect(sandbox, "get", "3");
    eryx_sandbox_free(sandbox);
}

/* Giving up in every state. */
static void test_giving_up(void **state) {
    (void)state;
    eryx_call_t *call = NULL;
    static const char *const commands[] = {"call", "pause", "sleep 100000", "print", "yield 5"};
    for (size_t i = 0; i < 5; i++) {
        for (int runs = 0; runs < 2; runs++) {
            eryx_sandbox_t *sandbox = new_sandbox(&call, 0);
            eryx_execution_t *execution = start(sandbox, commands[i]);
            call = NULL;
            if (runs)
                eryx_execution_run(execution);
            eryx_execution_free(execution);
            if (call)
                assert_true(eryx_call_cancelled(call));
            eryx_call_free(call);
            fixture_expect(sandbox, "get", "0");
            execution = start(sandbox, commands[i]);
            call = NULL;
            if (runs)
                eryx_execution_run(execution);
            eryx_sandbox_free(sandbox);
            eryx_call_free(call);
        }
    }
}

/* --- Results, state, traces, lines -------------------------------------------------------- */

static eryx_outcome_t *run_for(eryx_sandbox_t *sandbox, const char *command, const char *result) {
    eryx_execute_options_t options;
    eryx_execute_options_init(&options);
    options.result = result;
    eryx_outcome_t *outcome = NULL;
    signals_restore();
    assert_int_equal(
        eryx_sandbox_execute(sandbox, command, strlen(command), &options, &outcome, NULL), ERYX_OK);
    return outcome;
}

static void expect_result(eryx_sandbox_t *sandbox, const char *result, const char *json,
                          const char *error) {
    eryx_outcome_t *outcome = run_for(sandbox, "get", result);
    size_t length;
    const char *got = eryx_outcome_result_json(outcome, &length);
    const char *reason = eryx_outcome_result_error(outcome);
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_OK);
    if (json) {
        assert_string_equal(got ? got : "nothing", json);
        assert_int_equal(length, strlen(json));
    } else {
        assert_null(got);
    }
    if (error)
        assert_string_equal(reason ? reason : "nothing", error);
    else
        assert_null(reason);
    eryx_outcome_free(outcome);
}

static void test_result(void **state) {
    (void)state;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits.result_bytes = 1000;
    options.limits.wall_time_ns = 50 * millisecond;
    eryx_sandbox_t *sandbox;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    expect_result(sandbox, NULL, NULL, NULL);
    expect_result(sandbox, "", "42", NULL);
    expect_result(sandbox, "name", "name", NULL);
    expect_result(sandbox, "none", NULL, "there is no such variable");
    expect_result(sandbox, "big 1001", NULL,
                  "the result has 1001 bytes of JSON, more than the limit result_bytes of 1000");
    eryx_outcome_t *outcome = run_for(sandbox, "fail", "");
    assert_null(eryx_outcome_result_json(outcome, NULL));
    assert_null(eryx_outcome_result_error(outcome));
    eryx_outcome_free(outcome);
    outcome = run_for(sandbox, "get", "far");
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_TRAP);
    eryx_outcome_free(outcome);
    outcome = run_for(sandbox, "get", "loop");
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_LIMIT);
    assert_null(eryx_outcome_result_json(outcome, NULL));
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
}

static void test_snapshot(void **state) {
    (void)state;
    signals_restore();
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 50 * millisecond);
    eryx_sandbox_t *other = fixture_sandbox(runtime, 0);
    eryx_snapshot_options_t options;
    eryx_snapshot_options_init(&options);
    eryx_error_t error = {0, ""};
    void *data;
    size_t length;
    fixture_expect(sandbox, "set 7", "");
    assert_int_equal(eryx_sandbox_snapshot(sandbox, NULL, &data, &length, &error), ERYX_OK);
    assert_int_equal(length, 4);
    assert_int_equal(eryx_sandbox_restore(other, data, length, &error), ERYX_OK);
    fixture_expect(other, "get", "7");
    assert_int_equal(eryx_sandbox_restore(other, data, 3, &error), ERYX_ERR_FORMAT);
    assert_string_equal(error.message, "not a snapshot");
    assert_int_equal(eryx_sandbox_restore(other, NULL, 0, &error), ERYX_ERR_FORMAT);
    assert_int_equal(eryx_sandbox_restore(other, NULL, 3, &error), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_sandbox_restore(other, data, (size_t)1 << 40, &error), ERYX_ERR_LIMIT);
    fixture_expect(other, "get", "7");
    eryx_bytes_free(data);
    assert_int_equal(eryx_sandbox_clear(other, &error), ERYX_OK);
    fixture_expect(other, "get", "0");
    fixture_expect(sandbox, "set 13", "");
    assert_int_equal(eryx_sandbox_snapshot(sandbox, &options, &data, &length, &error),
                     ERYX_ERR_STATE);
    assert_string_equal(error.message, "cannot save 13");
    options.skip_unpicklable = true;
    assert_int_equal(eryx_sandbox_snapshot(sandbox, &options, &data, &length, &error), ERYX_OK);
    eryx_bytes_free(data);
    static const int codes[] = {ERYX_ERR_LIMIT, ERYX_ERR_GUEST, ERYX_ERR_GUEST};
    static const char *const commands[] = {"set 14", "set 15", "set 16"};
    for (int i = 0; i < 3; i++) {
        fixture_expect(sandbox, commands[i], "");
        assert_int_equal(eryx_sandbox_snapshot(sandbox, NULL, &data, &length, &error), codes[i]);
        assert_non_null(strstr(error.message, "the session is what it was before"));
        assert_null(data);
        fixture_expect(sandbox, "get", commands[i] + 4);
    }
    eryx_bytes_free(NULL);
    eryx_sandbox_free(sandbox);
    eryx_sandbox_free(other);
}

static char seen[400000];

static void on_trace(void *env, uint32_t lineno, const char *event, size_t event_length,
                     const char *context, size_t context_length) {
    (void)env;
    snprintf(seen, sizeof seen, "%u %.*s %.*s", lineno, (int)event_length, event,
             (int)context_length, context);
}

static void on_output(void *env, eryx_stream_t stream, const char *data, size_t length) {
    (void)env;
    size_t used = strlen(seen);
    if (length > 1000)
        snprintf(seen + used, sizeof seen - used, "%d:%zu;", stream, length);
    else
        snprintf(seen + used, sizeof seen - used, "%d:%.*s;", stream, (int)length, data);
}

static void test_trace(void **state) {
    (void)state;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.on_trace = on_trace;
    eryx_sandbox_t *sandbox;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    fixture_expect(sandbox, "trace 12", "");
    assert_string_equal(seen, "12 {\"type\": \"line\"} {}");
    eryx_sandbox_free(sandbox);
}

static void expect_lines(eryx_sandbox_t *sandbox, const char *command, const char *expected) {
    seen[0] = '\0';
    fixture_expect(sandbox, command, "");
    assert_string_equal(seen, expected);
}

static void test_lines(void **state) {
    (void)state;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.on_output = on_output;
    options.output_mode = ERYX_OUTPUT_LINE;
    eryx_sandbox_t *sandbox;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    expect_lines(sandbox, "print a\nb\n\nc", "1:print a\n;1:b\n;1:\n;1:c;");
    expect_lines(sandbox, "error a\nb\n", "2:error a\n;2:b\n;");
    expect_lines(sandbox, "flood 130", "1:65536;1:65536;1:2048;");
    eryx_sandbox_free(sandbox);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states), cmocka_unit_test(test_wall_time),
        cmocka_unit_test(test_cancel), cmocka_unit_test(test_giving_up),
        cmocka_unit_test(test_result), cmocka_unit_test(test_snapshot),
        cmocka_unit_test(test_trace),  cmocka_unit_test(test_lines),
    };
    int status = fixture_main(argc, argv);
    return status ? status : cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
