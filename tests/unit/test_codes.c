/* Compiled code that a runtime keeps: the same answers with and without, and nobody has a say in the
 * code that others run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include <eryx.h>

#include "sandbox/runtime.h"
#include "signals.h"

enum { UNKNOWN = -2, TIMES = 4 };

static eryx_runtime_t *runtime;

static eryx_runtime_t *open_with(size_t bytes, bool fuel) {
    eryx_runtime_options_t options;
    eryx_runtime_t *opened = NULL;
    eryx_error_t error = {0, ""};
    eryx_runtime_options_init(&options);
    options.code_cache_bytes = bytes;
    options.fuel = fuel;
    if (eryx_runtime_open(NULL, &options, &opened, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return opened;
}

static int setup(void **state) {
    (void)state;
    runtime = open_with(1 << 20, false);
    signals_save();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    eryx_runtime_free(runtime);
    return 0;
}

static eryx_sandbox_t *new_sandbox(eryx_runtime_t *of) {
    eryx_sandbox_t *sandbox = NULL;
    eryx_error_t error = {0, ""};
    if (eryx_sandbox_new(of, NULL, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    signals_restore();
    return sandbox;
}

static eryx_outcome_t *execute(eryx_sandbox_t *sandbox, const char *code, size_t length,
                               const eryx_execute_options_t *options) {
    eryx_outcome_t *outcome = NULL;
    eryx_error_t error = {0, ""};
    if (eryx_sandbox_execute(sandbox, code, length, options, &outcome, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return outcome;
}

/* What a program says, and how it ends. */
static void expect_in(eryx_sandbox_t *sandbox, const char *code,
                      const eryx_execute_options_t *options, const char *out, const char *error,
                      const char *end) {
    eryx_outcome_t *outcome = execute(sandbox, code, strlen(code), options);
    assert_string_equal(eryx_outcome_stdout(outcome, NULL), out);
    assert_string_equal(eryx_outcome_stderr(outcome, NULL), error);
    if (eryx_outcome_result_json(outcome, NULL))
        assert_string_equal(eryx_outcome_result_json(outcome, NULL), end);
    else
        assert_string_equal(eryx_outcome_traceback(outcome), end);
    eryx_outcome_free(outcome);
}

static void expect(const char *code, const eryx_execute_options_t *options, const char *out,
                   const char *error, const char *end) {
    for (int i = 0; i < TIMES; i++) {
        eryx_sandbox_t *sandbox = new_sandbox(runtime);
        expect_in(sandbox, code, options, out, error, end);
        eryx_sandbox_free(sandbox);
    }
}

static int32_t known_of(eryx_runtime_t *of, const char *code, uint32_t variant) {
    code_key_t key = {
        .source = code, .length = strlen(code), .filename = "<eryx>", .variant = variant};
    return codes_find(&of->codes, &key, NULL, 0);
}

static int32_t known(const char *code) {
    return known_of(runtime, code, 0);
}

/* --- Programs ----------------------------------------------------------------------------- */

static void test_third(void **state) {
    (void)state;
    static const char code[] = "def f(x: int = 3):\n    'doc'\n    return [x * 2 for _ in 'ab']\n"
                               "print(f(), f.__doc__, f.__code__.co_filename)\n";
    for (int i = 0; i < TIMES; i++) {
        eryx_sandbox_t *sandbox = new_sandbox(runtime);
        expect_in(sandbox, code, NULL, "[6, 6] doc <eryx>\n", "", "");
        expect_in(sandbox, code, NULL, "[6, 6] doc <eryx>\n", "", "");
        expect_in(sandbox, "f(None)", NULL, "", "",
                  "Traceback (most recent call last):\n"
                  "  File \"<eryx:2>\", line 1, in <module>\n    f(None)\n    ~^^^^^^\n"
                  "  File \"<eryx>\", line 3, in f\n    return [x * 2 for _ in 'ab']\n"
                  "            ~~^~~\n"
                  "TypeError: unsupported operand type(s) for *: 'NoneType' and 'int'\n");
        eryx_sandbox_free(sandbox);
        if (i == 0)
            continue; /* asking would count as running it */
        assert_true(known(code) > 0);
    }
    expect("import asyncio\nasync def main():\n    await asyncio.sleep(0)\n    return 'ran'\n"
           "print(asyncio.run(main()))",
           NULL, "ran\n", "", "");
    expect("import asyncio\nprint(await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2)))",
           NULL, "[1, 2]\n", "", "");
    expect("\xef\xbb\xbfprint('gr\xc3\xb6\xc3\x9f"
           "e', len(b'\\xff'), 2**70, 1j, ..., {1} == {1}, -0.0, 1e999)",
           NULL,
           "gr\xc3\xb6\xc3\x9f"
           "e 1 1180591620717411303424 1j Ellipsis True -0.0 inf\n",
           "", "");
    expect("", NULL, "", "", "");
}

