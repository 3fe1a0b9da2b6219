/* Wall and CPU time: that a limit counts what its own sandbox uses, however many others there are.
 *
 * How long a piece of work takes on this machine is measured first, and the limits are multiples of
 * that; no test depends on how fast the machine is. */
#define _GNU_SOURCE
#include "fixture.h"
#include "signals.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { SANDBOXES = 24 };

static const char work[] = "spin 10";
static uint64_t work_ns; /* CPU time of `work` */

static uint64_t read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int measure_work(void **state) {
    open_runtime(state);
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 0);
    for (int i = 0; i < 3; i++) {
        uint64_t start = read_clock(CLOCK_THREAD_CPUTIME_ID);
        fixture_expect(sandbox, work, "");
        uint64_t passed = read_clock(CLOCK_THREAD_CPUTIME_ID) - start;
        work_ns = passed > work_ns ? passed : work_ns;
    }
    eryx_sandbox_free(sandbox);
    return work_ns > 0 ? 0 : 1;
}

static eryx_sandbox_t *new_sandbox(uint64_t wall_ns, uint64_t cpu_ns) {
    signals_restore();
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits.wall_time_ns = wall_ns;
    options.limits.cpu_time_ns = cpu_ns;
    eryx_sandbox_t *sandbox = NULL;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    return sandbox;
}

static void test_cpu_time(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0, 30000000);
    eryx_outcome_t *outcome = fixture_run(sandbox, "loop");
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_LIMIT);
    assert_int_equal(eryx_outcome_limit(outcome), ERYX_LIMIT_CPU_TIME);
    assert_int_equal(eryx_outcome_limit_value(outcome), 30000000);
    assert_true(eryx_outcome_limit_used(outcome) >= 30000000);
    assert_true(eryx_outcome_limit_used(outcome) <= eryx_outcome_wall_time_ns(outcome));
    assert_string_equal(eryx_outcome_exception_message(outcome),
                        "CPU time limit of 0.03 s exceeded");
    eryx_outcome_free(outcome);
    /* Waiting uses none of it, blocked or not. */
    fixture_expect(sandbox, "sleep 60", "102");
    fixture_expect(sandbox, "block 60", "102");
    fixture_expect_kind(sandbox, "loop", ERYX_OUTCOME_LIMIT, false);
    eryx_sandbox_free(sandbox);
}

/* Many short steps of one execution add up. */
static void test_cpu_time_of_steps(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0, 20000000);
    eryx_outcome_t *outcome = fixture_run(sandbox, "yield 4000000000");
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_LIMIT);
    assert_int_equal(eryx_outcome_limit(outcome), ERYX_LIMIT_CPU_TIME);
    assert_true(eryx_outcome_limit_used(outcome) >= 20000000);
    eryx_outcome_free(outcome);
    /* The next execution has all of it again. */
    for (int i = 0; i < 5; i++)
        fixture_expect(sandbox, "poll 5", "");
    eryx_sandbox_free(sandbox);
}

/* Whatever comes first. */
static void test_both(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(20000000, 3600000000000);
    eryx_outcome_t *outcome = fixture_run(sandbox, "loop");
    assert_int_equal(eryx_outcome_limit(outcome), ERYX_LIMIT_WALL_TIME);
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
    sandbox = new_sandbox(3600000000000, 20000000);
    outcome = fixture_run(sandbox, "loop");
    assert_int_equal(eryx_outcome_limit(outcome), ERYX_LIMIT_CPU_TIME);
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
}

static void *run_work(void *sandbox) {
    eryx_outcome_t *outcome = NULL;
    int status = eryx_sandbox_execute(sandbox, work, sizeof work - 1, NULL, &outcome, NULL);
    return status == ERYX_OK ? outcome : NULL;
}

/* CPU time: 24 threads on few processors, each with work for a sixth of its limit. In wall time
 * each takes far more than the limit where there are fewer than four processors. */
static void test_cpu_time_of_many(void **state) {
    (void)state;
    static eryx_sandbox_t *sandboxes[SANDBOXES];
    pthread_t threads[SANDBOXES];
    for (int i = 0; i < SANDBOXES; i++) {
        sandboxes[i] = new_sandbox(0, 6 * work_ns);
        assert_int_equal(pthread_create(&threads[i], NULL, run_work, sandboxes[i]), 0);
    }
    for (int i = 0; i < SANDBOXES; i++) {
        void *outcome;
        pthread_join(threads[i], &outcome);
        assert_non_null(outcome);
        if (eryx_outcome_kind(outcome) != ERYX_OUTCOME_OK)
            fail_msg(
                "%s: used %llu ns, the work alone %llu ns", eryx_outcome_exception_message(outcome),
                (unsigned long long)eryx_outcome_limit_used(outcome), (unsigned long long)work_ns);
        eryx_outcome_free(outcome);
        eryx_sandbox_free(sandboxes[i]);
    }
}

