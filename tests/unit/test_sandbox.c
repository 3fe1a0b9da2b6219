/* Sandboxes from the outside: outcomes of every kind, sessions, streams, settings, and a guest
 * that breaks the contract in every way it can. */
#include "fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void test_outcomes(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 0);
    fixture_expect(sandbox, "print hello", "print hello");
    eryx_outcome_t *outcome = fixture_run(sandbox, "error text");
    assert_string_equal(eryx_outcome_stderr(outcome, NULL), "error text");
    assert_string_equal(eryx_outcome_stdout(outcome, NULL), "");
    assert_int_equal(eryx_outcome_exit_code(outcome), 0);
    assert_true(eryx_outcome_wall_time_ns(outcome) > 0);
    eryx_outcome_free(outcome);
    outcome = fixture_run(sandbox, "fail");
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_EXCEPTION);
    assert_string_equal(eryx_outcome_exception_type(outcome), "ValueError");
    assert_string_equal(eryx_outcome_exception_message(outcome), "it failed");
    assert_string_equal(eryx_outcome_traceback(outcome), "Traceback:\nhere\n");
    assert_int_equal(eryx_outcome_exit_code(outcome), 1);
    assert_false(eryx_outcome_session_lost(outcome));
    eryx_outcome_free(outcome);
    outcome = fixture_run(sandbox, "sysexit 3");
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_EXIT);
    assert_int_equal(eryx_outcome_exit_code(outcome), 3);
    assert_false(eryx_outcome_session_lost(outcome));
    eryx_outcome_free(outcome);
    outcome = fixture_run(sandbox, "exit 7");
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_EXIT);
    assert_int_equal(eryx_outcome_exit_code(outcome), 7);
    assert_false(eryx_outcome_session_lost(outcome));
    eryx_outcome_free(outcome);
    fixture_expect(sandbox, "print", "print");
    eryx_sandbox_free(sandbox);
}

static void test_session(void **state) {
    (void)state;
    eryx_sandbox_t *first = fixture_sandbox(runtime, 0), *second = fixture_sandbox(runtime, 0);
    fixture_expect(first, "set 42", "");
    fixture_expect(second, "get", "0");
    fixture_expect(first, "get", "42");
    fixture_expect_kind(first, "fail", ERYX_OUTCOME_EXCEPTION, false);
    fixture_expect(first, "get", "42");
    fixture_expect_kind(first, "abort", ERYX_OUTCOME_TRAP, false);
    fixture_expect(first, "get", "42");
    eryx_sandbox_free(first);
    eryx_sandbox_free(second);
}

/* Whatever a program did, the next sandbox gets the image. */
static void test_recycled_is_fresh(void **state) {
    (void)state;
    static const char *const commands[] = {"set 9", "touch 1000", "grow 5",   "sleep 1",
                                           "fail",  "abort",      "exit 1",   "sleep 1",
                                           "loop",  "deep",       "touch 50", "hostile 7"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 50000000);
        fixture_expect(sandbox, "get", "0");
        fixture_expect(sandbox, "size", "256");
        fixture_expect(sandbox, "set 5", "");
        eryx_outcome_free(fixture_run(sandbox, commands[i]));
        eryx_sandbox_free(sandbox);
    }
}

static void test_waiting(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 0);
    eryx_outcome_t *outcome = fixture_run(sandbox, "sleep 20");
    assert_string_equal(eryx_outcome_stdout(outcome, NULL), "102");
    assert_true(eryx_outcome_wall_time_ns(outcome) >= 20000000);
    eryx_outcome_free(outcome);
    outcome = fixture_run(sandbox, "block 20");
    assert_string_equal(eryx_outcome_stdout(outcome, NULL), "102");
    assert_true(eryx_outcome_wall_time_ns(outcome) >= 20000000);
    eryx_outcome_free(outcome);
    fixture_expect(sandbox, "yield 5", "yielded");
    fixture_expect(sandbox, "cancel", "4");
    fixture_expect(sandbox, "poll 5", "");
    fixture_expect(sandbox, "clock", "ok");
    fixture_expect(sandbox, "invoke", "unknown callback a");
    eryx_sandbox_free(sandbox);
}

