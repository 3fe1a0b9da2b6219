/* Samples of the real runtime: that they come, what they say, and when there are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <eryx.h>

#include "python_runtime.h"
#include "signals.h"

#define MILLISECOND UINT64_C(1000000)

static struct {
    size_t count, cut;
    uint64_t cpu_ns, last_ns;
    char hottest[64]; /* innermost function of the last sample */
    size_t in_hot;
    uint32_t line;
    size_t frames;
    eryx_sandbox_t *interrupt; /* at the first sample */
} seen;

static void on_sample(void *env, const eryx_sample_t *sample) {
    assert_ptr_equal(env, &seen);
    assert_true(sample->count <= 200);
    assert_true(sample->time_ns >= seen.last_ns);
    seen.last_ns = sample->time_ns;
    seen.count++;
    seen.cut += sample->cut;
    seen.cpu_ns += sample->cpu_ns;
    seen.frames = sample->count;
    if (sample->count > 0) {
        seen.in_hot += strcmp(sample->frames[0].function, "hot") == 0;
        snprintf(seen.hottest, sizeof seen.hottest, "%s", sample->frames[0].function);
        seen.line = sample->frames[0].line;
        assert_non_null(sample->frames[0].file);
    }
    if (seen.interrupt)
        eryx_sandbox_interrupt(seen.interrupt);
}

static eryx_sandbox_options_t sampled(void) {
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.on_sample = on_sample;
    options.env = &seen;
    memset(&seen, 0, sizeof seen);
    return options;
}

static eryx_sandbox_t *new_sandbox(const eryx_sandbox_options_t *options) {
    eryx_sandbox_t *sandbox = NULL;
    eryx_error_t error = {0};
    signals_restore();
    if (eryx_sandbox_new(runtime, options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return sandbox;
}

static void run_sampled(eryx_sandbox_t *sandbox, const char *code, eryx_outcome_kind_t kind) {
    eryx_outcome_t *outcome = NULL;
    eryx_error_t error = {0};
    if (eryx_sandbox_execute(sandbox, code, strlen(code), NULL, &outcome, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    if (eryx_outcome_kind(outcome) != kind)
        fail_msg("%s\nends as %d, not %d: %s%s", code, eryx_outcome_kind(outcome), kind,
                 eryx_outcome_exception_message(outcome), eryx_outcome_traceback(outcome));
    eryx_outcome_free(outcome);
}

static const char hot[] = "def hot():\n"
                          "    n = 0\n"
                          "    while n < 3_000_000:\n"
                          "        n += 1\n"
                          "hot()\n";

static uint64_t cpu_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000 * MILLISECOND + (uint64_t)now.tv_nsec;
}

static void test_hot_function(void **state) {
    (void)state;
    eryx_sandbox_options_t options = sampled();
    eryx_sandbox_t *sandbox = new_sandbox(&options);
    uint64_t begin = cpu_now();
    run_sampled(sandbox, hot, ERYX_OUTCOME_OK);
    uint64_t used = cpu_now() - begin;
    assert_true(seen.count >= 10);
    assert_true(seen.in_hot * 10 >= seen.count * 8);
    assert_true(seen.line == 4 || seen.line == 3 || seen.line == 0);
    assert_true(seen.cpu_ns <= used);
    eryx_sandbox_free(sandbox);
}

/* A sandbox that is not sampled, in a slot that was: nothing is left of it. */
static void test_off(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(NULL);
    memset(&seen, 0, sizeof seen);
    run_sampled(sandbox, hot, ERYX_OUTCOME_OK);
    assert_int_equal(seen.count, 0);
    eryx_sandbox_free(sandbox);
}

static void test_every_execution(void **state) {
    (void)state;
    eryx_sandbox_options_t options = sampled();
    options.sample_interval_ns = 200000;
    options.limits.cpu_time_ns = 500 * MILLISECOND;
    eryx_sandbox_t *sandbox = new_sandbox(&options);
    for (int i = 0; i < 3; i++) {
        seen.count = 0;
        run_sampled(sandbox, "n = 0\nwhile n < 200_000: n += 1", ERYX_OUTCOME_OK);
        assert_true(seen.count > 0);
        seen.count = 0;
        run_sampled(sandbox, "while True: pass", ERYX_OUTCOME_LIMIT);
        assert_true(seen.count > 0);
    }
    eryx_sandbox_free(sandbox);
}

static void test_fork(void **state) {
    (void)state;
    eryx_sandbox_options_t options = sampled();
    eryx_sandbox_t *sandbox = new_sandbox(&options), *copy = NULL;
    eryx_error_t error = {0};
    run_sampled(sandbox, "n = 0\nwhile n < 1_000_000: n += 1", ERYX_OUTCOME_OK);
    if (eryx_sandbox_fork(sandbox, NULL, 1, &copy, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    seen.count = 0;
    run_sampled(copy, hot, ERYX_OUTCOME_OK);
    assert_true(seen.count >= 10);
    eryx_sandbox_free(copy);
    eryx_sandbox_free(sandbox);
}

static void test_interrupt_from_sample(void **state) {
    (void)state;
    eryx_sandbox_options_t options = sampled();
    eryx_sandbox_t *sandbox = new_sandbox(&options);
    seen.interrupt = sandbox;
    run_sampled(sandbox, "while True: pass", ERYX_OUTCOME_INTERRUPTED);
    seen.interrupt = NULL;
    eryx_sandbox_free(sandbox);
}

static void test_deep(void **state) {
    (void)state;
    eryx_sandbox_options_t options = sampled();
    eryx_sandbox_t *sandbox = new_sandbox(&options);
    run_sampled(sandbox,
                "def deep(n):\n"
                "    if n: return deep(n - 1)\n"
                "    i = 0\n"
                "    while i < 1_000_000: i += 1\n"
                "deep(500)\n",
                ERYX_OUTCOME_OK);
    assert_true(seen.cut > 0);
    eryx_sandbox_free(sandbox);
}

static void test_waiting(void **state) {
    (void)state;
    eryx_sandbox_options_t options = sampled();
    eryx_sandbox_t *sandbox = new_sandbox(&options);
    run_sampled(sandbox, "import time\ntime.sleep(0.1)", ERYX_OUTCOME_OK);
    assert_true(seen.count < 50);
    eryx_sandbox_free(sandbox);
}

static void test_bad_interval(void **state) {
    (void)state;
    eryx_sandbox_options_t options = sampled();
    eryx_sandbox_t *sandbox = NULL;
    eryx_error_t error = {0};
    options.sample_interval_ns = 99999;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, &error), ERYX_ERR_ARGUMENT);
    assert_string_equal(error.message, "sample_interval_ns of 99999: at least 100000");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hot_function),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_every_execution),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_interrupt_from_sample),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_bad_interval),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
