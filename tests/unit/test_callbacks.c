/* Callbacks on the test guest: completion at once, later, from other threads, twice, too late or
 * never; limits; what the program sees of the list; and a guest that misuses its subtasks. */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HELD_MAX = 20000 };

/* What the callback `echo` does, and what it saw. */
typedef struct host {
    bool at_once, drop, big;
    const char *failure;
    eryx_call_t *held[HELD_MAX];
    atomic_size_t held_count;
    atomic_uint calls, cancelled, finalized;
    char *answer;
    size_t answer_length;
} host_t;

static void on_call(void *env, eryx_call_t *call) {
    host_t *host = env;
    size_t length;
    const char *arguments = eryx_call_arguments(call, &length);
    atomic_fetch_add(&host->calls, 1);
    assert_string_equal(eryx_call_name(call), "echo");
    assert_int_equal(arguments[length], 0);
    if (host->failure)
        assert_int_equal(eryx_call_fail(call, host->failure, NULL), ERYX_OK);
    else if (host->answer)
        eryx_call_complete(call, host->answer, host->answer_length, NULL);
    else if (host->at_once)
        assert_int_equal(eryx_call_complete(call, arguments, length, NULL), ERYX_OK);
    else if (!host->drop) {
        size_t index = atomic_load(&host->held_count);
        host->held[index] = call;
        atomic_store(&host->held_count, index + 1);
        return;
    }
    eryx_call_free(call);
}

static void on_cancel(void *env, eryx_call_t *call) {
    host_t *host = env;
    assert_true(eryx_call_cancelled(call));
    atomic_fetch_add(&host->cancelled, 1);
}

static void finalize(void *env) {
    host_t *host = env;
    atomic_fetch_add(&host->finalized, 1);
}

static eryx_callback_t echo(host_t *host) {
    eryx_callback_t callback;
    eryx_callback_init(&callback);
    callback.name = "echo";
    callback.on_call = on_call;
    callback.on_cancel = on_cancel;
    callback.env = host;
    callback.env_finalizer = finalize;
    return callback;
}

static eryx_sandbox_t *new_sandbox(host_t *host, const eryx_limits_t *limits) {
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    eryx_callback_t callback = echo(host);
    options.callbacks = &callback;
    options.callback_count = 1;
    if (limits)
        options.limits = *limits;
    eryx_sandbox_t *sandbox = NULL;
    eryx_error_t error = {0, ""};
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return sandbox;
}

static void free_held(host_t *host) {
    for (size_t i = 0; i < host->held_count; i++)
        eryx_call_free(host->held[i]);
    host->held_count = 0;
}

/* --- At once ------------------------------------------------------------------------------ */

static void test_at_once(void **state) {
    (void)state;
    host_t host = {.at_once = true};
    eryx_sandbox_t *sandbox = new_sandbox(&host, NULL);
    fixture_expect(sandbox, "call me", "ok:call me");
    fixture_expect(sandbox, "gather 100", "at once");
    fixture_expect(sandbox, "pause here", "ok:pause here");
    fixture_expect(sandbox, "unknown", "error:unknown callback nobody");
    fixture_expect(sandbox, "argument 300000", "ok:300000");
    host.failure = "no: \xc3\xa4";
    fixture_expect(sandbox, "call", "error:no: \xc3\xa4");
    host.failure = "";
    fixture_expect(sandbox, "call", "error:");
    host.failure = NULL;
    host.at_once = false;
    host.drop = true;
    fixture_expect(sandbox, "call", "error:the host dropped the call");
    assert_int_equal(host.calls, 106);
    assert_int_equal(host.cancelled, 0);
    assert_int_equal(host.finalized, 0);
    eryx_sandbox_free(sandbox);
    assert_int_equal(host.finalized, 1);
}

