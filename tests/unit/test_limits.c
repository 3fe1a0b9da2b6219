/* Limits and interruption: that they stop what they should, and nothing else. */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

static void pause_ns(long ns) {
    struct timespec time = {0, ns};
    nanosleep(&time, NULL);
}

static void expect_wall_limit(const char *command) {
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 30000000);
    eryx_outcome_t *outcome = fixture_run(sandbox, command);
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_LIMIT);
    assert_int_equal(eryx_outcome_limit(outcome), ERYX_LIMIT_WALL_TIME);
    assert_int_equal(eryx_outcome_limit_value(outcome), 30000000);
    assert_true(eryx_outcome_limit_used(outcome) >= 30000000);
    assert_true(eryx_outcome_limit_used(outcome) < 2000000000);
    assert_string_equal(eryx_outcome_exception_message(outcome),
                        "wall time limit of 0.03 s exceeded");
    assert_false(eryx_outcome_session_lost(outcome));
    eryx_outcome_free(outcome);
    fixture_expect(sandbox, "get", "0");
    eryx_sandbox_free(sandbox);
}

static void test_wall_time(void **state) {
    (void)state;
    expect_wall_limit("loop");
    expect_wall_limit("sleep 100000");
    expect_wall_limit("block 100000");
    expect_wall_limit("poll 100000");
    expect_wall_limit("yield 4000000000");
}

/* The watchdog's place of an execution that ended must not stop the next one. */
static void test_wall_time_is_per_execution(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 60000000);
    for (int i = 0; i < 10; i++)
        fixture_expect(sandbox, "sleep 20", "102");
    fixture_expect_kind(sandbox, "loop", ERYX_OUTCOME_LIMIT, false);
    eryx_sandbox_free(sandbox);
}

/* A short limit set while the watchdog sleeps towards a long one. */
static void test_shorter_limit_wakes_watchdog(void **state) {
    (void)state;
    eryx_sandbox_t *patient = fixture_sandbox(runtime, (uint64_t)3600 * 1000000000);
    fixture_expect(patient, "get", "0");
    eryx_sandbox_t *hasty = fixture_sandbox(runtime, 10000000);
    fixture_expect_kind(hasty, "loop", ERYX_OUTCOME_LIMIT, false);
    eryx_sandbox_free(hasty);
    eryx_sandbox_free(patient);
    eryx_sandbox_t *endless = fixture_sandbox(runtime, UINT64_MAX);
    fixture_expect(endless, "sleep 5", "102");
    eryx_sandbox_free(endless);
}

static void test_memory(void **state) {
    (void)state;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits.memory_bytes = 260 * 65536 + 65535;
    eryx_sandbox_t *sandbox;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    fixture_expect(sandbox, "grow 3", "259");
    fixture_expect_kind(sandbox, "grow 2", ERYX_OUTCOME_EXCEPTION, false);
    fixture_expect(sandbox, "grow 1", "260");
    fixture_expect_kind(sandbox, "grow 1", ERYX_OUTCOME_EXCEPTION, false);
    fixture_expect_kind(sandbox, "grow 65535", ERYX_OUTCOME_EXCEPTION, false);
    eryx_sandbox_free(sandbox);
    eryx_error_t error;
    options.limits.memory_bytes = 255 * 65536;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, &error), ERYX_ERR_ARGUMENT);
    assert_non_null(strstr(error.message, "16 MiB"));
    options.limits.memory_bytes = ((uint64_t)1 << 32) + 1;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, &error), ERYX_ERR_ARGUMENT);
    options.limits.memory_bytes = (uint64_t)1 << 32;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, &error), ERYX_OK);
    fixture_expect(sandbox, "grow 1", "257");
    eryx_sandbox_free(sandbox);
}

static void test_output(void **state) {
    (void)state;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits.output_bytes = 10000;
    eryx_sandbox_t *sandbox;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    for (int i = 0; i < 2; i++) {
        size_t length;
        eryx_outcome_t *outcome = fixture_run(sandbox, "flood 20");
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_OK);
        eryx_outcome_stdout(outcome, &length);
        assert_int_equal(length, 10000);
        assert_int_equal(eryx_outcome_output_dropped(outcome), 20 * 1024 - 10000);
        eryx_outcome_free(outcome);
    }
    eryx_sandbox_free(sandbox);
}

static void test_stop_on_output(void **state) {
    (void)state;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits.output_bytes = 10000;
    options.limits.stop_on_output = true;
    eryx_sandbox_t *sandbox;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    for (int i = 0; i < 2; i++) {
        size_t length;
        eryx_outcome_t *outcome = fixture_run(sandbox, "flood 1000000");
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_LIMIT);
        assert_int_equal(eryx_outcome_limit(outcome), ERYX_LIMIT_OUTPUT);
        assert_int_equal(eryx_outcome_limit_value(outcome), 10000);
        assert_int_equal(eryx_outcome_limit_used(outcome), 10 * 1024);
        assert_string_equal(eryx_outcome_exception_message(outcome),
                            "output limit of 10000 bytes exceeded");
        eryx_outcome_stdout(outcome, &length);
        assert_int_equal(length, 10000);
        assert_int_equal(eryx_outcome_output_dropped(outcome), 240);
        eryx_outcome_free(outcome);
    }
    fixture_expect(sandbox, "print exactly", "print exactly");
    eryx_sandbox_free(sandbox);
}

