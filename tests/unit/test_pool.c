/* The pool of a runtime: waiting for a place, instances made in advance, and that recycled ones equal
 * the image whatever hostile programs did. Uses the real runtime. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <eryx.h>

#include "signals.h"

static eryx_runtime_t *open_with(const eryx_runtime_options_t *options) {
    eryx_runtime_t *runtime = NULL;
    eryx_error_t error = {0, ""};
    if (eryx_runtime_open(NULL, options, &runtime, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return runtime;
}

static eryx_runtime_options_t defaults(void) {
    eryx_runtime_options_t options;
    eryx_runtime_options_init(&options);
    return options;
}

static int keep_signals(void **state) {
    (void)state;
    eryx_runtime_free(open_with(NULL));
    signals_save();
    return 0;
}

static eryx_sandbox_t *new_sandbox(eryx_runtime_t *runtime, const eryx_limits_t *limits,
                                   bool rollback) {
    eryx_sandbox_options_t options;
    eryx_sandbox_t *sandbox = NULL;
    eryx_error_t error = {0, ""};
    eryx_sandbox_options_init(&options);
    if (limits)
        options.limits = *limits;
    options.rollback = rollback;
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    signals_restore();
    return sandbox;
}

static eryx_outcome_kind_t run(eryx_sandbox_t *sandbox, const char *code) {
    eryx_outcome_t *outcome = NULL;
    eryx_error_t error = {0, ""};
    if (eryx_sandbox_execute(sandbox, code, strlen(code), NULL, &outcome, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    eryx_outcome_kind_t kind = eryx_outcome_kind(outcome);
    eryx_outcome_free(outcome);
    return kind;
}

/* --- Places ------------------------------------------------------------------------------- */

static void test_no_waiting(void **state) {
    (void)state;
    eryx_runtime_options_t options = defaults();
    options.max_sandboxes = 1;
    eryx_runtime_t *runtime = open_with(&options);
    eryx_sandbox_t *sandbox = new_sandbox(runtime, NULL, true), *other;
    eryx_error_t error;
    assert_int_equal(eryx_sandbox_new(runtime, NULL, &other, &error), ERYX_ERR_LIMIT);
    assert_string_equal(error.message, "1 sandboxes live already (max_sandboxes of the runtime)");
    eryx_sandbox_free(sandbox);
    eryx_runtime_free(runtime);
    options.acquire_timeout_ns = 1000000;
    runtime = open_with(&options);
    sandbox = new_sandbox(runtime, NULL, true);
    assert_int_equal(eryx_sandbox_new(runtime, NULL, &other, &error), ERYX_ERR_LIMIT);
    eryx_sandbox_free(sandbox);
    eryx_runtime_free(runtime);
}

enum { WAITERS = 8, ROUNDS = 20 };
static atomic_int living, most;

/* Takes turns with the others; no more than two have a sandbox at once. */
static void *take_turns(void *argument) {
    eryx_runtime_t *runtime = argument;
    for (int i = 0; i < ROUNDS; i++) {
        eryx_sandbox_t *sandbox = NULL;
        if (eryx_sandbox_new(runtime, NULL, &sandbox, NULL) != ERYX_OK)
            return NULL;
        int now = atomic_fetch_add(&living, 1) + 1, before = atomic_load(&most);
        while (now > before && !atomic_compare_exchange_weak(&most, &before, now))
            ;
        eryx_outcome_t *outcome = NULL;
        int status = eryx_sandbox_execute(sandbox, "x = 1", 5, NULL, &outcome, NULL);
        eryx_outcome_free(outcome);
        atomic_fetch_sub(&living, 1);
        eryx_sandbox_free(sandbox);
        if (status != ERYX_OK)
            return NULL;
    }
    return runtime;
}

static void test_waiting(void **state) {
    (void)state;
    eryx_runtime_options_t options = defaults();
    options.max_sandboxes = 2;
    options.acquire_timeout_ns = UINT64_MAX;
    eryx_runtime_t *runtime = open_with(&options);
    pthread_t threads[WAITERS];
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_turns, runtime), 0);
    for (int i = 0; i < WAITERS; i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_ptr_equal(good, runtime);
    }
    assert_in_range(atomic_load(&most), 1, 2);
    eryx_runtime_free(runtime);
}

static void test_prewarm(void **state) {
    (void)state;
    eryx_runtime_options_t options = defaults();
    eryx_runtime_t *runtime;
    eryx_error_t error;
    options.max_warm = 3;
    options.prewarm = 4;
    assert_int_equal(eryx_runtime_open(NULL, &options, &runtime, &error), ERYX_ERR_ARGUMENT);
    assert_string_equal(error.message,
                        "prewarm of 4: at most max_warm (3) and max_sandboxes (4096)");
    options.prewarm = 3;
    options.verify_recycle = true;
    runtime = open_with(&options);
    eryx_sandbox_t *sandboxes[4];
    for (int i = 0; i < 4; i++) {
        sandboxes[i] = new_sandbox(runtime, NULL, true);
        assert_int_equal(run(sandboxes[i], "try: x\nexcept NameError: x = 1"), ERYX_OUTCOME_OK);
    }
    for (int i = 0; i < 4; i++)
        eryx_sandbox_free(sandboxes[i]);
    eryx_runtime_free(runtime);
}

/* --- Recycling ---------------------------------------------------------------------------- */