static void test_traps(void **state) {
    (void)state;
    static const struct {
        const char *command, *message;
    } cases[] = {
        {"abort", "aborted"},
        {"null", "memory"},
        {"constant", "memory"},
        {"far", "memory"},
        {"deep", "C stack exhausted"},
        {"unfinished", "without a result"},
        {"forever", "deadlock"},
        {"answer 3", "unknown answer"},
        {"answer 15", "unknown answer"},
        {"answer 99999922", "deadlock"},
    };
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        eryx_outcome_t *outcome = fixture_run(sandbox, cases[i].command);
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_TRAP);
        if (!strstr(eryx_outcome_exception_message(outcome), cases[i].message))
            fail_msg("%s: %s", cases[i].command, eryx_outcome_exception_message(outcome));
        assert_false(eryx_outcome_session_lost(outcome));
        assert_string_equal(eryx_outcome_exception_type(outcome), "");
        eryx_outcome_free(outcome);
    }
    fixture_expect(sandbox, "recurse 5000", "");
    eryx_sandbox_free(sandbox);
}

/* memory.fill and memory.copy on protected pages: the engine runs them in host code. */
static void test_bulk_memory(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 0);
    for (int i = 0; i <= 9; i++) {
        char command[32];
        snprintf(command, sizeof command, "bulk %d", i);
        fixture_expect_kind(sandbox, command, ERYX_OUTCOME_TRAP, false);
    }
    fixture_expect(sandbox, "bulk 10", "");
    fixture_expect(sandbox, "bulk 11", "c");
    eryx_sandbox_free(sandbox);
}

static void test_hostile_guest(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 0);
    for (int i = 0; i <= 20; i++) {
        char command[32];
        snprintf(command, sizeof command, "hostile %d", i);
        eryx_outcome_t *outcome = fixture_run(sandbox, command);
        const char *message = eryx_outcome_exception_message(outcome);
        if (eryx_outcome_kind(outcome) != ERYX_OUTCOME_TRAP ||
            !strstr(message, "broke the contract"))
            fail_msg("%s: kind %d: %s", command, eryx_outcome_kind(outcome), message);
        eryx_outcome_free(outcome);
    }
    eryx_sandbox_free(sandbox);
}

typedef struct recorder {
    char text[256];
    size_t input_left;
    int finalized;
} recorder_t;

static void record(void *env, eryx_stream_t stream, const char *data, size_t length) {
    recorder_t *recorder = env;
    size_t used = strlen(recorder->text);
    snprintf(recorder->text + used, sizeof recorder->text - used, "%d:%.*s;", (int)stream,
             (int)length, data);
}

static ptrdiff_t provide(void *env, char *buffer, size_t capacity) {
    recorder_t *recorder = env;
    size_t length = recorder->input_left < capacity ? recorder->input_left : capacity;
    if (length > 3)
        length = 3;
    memset(buffer, 'i', length);
    recorder->input_left -= length;
    return (ptrdiff_t)length;
}

static void finalize(void *env) {
    ((recorder_t *)env)->finalized++;
}

static void test_callbacks(void **state) {
    (void)state;
    recorder_t recorder = {.input_left = 5};
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.on_output = record;
    options.on_input = provide;
    options.env = &recorder;
    options.env_finalizer = finalize;
    eryx_sandbox_t *sandbox;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    fixture_expect(sandbox, "print a", "");
    fixture_expect(sandbox, "error b", "");
    fixture_expect(sandbox, "read", "");
    assert_string_equal(recorder.text, "1:print a;2:error b;1:iii;1:ii;");
    assert_int_equal(recorder.finalized, 0);
    eryx_sandbox_free(sandbox);
    assert_int_equal(recorder.finalized, 1);
    options.limits.memory_bytes = 1;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_ERR_ARGUMENT);
    assert_int_equal(recorder.finalized, 1);
}

static ptrdiff_t broken_input(void *env, char *buffer, size_t capacity) {
    (void)buffer;
    return *(int *)env > 0 ? (ptrdiff_t)capacity + 1000 : -1;
}

static void test_broken_input(void **state) {
    (void)state;
    int mode = -1;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 0);
    fixture_expect(sandbox, "read", "");
    eryx_sandbox_free(sandbox);
    options.on_input = broken_input;
    options.env = &mode;
    options.limits.wall_time_ns = 20000000;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    fixture_expect(sandbox, "read", "");
    mode = 1;
    fixture_expect_kind(sandbox, "read", ERYX_OUTCOME_LIMIT, false);
    eryx_sandbox_free(sandbox);
}