static void test_variants(void **state) {
    (void)state;
    static const char code[] = "x = 20\nx + 1";
    for (int i = 0; i < TIMES; i++) {
        eryx_execute_options_t options;
        eryx_execute_options_init(&options);
        expect(code, &options, "", "", "");
        options.result = "";
        expect(code, &options, "", "", "21");
        options.result = "x";
        expect(code, &options, "", "", "20");
        options.result = NULL;
        options.display = ERYX_DISPLAY_LAST;
        expect(code, &options, "21\n", "", "");
        eryx_execute_options_init(&options);
        options.filename = i % 2 ? "a.py" : "b.py";
        expect("1 / 0", &options, "", "",
               i % 2 ? "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n"
                       "    1 / 0\n    ~~^~~\nZeroDivisionError: division by zero\n"
                     : "Traceback (most recent call last):\n  File \"b.py\", line 1, in <module>\n"
                       "    1 / 0\n    ~~^~~\nZeroDivisionError: division by zero\n");
        options.script = true;
        expect("print(__name__)", &options, "__main__\n", "", "");
    }
}

/* What the compiler says is said each time. */
static void test_complaints(void **state) {
    (void)state;
    static const char warned[] = "x = '\\d'", wrong[] = "x = = 1";
    expect(
        warned, NULL, "",
        "<eryx>:1: SyntaxWarning: \"\\d\" is an invalid escape sequence. Such sequences will not "
        "work in the future. Did you mean \"\\\\d\"? A raw string is also an option.\n"
        "  x = '\\d'\n",
        "");
    assert_int_equal(known(warned), UNKNOWN);
    expect(wrong, NULL, "", "",
           "  File \"<eryx>\", line 1\n    x = = 1\n        ^\nSyntaxError: invalid syntax\n");
    assert_int_equal(known(wrong), UNKNOWN);
}

/* --- Who may hand code out ---------------------------------------------------------------- */

static void test_used_sandbox(void **state) {
    (void)state;
    static const char code[] = "print('as it is', len('four'))";
    static const char hostile[] = "import builtins, marshal, types, sys\n"
                                  "builtins.compile = marshal.loads = lambda *a, **k: None\n"
                                  "builtins.print = lambda *a: sys.stdout.write('changed\\n')";
    for (int i = 0; i < TIMES; i++) {
        eryx_sandbox_t *sandbox = new_sandbox(runtime);
        expect_in(sandbox, hostile, NULL, "", "", "");
        expect_in(sandbox, code, NULL, "changed\n", "", "");
        eryx_sandbox_free(sandbox);
    }
    /* Nothing but pickles ran in this one. */
    eryx_sandbox_t *first = new_sandbox(runtime), *sandbox = new_sandbox(runtime);
    void *saved;
    size_t length;
    expect_in(first, "x = 1", NULL, "", "", "");
    assert_int_equal(eryx_sandbox_snapshot(first, NULL, &saved, &length, NULL), ERYX_OK);
    assert_int_equal(eryx_sandbox_restore(sandbox, saved, length, NULL), ERYX_OK);
    eryx_bytes_free(saved);
    expect_in(sandbox, code, NULL, "as it is 4\n", "", "");
    eryx_sandbox_free(sandbox);
    assert_int_equal(eryx_sandbox_fork(first, NULL, 1, &sandbox, NULL), ERYX_OK);
    expect_in(sandbox, code, NULL, "as it is 4\n", "", "");
    eryx_sandbox_free(sandbox);
    sandbox = new_sandbox(runtime);
    assert_int_equal(eryx_fs_write(sandbox, "/tmp/x", "x", 1, NULL), ERYX_OK);
    expect_in(sandbox, code, NULL, "as it is 4\n", "", "");
    eryx_sandbox_free(sandbox);
    eryx_sandbox_free(first);
    assert_int_equal(known(code), UNKNOWN); /* none of them has even asked */
    expect(code, NULL, "as it is 4\n", "", "");
    assert_true(known(code) > 0);
}