/* Results that the arena has no room for arrive by an event, whoever waits for it. */
static void test_big_results(void **state) {
    (void)state;
    host_t host = {.answer_length = 1 << 20};
    host.answer = malloc(host.answer_length);
    memset(host.answer, 'x', host.answer_length);
    eryx_sandbox_t *sandbox = new_sandbox(&host, NULL);
    fixture_expect(sandbox, "call", "ok:1048576");
    fixture_expect(sandbox, "pause", "ok:1048576");
    fixture_expect(sandbox, "gather 3", "3 calls");
    host.answer_length = 0;
    fixture_expect(sandbox, "call", "ok:");
    eryx_sandbox_free(sandbox);
    free(host.answer);
}

/* --- Later -------------------------------------------------------------------------------- */

typedef struct completer {
    host_t *host;
    atomic_uint *expected;
    pthread_t thread;
} completer_t;

/* Completes all held calls, twice, once there are as many as expected. */
static void *complete_held(void *argument) {
    completer_t *self = argument;
    host_t *host = self->host;
    while (atomic_load(&host->held_count) < atomic_load(self->expected))
        usleep(100);
    usleep(2000); /* so that most times the guest waits already */
    for (size_t i = 0; i < host->held_count; i++) {
        eryx_error_t error;
        if (eryx_call_complete(host->held[i], "\"later\"", 7, &error) != ERYX_OK)
            fprintf(stderr, "%s\n", error.message), abort();
        if (eryx_call_complete(host->held[i], "1", 1, &error) != ERYX_ERR_STATE ||
            eryx_call_fail(host->held[i], "no", NULL) != ERYX_ERR_STATE)
            fprintf(stderr, "completed twice\n"), abort();
    }
    free_held(host);
    return NULL;
}

static void expect_later(eryx_sandbox_t *sandbox, host_t *host, unsigned count, const char *command,
                         const char *output) {
    atomic_uint expected = count;
    completer_t completer = {host, &expected, 0};
    atomic_store(&host->calls, 0);
    assert_int_equal(pthread_create(&completer.thread, NULL, complete_held, &completer), 0);
    fixture_expect(sandbox, command, output);
    pthread_join(completer.thread, NULL);
}

static void test_later(void **state) {
    (void)state;
    static host_t host;
    eryx_sandbox_t *sandbox = new_sandbox(&host, NULL);
    for (int i = 0; i < 20; i++) {
        expect_later(sandbox, &host, 1, "call", "ok:\"later\"");
        expect_later(sandbox, &host, 1, "pause", "ok:\"later\"");
    }
    expect_later(sandbox, &host, 1000, "gather 1000", "1000 calls");
    expect_later(sandbox, &host, 10000, "gather 10000", "10000 calls");
    assert_int_equal(host.cancelled, 0);
    eryx_sandbox_free(sandbox);
}

/* Completion while on_call is still running, by another thread. */
static void *complete_one(void *call) {
    if (eryx_call_complete(call, "1", 1, NULL) != ERYX_OK)
        abort();
    eryx_call_free(call);
    return NULL;
}

static void on_call_race(void *env, eryx_call_t *call) {
    pthread_t *thread = env;
    if (pthread_create(thread, NULL, complete_one, call) != 0)
        abort();
}

static void test_race(void **state) {
    (void)state;
    pthread_t thread;
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 0);
    eryx_callback_t callback;
    eryx_callback_init(&callback);
    callback.name = "echo";
    callback.on_call = on_call_race;
    callback.env = &thread;
    assert_int_equal(eryx_sandbox_add_callback(sandbox, &callback, NULL), ERYX_OK);
    for (int i = 0; i < 500; i++) {
        fixture_expect(sandbox, i % 2 ? "call" : "pause", "ok:1");
        pthread_join(thread, NULL);
    }
    eryx_sandbox_free(sandbox);
}

/* --- Never, too late ---------------------------------------------------------------------- */

