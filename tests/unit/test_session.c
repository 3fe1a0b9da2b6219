/* Sessions through the public interface, with the real runtime: what persists from one
 * execution to the next, what an error leaves, and what two sandboxes never share.
 * Skips nothing: without a runtime file it fails. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <eryx.h>

#include "python_runtime.h"
#include "signals.h"

static const uint64_t millisecond = 1000000;

static eryx_sandbox_t *new_sandbox(uint64_t milliseconds, uint64_t memory_mib) {
    eryx_sandbox_options_t options;
    signals_restore();
    eryx_sandbox_options_init(&options);
    if (milliseconds)
        options.limits.wall_time_ns = milliseconds * millisecond;
    if (memory_mib)
        options.limits.memory_bytes = memory_mib << 20;
    eryx_sandbox_t *sandbox;
    eryx_error_t error = {0};
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return sandbox;
}

/* Runs code that must end well and compares its stdout. */
static void expect_good(eryx_sandbox_t *sandbox, const char *code, const char *output) {
    eryx_outcome_t *outcome = execute(sandbox, code);
    assert_string_equal(eryx_outcome_traceback(outcome), "");
    assert_string_equal(eryx_outcome_stdout(outcome, NULL), output);
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_OK);
    assert_int_equal(eryx_outcome_exit_code(outcome), 0);
    eryx_outcome_free(outcome);
}

/* Runs code that must end as kind; returns whether the session's names are gone. */
static int expect_end(eryx_sandbox_t *sandbox, const char *code, eryx_outcome_kind_t kind) {
    eryx_outcome_t *outcome = execute(sandbox, code);
    if (eryx_outcome_kind(outcome) != kind)
        print_error("%s\n%s\n", code, eryx_outcome_traceback(outcome));
    assert_int_equal(eryx_outcome_kind(outcome), kind);
    assert_int_not_equal(eryx_outcome_exit_code(outcome), 0);
    int lost = eryx_outcome_session_lost(outcome);
    eryx_outcome_free(outcome);
    return lost;
}

static void expect_fresh(eryx_sandbox_t *sandbox) {
    expect_good(sandbox, "print('x' in globals())", "False\n");
}

static void expect_kept(eryx_sandbox_t *sandbox) {
    expect_good(sandbox, "print(x)", "1\n");
}

static void test_names_persist(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0, 0);
    expect_good(sandbox,
                "x = 1\nimport math\ndef double(n):\n    return n * 2\nclass C:\n    y = 3", "");
    expect_good(sandbox, "print(x, math.isqrt(17), double(21), C().y)", "1 4 42 3\n");
    expect_good(sandbox, "x += 1; open('/tmp/kept', 'w').write('file')", "");
    expect_good(sandbox, "print(x, open('/tmp/kept').read(), __name__)", "2 file __main__\n");
    expect_good(sandbox, "import asyncio; y = await asyncio.sleep(0, 'waited')", "");
    expect_good(sandbox, "print(y)", "waited\n");
    expect_good(sandbox, "", "");
    expect_good(sandbox, "# nothing", "");
    eryx_sandbox_free(sandbox);
}

static void test_goes_on_after_exceptions(void **state) {
    (void)state;
    static const char *const failures[] = {
        "1 / 0",
        "x = = 2",
        "def f(): f()\nf()",
        "import json; json.loads('[' * 10**6)",
        "raise KeyboardInterrupt",
        "raise BaseException('base')",
        "raise ExceptionGroup('g', [ValueError()])",
        "import asyncio; await asyncio.wait_for(asyncio.Event().wait(), 0.01)",
        "b = bytearray(10**9)",
        "class E(Exception):\n    def __str__(self): 1 / 0\nraise E",
        "class E(Exception):\n    def __str__(self): return '\\ud800'\nraise E",
        "import sys; sys.excepthook = None; raise ValueError",
    };
    eryx_sandbox_t *sandbox = new_sandbox(0, 0);
    expect_good(sandbox, "x = 1", "");
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        assert_false(expect_end(sandbox, failures[i], ERYX_OUTCOME_EXCEPTION));
        expect_good(sandbox, "import sys; print(x, sys.stderr.write('') == 0)", "1 True\n");
    }
    eryx_sandbox_free(sandbox);
}

static void test_exception_details(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0, 0);
    expect_good(sandbox, "def inner(n):\n    return 1 / n", "");
    eryx_outcome_t *outcome = execute(sandbox, "\n\ninner(0)");
    assert_string_equal(eryx_outcome_exception_type(outcome), "ZeroDivisionError");
    assert_string_equal(eryx_outcome_exception_message(outcome), "division by zero");
    const char *traceback = eryx_outcome_traceback(outcome);
    assert_non_null(strstr(traceback, "line 3, in <module>\n    inner(0)\n"));
    assert_non_null(strstr(traceback, "line 2, in inner\n    return 1 / n\n"));
    eryx_outcome_free(outcome);

    outcome = execute(sandbox, "import json; print('before'); json.loads('{')");
    assert_string_equal(eryx_outcome_exception_type(outcome), "json.decoder.JSONDecodeError");
    assert_string_equal(eryx_outcome_stdout(outcome, NULL), "before\n");
    assert_string_equal(eryx_outcome_stderr(outcome, NULL), "");
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
}

