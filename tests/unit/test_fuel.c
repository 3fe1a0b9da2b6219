/* Fuel: the build of the runtime that counts what programs execute. The same program uses exactly
 * the same again, whatever the instance did before; a limit ends it there; copying is not free. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <eryx.h>

#include "signals.h"

static eryx_runtime_t *counting;

static int open_counting(void **state) {
    (void)state;
    eryx_runtime_options_t options;
    eryx_error_t error = {0, ""};
    eryx_runtime_options_init(&options);
    options.fuel = true;
    int status = eryx_runtime_open(NULL, &options, &counting, &error);
    if (status != ERYX_OK)
        print_error("%s\n", error.message);
    signals_save();
    return status;
}

static int close_counting(void **state) {
    (void)state;
    eryx_runtime_free(counting);
    return 0;
}

static eryx_sandbox_t *new_sandbox(uint64_t fuel) {
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits.fuel = fuel;
    eryx_sandbox_t *sandbox = NULL;
    eryx_error_t error = {0, ""};
    if (eryx_sandbox_new(counting, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    signals_restore();
    return sandbox;
}

static eryx_outcome_t *run(eryx_sandbox_t *sandbox, const char *code) {
    eryx_outcome_t *outcome = NULL;
    eryx_error_t error = {0, ""};
    if (eryx_sandbox_execute(sandbox, code, strlen(code), NULL, &outcome, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return outcome;
}

static uint64_t used_by(eryx_sandbox_t *sandbox, const char *code) {
    eryx_outcome_t *outcome = run(sandbox, code);
    if (eryx_outcome_kind(outcome) != ERYX_OUTCOME_OK)
        fail_msg("%s: %s", code, eryx_outcome_traceback(outcome));
    uint64_t used = eryx_outcome_fuel_used(outcome);
    eryx_outcome_free(outcome);
    return used;
}

static uint64_t used_fresh(const char *code) {
    eryx_sandbox_t *sandbox = new_sandbox(0);
    uint64_t used = used_by(sandbox, code);
    eryx_sandbox_free(sandbox);
    return used;
}

static const char *const programs[] = {
    "x = 1",
    "print(sum(i * i for i in range(20000)))",
    "import json, re\n"
    "data = {str(i): [i, {'k': 'v' * (i % 7)}] for i in range(500)}\n"
    "print(len(re.findall('v+', json.dumps(data))))",
    "class A:\n"
    "    def __init__(self, n): self.n = n\n"
    "print(sorted((A(i * 7919 % 1000) for i in range(1000)), key=lambda a: a.n)[5].n)",
    "try: [].x\n"
    "except AttributeError as e: print(e)",
};
enum { PROGRAMS = sizeof programs / sizeof programs[0] };

/* In fresh sandboxes, new or recycled, also after others did something else in the instance. */
static void test_same_again(void **state) {
    (void)state;
    for (int i = 0; i < PROGRAMS; i++) {
        uint64_t first = used_fresh(programs[i]);
        assert_true(first > 1000);
        for (int k = 0; k < 3; k++) {
            used_fresh(programs[(i + k + 1) % PROGRAMS]);
            assert_int_equal(used_fresh(programs[i]), first);
        }
    }
    uint64_t less = used_fresh("for i in range(10000): pass");
    uint64_t more = used_fresh("for i in range(20000): pass");
    assert_true(more > less + 10000 * 10);
}

static void test_limit(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(10000000);
    for (int i = 0; i < 2; i++) {
        eryx_outcome_t *outcome = run(sandbox, "while True: pass");
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_LIMIT);
        assert_int_equal(eryx_outcome_limit(outcome), ERYX_LIMIT_FUEL);
        assert_int_equal(eryx_outcome_limit_value(outcome), 10000000);
        assert_int_equal(eryx_outcome_limit_used(outcome), 10000000);
        assert_int_equal(eryx_outcome_fuel_used(outcome), 10000000);
        assert_string_equal(eryx_outcome_exception_message(outcome),
                            "fuel limit of 10000000 exceeded");
        eryx_outcome_free(outcome);
    }
    /* Each execution has all of it. */
    for (int i = 0; i < 5; i++)
        assert_in_range(used_by(sandbox, "for i in range(5000): pass"), 50000, 9999999);
    eryx_sandbox_free(sandbox);
}

/* With exactly what a program uses it ends well, with any less it does not. */
static void test_exact(void **state) {
    (void)state;
    uint64_t needed = used_fresh(programs[1]);
    eryx_sandbox_t *sandbox = new_sandbox(needed);
    assert_int_equal(used_by(sandbox, programs[1]), needed);
    eryx_sandbox_free(sandbox);
    sandbox = new_sandbox(needed * 99 / 100);
    eryx_outcome_t *outcome = run(sandbox, programs[1]);
    assert_int_equal(eryx_outcome_limit(outcome), ERYX_LIMIT_FUEL);
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
}

/* Steps of one execution share its fuel. */
static void test_steps(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(20000000);
    eryx_outcome_t *outcome =
        run(sandbox, "import asyncio\nwhile True: await asyncio.sleep(0.0001)");
    assert_int_equal(eryx_outcome_limit(outcome), ERYX_LIMIT_FUEL);
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
}

/* What the engine copies in one instruction is paid for by the byte. */
static void test_copying(void **state) {
    (void)state;
    uint64_t small = used_fresh("a = bytes(1000)\nfor i in range(100): b = a + b'x'");
    uint64_t large = used_fresh("a = bytes(1000000)\nfor i in range(100): b = a + b'x'");
    assert_true(large - small > 100 * 1000000 / 64);
}

static void test_refused(void **state) {
    (void)state;
    eryx_runtime_t *plain = NULL;
    eryx_sandbox_t *sandbox = NULL;
    eryx_sandbox_options_t options;
    eryx_runtime_options_t runtime_options;
    eryx_error_t error;
    assert_int_equal(eryx_runtime_open(NULL, NULL, &plain, &error), ERYX_OK);
    eryx_sandbox_options_init(&options);
    options.limits.fuel = 1000;
    assert_int_equal(eryx_sandbox_new(plain, &options, &sandbox, &error), ERYX_ERR_ARGUMENT);
    assert_non_null(strstr(error.message, "this runtime does not count"));
    options.limits.fuel = UINT64_MAX;
    assert_int_equal(eryx_sandbox_new(counting, &options, &sandbox, &error), ERYX_ERR_ARGUMENT);
    assert_non_null(strstr(error.message, "at most 2^62"));
    eryx_runtime_info_t info = {.size = sizeof info};
    assert_int_equal(eryx_runtime_get_info(plain, &info), ERYX_OK);
    assert_false(info.fuel);
    eryx_runtime_options_init(&runtime_options);
    runtime_options.fuel = true;
    eryx_runtime_t *other;
    assert_int_equal(eryx_runtime_open(info.path, &runtime_options, &other, &error),
                     ERYX_ERR_VERSION);
    assert_non_null(strstr(error.message, "runtime-fuel.cwasm"));
    eryx_runtime_free(plain);
    assert_int_equal(eryx_runtime_get_info(counting, &info), ERYX_OK);
    assert_true(info.fuel);
    assert_int_equal(eryx_runtime_open(info.path, NULL, &other, &error), ERYX_OK);
    eryx_runtime_free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_again), cmocka_unit_test(test_limit),
        cmocka_unit_test(test_exact),      cmocka_unit_test(test_steps),
        cmocka_unit_test(test_copying),    cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, open_counting, close_counting);
}