static void expect_too_late(host_t *host) {
    assert_true(host->held_count > 0);
    for (size_t i = 0; i < host->held_count; i++) {
        eryx_error_t error = {0, ""};
        assert_true(eryx_call_cancelled(host->held[i]));
        assert_int_equal(eryx_call_complete(host->held[i], "1", 1, &error), ERYX_ERR_STATE);
        assert_non_null(strstr(error.message, "too late"));
        assert_string_equal(eryx_call_name(host->held[i]), "echo");
    }
    free_held(host);
}

static void test_never(void **state) {
    (void)state;
    static const char *const commands[] = {"call", "pause", "gather 50"};
    for (size_t i = 0; i < 3; i++) {
        static host_t host;
        host = (host_t){.calls = 0};
        eryx_limits_t limits;
        eryx_limits_init(&limits);
        limits.wall_time_ns = 30000000;
        eryx_sandbox_t *sandbox = new_sandbox(&host, &limits);
        fixture_expect_kind(sandbox, commands[i], ERYX_OUTCOME_LIMIT, false);
        assert_int_equal(host.cancelled, host.held_count);
        expect_too_late(&host);
        host.at_once = true;
        fixture_expect(sandbox, "call", "ok:call");
        eryx_sandbox_free(sandbox);
        assert_int_equal(host.finalized, 1);
    }
}

static void test_withdrawn(void **state) {
    (void)state;
    static host_t host;
    eryx_sandbox_t *sandbox = new_sandbox(&host, NULL);
    fixture_expect(sandbox, "withdraw 0", "4");
    assert_int_equal(host.cancelled, 1);
    expect_too_late(&host);
    fixture_expect(sandbox, "leave", "");
    assert_int_equal(host.cancelled, 2);
    expect_too_late(&host);
    fixture_expect(sandbox, "leave", "");
    eryx_sandbox_free(sandbox);
    expect_too_late(&host);
}

/* Calls freed after sandbox and runtime are gone. */
static void test_outlives(void **state) {
    (void)state;
    static host_t host;
    eryx_runtime_t *other = fixture_runtime();
    eryx_runtime_t *usual = runtime;
    runtime = other;
    eryx_sandbox_t *sandbox = new_sandbox(&host, NULL);
    runtime = usual;
    eryx_execution_t *execution;
    assert_int_equal(eryx_execution_start(sandbox, "gather 5", 8, NULL, &execution, NULL), ERYX_OK);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    assert_int_equal(eryx_call_complete(host.held[0], "1", 1, NULL), ERYX_OK);
    eryx_sandbox_free(sandbox);
    eryx_runtime_free(other);
    assert_int_equal(host.cancelled, 4);
    assert_int_equal(eryx_call_complete(host.held[0], "1", 1, NULL), ERYX_ERR_STATE);
    expect_too_late(&host);
}

/* --- Limits, errors ----------------------------------------------------------------------- */

static void test_limits(void **state) {
    (void)state;
    static host_t host;
    host = (host_t){.at_once = true};
    eryx_limits_t limits;
    eryx_limits_init(&limits);
    limits.pending_calls = 10;
    limits.total_calls = 25;
    limits.call_argument_bytes = 1000;
    limits.call_result_bytes = 20;
    eryx_sandbox_t *sandbox = new_sandbox(&host, &limits);
    fixture_expect(sandbox, "argument 1001",
                   "error:limit call_argument_bytes: the arguments of pending calls would exceed "
                   "1000 bytes");
    eryx_error_t error = {0, ""};
    host.at_once = false;
    eryx_execution_t *execution;
    assert_int_equal(eryx_execution_start(sandbox, "call", 4, NULL, &execution, NULL), ERYX_OK);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    assert_int_equal(eryx_call_complete(host.held[0], "\xff", 1, &error), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_call_complete(host.held[0], NULL, 1, &error), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_call_fail(host.held[0], NULL, &error), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_call_complete(host.held[0], "123456789012345678901", 21, &error),
                     ERYX_ERR_LIMIT);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
    eryx_outcome_t *outcome = eryx_execution_take_outcome(execution);
    assert_string_equal(eryx_outcome_stdout(outcome, NULL),
                        "error:the result of echo() has 21 bytes, more than the limit "
                        "call_result_bytes of 20");
    eryx_outcome_free(outcome);
    eryx_execution_free(execution);
    free_held(&host);
    eryx_sandbox_free(sandbox);
}