static void expect_exit(eryx_sandbox_t *sandbox, const char *code, int exit_code,
                        const char *error) {
    eryx_outcome_t *outcome = execute(sandbox, code);
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_EXIT);
    assert_int_equal(eryx_outcome_exit_code(outcome), exit_code);
    assert_string_equal(eryx_outcome_stderr(outcome, NULL), error);
    eryx_outcome_free(outcome);
}

static void test_exits(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0, 0);
    expect_good(sandbox, "import sys, os; x = 1", "");
    expect_exit(sandbox, "sys.exit(3)", 3, "");
    expect_exit(sandbox, "sys.exit()", 0, "");
    expect_exit(sandbox, "sys.exit('why')", 1, "why\n");
    expect_exit(sandbox, "exit(4)", 4, "");
    expect_exit(sandbox, "raise SystemExit(True)", 1, "");
    expect_good(sandbox, "print(x)", "1\n");
    expect_exit(sandbox, "x = 2; os._exit(7)", 7, "");
    expect_kept(sandbox);
    eryx_sandbox_free(sandbox);
}

static void test_kept_after_traps(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(200, 0);
    expect_good(sandbox, "x = 1", "");
    assert_false(expect_end(sandbox, "import os; x = 2; os.abort()", ERYX_OUTCOME_TRAP));
    expect_kept(sandbox);
    static const char *const endless[] = {
        "x = 2\nwhile True: pass",
        "x = 2\nimport time; time.sleep(60)",
        "x = 2\nimport asyncio; await asyncio.sleep(60)",
        "x = 2\nimport re; re.match('(a+)+$', 'a' * 50 + 'b')",
        "x = 2\nsum(range(10**12))",
        "x = 2\nwhile True:\n    try:\n        while True: pass\n    except BaseException: pass",
    };
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        eryx_outcome_t *outcome = execute(sandbox, endless[i]);
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_LIMIT);
        assert_int_equal(eryx_outcome_limit(outcome), ERYX_LIMIT_WALL_TIME);
        assert_true(eryx_outcome_limit_value(outcome) == 200 * millisecond);
        assert_true(eryx_outcome_limit_used(outcome) >= 200 * millisecond);
        assert_false(eryx_outcome_session_lost(outcome));
        eryx_outcome_free(outcome);
        expect_kept(sandbox);
    }
    eryx_sandbox_free(sandbox);
}

static void test_memory_limit(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0, 128);
    expect_good(sandbox, "x = 1", "");
    for (int i = 0; i < 3; i++) {
        eryx_outcome_t *outcome = execute(sandbox, "l = []\nwhile True: l.append('a' * 10**6)");
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_EXCEPTION);
        assert_string_equal(eryx_outcome_exception_type(outcome), "MemoryError");
        eryx_outcome_free(outcome);
        expect_good(sandbox, "print(x); l = None; import sys; print('ok', file=sys.stderr)", "1\n");
    }
    eryx_sandbox_free(sandbox);
}

/* The frames of a recursion that used all memory are given back by the next execution. */
static void test_memory_after_recursion(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0, 160);
    expect_good(sandbox, "import sys; sys.setrecursionlimit(2**31 - 1)\ndef f(n): return f(n + 1)",
                "");
    for (int i = 0; i < 3; i++) {
        eryx_outcome_t *outcome = execute(sandbox, "f(0)");
        assert_string_equal(eryx_outcome_exception_type(outcome), "MemoryError");
        eryx_outcome_free(outcome);
        expect_good(sandbox, "print(len(bytearray(5_000_000)))", "5000000\n");
    }
    eryx_sandbox_free(sandbox);
}

static void test_output_limit(void **state) {
    (void)state;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits.output_bytes = 1000;
    eryx_sandbox_t *sandbox;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    eryx_outcome_t *outcome =
        execute(sandbox, "import os\nfor _ in range(10): os.write(1, b'x' * 300)");
    size_t length;
    assert_non_null(eryx_outcome_stdout(outcome, &length));
    assert_int_equal(length, 1000);
    assert_int_equal(eryx_outcome_output_dropped(outcome), 2000);
    eryx_outcome_free(outcome);
    expect_good(sandbox, "print('again')", "again\n");
    eryx_sandbox_free(sandbox);
}

