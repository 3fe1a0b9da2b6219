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

#include <eryx.h>

#include "signals.h"

enum { HELD_MAX = 10000 };

static const uint64_t second = 1000000000, forever = UINT64_MAX;

static eryx_runtime_t *runtime;
static eryx_call_t *held[HELD_MAX];
static atomic_uint held_count, cancelled;

static int open_runtime(void **state) {
    (void)state;
    eryx_error_t error = {0};
    int status = eryx_runtime_open(NULL, NULL, &runtime, &error);
    if (status != ERYX_OK)
        print_error("%s\n", error.message);
    signals_save();
    return status;
}

static int close_runtime(void **state) {
    (void)state;
    eryx_runtime_free(runtime);
    return 0;
}

static void on_echo(void *env, eryx_call_t *call) {
    (void)env;
    size_t length;
    const char *arguments = eryx_call_arguments(call, &length);
    eryx_call_complete(call, arguments, length, NULL);
    eryx_call_free(call);
}

static void on_hold(void *env, eryx_call_t *call) {
    (void)env;
    held[atomic_load(&held_count)] = call;
    atomic_fetch_add(&held_count, 1);
}

static void on_cancel(void *env, eryx_call_t *call) {
    (void)env, (void)call;
    atomic_fetch_add(&cancelled, 1);
}

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

static const char prelude[] = "import asyncio\n"
                              "from _eryx_driver import call, call_blocking\n";

static void check(eryx_outcome_t *outcome, eryx_outcome_kind_t kind, const char *output) {
    if (eryx_outcome_kind(outcome) != kind ||
        strcmp(eryx_outcome_stdout(outcome, NULL), output) != 0)
        fail_msg("kind %d, not %d: %s\nstdout: %s\nexpected: %s\n%s", eryx_outcome_kind(outcome),
                 kind, eryx_outcome_exception_message(outcome), eryx_outcome_stdout(outcome, NULL),
                 output, eryx_outcome_traceback(outcome));
    eryx_outcome_free(outcome);
}

