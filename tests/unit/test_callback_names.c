/* Callbacks as functions of the session: binding by schema, names, errors, invoke. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "python_runtime.h"

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
    {"no_number", NULL, false, on_text, "[NaN]"},
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
    snprintf(code, sizeof code,
             "try:\n    %s\nexcept Exception as e:\n"
             "    print(type(e).__name__, e, sep=': ')",
             call);
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
    expect(sandbox,
           "import eryx\n"
           "print(eryx.callbacks['class'](x=1), eryx.callbacks['not a name']())",
           "{'x': 1} {}\n");
    expect(sandbox,
           "import inspect\nprint(inspect.signature(typed), inspect.signature(echo))\n"
           "print(inspect.getdoc(typed))",
           "(a: str, b: int = 5) (**arguments)\nWhat it does.\n\nParameters:\n"
           "    a (string)\n    b (integer, optional)\n");
    expect(sandbox, "help(plain)",
           "Help on function plain in module eryx:\n\nplain(a: str, b: int = 5)\n"
           "    What it does.\n\n    Parameters:\n        a (string)\n"
           "        b (integer, optional)\n\n");
    eryx_sandbox_free(sandbox);
}

/* Whoever asks is told that they are functions. */
static void test_like_functions(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox_with("");
    expect(sandbox,
           "import inspect, types\n"
           "print(*[(inspect.isfunction(f), inspect.iscoroutinefunction(f), f.__name__, "
           "f.__qualname__,\n"
           "         f.__module__, isinstance(f, types.FunctionType), f.__doc__.split('\\n')[0])\n"
           "        for f in (typed, plain, a.b)], sep='\\n')",
           "(True, True, 'typed', 'typed', 'eryx', True, 'What it does.')\n"
           "(True, False, 'plain', 'plain', 'eryx', True, 'What it does.')\n"
           "(True, True, 'b', 'a.b', 'eryx', True, 'What it does.')\n");
    expect(sandbox,
           "import copy, functools, pickle, typing\n"
           "print(copy.copy(typed) is copy.deepcopy(typed) is pickle.loads(pickle.dumps(typed)) is "
           "typed,\n"
           "      typing.get_type_hints(typed))",
           "True {'a': <class 'str'>, 'b': <class 'int'>}\n");
    expect(sandbox,
           "@functools.wraps(typed)\nasync def wrapped(*args): return await typed(*args)\n"
           "class Owner:\n    method, static = plain, staticmethod(typed)\n"
           "typed.mark = 1\n"
           "print(inspect.signature(wrapped), await wrapped('x', 2), Owner().method.__func__ is "
           "plain,\n"
           "      await Owner.static('y'), vars(typed))",
           "(a: str, b: int = 5) {'a': 'x', 'b': 2} True {'a': 'y'} {'mark': 1}\n");
    expect(sandbox, "coroutine = typed('x')\nprint(coroutine.__qualname__)\ncoroutine.close()",
           "typed\n");
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
    expect_error(sandbox, "await no_number()",
                 "CallbackError: the result of no_number() is not JSON: NaN is no JSON value");
    eryx_outcome_t *outcome = run(sandbox, "await fail()", NULL);
    assert_string_equal(eryx_outcome_exception_type(outcome), "eryx.CallbackError");
    assert_string_equal(eryx_outcome_exception_message(outcome), "it failed: é");
    assert_null(strstr(eryx_outcome_traceback(outcome), "_eryx"));
    eryx_outcome_free(outcome);
    outcome = run(sandbox, "echo(i=1)", NULL);
    assert_non_null(
        strstr(eryx_outcome_stderr(outcome, NULL), "coroutine 'echo' was never awaited"));
    check(outcome, ERYX_OUTCOME_OK, "");
    eryx_sandbox_free(sandbox);
}

static void test_invoke(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox_with("echo");
    expect(sandbox,
           "print(await invoke('echo', '{\"arg\": \"value\"}'), await invoke('echo'),"
           " await invoke('echo', {'a': 1}, name=2))",
           "{'arg': 'value'} {} {'a': 1, 'name': 2}\n");
    expect_error(sandbox, "await invoke('no.such')", "CallbackError: unknown callback no.such");
    expect_error(sandbox, "await invoke('echo', '[1]')",
                 "TypeError: the arguments of echo() must be a JSON object, not list");
    expect_error(sandbox, "await invoke('echo', '{')",
                 "ValueError: the arguments of echo() are not JSON: Expecting property name "
                 "enclosed in double quotes: line 1 column 2 (char 1)");
    expect_error(sandbox, "await invoke('echo', '{\"a\": -Infinity}')",
                 "ValueError: the arguments of echo() are not JSON: -Infinity is no JSON value");
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions),       cmocka_unit_test(test_like_functions),
        cmocka_unit_test(test_wrong_arguments), cmocka_unit_test(test_invoke),
        cmocka_unit_test(test_together),        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
