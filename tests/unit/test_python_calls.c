/* Callbacks, executions, results and snapshots with the real runtime: what Python sees of them.
 * Most calls are made through the runtime's own function, below what programs use. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "python_runtime.h"
#include "signals.h"

static const uint64_t forever = UINT64_MAX;

static eryx_sandbox_t *new_sandbox(uint64_t wall_time_ns) {
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    eryx_callback_t callbacks[2];
    eryx_callback_init(&callbacks[0]);
    callbacks[0].name = "host.echo";
    callbacks[0].on_call = on_echo;
    callbacks[1] = callbacks[0];
    callbacks[1].name = "host.hold";
    callbacks[1].on_call = on_hold;
    callbacks[1].on_cancel = on_cancel;
    options.callbacks = callbacks;
    options.callback_count = 2;
    options.limits.wall_time_ns = wall_time_ns;
    eryx_sandbox_t *sandbox = NULL;
    eryx_error_t error = {0};
    signals_restore();
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    atomic_store(&held_count, 0);
    atomic_store(&cancelled, 0);
    return sandbox;
}

/* --- Calls -------------------------------------------------------------------------------- */

static void test_at_once(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(60 * second);
    expect(sandbox, "print(await call('host.echo', '[1, \"ä\"]'))", "(True, '[1, \"ä\"]')\n");
    expect(sandbox, "print(call_blocking('host.echo', '2'))", "(True, '2')\n");
    expect(sandbox, "print(await call('no.such', '2'))", "(False, 'unknown callback no.such')\n");
    expect(sandbox,
           "for i in range(2000): assert await call('host.echo', str(i)) == (True, str(i))", "");
    expect(sandbox,
           "print(len(await asyncio.gather(*[call('host.echo', '1') for _ in range(2000)])))",
           "2000\n");
    expect(sandbox, "print(len((await call('host.echo', 'x' * 10_000_000))[1]))", "10000000\n");
    expect(sandbox, "print(len(call_blocking('host.echo', 'x' * 10_000_000)[1]))", "10000000\n");
    expect(sandbox, "print(await call('host.echo', '3'))", "(True, '3')\n");
    eryx_sandbox_free(sandbox);
}

static void test_later(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(60 * second);
    expect_later(sandbox, 1, "print(await call('host.hold', '1'))", "(True, '7')\n");
    expect_later(sandbox, 1, "print(call_blocking('host.hold', '1'))", "(True, '7')\n");
    expect_later(sandbox, 10000,
                 "print(set(await asyncio.gather(*[call('host.hold', '') for _ in range(10000)])))",
                 "{(True, '7')}\n");
    answer_length = 10000000;
    expect_later(sandbox, 3,
                 "a = await asyncio.gather(*[call('host.hold', '') for _ in range(3)])\n"
                 "print([(ok, len(text)) for ok, text in a])",
                 "[(True, 10000000), (True, 10000000), (True, 10000000)]\n");
    expect_later(sandbox, 1, "print(len(call_blocking('host.hold', '1')[1]))", "10000000\n");
    answer_length = 1;
    eryx_sandbox_free(sandbox);
}

static void test_withdrawn(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(60 * second);
    expect(sandbox,
           "try:\n"
           "    async with asyncio.timeout(0.01):\n"
           "        await call('host.hold', '1')\n"
           "except TimeoutError:\n"
           "    print('timeout')\n",
           "timeout\n");
    assert_int_equal(atomic_load(&cancelled), 1);
    free_held();
    expect(sandbox,
           "t = asyncio.create_task(call('host.hold', '1'))\n"
           "await asyncio.sleep(0)\nprint('left')\n",
           "left\n");
    assert_int_equal(atomic_load(&cancelled), 2);
    free_held();
    eryx_sandbox_free(sandbox);
    sandbox = new_sandbox(second / 20);
    check(run(sandbox, "print('a', flush=True)\nawait call('host.hold', '1')", NULL),
          ERYX_OUTCOME_LIMIT, "a\n");
    assert_int_equal(atomic_load(&cancelled), 1);
    free_held();
    eryx_sandbox_free(sandbox);
}

/* --- Cancelling --------------------------------------------------------------------------- */

