/* Callbacks among asyncio's tasks: failures, order, cancellation, generators, nested loops, what the
 * end of an execution leaves, and sandboxes on several threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "python_runtime.h"
#include "signals.h"

static void on_fail(void *env, eryx_call_t *call) {
    (void)env;
    eryx_call_fail(call, "it failed", NULL);
    eryx_call_free(call);
}

static eryx_sandbox_t *new_sandbox(void) {
    static const char schema[] =
        "{\"properties\": {\"class\": {}, \"größe\": {\"type\": \"integer\"}, \"a-b\": {},"
        " \"self\": {}, \"_x\": {}}, \"required\": [\"größe\", \"self\"]}";
    eryx_callback_t callbacks[4];
    for (int i = 0; i < 4; i++)
        eryx_callback_init(&callbacks[i]);
    callbacks[0].name = "echo";
    callbacks[0].on_call = on_echo;
    callbacks[1].name = "hold";
    callbacks[1].on_call = on_hold;
    callbacks[1].on_cancel = on_cancel;
    callbacks[2].name = "fail";
    callbacks[2].on_call = on_fail;
    callbacks[3].name = "odd.names";
    callbacks[3].on_call = on_echo;
    callbacks[3].parameters_schema_json = schema;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits.wall_time_ns = 60 * second;
    options.callbacks = callbacks;
    options.callback_count = 4;
    eryx_sandbox_t *sandbox = NULL;
    eryx_error_t error = {0};
    signals_restore();
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    atomic_store(&held_count, 0);
    atomic_store(&cancelled, 0);
    return sandbox;
}

/* --- Held calls, answered in another order ------------------------------------------------ */

static unsigned withdrawn; /* that many calls are cancelled before any is answered */

/* Waits for `wanted` calls, then answers the last first: with its arguments, or with a failure
 * if these say "fail": true. */
static void *answer_backwards(void *argument) {
    (void)argument;
    while (atomic_load(&held_count) < wanted || atomic_load(&cancelled) < withdrawn)
        usleep(200);
    for (unsigned i = wanted; i-- > 0;) {
        size_t length;
        const char *text = eryx_call_arguments(held[i], &length);
        if (strstr(text, "\"fail\": true"))
            eryx_call_fail(held[i], text, NULL);
        else
            eryx_call_complete(held[i], text, length, NULL);
        eryx_call_free(held[i]);
    }
    return NULL;
}

static void expect_answered(eryx_sandbox_t *sandbox, unsigned calls, unsigned cancelled_first,
                            const char *code, const char *output) {
    pthread_t thread;
    wanted = calls;
    withdrawn = cancelled_first;
    atomic_store(&held_count, 0);
    atomic_store(&cancelled, 0);
    assert_int_equal(pthread_create(&thread, NULL, answer_backwards, NULL), 0);
    expect(sandbox, code, output);
    pthread_join(thread, NULL);
    atomic_store(&held_count, 0);
    atomic_store(&cancelled, 0);
}

static void test_failures(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox();
    expect_answered(sandbox, 4, 0,
                    "done = await asyncio.gather(*[hold(i=i, fail=i == 2) for i in range(4)],\n"
                    "                            return_exceptions=True)\n"
                    "for each in done: print(type(each).__name__, each)\n",
                    "dict {'i': 0, 'fail': False}\ndict {'i': 1, 'fail': False}\n"
                    "CallbackError {\"i\": 2, \"fail\": true}\ndict {'i': 3, 'fail': False}\n");
    expect_answered(sandbox, 3, 0,
                    "import eryx\n"
                    "tasks = [asyncio.create_task(hold(i=i, fail=i > 0)) for i in range(3)]\n"
                    "try:\n    await asyncio.gather(*tasks)\n"
                    "except eryx.CallbackError as error:\n    print(error.name, error)\n"
                    "print((await asyncio.wait(tasks))[1], tasks[0].result())\n",
                    "hold {\"i\": 2, \"fail\": true}\nset() {'i': 0, 'fail': False}\n");
    expect(sandbox,
           "try:\n"
           "    async with asyncio.TaskGroup() as group:\n"
           "        held = [group.create_task(hold(i=i)) for i in range(2)]\n"
           "        await asyncio.sleep(0)\n"
           "        group.create_task(fail())\n"
           "except* eryx.CallbackError as errors:\n"
           "    print(errors.exceptions, [task.cancelled() for task in held])\n",
           "(CallbackError('it failed'),) [True, True]\n");
    assert_int_equal(atomic_load(&cancelled), 2);
    free_held();
    eryx_sandbox_free(sandbox);
}

