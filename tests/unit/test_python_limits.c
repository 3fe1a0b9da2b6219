/* Limits as Python programs meet them: files, recursion, memory, output, calls, processor time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "python_runtime.h"
#include "signals.h"

static eryx_sandbox_t *limited(const eryx_limits_t *limits) {
    eryx_sandbox_options_t options;
    eryx_callback_t callback;
    eryx_sandbox_options_init(&options);
    eryx_callback_init(&callback);
    callback.name = "echo";
    callback.on_call = on_echo;
    options.limits = *limits;
    options.rollback = false;
    options.callbacks = &callback;
    options.callback_count = 1;
    eryx_sandbox_t *sandbox = NULL;
    eryx_error_t error = {0};
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    signals_restore();
    return sandbox;
}

static eryx_limits_t defaults(void) {
    eryx_limits_t limits;
    eryx_limits_init(&limits);
    return limits;
}

/* What a sandbox may do is the same after its session was lost. */
static void expect_twice(eryx_sandbox_t *sandbox, const char *code, const char *output) {
    expect(sandbox, code, output);
    check(run(sandbox, "import os; os.abort()", NULL), ERYX_OUTCOME_TRAP, "");
    expect(sandbox, code, output);
}

static void test_file_system_bytes(void **state) {
    (void)state;
    eryx_limits_t limits = defaults();
    limits.file_system_bytes = 1000000;
    eryx_sandbox_t *sandbox = limited(&limits);
    expect_twice(
        sandbox,
        "import errno, os\n"
        "def fill(name):\n"
        "    try:\n"
        "        with open(name, 'wb', buffering=0) as f:\n"
        "            while True: f.write(b'x' * 1000)\n"
        "    except OSError as e:\n"
        "        print(errno.errorcode[e.errno], end=' ')\n"
        "fill('/tmp/a'); fill('/tmp/b')\n"
        "size = sum(os.path.getsize('/tmp/' + n) for n in 'ab' if os.path.exists('/tmp/' + n))\n"
        "print(900000 < size <= 1000000)\n"
        "os.remove('/tmp/a')\n"
        "with open('/tmp/c', 'wb') as f: print(f.write(b'y' * 900000))\n",
        "ENOSPC ENOSPC True\n900000\n");
    eryx_sandbox_free(sandbox);
}

static void test_files(void **state) {
    (void)state;
    eryx_limits_t limits = defaults();
    limits.files = 50;
    eryx_sandbox_t *sandbox = limited(&limits);
    expect_twice(sandbox,
                 "import errno, os\n"
                 "made = 0\n"
                 "try:\n"
                 "    while made < 1000:\n"
                 "        if made % 2: os.mkdir(f'/tmp/d{made}')\n"
                 "        else: open(f'/tmp/f{made}', 'w').close()\n"
                 "        made += 1\n"
                 "except OSError as e: print(errno.errorcode[e.errno], made)\n"
                 "os.remove('/tmp/f0'); os.symlink('x', '/tmp/s'); print(os.readlink('/tmp/s'))\n",
                 "ENOSPC 50\nx\n");
    eryx_sandbox_free(sandbox);
}

static void test_open_files(void **state) {
    (void)state;
    eryx_limits_t limits = defaults();
    limits.open_files = 20;
    eryx_sandbox_t *sandbox = limited(&limits);
    expect_twice(sandbox,
                 "import errno\n"
                 "files = []\n"
                 "try:\n"
                 "    while True: files.append(open('/tmp/x', 'a'))\n"
                 "except OSError as e: print(errno.errorcode[e.errno], 10 < len(files) <= 20)\n"
                 "files.pop().close(); open('/tmp/x').close(); print('again')\n",
                 "EMFILE True\nagain\n");
    eryx_sandbox_free(sandbox);
}

static void test_recursion(void **state) {
    (void)state;
    eryx_limits_t limits = defaults();
    limits.recursion = 5000;
    eryx_sandbox_t *sandbox = limited(&limits);
    expect_twice(sandbox,
                 "import sys\n"
                 "print(sys.getrecursionlimit(), end=' ')\n"
                 "sys.setrecursionlimit(10**6)\n"
                 "print(sys.getrecursionlimit(), end=' ')\n"
                 "def deep(n): return 0 if n == 0 else 1 + deep(n - 1)\n"
                 "print(deep(4900), end=' ')\n"
                 "try: deep(5001)\n"
                 "except RecursionError: print('RecursionError', end=' ')\n"
                 "sys.setrecursionlimit(500); print(sys.getrecursionlimit(), end=' ')\n"
                 "for bad in ('x', 0, 10**30):\n"
                 "    try: sys.setrecursionlimit(bad)\n"
                 "    except Exception as e: print(type(e).__name__, end=' ')\n"
                 "sys.setrecursionlimit(1000)\n",
                 "1000 5000 4900 RecursionError 500 TypeError ValueError OverflowError ");
    eryx_sandbox_free(sandbox);
    limits.recursion = 300; /* less than Python begins with */
    sandbox = limited(&limits);
    expect_twice(sandbox, "import sys; print(sys.getrecursionlimit())", "300\n");
    eryx_sandbox_free(sandbox);
}