static eryx_execution_t *start(eryx_sandbox_t *sandbox, const char *code, eryx_queue_t *queue) {
    char text[2048];
    int length = snprintf(text, sizeof text, "%s%s", prelude, code);
    eryx_execute_options_t options;
    eryx_execute_options_init(&options);
    options.queue = queue;
    eryx_execution_t *execution = NULL;
    assert_int_equal(
        eryx_execution_start(sandbox, text, (size_t)length, &options, &execution, NULL), ERYX_OK);
    return execution;
}

static void expect_cancelled(eryx_sandbox_t *sandbox, const char *code, eryx_outcome_kind_t kind,
                             const char *output) {
    eryx_execution_t *execution = start(sandbox, code, NULL);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    eryx_execution_cancel(execution);
    assert_int_equal(eryx_execution_wait(execution, forever), 1);
    while (eryx_execution_run(execution) != ERYX_EXECUTION_DONE)
        eryx_execution_wait(execution, forever);
    check(eryx_execution_take_outcome(execution), kind, output);
    eryx_execution_free(execution);
    free_held();
}

static void test_cancel(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(60 * second);
    expect_cancelled(sandbox,
                     "kept = 5\n"
                     "try:\n    await asyncio.gather(*[call('host.hold', '1') for _ in range(5)])\n"
                     "except asyncio.CancelledError:\n    print('cancelled')\n    raise\n",
                     ERYX_OUTCOME_EXCEPTION, "cancelled\n");
    assert_int_equal(atomic_load(&cancelled), 5);
    expect(sandbox, "print(kept)", "5\n");
    expect_cancelled(sandbox,
                     "try:\n    await asyncio.sleep(1000)\n"
                     "except asyncio.CancelledError:\n"
                     "    await asyncio.sleep(0.01)\n    print('cleaned up')\n",
                     ERYX_OUTCOME_OK, "cleaned up\n");
    expect_cancelled(sandbox, "import time\ntime.sleep(1000)", ERYX_OUTCOME_INTERRUPTED, "");
    eryx_sandbox_free(sandbox);
}

/* --- Queues ------------------------------------------------------------------------------- */

#ifdef __SANITIZE_THREAD__ /* leaves no address space for 1,000 sandboxes */
enum { MANY = 100 };
#else
enum { MANY = 1000 };
#endif

static void test_queue(void **state) {
    (void)state;
    static eryx_sandbox_t *sandboxes[MANY];
    eryx_queue_t *queue;
    assert_int_equal(eryx_queue_new(&queue, NULL), ERYX_OK);
    for (int i = 0; i < MANY; i++) {
        sandboxes[i] = new_sandbox(60 * second);
        start(sandboxes[i],
              i % 2 ? "await call('host.hold', '1')\nprint(1)"
                    : "await asyncio.sleep(0.1)\nprint(1)",
              queue);
    }
    pthread_t thread;
    wanted = MANY / 2;
    assert_int_equal(pthread_create(&thread, NULL, complete_wanted, NULL), 0);
    int done = 0;
    while (done < MANY) {
        struct pollfd item = {.fd = eryx_queue_fd(queue), .events = POLLIN};
        assert_true(poll(&item, 1, 20000) > 0);
        eryx_execution_t *execution;
        while ((execution = eryx_queue_next(queue)) != NULL) {
            if (eryx_execution_run(execution) != ERYX_EXECUTION_DONE)
                continue;
            check(eryx_execution_take_outcome(execution), ERYX_OUTCOME_OK, "1\n");
            eryx_execution_free(execution);
            done++;
        }
    }
    pthread_join(thread, NULL);
    for (int i = 0; i < MANY; i++)
        eryx_sandbox_free(sandboxes[i]);
    eryx_queue_free(queue);
}

/* --- Results and snapshots ---------------------------------------------------------------- */

static void expect_result(eryx_sandbox_t *sandbox, const char *code, const char *result,
                          const char *json, const char *error) {
    eryx_outcome_t *outcome = run(sandbox, code, result);
    const char *got = eryx_outcome_result_json(outcome, NULL);
    const char *reason = eryx_outcome_result_error(outcome);
    if (json && (!got || strcmp(got, json) != 0))
        fail_msg("%s: %s (%s), not %s", code, got ? got : "none", reason ? reason : "-", json);
    if (error && (!reason || !strstr(reason, error)))
        fail_msg("%s: %s, not %s", code, reason ? reason : "no reason", error);
    eryx_outcome_free(outcome);
}