static void expect_error_at(const char *command, unsigned made, const char *limit) {
    static host_t host;
    host = (host_t){.calls = 0};
    eryx_limits_t limits;
    eryx_limits_init(&limits);
    limits.pending_calls = limit[0] == 'p' ? made : 1000;
    limits.total_calls = limit[0] == 't' ? made : 1000;
    eryx_sandbox_t *sandbox = new_sandbox(&host, &limits);
    atomic_uint expected = made;
    completer_t completer = {&host, &expected, 0};
    assert_int_equal(pthread_create(&completer.thread, NULL, complete_held, &completer), 0);
    fixture_expect(sandbox, command, "60 calls");
    pthread_join(completer.thread, NULL);
    assert_int_equal(host.calls, made); /* the others were refused */
    eryx_sandbox_free(sandbox);
}

/* What the program has cancelled but the host holds still counts. */
static void test_held_counts(void **state) {
    (void)state;
    static host_t host;
    eryx_limits_t limits;
    eryx_limits_init(&limits);
    limits.pending_calls = 3;
    limits.call_argument_bytes = 10;
    eryx_sandbox_t *sandbox = new_sandbox(&host, &limits);
    for (int i = 0; i < 3; i++)
        fixture_expect(sandbox, "withdraw 0", "4");
    fixture_expect(sandbox, "call", "error:limit pending_calls: 3 calls are pending already");
    eryx_call_free(host.held[2]);
    host.held_count = 2;
    fixture_expect(sandbox, "withdraw 0", "4");
    free_held(&host);
    host.at_once = true;
    fixture_expect(sandbox, "call", "ok:call");
    fixture_expect(sandbox, "argument 11",
                   "error:limit call_argument_bytes: the arguments of pending calls would exceed "
                   "10 bytes");
    eryx_sandbox_free(sandbox);
}

static void test_count_limits(void **state) {
    (void)state;
    expect_error_at("gather 60", 10, "pending");
    expect_error_at("gather 60", 25, "total");
}

static void test_registration(void **state) {
    (void)state;
    static const struct {
        const char *name, *schema;
    } bad[] = {
        {NULL, NULL},        {"", NULL},         {"\xff", NULL},       {"echo", NULL},
        {"a", "[]"},         {"a", "{"},         {"a", "{\"a\":}"},    {"a", "{\"a\":1}x"},
        {"a", "{'a': 1}"},   {"a", ""},          {"a", "{\"a\":01}"},  {"a", "{\"\\x\":1}"},
        {"a", "{\"a\":1,}"}, {"a", "{\"a\" 1}"}, {"a", "{\"a\":nul}"}, {"a", "{\"a\":[1 2]}"}};
    static host_t host;
    eryx_sandbox_t *sandbox = new_sandbox(&host, NULL);
    eryx_error_t error = {0, ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        eryx_callback_t callback = echo(&host);
        callback.name = bad[i].name;
        callback.parameters_schema_json = bad[i].schema;
        if (eryx_sandbox_add_callback(sandbox, &callback, &error) != ERYX_ERR_ARGUMENT)
            fail_msg("%zu: accepted", i);
    }
    eryx_callback_t callback = echo(&host);
    callback.on_call = NULL;
    callback.name = "x";
    assert_int_equal(eryx_sandbox_add_callback(sandbox, &callback, &error), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_sandbox_add_callback(sandbox, NULL, &error), ERYX_ERR_ARGUMENT);
    eryx_sandbox_free(sandbox);
    assert_int_equal(host.finalized, 1);
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    eryx_callback_t twice[2] = {echo(&host), echo(&host)};
    options.callbacks = twice;
    options.callback_count = 2;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, &error), ERYX_ERR_ARGUMENT);
    assert_int_equal(host.finalized, 1);
}