static void test_order(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox();
    expect_answered(sandbox, 4, 0,
                    "calls = [asyncio.create_task(hold(i=i)) for i in range(4)]\n"
                    "print([(await each)['i'] for each in asyncio.as_completed(calls)])\n",
                    "[3, 2, 1, 0]\n");
    expect_answered(sandbox, 4, 0,
                    "tasks = {asyncio.create_task(hold(i=i)): i for i in range(4)}\n"
                    "async for task in asyncio.as_completed(tasks):\n"
                    "    print(tasks[task], (await task)['i'])\n",
                    "3 3\n2 2\n1 1\n0 0\n");
    expect_answered(sandbox, 3, 1,
                    "tasks = [asyncio.create_task(hold(i=i)) for i in range(3)]\n"
                    "await asyncio.sleep(0)\n"
                    "tasks[1].cancel()\n"
                    "print(await asyncio.gather(*tasks, return_exceptions=True))\n",
                    "[{'i': 0}, CancelledError(''), {'i': 2}]\n");
    eryx_sandbox_free(sandbox);
}

static void test_generators(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox();
    expect(sandbox,
           "async def pages():\n"
           "    try:\n"
           "        for i in range(10):\n"
           "            yield (await echo(i=i))['i']\n"
           "    finally:\n"
           "        print('closed', await echo(i='last'))\n"
           "async for page in pages():\n"
           "    if page == 2:\n"
           "        break\n"
           "print(page)\n",
           "2\nclosed {'i': 'last'}\n");
    expect(sandbox, "print([page async for page in pages() if page % 4 == 0])",
           "closed {'i': 'last'}\n[0, 4, 8]\n");
    /* One that the session holds goes on in the next execution. */
    expect(sandbox, "kept = pages()\nprint(await anext(kept))", "0\n");
    expect(sandbox, "print(await anext(kept), await kept.aclose())",
           "closed {'i': 'last'}\n1 None\n");
    expect(sandbox,
           "def plain():\n    yield echo(i=1)\n    yield echo(i=2)\n"
           "print([await each for each in plain()])\n",
           "[{'i': 1}, {'i': 2}]\n");
    eryx_sandbox_free(sandbox);
}

static void test_nested_run(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox();
    expect_answered(sandbox, 3, 0,
                    "async def main(n):\n"
                    "    return [each['i'] for each in\n"
                    "            await asyncio.gather(*[hold(i=i) for i in range(n)])]\n"
                    "def deep(n):\n    return asyncio.run(main(n))\n"
                    "async def outer():\n    return deep(3)\n"
                    "print(await outer())\n",
                    "[0, 1, 2]\n");
    expect_answered(sandbox, 2, 0, "print(asyncio.run(main(2)))", "[0, 1]\n");
    /* A task of the outer loop waits meanwhile: its call is answered while the inner one runs. */
    expect_answered(sandbox, 3, 0,
                    "task = asyncio.create_task(hold(i='outer'))\n"
                    "await asyncio.sleep(0)\n"
                    "print(deep(2), await task)\n",
                    "[0, 1] {'i': 'outer'}\n");
    eryx_sandbox_free(sandbox);
}

static void test_ends(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox();
    expect(sandbox,
           "async def work():\n"
           "    try:\n        await hold(i=1)\n"
           "    finally:\n        print('cleaned', await echo(i=2))\n"
           "task = asyncio.create_task(work())\nawait asyncio.sleep(0)\nprint('end')\n",
           "end\ncleaned {'i': 2}\n");
    assert_int_equal(atomic_load(&cancelled), 1);
    free_held();
    expect(sandbox, "print(task.cancelled())", "True\n");
    static const char ending[] = "async def worker():\n    await asyncio.sleep(0)\n    raise %s\n"
                                 "task = asyncio.create_task(worker())\n"
                                 "await asyncio.gather(hold(i=1), hold(i=2))\n";
    char code[512];
    snprintf(code, sizeof code, ending, "SystemExit(7)");
    eryx_outcome_t *outcome = run(sandbox, code, NULL);
    assert_int_equal(eryx_outcome_exit_code(outcome), 7);
    check(outcome, ERYX_OUTCOME_EXIT, "");
    free_held();
    snprintf(code, sizeof code, ending, "KeyboardInterrupt");
    outcome = run(sandbox, code, NULL);
    assert_string_equal(eryx_outcome_exception_type(outcome), "KeyboardInterrupt");
    check(outcome, ERYX_OUTCOME_EXCEPTION, "");
    assert_int_equal(atomic_load(&cancelled), 5);
    free_held();
    expect(sandbox, "print(await echo(i=3))", "{'i': 3}\n");
    eryx_sandbox_free(sandbox);
}