/* The memory limit holds for the whole session, and for the next one after it was lost. */
static void test_memory_of_session(void **state) {
    (void)state;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits.memory_bytes = 276 * 65536;
    options.limits.wall_time_ns = 30000000;
    options.rollback = false;
    eryx_sandbox_t *sandbox;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    for (int session = 0; session < 3; session++) {
        unsigned grown = 0;
        for (int i = 0; i < 60; i++) {
            eryx_outcome_t *outcome = fixture_run(sandbox, "grow 1");
            if (eryx_outcome_kind(outcome) == ERYX_OUTCOME_OK)
                grown++;
            else
                assert_string_equal(eryx_outcome_exception_type(outcome), "MemoryError");
            eryx_outcome_free(outcome);
        }
        assert_int_equal(grown, 20);
        fixture_expect(sandbox, "size", "276");
        fixture_expect_kind(sandbox, session == 0 ? "loop" : "abort",
                            session == 0 ? ERYX_OUTCOME_LIMIT : ERYX_OUTCOME_TRAP, true);
        fixture_expect(sandbox, "size", "256");
    }
    eryx_sandbox_free(sandbox);
}

typedef struct interrupter {
    eryx_sandbox_t *sandbox;
    long delay_ns;
    atomic_bool stop;
} interrupter_t;

/* Again and again: one that comes before the execution has begun does nothing. */
static void *interrupt_always(void *argument) {
    interrupter_t *interrupter = argument;
    while (!atomic_load(&interrupter->stop)) {
        eryx_sandbox_interrupt(interrupter->sandbox);
        pause_ns(interrupter->delay_ns);
    }
    return NULL;
}

static void test_interrupt(void **state) {
    (void)state;
    static const char *const commands[] = {"loop", "sleep 100000", "block 100000"};
    for (size_t i = 0; i < 3; i++) {
        eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 0);
        interrupter_t interrupter = {.sandbox = sandbox, .delay_ns = 20000000};
        pthread_t thread;
        pthread_create(&thread, NULL, interrupt_always, &interrupter);
        eryx_outcome_t *outcome = fixture_run(sandbox, commands[i]);
        atomic_store(&interrupter.stop, true);
        pthread_join(thread, NULL);
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_INTERRUPTED);
        assert_string_equal(eryx_outcome_exception_message(outcome), "interrupted");
        assert_false(eryx_outcome_session_lost(outcome));
        eryx_outcome_free(outcome);
        eryx_sandbox_free(sandbox);
    }
}

static void test_interrupt_at_rest(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 0);
    for (int i = 0; i < 100; i++)
        eryx_sandbox_interrupt(sandbox);
    fixture_expect(sandbox, "touch 10", "");
    eryx_sandbox_interrupt(sandbox);
    fixture_expect(sandbox, "poll 1", "");
    eryx_sandbox_free(sandbox);
}

/* Interrupts at every moment of many executions: each ends by itself or interrupted, and
 * what follows a lost session starts fresh. */
static void test_interrupt_storm(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 0);
    interrupter_t interrupter = {.sandbox = sandbox, .delay_ns = 20000};
    pthread_t thread;
    pthread_create(&thread, NULL, interrupt_always, &interrupter);
    int interrupted = 0, ended = 0;
    for (int i = 0; i < 1000; i++) {
        eryx_outcome_t *outcome = fixture_run(sandbox, i % 3 ? "touch 300" : "sleep 1");
        interrupted += eryx_outcome_kind(outcome) == ERYX_OUTCOME_INTERRUPTED;
        ended += eryx_outcome_kind(outcome) == ERYX_OUTCOME_OK;
        eryx_outcome_free(outcome);
    }
    atomic_store(&interrupter.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(interrupted + ended, 1000);
    assert_true(interrupted > 0);
    fixture_expect(sandbox, "poll 1", "");
    eryx_sandbox_free(sandbox);
}

/* A limit of one sandbox does not touch another. */
static void *run_loop(void *argument) {
    fixture_expect_kind(argument, "loop", ERYX_OUTCOME_LIMIT, false);
    return NULL;
}

static void test_independent(void **state) {
    (void)state;
    eryx_sandbox_t *looping = fixture_sandbox(runtime, 100000000);
    eryx_sandbox_t *other = fixture_sandbox(runtime, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, run_loop, looping);
    for (int i = 0; i < 30; i++)
        fixture_expect(other, "poll 5", "");
    pthread_join(thread, NULL);
    eryx_sandbox_free(looping);
    eryx_sandbox_free(other);
}

static void test_names(void **state) {
    (void)state;
    assert_string_equal(eryx_limit_name(ERYX_LIMIT_WALL_TIME), "wall time");
    assert_string_equal(eryx_limit_name(ERYX_LIMIT_OUTPUT), "output");
    assert_string_equal(eryx_limit_name(ERYX_LIMIT_NONE), "none");
    eryx_limits_t limits;
    eryx_limits_init(&limits);
    assert_int_equal(limits.wall_time_ns, UINT64_C(60000000000));
    assert_int_equal(limits.memory_bytes, 512 << 20);
    assert_int_equal(limits.output_bytes, 16 << 20);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wall_time),
        cmocka_unit_test(test_wall_time_is_per_execution),
        cmocka_unit_test(test_shorter_limit_wakes_watchdog),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_stop_on_output),
        cmocka_unit_test(test_memory_of_session),
        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_interrupt_at_rest),
        cmocka_unit_test(test_interrupt_storm),
        cmocka_unit_test(test_independent),
        cmocka_unit_test(test_names),
    };
    int status = fixture_main(argc, argv);
    if (status != 0)
        return status;
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