static void test_settings(void **state) {
    (void)state;
    const char *argv[] = {"program", "x"}, *variables[] = {"NAME=value", "OTHER"};
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.argv = argv;
    options.argc = 2;
    options.environ = variables;
    options.environ_count = 2;
    eryx_sandbox_t *sandbox;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    argv[0] = variables[0] = "changed";
    fixture_expect(sandbox, "names", "<eryx>|program|value");
    eryx_execute_options_t execute;
    eryx_execute_options_init(&execute);
    execute.filename = "file.py";
    eryx_outcome_t *outcome;
    assert_int_equal(eryx_sandbox_execute(sandbox, "names", 5, &execute, &outcome, NULL), ERYX_OK);
    assert_string_equal(eryx_outcome_stdout(outcome, NULL), "file.py|program|value");
    eryx_outcome_free(outcome);
    fixture_expect(sandbox, "names", "<eryx>|program|value");
    fixture_expect_kind(sandbox, "abort", ERYX_OUTCOME_TRAP, false);
    fixture_expect(sandbox, "names", "<eryx>|program|value");
    argv[1] = NULL;
    eryx_error_t error;
    eryx_sandbox_t *refused;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &refused, &error), ERYX_ERR_ARGUMENT);
    assert_string_equal(error.message, "argv[1] is NULL");
    eryx_sandbox_free(sandbox);
}

static eryx_sandbox_t *nested;

static void execute_again(void *env, eryx_stream_t stream, const char *data, size_t length) {
    (void)stream, (void)data, (void)length;
    eryx_outcome_t *outcome;
    *(int *)env = eryx_sandbox_execute(nested, "get", 3, NULL, &outcome, NULL);
}

static void test_misuse(void **state) {
    (void)state;
    eryx_outcome_t *outcome;
    eryx_error_t error;
    int status = 0;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.on_output = execute_again;
    options.env = &status;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &nested, NULL), ERYX_OK);
    fixture_expect(nested, "print", "");
    assert_int_equal(status, ERYX_ERR_STATE);
    assert_int_equal(eryx_sandbox_execute(nested, NULL, 1, NULL, &outcome, &error),
                     ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_sandbox_execute(nested, "a", 1, NULL, NULL, &error), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_sandbox_execute(NULL, "a", 1, NULL, &outcome, &error), ERYX_ERR_ARGUMENT);
    eryx_execute_options_t stale = {.size = 1};
    assert_int_equal(eryx_sandbox_execute(nested, "a", 1, &stale, &outcome, &error),
                     ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_sandbox_execute(nested, NULL, 0, NULL, &outcome, &error), ERYX_OK);
    eryx_outcome_free(outcome);
    eryx_sandbox_free(nested);
    eryx_sandbox_free(NULL);
    eryx_outcome_free(NULL);
    options.size = 3;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &nested, &error), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_sandbox_new(NULL, NULL, &nested, &error), ERYX_ERR_ARGUMENT);
}

/* Code that the guest has no memory for. */
static void test_code_too_large(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 0);
    size_t length = (size_t)8 << 20;
    char *code = calloc(1, length);
    eryx_outcome_t *outcome;
    assert_int_equal(eryx_sandbox_execute(sandbox, code, length, NULL, &outcome, NULL), ERYX_OK);
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_EXCEPTION);
    assert_string_equal(eryx_outcome_exception_type(outcome), "MemoryError");
    assert_false(eryx_outcome_session_lost(outcome));
    eryx_outcome_free(outcome);
    free(code);
    fixture_expect(sandbox, "get", "0");
    eryx_sandbox_free(sandbox);
}

/* A live sandbox used by one thread after the other, and sandboxes on two threads at once. */
static void *use_sandboxes(void *argument) {
    eryx_sandbox_t *shared = argument;
    if (shared)
        fixture_expect(shared, "set 12", "");
    for (int i = 0; i < 300; i++) {
        eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 1000000000);
        fixture_expect(sandbox, "get", "0");
        fixture_expect(sandbox, "set 3", "");
        fixture_expect(sandbox, "touch 20", "");
        if (i % 10 == 0)
            fixture_expect_kind(sandbox, "abort", ERYX_OUTCOME_TRAP, false);
        eryx_sandbox_free(sandbox);
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    eryx_sandbox_t *shared = fixture_sandbox(runtime, 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, use_sandboxes, shared), 0);
    use_sandboxes(NULL);
    pthread_join(thread, NULL);
    fixture_expect(shared, "get", "12");
    eryx_sandbox_free(shared);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outcomes),      cmocka_unit_test(test_session),
        cmocka_unit_test(test_waiting),       cmocka_unit_test(test_recycled_is_fresh),
        cmocka_unit_test(test_traps),         cmocka_unit_test(test_bulk_memory),
        cmocka_unit_test(test_hostile_guest), cmocka_unit_test(test_callbacks),
        cmocka_unit_test(test_broken_input),  cmocka_unit_test(test_settings),
        cmocka_unit_test(test_misuse),        cmocka_unit_test(test_code_too_large),
        cmocka_unit_test(test_threads),
    };
    int status = fixture_main(argc, argv);
    if (status != 0)
        return status;
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