static void test_odd_code(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0, 0);
    static const struct {
        const char *code;
        size_t length;
        const char *type;
    } cases[] = {
        {"a = 1\0\n", 7, "SyntaxError"},
        {"\0", 1, "SyntaxError"},
        {"x = '\xff'", 7, "UnicodeDecodeError"},
        {"x = '\xed\xa0\x80'", 9, "UnicodeDecodeError"},
        {"if 1:\n\tx=1\n        y=2", 22, "TabError"},
        {"  x = 1", 7, "IndentationError"},
        {"'unfinished", 11, "SyntaxError"},
        {"(", 1, "SyntaxError"},
        {"return 1", 8, "SyntaxError"},
        {"nonlocal x", 10, "SyntaxError"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        eryx_outcome_t *outcome;
        assert_int_equal(
            eryx_sandbox_execute(sandbox, cases[i].code, cases[i].length, NULL, &outcome, NULL),
            ERYX_OK);
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_EXCEPTION);
        assert_string_equal(eryx_outcome_exception_type(outcome), cases[i].type);
        eryx_outcome_free(outcome);
    }
    expect_good(sandbox, "print('ä🐍')\r\nprint(2)\rprint(3)", "ä🐍\n2\n3\n");
    eryx_sandbox_free(sandbox);
}

static void test_entropy_differs(void **state) {
    (void)state;
    static const char *const sources[] = {
        "import random; print(random.random())",
        "import random; print(random.SystemRandom().random())",
        "import uuid; print(uuid.uuid4())",
        "import uuid; print(uuid.uuid1())",
        "import secrets; print(secrets.token_hex())",
        "import os; print(os.urandom(16))",
        "import tempfile; print(tempfile.mkdtemp())",
        "import os; print(os.getrandom(16) if hasattr(os, 'getrandom') else os.urandom(9))",
    };
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        eryx_sandbox_t *one = new_sandbox(0, 0), *two = new_sandbox(0, 0);
        eryx_outcome_t *first = execute(one, sources[i]), *second = execute(two, sources[i]);
        eryx_sandbox_free(one);
        one = new_sandbox(0, 0); /* likely the same instance, recycled */
        eryx_outcome_t *third = execute(one, sources[i]);
        assert_int_equal(eryx_outcome_kind(first), ERYX_OUTCOME_OK);
        assert_string_not_equal(eryx_outcome_stdout(first, NULL), "");
        assert_string_not_equal(eryx_outcome_stdout(first, NULL),
                                eryx_outcome_stdout(second, NULL));
        assert_string_not_equal(eryx_outcome_stdout(first, NULL), eryx_outcome_stdout(third, NULL));
        assert_string_not_equal(eryx_outcome_stdout(second, NULL),
                                eryx_outcome_stdout(third, NULL));
        eryx_outcome_free(first);
        eryx_outcome_free(second);
        eryx_outcome_free(third);
        eryx_sandbox_free(one);
        eryx_sandbox_free(two);
    }
}

/* One sandbox changes all it can reach; another, and the next one in the same instance,
 * must not notice. */
static void test_nothing_is_shared(void **state) {
    (void)state;
    static const char change[] = "import os, sys, json, builtins, colorsys\n"
                                 "folder = os.path.dirname(os.__file__)\n"
                                 "open(folder + '/colorsys.py', 'w').write('CHANGED = 1')\n"
                                 "os.rename(folder + '/string', folder + '/gnirts')\n"
                                 "open('/tmp/left', 'w').write('x')\n"
                                 "os.environ['LEFT'] = 'x'\n"
                                 "os.chdir('/tmp')\n"
                                 "builtins.left = 1\n"
                                 "json.loads = None\n"
                                 "sys.path.append('/left')\n"
                                 "sys.setrecursionlimit(77)\n"
                                 "int.__doc__\n"
                                 "x = 1\n";
    static const char look[] =
        "import os, sys, json, builtins, colorsys\n"
        "folder = os.path.dirname(os.__file__)\n"
        "print(hasattr(colorsys, 'CHANGED'), 'CHANGED' in open(folder + '/colorsys.py').read(),\n"
        "      os.path.exists(folder + '/gnirts'), os.path.exists('/tmp/left'), 'LEFT' in "
        "os.environ,\n"
        "      os.getcwd() == '/tmp', hasattr(builtins, 'left'), json.loads is None,\n"
        "      '/left' in sys.path, sys.getrecursionlimit() == 77, 'x' in globals())\n";
    static const char nothing[] =
        "False False False False False False False False False False False\n";
    eryx_sandbox_t *one = new_sandbox(0, 0), *two = new_sandbox(0, 0);
    expect_good(one, change, "");
    expect_good(two, look, nothing);
    eryx_sandbox_free(one);
    eryx_sandbox_free(two);
    for (int i = 0; i < 3; i++) {
        one = new_sandbox(0, 0);
        expect_good(one, look, nothing);
        expect_good(one, change, "");
        eryx_sandbox_free(one);
    }
}