/* In the image of a session that has changed what compiling goes through, code that this has touched is
 * not kept: each sandbox sees what its own makes of the program. */
static void test_own_image(void **state) {
    (void)state;
    static const char hostile[] = "import ast, sys\n"
                                  "real = ast.parse\n"
                                  "def parse(source, filename):\n"
                                  "    return real(source.replace('1', sys.argv[0]), filename)\n"
                                  "ast.parse = parse\n"
                                  "sys.addaudithook(lambda event, arguments: None)\n";
    static const char code[] = "x = 10\nx + 1", plain[] = "print(1, len('four'))";
    char path[] = "/tmp/eryx-codes-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    eryx_sandbox_t *sandbox = new_sandbox(runtime);
    expect_in(sandbox, hostile, NULL, "", "", "");
    assert_int_equal(eryx_image_build(sandbox, path, NULL), ERYX_OK);
    eryx_sandbox_free(sandbox);
    eryx_runtime_t *own = NULL;
    assert_int_equal(eryx_runtime_open(path, NULL, &own, NULL), ERYX_OK);
    unlink(path);
    eryx_execute_options_t execute_options;
    eryx_execute_options_init(&execute_options);
    execute_options.result = "";
    for (int i = 0; i < TIMES; i++) {
        const char *argument = i % 2 ? "3" : "5";
        eryx_sandbox_options_t options;
        eryx_sandbox_options_init(&options);
        options.argv = &argument;
        options.argc = 1;
        assert_int_equal(eryx_sandbox_new(own, &options, &sandbox, NULL), ERYX_OK);
        signals_restore();
        expect_in(sandbox, code, &execute_options, "", "", i % 2 ? "33" : "55");
        eryx_sandbox_free(sandbox);
        assert_int_equal(eryx_sandbox_new(own, &options, &sandbox, NULL), ERYX_OK);
        expect_in(sandbox, plain, NULL, "1 4\n", "", "");
        eryx_sandbox_free(sandbox);
    }
    assert_int_equal(known_of(own, code, 1), UNKNOWN);
    assert_true(known_of(own, plain, 0) > 0);
    eryx_runtime_free(own);
}

/* --- Bounds ------------------------------------------------------------------------------- */

static void test_long(void **state) {
    (void)state;
    static char code[200000], out[32];
    size_t used = 0;
    for (int i = 0; i < 2000; i++)
        used += (size_t)sprintf(code + used, "name_%d = %d\n", i, i);
    sprintf(code + used, "print(name_1999)");
    expect(code, NULL, "1999\n", "", "");
    assert_true(known(code) > 4096); /* more than the guest has room for at first */
    for (int i = 2000; used < sizeof code - 100; i++)
        used += (size_t)sprintf(code + used, "name_%d = %d\n", i, i);
    sprintf(code + used, "print(name_2000)");
    sprintf(out, "2000\n");
    expect(code, NULL, out, "", "");
    assert_int_equal(known(code), UNKNOWN); /* an eighth of 1 MiB is less */
}