/* Another sys made of the same definition does not get around it. */
static void test_recursion_of_copy(void **state) {
    (void)state;
    eryx_limits_t limits = defaults();
    limits.recursion = 2000;
    eryx_sandbox_t *sandbox = limited(&limits);
    expect(sandbox,
           "import _imp, sys\n"
           "from importlib.machinery import ModuleSpec, BuiltinImporter\n"
           "_imp.create_builtin(ModuleSpec('sys', BuiltinImporter)).setrecursionlimit(10**6)\n"
           "print(sys.getrecursionlimit())\n",
           "2000\n");
    eryx_sandbox_free(sandbox);
}

/* A session holds its memory limit in every execution, whatever went before. */
static void test_memory_of_session(void **state) {
    (void)state;
    eryx_limits_t limits = defaults();
    limits.memory_bytes = (uint64_t)160 << 20;
    eryx_sandbox_t *sandbox = limited(&limits);
    static const char more[] = "try:\n"
                               "    kept\n"
                               "except NameError:\n"
                               "    kept = []\n"
                               "try:\n"
                               "    while True: kept.append(bytearray(5 << 20))\n"
                               "except MemoryError: print(len(kept))\n";
    eryx_outcome_t *outcome = run(sandbox, more, NULL);
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_OK);
    char first[32];
    snprintf(first, sizeof first, "%s", eryx_outcome_stdout(outcome, NULL));
    eryx_outcome_free(outcome);
    int count = 0;
    assert_int_equal(sscanf(first, "%d", &count), 1);
    assert_in_range(count, 5, 160 / 5);
    for (int i = 0; i < 20; i++)
        expect(sandbox, more, first);
    check(run(sandbox, "import os; os.abort()", NULL), ERYX_OUTCOME_TRAP, "");
    expect(sandbox, "kept = []", "");
    expect(sandbox, more, first);
    eryx_sandbox_free(sandbox);
}

static void expect_limit(eryx_sandbox_t *sandbox, const char *code, eryx_limit_t limit,
                         uint64_t value) {
    eryx_outcome_t *outcome = run(sandbox, code, NULL);
    if (eryx_outcome_kind(outcome) != ERYX_OUTCOME_LIMIT || eryx_outcome_limit(outcome) != limit)
        fail_msg("kind %d, limit %d: %s", eryx_outcome_kind(outcome), eryx_outcome_limit(outcome),
                 eryx_outcome_exception_message(outcome));
    assert_int_equal(eryx_outcome_limit_value(outcome), value);
    assert_true(eryx_outcome_limit_used(outcome) >= value);
    eryx_outcome_free(outcome);
}

static void test_cpu_time(void **state) {
    (void)state;
    eryx_limits_t limits = defaults();
    limits.cpu_time_ns = 50000000;
    eryx_sandbox_t *sandbox = limited(&limits);
    expect_limit(sandbox, "while True: pass", ERYX_LIMIT_CPU_TIME, 50000000);
    expect_limit(sandbox, "import re; re.match('(a+)+$', 'a' * 64 + 'b')", ERYX_LIMIT_CPU_TIME,
                 50000000);
    /* Steps of an event loop add up, sleep does not. */
    expect_limit(sandbox, "while True: await asyncio.sleep(0)", ERYX_LIMIT_CPU_TIME, 50000000);
    expect(sandbox, "import time\nawait asyncio.sleep(0.06)\ntime.sleep(0.06)\nprint('slept')",
           "slept\n");
    eryx_sandbox_free(sandbox);
}

static void test_output(void **state) {
    (void)state;
    eryx_limits_t limits = defaults();
    limits.output_bytes = 10000;
    limits.stop_on_output = true;
    eryx_sandbox_t *sandbox = limited(&limits);
    expect_limit(sandbox, "while True: print('x' * 100)", ERYX_LIMIT_OUTPUT, 10000);
    expect(sandbox, "print(1)", "1\n");
    eryx_sandbox_free(sandbox);
    limits = defaults();
    limits.host_memory_bytes = 100000;
    sandbox = limited(&limits);
    expect_limit(sandbox, "while True: print('x' * 100)", ERYX_LIMIT_HOST_MEMORY, 100000);
    expect(sandbox, "print(1)", "1\n");
    eryx_sandbox_free(sandbox);
}

static void test_call(void **state) {
    (void)state;
    eryx_limits_t limits = defaults();
    limits.host_memory_bytes = 100000;
    eryx_sandbox_t *sandbox = limited(&limits);
    expect(sandbox,
           "ok, text = await call('echo', '\"' + 'x' * 200000 + '\"')\n"
           "print(not ok and 'limit host_memory_bytes' in text)\n"
           "print(await call('echo', '5'))\n",
           "True\n(True, '5')\n");
    eryx_sandbox_free(sandbox);
}

static void test_refused(void **state) {
    (void)state;
    eryx_sandbox_options_t options;
    eryx_sandbox_t *sandbox;
    eryx_error_t error;
    eryx_sandbox_options_init(&options);
    options.limits.recursion = 99;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, &error), ERYX_ERR_ARGUMENT);
    assert_string_equal(error.message, "limit recursion of 99: at least 100");
    eryx_sandbox_options_init(&options);
    options.limits.open_files = 16001;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, &error), ERYX_ERR_ARGUMENT);
    assert_string_equal(error.message, "limit open_files of 16001: at most 16000");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_system_bytes),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_open_files),
        cmocka_unit_test(test_recursion),
        cmocka_unit_test(test_recursion_of_copy),
        cmocka_unit_test(test_memory_of_session),
        cmocka_unit_test(test_cpu_time),
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_call),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