static eryx_outcome_t *run(eryx_sandbox_t *sandbox, const char *code, const char *result) {
    char text[2048];
    int length = snprintf(text, sizeof text, "%s%s", prelude, code);
    eryx_execute_options_t options;
    eryx_execute_options_init(&options);
    options.result = result;
    eryx_outcome_t *outcome = NULL;
    eryx_error_t error = {0};
    if (eryx_sandbox_execute(sandbox, text, (size_t)length, &options, &outcome, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return outcome;
}

static void expect(eryx_sandbox_t *sandbox, const char *code, const char *output) {
    check(run(sandbox, code, NULL), ERYX_OUTCOME_OK, output);
}

/* --- Calls -------------------------------------------------------------------------------- */

static void test_at_once(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(60 * second);
    expect(sandbox, "print(await call('host.echo', '[1, \"ä\"]'))", "(True, '[1, \"ä\"]')\n");
    expect(sandbox, "print(call_blocking('host.echo', '2'))", "(True, '2')\n");
    expect(sandbox, "print(await call('no.such', '2'))", "(False, 'unknown callback no.such')\n");
    expect(sandbox, "for i in range(2000): assert await call('host.echo', str(i)) == (True, str(i))",
           "");
    expect(sandbox,
           "print(len(await asyncio.gather(*[call('host.echo', '1') for _ in range(2000)])))",
           "2000\n");
    expect(sandbox, "print(len((await call('host.echo', 'x' * 10_000_000))[1]))", "10000000\n");
    expect(sandbox, "print(len(call_blocking('host.echo', 'x' * 10_000_000)[1]))", "10000000\n");
    expect(sandbox, "print(await call('host.echo', '3'))", "(True, '3')\n");
    eryx_sandbox_free(sandbox);
}

static unsigned wanted;
static size_t answer_length = 1;

static void *complete_wanted(void *argument) {
    char *answer = malloc(answer_length);
    (void)argument;
    memset(answer, '7', answer_length);
    while (atomic_load(&held_count) < wanted)
        usleep(200);
    for (unsigned i = wanted; i-- > 0;) {
        if (eryx_call_complete(held[i], answer, answer_length, NULL) != ERYX_OK)
            abort();
        eryx_call_free(held[i]);
    }
    free(answer);
    return NULL;
}

static void expect_later(eryx_sandbox_t *sandbox, unsigned count, const char *code,
                         const char *output) {
    pthread_t thread;
    wanted = count;
    atomic_store(&held_count, 0);
    assert_int_equal(pthread_create(&thread, NULL, complete_wanted, NULL), 0);
    expect(sandbox, code, output);
    pthread_join(thread, NULL);
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

static void free_held(void) {
    for (unsigned i = 0; i < atomic_load(&held_count); i++) {
        assert_int_equal(eryx_call_complete(held[i], "1", 1, NULL), ERYX_ERR_STATE);
        eryx_call_free(held[i]);
    }
    atomic_store(&held_count, 0);
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

/* --- Callbacks as functions --------------------------------------------------------------- */

static void on_text(void *env, eryx_call_t *call) {
    eryx_call_complete(call, env, strlen(env), NULL);
    eryx_call_free(call);
}

static void on_fail(void *env, eryx_call_t *call) {
    eryx_call_fail(call, env, NULL);
    eryx_call_free(call);
}

static const char schema[] = "{\"properties\": {\"b\": {\"type\": \"integer\", \"default\": 5},"
                             "\"a\": {\"type\": \"string\"}}, \"required\": [\"a\"]}";

static const struct {
    const char *name, *schema;
    bool blocking;
    eryx_call_fn on_call;
    const char *text;
} functions[] = {
    {"echo", NULL, false, on_echo, NULL},
    {"typed", schema, false, on_echo, NULL},
    {"plain", schema, true, on_echo, NULL},
    {"a.b", NULL, false, on_echo, NULL},
    {"a.b.c", NULL, false, on_echo, NULL},
    {"a", NULL, false, on_echo, NULL},
    {"set.it", NULL, true, on_echo, NULL},
    {"len", NULL, true, on_echo, NULL},
    {"class", NULL, true, on_echo, NULL},
    {"not a name", NULL, true, on_echo, NULL},
    {"größe", NULL, true, on_echo, NULL},
    {"\xef\xac\x81x", NULL, true, on_echo, NULL}, /* a ligature: Python reads fix */
    {"no_json", NULL, false, on_text, "{1"},
    {"fail", NULL, false, on_fail, "it failed: é"},
    {"hold", NULL, false, on_hold, NULL},
};

static void add(eryx_sandbox_t *sandbox, const char *name) {
    eryx_error_t error = {0};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        eryx_callback_t callback;
        if (name && strcmp(name, functions[i].name) != 0)
            continue;
        eryx_callback_init(&callback);
        callback.name = functions[i].name;
        callback.description = "What it does.";
        callback.parameters_schema_json = functions[i].schema;
        callback.blocking = functions[i].blocking;
        callback.on_call = functions[i].on_call;
        callback.on_cancel = on_cancel;
        callback.env = (void *)(uintptr_t)functions[i].text;
        if (eryx_sandbox_add_callback(sandbox, &callback, &error) != ERYX_OK)
            fail_msg("%s", error.message);
    }
}

static eryx_sandbox_t *new_sandbox_with(const char *name) {
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits.wall_time_ns = 60 * second;
    eryx_sandbox_t *sandbox = NULL;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    if (name)
        add(sandbox, *name ? name : NULL);
    atomic_store(&held_count, 0);
    atomic_store(&cancelled, 0);
    return sandbox;
}

static void expect_error(eryx_sandbox_t *sandbox, const char *call, const char *error) {
    char code[512], output[512];
    snprintf(code, sizeof code, "try:\n    %s\nexcept Exception as e:\n"
             "    print(type(e).__name__, e, sep=': ')", call);
    snprintf(output, sizeof output, "%s\n", error);
    expect(sandbox, code, output);
}

static void test_functions(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox_with("");
    expect(sandbox, "print(await echo(i=1), await echo())", "{'i': 1} {}\n");
    expect(sandbox, "print(await typed('x'), await typed('x', 3), await typed(b=1, a='y'))",
           "{'a': 'x'} {'a': 'x', 'b': 3} {'b': 1, 'a': 'y'}\n");
    expect(sandbox, "print(plain('x'))\ndef f(): return plain(a='z')\nprint(f())",
           "{'a': 'x'}\n{'a': 'z'}\n");
    expect(sandbox, "print(await a(i=1), await a.b(i=2), await a.b.c(i=3))",
           "{'i': 1} {'i': 2} {'i': 3}\n");
    expect(sandbox, "print(len(x=1), set.it(y=2), größe(), fix(z=1))",
           "{'x': 1} {'y': 2} {} {'z': 1}\n");
    expect(sandbox, "import eryx\n"
                    "print(eryx.callbacks['class'](x=1), eryx.callbacks['not a name']())",
           "{'x': 1} {}\n");
    expect(sandbox, "import inspect\nprint(inspect.signature(typed), inspect.signature(echo))\n"
                    "print(inspect.getdoc(typed))",
           "(a: str, b: int = 5) (**arguments)\nWhat it does.\n\nParameters:\n"
           "    a (string)\n    b (integer, optional)\n");
    expect(sandbox, "help(plain)",
           "Help on function plain in module eryx:\n\nplain(a: str, b: int = 5)\n"
           "    What it does.\n\n    Parameters:\n        a (string)\n"
           "        b (integer, optional)\n\n");
    eryx_sandbox_free(sandbox);
}

static void test_wrong_arguments(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox_with("");
    expect_error(sandbox, "await typed()", "TypeError: typed() missing required argument: 'a'");
    expect_error(sandbox, "await typed('x', 1, 2)",
                 "TypeError: typed() takes 2 positional arguments but 3 were given");
    expect_error(sandbox, "plain('x', a='y')",
                 "TypeError: plain() got multiple values for argument 'a'");
    expect_error(sandbox, "plain('x', c=1)",
                 "TypeError: plain() got an unexpected keyword argument 'c'");
    expect_error(sandbox, "await echo(x={1})",
                 "TypeError: echo() argument 'x' cannot be sent as JSON: "
                 "Object of type set is not JSON serializable");
    expect_error(sandbox, "await fail()", "CallbackError: it failed: é");
    expect_error(sandbox, "await no_json()",
                 "CallbackError: the result of no_json() is not JSON: Expecting property name "
                 "enclosed in double quotes: line 1 column 2 (char 1)");
    eryx_outcome_t *outcome = run(sandbox, "await fail()", NULL);
    assert_string_equal(eryx_outcome_exception_type(outcome), "eryx.CallbackError");
    assert_string_equal(eryx_outcome_exception_message(outcome), "it failed: é");
    assert_null(strstr(eryx_outcome_traceback(outcome), "_eryx"));
    eryx_outcome_free(outcome);
    outcome = run(sandbox, "echo(i=1)", NULL);
    assert_non_null(strstr(eryx_outcome_stderr(outcome, NULL),
                           "coroutine 'echo' was never awaited"));
    check(outcome, ERYX_OUTCOME_OK, "");
    eryx_sandbox_free(sandbox);
}

static void test_invoke(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox_with("echo");
    expect(sandbox, "print(await invoke('echo', '{\"arg\": \"value\"}'), await invoke('echo'),"
                    " await invoke('echo', {'a': 1}, name=2))",
           "{'arg': 'value'} {} {'a': 1, 'name': 2}\n");
    expect_error(sandbox, "await invoke('no.such')", "CallbackError: unknown callback no.such");
    expect_error(sandbox, "await invoke('echo', '[1]')",
                 "TypeError: the arguments of echo() must be a JSON object, not list");
    expect_error(sandbox, "await invoke('echo', '{')",
                 "ValueError: the arguments of echo() are not JSON: Expecting property name "
                 "enclosed in double quotes: line 1 column 2 (char 1)");
    expect_error(sandbox, "await invoke('echo', 1)",
                 "TypeError: the arguments of echo() must be JSON text or a dict, not int");
    expect(sandbox, "print(list_callbacks())",
           "[{'name': 'echo', 'description': 'What it does.', 'parameters_schema_json': '', "
           "'parameters_schema': {}}]\n");
    expect(sandbox, "import eryx\nprint(eryx.invoke is invoke, list(eryx.callbacks))",
           "True ['echo']\n");
    expect(sandbox, "invoke = 1", "");
    expect(sandbox, "print(invoke)", "1\n");
    eryx_sandbox_free(sandbox);
    sandbox = new_sandbox_with(NULL);
    expect(sandbox, "print(list_callbacks(), 'echo' in globals())", "[] False\n");
    expect_error(sandbox, "await invoke('echo')", "CallbackError: unknown callback echo");
    eryx_sandbox_free(sandbox);
}

static void test_together(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox_with("");
    expect_later(sandbox, 5, "print(await asyncio.gather(*[hold(i=i) for i in range(5)]))",
                 "[7, 7, 7, 7, 7]\n");
    expect_later(sandbox, 2,
                 "async with asyncio.TaskGroup() as group:\n"
                 "    tasks = [group.create_task(hold()) for _ in range(2)]\n"
                 "print([task.result() for task in tasks])",
                 "[7, 7]\n");
    atomic_store(&held_count, 0);
    expect_error(sandbox, "await asyncio.wait_for(hold(), 0.01)", "TimeoutError: ");
    assert_int_equal(atomic_load(&cancelled), 1);
    free_held();
    eryx_sandbox_free(sandbox);
}

/* Callbacks are no part of what the user defined. */
static void test_names(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox_with("echo"), *other = new_sandbox_with("echo");
    eryx_error_t error = {0};
    void *data;
    size_t length;
    expect(sandbox, "x = 1\nkept = echo", "");
    add(sandbox, "a.b");
    expect(sandbox, "print(await a.b(i=1), await kept(i=2), x)\nspace = a",
           "{'i': 1} {'i': 2} 1\n");
    assert_int_equal(eryx_sandbox_snapshot(sandbox, NULL, &data, &length, &error), ERYX_OK);
    assert_int_equal(eryx_sandbox_restore(other, data, length, &error), ERYX_ERR_FORMAT);
    assert_non_null(strstr(error.message, "the host has no callback 'a'"));
    add(other, "a.b");
    expect(other, "echo = 5", "");
    assert_int_equal(eryx_sandbox_restore(other, data, length, &error), ERYX_OK);
    expect(other, "print(await echo(i=1), kept is echo, space is a)", "{'i': 1} True True\n");
    eryx_bytes_free(data);
    expect(other, "echo = 5", "");
    add(other, "plain");
    expect(other, "print(echo, plain('x'))", "5 {'a': 'x'}\n");
    assert_int_equal(eryx_sandbox_clear(other, &error), ERYX_OK);
    expect(other, "print(await echo(i=1), plain('x'), 'x' in globals())",
           "{'i': 1} {'a': 'x'} False\n");
    eryx_sandbox_free(sandbox);
    eryx_sandbox_free(other);
    sandbox = new_sandbox_with(NULL);
    expect(sandbox, "print('echo' in globals(), list_callbacks())", "False []\n");
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

enum { MANY = 1000 };

static void test_queue(void **state) {
    (void)state;
    static eryx_sandbox_t *sandboxes[MANY];
    eryx_queue_t *queue;
    assert_int_equal(eryx_queue_new(&queue, NULL), ERYX_OK);
    for (int i = 0; i < MANY; i++) {
        sandboxes[i] = new_sandbox(60 * second);
        start(sandboxes[i],
              i % 2 ? "await call('host.hold', '1')\nprint(1)" : "await asyncio.sleep(0.1)\nprint(1)",
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
    expect(sandbox, "print('C' in globals())", "False\n");
    eryx_sandbox_free(sandbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions), cmocka_unit_test(test_wrong_arguments),
        cmocka_unit_test(test_invoke),    cmocka_unit_test(test_together),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_at_once),   cmocka_unit_test(test_later),
        cmocka_unit_test(test_withdrawn), cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_queue),     cmocka_unit_test(test_result),
        cmocka_unit_test(test_snapshot),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