static void test_sizes(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox();
    expect_answered(sandbox, HELD_MAX, 0,
                    "done = await asyncio.gather(*[hold(i=i) for i in range(10_000)])\n"
                    "print([each['i'] for each in done] == list(range(10_000)))\n",
                    "True\n");
    expect(sandbox, "print(len((await echo(x='a' * 10_000_000))['x']))", "10000000\n");
    expect_answered(sandbox, 2, 0,
                    "done = await asyncio.gather(*[hold(x='b' * 10_000_000) for _ in range(2)])\n"
                    "print([len(each['x']) for each in done])\n",
                    "[10000000, 10000000]\n");
    eryx_sandbox_free(sandbox);
}

/* Parameters that are no Python names can be given by **; positions skip none. */
static void test_parameter_names(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox();
    expect(sandbox,
           "import inspect\nprint(inspect.signature(odd.names))\n"
           "print(await odd.names(1, 2, 3, 4, 5))\n"
           "print(await odd.names(größe=1, self=2, **{'class': 3, 'a-b': 4}))\n",
           "(größe: int, self, *, _x=None)\n"
           "{'größe': 1, 'self': 2, 'class': 3, 'a-b': 4, '_x': 5}\n"
           "{'größe': 1, 'self': 2, 'class': 3, 'a-b': 4}\n");
    expect(sandbox,
           "for value in float('nan'), b'x', '\\ud800', {1: 2}, 2**100, (1, [None]):\n"
           "    try:\n        print(ascii((await echo(x=value))['x']))\n"
           "    except TypeError as error:\n        print(error)\n",
           "echo() argument 'x' cannot be sent as JSON: "
           "Out of range float values are not JSON compliant: nan\n"
           "echo() argument 'x' cannot be sent as JSON: "
           "Object of type bytes is not JSON serializable\n"
           "'\\ud800'\n{'1': 2}\n1267650600228229401496703205376\n[1, [None]]\n");
    eryx_sandbox_free(sandbox);
}

/* --- Threads ------------------------------------------------------------------------------ */

static void *run_thread(void *argument) {
    static const char code[] =
        "import asyncio\n"
        "for i in range(300):\n"
        "    assert await echo(i=i) == {'i': i}\n"
        "done = await asyncio.gather(*[echo(i=i) for i in range(300)])\n"
        "async def main():\n    await asyncio.sleep(0.001)\n    return (await echo(i=1))['i']\n"
        "print(sum(each['i'] for each in done), asyncio.run(main()))\n";
    eryx_sandbox_t *sandbox = argument;
    eryx_outcome_t *outcome = NULL;
    const char *problem = NULL;
    for (int i = 0; i < 5 && !problem; i++) {
        if (eryx_sandbox_execute(sandbox, code, sizeof code - 1, NULL, &outcome, NULL) != ERYX_OK)
            return "no outcome";
        if (strcmp(eryx_outcome_stdout(outcome, NULL), "44850 1\n") != 0)
            problem = strdup(eryx_outcome_traceback(outcome));
        eryx_outcome_free(outcome);
    }
    return (void *)(uintptr_t)problem;
}

static void test_threads(void **state) {
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    eryx_sandbox_t *sandboxes[THREADS];
    for (int i = 0; i < THREADS; i++) {
        sandboxes[i] = new_sandbox();
        assert_int_equal(pthread_create(&threads[i], NULL, run_thread, sandboxes[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *problem;
        pthread_join(threads[i], &problem);
        if (problem)
            fail_msg("thread %d: %s", i, (char *)problem);
        eryx_sandbox_free(sandboxes[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures),   cmocka_unit_test(test_order),
        cmocka_unit_test(test_generators), cmocka_unit_test(test_nested_run),
        cmocka_unit_test(test_ends),       cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_threads),    cmocka_unit_test(test_parameter_names),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