/* Runs what the queue gives until all are done; two threads do. */
static void *drive(void *queue) {
    eryx_execution_t *execution;
    struct pollfd wait = {eryx_queue_fd(queue), POLLIN, 0};
    static atomic_int done;
    int idle = 0;
    while (atomic_load(&done) < SANDBOXES && idle < 1000) {
        execution = eryx_queue_next(queue);
        if (!execution)
            idle += poll(&wait, 1, 10) == 0;
        else if (eryx_execution_run(execution) == ERYX_EXECUTION_DONE)
            atomic_fetch_add(&done, 1);
    }
    return NULL;
}

/* Wall time: 24 executions on two threads, all ready at once, twice. Each was charged with the time in
 * which it ran and the millisecond of its timer, so all of them together with not more than the two
 * threads had; if one's time passed while others ran, it would be ten times as much. */
static void test_wall_time_of_many(void **state) {
    (void)state;
    static eryx_sandbox_t *sandboxes[SANDBOXES];
    static eryx_execution_t *executions[SANDBOXES];
    eryx_queue_t *queue;
    assert_int_equal(eryx_queue_new(&queue, NULL), ERYX_OK);
    eryx_execute_options_t options;
    eryx_execute_options_init(&options);
    options.queue = queue;
    uint64_t start = read_clock(CLOCK_MONOTONIC), charged = 0;
    for (int i = 0; i < SANDBOXES; i++) {
        sandboxes[i] = new_sandbox(UINT64_C(600000000000), 0);
        assert_int_equal(
            eryx_execution_start(sandboxes[i], "later 10", 8, &options, &executions[i], NULL),
            ERYX_OK);
    }
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, drive, queue), 0);
    drive(queue);
    pthread_join(other, NULL);
    uint64_t passed = read_clock(CLOCK_MONOTONIC) - start;
    for (int i = 0; i < SANDBOXES; i++) {
        eryx_outcome_t *outcome = eryx_execution_take_outcome(executions[i]);
        assert_non_null(outcome);
        if (eryx_outcome_kind(outcome) != ERYX_OUTCOME_OK)
            fail_msg("%d: %s", i, eryx_outcome_exception_message(outcome));
        assert_true(eryx_outcome_wall_time_ns(outcome) >= 1000000);
        charged += eryx_outcome_wall_time_ns(outcome);
        eryx_outcome_free(outcome);
        eryx_sandbox_free(sandboxes[i]);
    }
    if (charged > 2 * passed + SANDBOXES * UINT64_C(1000000))
        fail_msg("%llu ns charged, %llu ns passed", (unsigned long long)charged,
                 (unsigned long long)passed);
    eryx_queue_free(queue);
}

/* A limit that ends one sandbox leaves the others alone, in both kinds of time. */
static void *run_loop(void *sandbox) {
    eryx_outcome_t *outcome = NULL;
    eryx_sandbox_execute(sandbox, "loop", 4, NULL, &outcome, NULL);
    return outcome;
}

static void test_independent(void **state) {
    (void)state;
    eryx_sandbox_t *looping[8];
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) {
        looping[i] = new_sandbox(0, 10000000 + (uint64_t)i * 5000000);
        assert_int_equal(pthread_create(&threads[i], NULL, run_loop, looping[i]), 0);
    }
    eryx_sandbox_t *other = new_sandbox(0, 3600000000000);
    for (int i = 0; i < 10; i++)
        fixture_expect(other, "poll 5", "");
    for (int i = 0; i < 8; i++) {
        void *outcome;
        pthread_join(threads[i], &outcome);
        assert_int_equal(eryx_outcome_limit(outcome), ERYX_LIMIT_CPU_TIME);
        assert_int_equal(eryx_outcome_limit_value(outcome), 10000000 + (uint64_t)i * 5000000);
        assert_true(eryx_outcome_limit_used(outcome) >= eryx_outcome_limit_value(outcome));
        eryx_outcome_free(outcome);
        eryx_sandbox_free(looping[i]);
    }
    eryx_sandbox_free(other);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cpu_time),
        cmocka_unit_test(test_cpu_time_of_steps),
        cmocka_unit_test(test_both),
        cmocka_unit_test(test_cpu_time_of_many),
        cmocka_unit_test(test_wall_time_of_many),
        cmocka_unit_test(test_independent),
    };
    int status = fixture_main(argc, argv);
    if (status != 0)
        return status;
    return cmocka_run_group_tests(tests, measure_work, close_runtime);
}