static void *interrupt_until_done(void *argument) {
    eryx_sandbox_t *sandbox = argument;
    for (int i = 0; i < 20; i++) {
        usleep(10000); /* the execution gives no event when it begins */
        eryx_sandbox_interrupt(sandbox);
    }
    return NULL;
}

static void test_interrupt(void **state) {
    (void)state;
    static const char *const endless[] = {"x = 1\nwhile True: pass", "import time; time.sleep(60)",
                                          "import asyncio; await asyncio.sleep(60)"};
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
        eryx_sandbox_t *sandbox = new_sandbox(0, 0);
        eryx_sandbox_interrupt(sandbox); /* nothing runs: no effect */
        expect_good(sandbox, "print(1)", "1\n");
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, interrupt_until_done, sandbox), 0);
        assert_false(expect_end(sandbox, endless[i], ERYX_OUTCOME_INTERRUPTED));
        pthread_join(thread, NULL);
        expect_fresh(sandbox);
        eryx_sandbox_free(sandbox);
    }
}

static void *use_sandbox(void *argument) {
    int *wrong = argument;
    for (int i = 0; i < 20; i++) {
        eryx_sandbox_t *sandbox = NULL;
        eryx_outcome_t *outcome = NULL;
        static const char code[] = "print(sum(n * n for n in range(20000)))";
        if (eryx_sandbox_new(runtime, NULL, &sandbox, NULL) != ERYX_OK ||
            eryx_sandbox_execute(sandbox, code, strlen(code), NULL, &outcome, NULL) != ERYX_OK ||
            strcmp(eryx_outcome_stdout(outcome, NULL), "2666466670000\n") != 0)
            ++*wrong;
        eryx_outcome_free(outcome);
        eryx_sandbox_free(sandbox);
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    pthread_t threads[4];
    int wrong[4] = {0};
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use_sandbox, &wrong[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(wrong[i], 0);
    }
}

/* Runs code with values displayed, and compares stdout. */
static void expect_display(eryx_sandbox_t *sandbox, eryx_display_t display, const char *result,
                           const char *code, const char *output) {
    eryx_execute_options_t options;
    eryx_execute_options_init(&options);
    options.display = display;
    options.result = result;
    eryx_outcome_t *outcome;
    eryx_error_t error = {0};
    if (eryx_sandbox_execute(sandbox, code, strlen(code), &options, &outcome, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    assert_string_equal(eryx_outcome_traceback(outcome), "");
    assert_string_equal(eryx_outcome_stdout(outcome, NULL), output);
    if (result)
        assert_string_equal(eryx_outcome_result_json(outcome, NULL), "6");
    eryx_outcome_free(outcome);
}

static void test_display(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0, 0);
    static const char code[] = "'one'\nfor i in (1, 2):\n    i * 2\nNone\ndef f():\n    5\n    "
                               "return 3\nf() * 2";
    expect_display(sandbox, ERYX_DISPLAY_ALL, NULL, code, "'one'\n2\n4\n6\n");
    expect_display(sandbox, ERYX_DISPLAY_NONE, NULL, code, "");
    expect_display(sandbox, ERYX_DISPLAY_LAST, NULL, code, "6\n");
    expect_display(sandbox, ERYX_DISPLAY_LAST, "", code, "6\n");
    expect_display(sandbox, ERYX_DISPLAY_NONE, "", code, "");
    expect_display(sandbox, ERYX_DISPLAY_ALL, NULL, "_ + 1", "7\n");
    expect_display(sandbox, ERYX_DISPLAY_LAST, NULL, "x = 1", "");
    expect_display(
        sandbox, ERYX_DISPLAY_ALL, NULL,
        "import asyncio\nawait asyncio.sleep(0, 'slept')\nasyncio.run(asyncio.sleep(0, 8))",
        "'slept'\n8\n");
    expect_display(sandbox, ERYX_DISPLAY_ALL, NULL,
                   "import sys\nsys.displayhook = lambda value: print('<', value, '>')\n9",
                   "< 9 >\n");
    eryx_sandbox_free(sandbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_persist),
        cmocka_unit_test(test_goes_on_after_exceptions),
        cmocka_unit_test(test_exception_details),
        cmocka_unit_test(test_exits),
        cmocka_unit_test(test_kept_after_traps),
        cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_memory_after_recursion),
        cmocka_unit_test(test_output_limit),
        cmocka_unit_test(test_odd_code),
        cmocka_unit_test(test_display),
        cmocka_unit_test(test_entropy_differs),
        cmocka_unit_test(test_nothing_is_shared),
        cmocka_unit_test(test_interrupt),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