static void test_result(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(60 * second);
    expect_result(sandbox, "x = 3\nx * 2", "", "6", NULL);
    expect_result(sandbox, "x * 2", "", "6", NULL);
    expect_result(sandbox, "(1, 'ä')", "", "[1, \"\\u00e4\"]", NULL);
    expect_result(sandbox, "await asyncio.sleep(0, {'a': None})", "", "{\"a\": null}", NULL);
    expect_result(sandbox, "async def m(): return 4\nasyncio.run(m())", "", "4", NULL);
    expect_result(sandbox, "x = 1", "", NULL, "does not end with an expression");
    expect_result(sandbox, "", "", NULL, "does not end with an expression");
    expect_result(sandbox, "{1}", "", NULL, "a result of type set is not JSON");
    expect_result(sandbox, "float('nan')", "", NULL, "not JSON");
    expect_result(sandbox, "y = [1]", "y", "[1]", NULL);
    expect_result(sandbox, "y", "y", "[1]", NULL);
    expect_result(sandbox, "", "nothing", NULL, "there is no variable 'nothing'");
    expect(sandbox, "print([n for n in globals() if '<' in n])", "[]\n");
    check(run(sandbox, "1 / 0", ""), ERYX_OUTCOME_EXCEPTION, "");
    eryx_sandbox_free(sandbox);
}

static void test_snapshot(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(60 * second), *other = new_sandbox(60 * second);
    eryx_snapshot_options_t options;
    eryx_snapshot_options_init(&options);
    eryx_error_t error = {0};
    void *data;
    size_t length;
    expect(sandbox, "x = [1]\ndef f(): return x\nclass C:\n    a = 1\nc = C()", "");
    int status = eryx_sandbox_snapshot(sandbox, NULL, &data, &length, &error);
    if (status != ERYX_OK)
        fail_msg("%s", error.message);
    assert_int_equal(eryx_sandbox_restore(other, data, length, &error), ERYX_OK);
    expect(other, "x.append(2)\nprint(f(), c.a, asyncio.__name__)", "[1, 2] 1 asyncio\n");
    ((char *)data)[length / 2] ^= 1;
    assert_int_equal(eryx_sandbox_restore(other, data, length, &error), ERYX_ERR_FORMAT);
    assert_int_equal(eryx_sandbox_restore(other, data, length - 1, &error), ERYX_ERR_FORMAT);
    expect(other, "print(x)", "[1, 2]\n");
    eryx_bytes_free(data);
    expect(sandbox, "g = (i for i in x)", "");
    assert_int_equal(eryx_sandbox_snapshot(sandbox, NULL, &data, &length, &error), ERYX_ERR_STATE);
    assert_non_null(strstr(error.message, "g ("));
    options.skip_unpicklable = true;
    assert_int_equal(eryx_sandbox_snapshot(sandbox, &options, &data, &length, &error), ERYX_OK);
    assert_int_equal(eryx_sandbox_clear(other, &error), ERYX_OK);
    expect(other, "print('x' in globals())", "False\n");
    assert_int_equal(eryx_sandbox_restore(other, data, length, &error), ERYX_OK);
    expect(other, "print(x, 'g' in globals())", "[1] False\n");
    eryx_bytes_free(data);
    eryx_sandbox_free(sandbox);
    eryx_sandbox_free(other);
    sandbox = new_sandbox(second / 10);
    expect(sandbox, "class C:\n    def __reduce__(self):\n        while True: pass\nc = C()", "");
    assert_int_equal(eryx_sandbox_snapshot(sandbox, NULL, &data, &length, &error), ERYX_ERR_LIMIT);
    expect(sandbox, "print('C' in globals())", "True\n");
    eryx_sandbox_free(sandbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_once),   cmocka_unit_test(test_later),
        cmocka_unit_test(test_withdrawn), cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_queue),     cmocka_unit_test(test_result),
        cmocka_unit_test(test_snapshot),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