static const char *const hostile[] = {
    "x = 1",
    "import os; os.abort()",
    "import os; os._exit(3)",
    "raise SystemExit(5)",
    "while True: pass",
    "import time; time.sleep(100)",
    "import asyncio; await asyncio.sleep(100)",
    "kept = []\nwhile True: kept.append(bytearray(1 << 20))",
    "s = 'x'\nwhile True: s += s",
    "import sys; sys.setrecursionlimit(10**6)\ndef f(): f()\nf()",
    "repr([[]] * 10)\nx = []\nfor i in range(200000): x = [x]\nrepr(x)",
    "x = None\nfor i in range(500000): x = (x,)\ndel x",
    "import builtins\nfor n in dir(builtins):\n"
    "    if not n.startswith('__'): setattr(builtins, n, None)\n"
    "1/0",
    "import sys\nfor n in list(sys.modules): sys.modules[n] = None\nimport json",
    "import gc\nfor o in gc.get_objects():\n"
    "    try: o.clear()\n"
    "    except BaseException: pass\n",
    "import sqlite3\nc = sqlite3.connect('/tmp/x.db')\nc.execute('create table t(a)')\n"
    "c.executemany('insert into t values(?)', ((i,) for i in range(5000)))\nc.commit()",
    "for i in range(300): open(f'/tmp/f{i}', 'w').write('x' * 5000)\nopen('/lib/python3.14/os.py', "
    "'a').write('evil')",
    "import asyncio\nasync def f(n): await asyncio.sleep(50)\n"
    "for i in range(200): asyncio.ensure_future(f(i))\nawait asyncio.sleep(100)",
    "class C:\n    def __del__(self): print('late')\n    def __hash__(self): raise MemoryError\n"
    "import gc; x = [C() for _ in range(1000)]; x[0].x = x; gc.disable()\nhash(x[0])",
    "import sys; sys.stdout.close(); sys.stderr = None; raise ValueError('x' * 100000)",
};
enum { HOSTILE = sizeof hostile / sizeof hostile[0] };

/* One after the other in instances that are used again, each compared with the image when it comes back;
 * twice, and with two executions in a session, since what is known of its pages differs then. */
static void test_recycled_equals_image(void **state) {
    (void)state;
    eryx_runtime_options_t options = defaults();
    options.verify_recycle = true;
    options.max_warm = 2;
    eryx_runtime_t *runtime = open_with(&options);
    eryx_limits_t limits;
    eryx_limits_init(&limits);
    limits.wall_time_ns = 150000000;
    limits.memory_bytes = (uint64_t)160 << 20;
    for (int i = 0; i < 2 * HOSTILE; i++) {
        eryx_sandbox_t *sandbox = new_sandbox(runtime, &limits, i % 2);
        run(sandbox, hostile[i % HOSTILE]);
        if (i >= HOSTILE)
            run(sandbox, hostile[i * 7 % HOSTILE]);
        eryx_sandbox_free(sandbox);
    }
    eryx_sandbox_t *sandbox = new_sandbox(runtime, NULL, true);
    assert_int_equal(run(sandbox, "import json, sys\nassert json.dumps([1]) == '[1]'\n"
                                  "assert 'x' not in dir() and sys.getrecursionlimit() == 1000\n"
                                  "import os; assert os.listdir('/tmp') == []"),
                     ERYX_OUTCOME_OK);
    eryx_sandbox_free(sandbox);
    eryx_runtime_free(runtime);
}

/* --- Out of address space ----------------------------------------------------------------- */

static long mappings(void) {
    FILE *file = fopen("/proc/self/maps", "r");
    long lines = 0;
    for (int c; file && (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    if (file)
        fclose(file);
    return lines;
}

static long address_space(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

/* In a child, whose limit is its own. The number of the check that failed, 0: none. */
static int grow_until_full(void) {
    enum { SOME = 12 };
    eryx_runtime_options_t options = defaults();
    options.max_warm = 0;
    eryx_runtime_t *runtime = open_with(&options);
    eryx_sandbox_t *sandboxes[SOME];
    eryx_error_t error = {0, ""};
    long before = 0, space = 0;
    for (int round = 0; round < 3; round++) {
        struct rlimit limit = {.rlim_max = RLIM_INFINITY};
        limit.rlim_cur = (rlim_t)address_space() + ((rlim_t)22 << 30);
        if (round == 0 && setrlimit(RLIMIT_AS, &limit) != 0)
            return 1;
        int made = 0, status = ERYX_OK;
        while (made < SOME && status == ERYX_OK) {
            status = eryx_sandbox_new(runtime, NULL, &sandboxes[made], &error);
            made += status == ERYX_OK;
        }
        if (status != ERYX_ERR_MEMORY || !strstr(error.message, "memory for a new sandbox"))
            return 2;
        if (made < 3 || made > 5)
            return 3;
        for (int i = 0; i < made; i++)
            if (run(sandboxes[i], "x = [0] * 1000") != ERYX_OUTCOME_OK)
                return 4;
        while (made > 0)
            eryx_sandbox_free(sandboxes[--made]);
        if (round == 1) { /* the first has filled caches */
            before = mappings();
            space = address_space();
        }
    }
    if (mappings() > before || address_space() > space)
        return 5;
    eryx_runtime_free(runtime);
    return 0;
}

static void test_address_space(void **state) {
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* sanitizers map terabytes */
#endif
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(grow_until_full());
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_waiting),    cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_prewarm),       cmocka_unit_test(test_recycled_equals_image),
        cmocka_unit_test(test_address_space),
    };
    return cmocka_run_group_tests(tests, keep_signals, NULL);
}
