/* A session is never lost: whatever ends an execution badly, names, files and objects are what they
 * were before it. With the real runtime. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "python_runtime.h"
#include "signals.h"

static const char setting[] =
    "import json, sqlite3, re\n"
    "kept = {'numbers': list(range(1000)), 'text': 'abc' * 1000}\n"
    "class Counter:\n"
    "    count = 0\n"
    "def more():\n"
    "    Counter.count += 1\n"
    "    return Counter.count\n"
    "database = sqlite3.connect(':memory:')\n"
    "database.execute('create table t (n)')\n"
    "database.executemany('insert into t values (?)', [(n,) for n in range(100)])\n"
    "with open('/tmp/file', 'w') as file: file.write('before')\n";

static const char state_of[] =
    "import hashlib, sys\n"
    "print(len(kept['numbers']), len(kept['text']), Counter.count,\n"
    "      database.execute('select count(*), sum(n) from t').fetchone(),\n"
    "      open('/tmp/file').read(), 'left' in globals(), sys.path == path_before,\n"
    "      sys.getrecursionlimit() == 1000 and divmod(7, 2) == (3, 1), 'colorsys' in sys.modules)";
static const char state_before[] = "1000 3000 0 (100, 4950) before False True True False\n";

/* What a program may do to everything it can reach before it is stopped. */
static const char damage[] =
    "import colorsys, sys, builtins, gc\n"
    "left = [bytearray(100000) for _ in range(200)]\n"
    "kept.clear(); kept['numbers'] = left\n"
    "for _ in range(5): more()\n"
    "database.execute('delete from t'); database.commit()\n"
    "with open('/tmp/file', 'w') as file: file.write('after')\n"
    "sys.path[:] = []; sys.setrecursionlimit(500); builtins.divmod = None; gc.disable()\n";

static eryx_sandbox_t *new_sandbox(uint64_t wall_time, bool rollback) {
    eryx_sandbox_options_t options;
    eryx_sandbox_t *sandbox;
    eryx_error_t error = {0};
    signals_restore();
    eryx_sandbox_options_init(&options);
    options.limits.wall_time_ns = wall_time;
    options.rollback = rollback;
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return sandbox;
}

static void prepare(eryx_sandbox_t *sandbox) {
    check(execute(sandbox, setting), ERYX_OUTCOME_OK, "");
    check(execute(sandbox, "import sys; path_before = list(sys.path)"), ERYX_OUTCOME_OK, "");
    check(execute(sandbox, state_of), ERYX_OUTCOME_OK, state_before);
}

static const char *const ends[] = {
    "while True: pass",
    "import os; os.abort()",
    "import os; os._exit(7)",
    "sum(range(10**12))",
    "import time; time.sleep(100)",
    "import asyncio; await asyncio.sleep(100)",
    "left.append(list(range(3000000)))\nwhile True: left.append(bytes(1000))\n",
};

static void test_bad_ends(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(second, true);
    prepare(sandbox);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char code[2048];
        snprintf(code, sizeof code, "%s%s", damage, ends[i]);
        eryx_outcome_t *outcome = execute(sandbox, code);
        eryx_outcome_kind_t kind = eryx_outcome_kind(outcome);
        if (kind == ERYX_OUTCOME_OK)
            fail_msg("%s ended well", ends[i]);
        if (kind == ERYX_OUTCOME_EXCEPTION) { /* MemoryError: an outcome like others */
            assert_string_equal(eryx_outcome_exception_type(outcome), "MemoryError");
            eryx_outcome_free(outcome);
            break;
        }
        assert_false(eryx_outcome_session_lost(outcome));
        eryx_outcome_free(outcome);
        check(execute(sandbox, state_of), ERYX_OUTCOME_OK, state_before);
    }
    eryx_sandbox_free(sandbox);
}

/* The recycled memory of such a session is a fresh one. */
static void test_freed_after_bad_end(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        eryx_sandbox_t *sandbox = new_sandbox(second / 10, true);
        check(execute(sandbox, "print('left' in globals())"), ERYX_OUTCOME_OK, "False\n");
        eryx_outcome_free(execute(sandbox, "left = list(range(100000))\nwhile True: pass"));
        eryx_sandbox_free(sandbox);
    }
}

static void test_first_execution(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(second / 10, true);
    eryx_outcome_t *outcome = execute(sandbox, "left = 1\nwhile True: pass");
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_LIMIT);
    eryx_outcome_free(outcome);
    check(execute(sandbox, "print('left' in globals()); x = 5"), ERYX_OUTCOME_OK, "False\n");
    for (int i = 0; i < 50; i++) {
        outcome = execute(sandbox, "x += 1\nimport os; os.abort()");
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_TRAP);
        eryx_outcome_free(outcome);
    }
    check(execute(sandbox, "print(x)"), ERYX_OUTCOME_OK, "5\n");
    eryx_sandbox_free(sandbox);
}

static void test_switched_off(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(second, false);
    check(execute(sandbox, "x = 5"), ERYX_OUTCOME_OK, "");
    eryx_outcome_t *outcome = execute(sandbox, "import os; os.abort()");
    assert_true(eryx_outcome_session_lost(outcome));
    eryx_outcome_free(outcome);
    check(execute(sandbox, "print('x' in globals())"), ERYX_OUTCOME_OK, "False\n");
    eryx_sandbox_free(sandbox);
}

/* Big sessions: memory that grew stays, what grew in the bad execution is given back. */
static void test_grown_memory(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(3 * second, true);
    check(execute(sandbox, "big = [bytes([n % 256]) * 1000000 for n in range(150)]"),
          ERYX_OUTCOME_OK, "");
    for (int i = 0; i < 2; i++) {
        eryx_outcome_t *outcome =
            execute(sandbox, "more = [bytearray(b'x' * 1000000) for n in range(100)]\nbig.clear()\n"
                             "import os; os.abort()");
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_TRAP);
        eryx_outcome_free(outcome);
        check(execute(
                  sandbox,
                  "print(len(big), all(b == bytes([n % 256]) * 1000000 for n, b in enumerate(big)),"
                  "'more' in globals())"),
              ERYX_OUTCOME_OK, "150 True False\n");
    }
    eryx_sandbox_free(sandbox);
}

/* Snapshots run guest code too. */
static void test_state_functions(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(second / 2, true);
    eryx_error_t error;
    void *data;
    size_t length;
    check(execute(sandbox, "class Endless:\n    def __reduce__(self):\n        global x\n"
                           "        x = 2\n        while True: pass\nx, e = 1, Endless()"),
          ERYX_OUTCOME_OK, "");
    assert_int_equal(eryx_sandbox_snapshot(sandbox, NULL, &data, &length, &error), ERYX_ERR_LIMIT);
    assert_non_null(strstr(error.message, "the session is what it was before"));
    check(execute(sandbox, "print(x, type(e).__name__)"), ERYX_OUTCOME_OK, "1 Endless\n");
    eryx_sandbox_free(sandbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_ends),        cmocka_unit_test(test_freed_after_bad_end),
        cmocka_unit_test(test_first_execution), cmocka_unit_test(test_switched_off),
        cmocka_unit_test(test_grown_memory),    cmocka_unit_test(test_state_functions),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