static void test_list(void **state) {
    (void)state;
    static host_t host;
    host = (host_t){.at_once = true};
    eryx_sandbox_t *sandbox = new_sandbox(&host, NULL);
    fixture_expect(sandbox, "list", "echo|||");
    eryx_callback_t callback = echo(&host);
    callback.name = "http.get";
    callback.description = "gets";
    callback.parameters_schema_json = " { \"type\": \"object\", \"n\": -1.5e+3}\n";
    callback.blocking = true;
    assert_int_equal(eryx_sandbox_add_callback(sandbox, &callback, NULL), ERYX_OK);
    callback.name = "now";
    callback.parameters_schema_json = NULL;
    assert_int_equal(eryx_sandbox_add_callback(sandbox, &callback, NULL), ERYX_OK);
    callback.name = "empty";
    callback.parameters_schema_json = "{ }";
    callback.description = NULL;
    assert_int_equal(eryx_sandbox_add_callback(sandbox, &callback, NULL), ERYX_OK);
    fixture_expect(sandbox, "list",
                   "echo|||http.get|gets|{\"x-eryx-blocking\": true, \"type\": \"object\", \"n\": "
                   "-1.5e+3}\n|now|gets|{\"x-eryx-blocking\": true}|empty||"
                   "{\"x-eryx-blocking\": true}|");
    char name[16], *description = calloc(1, 6000);
    memset(description, 'd', 5999);
    callback.description = description;
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "f%d", i);
        callback.name = name;
        assert_int_equal(eryx_sandbox_add_callback(sandbox, &callback, NULL), ERYX_OK);
    }
    free(description);
    eryx_outcome_t *outcome = fixture_run(sandbox, "list");
    size_t length;
    const char *text = eryx_outcome_stdout(outcome, &length);
    assert_true(length > 600000);
    assert_non_null(strstr(text, "|f99|ddd"));
    eryx_outcome_free(outcome);
    fixture_expect(sandbox, "call", "ok:call");
    eryx_sandbox_free(sandbox);
    assert_int_equal(host.finalized, 104);
}

/* A guest that breaks the rules loses its session, and calls are not leaked. */
static void test_misuse(void **state) {
    (void)state;
    for (unsigned i = 0; i < 14; i++) {
        static host_t host;
        host = (host_t){.calls = 0};
        char command[16];
        snprintf(command, sizeof command, "misuse %u", i);
        eryx_sandbox_t *sandbox = new_sandbox(&host, NULL);
        if (i == 10) /* no arena that can be written: it only cannot be told */
            fixture_expect_kind(sandbox, command, ERYX_OUTCOME_OK, false);
        else
            fixture_expect_kind(sandbox, command, ERYX_OUTCOME_TRAP, false);
        if (host.held_count > 0)
            expect_too_late(&host);
        host.at_once = true;
        fixture_expect(sandbox, "call", "ok:call");
        eryx_sandbox_free(sandbox);
    }
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_once),      cmocka_unit_test(test_big_results),
        cmocka_unit_test(test_later),        cmocka_unit_test(test_race),
        cmocka_unit_test(test_never),        cmocka_unit_test(test_withdrawn),
        cmocka_unit_test(test_outlives),     cmocka_unit_test(test_limits),
        cmocka_unit_test(test_count_limits), cmocka_unit_test(test_held_counts),
        cmocka_unit_test(test_registration), cmocka_unit_test(test_list),
        cmocka_unit_test(test_misuse),
    };
    int status = fixture_main(argc, argv);
    return status ? status : cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