static void test_many(void **state) {
    (void)state;
    codes_t codes;
    char source[64], code[1000] = {0};
    enum { MANY = 500, KEPT = 128 };
    assert_true(codes_init(&codes, 1 << 20));
    for (int i = 0; i < MANY; i++) {
        snprintf(source, sizeof source, "program %d", i);
        code_key_t key = {.source = source, .length = strlen(source), .filename = "x"};
        assert_int_equal(codes_find(&codes, &key, code, sizeof code), UNKNOWN);
        assert_int_equal(codes_find(&codes, &key, code, sizeof code), 0);
        memset(code, i & 127, sizeof code);
        codes_keep(&codes, &key, code, 1 + (size_t)i);
        codes_keep(&codes, &key, code, 5); /* too late */
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(source, sizeof source, "program %d", i);
        code_key_t key = {.source = source, .length = strlen(source), .filename = "x"};
        int32_t found = codes_find(&codes, &key, code, sizeof code);
        if (i < MANY - KEPT) {
            assert_true(found <= 0);
        } else {
            assert_int_equal(found, 1 + i);
            assert_int_equal(code[i], i & 127);
        }
        key.filename = "y";
        assert_true(codes_find(&codes, &key, code, sizeof code) <= 0);
    }
    /* Bytes count, too. */
    char *large = calloc(1, 100000);
    for (int i = 0; i < 20; i++) {
        snprintf(source, sizeof source, "large %d", i);
        code_key_t key = {.source = source, .length = strlen(source), .filename = "x"};
        codes_keep(&codes, &key, large, 100000);
        assert_int_equal(codes_find(&codes, &key, code, sizeof code), 100000);
    }
    for (int i = 0; i < 20; i++) {
        snprintf(source, sizeof source, "large %d", i);
        code_key_t key = {.source = source, .length = strlen(source), .filename = "x"};
        assert_true((codes_find(&codes, &key, code, sizeof code) > 0) == (i >= 10));
    }
    free(large);
    codes_destroy(&codes);
}

static void test_none(void **state) {
    (void)state;
    eryx_runtime_t *kept = runtime;
    runtime = open_with(0, false);
    expect("print(1)", NULL, "1\n", "", "");
    assert_int_equal(known("print(1)"), UNKNOWN);
    eryx_runtime_free(runtime);
    runtime = kept;
}

static void test_fuel(void **state) {
    (void)state;
    static const char code[] = "print(sum(range(10)))";
    eryx_runtime_t *counting = open_with(1 << 20, true);
    uint64_t used = 0;
    for (int i = 0; i < TIMES; i++) {
        eryx_sandbox_t *sandbox = new_sandbox(counting);
        eryx_outcome_t *outcome = execute(sandbox, code, strlen(code), NULL);
        if (i > 0)
            assert_int_equal(eryx_outcome_fuel_used(outcome), used);
        used = eryx_outcome_fuel_used(outcome);
        eryx_outcome_free(outcome);
        eryx_sandbox_free(sandbox);
    }
    assert_true(used > 0);
    assert_int_equal(known_of(counting, code, 0), UNKNOWN);
    eryx_runtime_free(counting);
}

static void *run_programs(void *argument) {
    for (int i = 0; i < 60; i++) {
        char code[64], out[16];
        eryx_sandbox_t *sandbox = NULL;
        eryx_outcome_t *outcome = NULL;
        snprintf(code, sizeof code, "def f(): return %d\nprint(f())", i % 7);
        snprintf(out, sizeof out, "%d\n", i % 7);
        if (eryx_sandbox_new(runtime, NULL, &sandbox, NULL) != ERYX_OK ||
            eryx_sandbox_execute(sandbox, code, strlen(code), NULL, &outcome, NULL) != ERYX_OK ||
            strcmp(eryx_outcome_stdout(outcome, NULL), out) != 0)
            return NULL;
        eryx_outcome_free(outcome);
        eryx_sandbox_free(sandbox);
    }
    return argument;
}

static void test_threads(void **state) {
    (void)state;
    pthread_t threads[4];
    void *good;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_programs, &threads), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &good);
        assert_ptr_equal(good, &threads);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_third),      cmocka_unit_test(test_variants),
        cmocka_unit_test(test_complaints), cmocka_unit_test(test_used_sandbox),
        cmocka_unit_test(test_long),       cmocka_unit_test(test_own_image),
        cmocka_unit_test(test_many),       cmocka_unit_test(test_none),
        cmocka_unit_test(test_fuel),       cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
