/* Sessions whose programs break what later executions need: streams, builtins, modules, the event
 * loop and its policy. What comes after finds all of it working. */
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
#include "signals.h"

static eryx_sandbox_t *new_sandbox(void) {
    signals_restore();
    eryx_callback_t callbacks[2];
    eryx_callback_init(&callbacks[0]);
    callbacks[0].name = "echo";
    callbacks[0].on_call = on_echo;
    callbacks[1] = callbacks[0];
    callbacks[1].name = "plain";
    callbacks[1].blocking = true;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits.wall_time_ns = 60 * second;
    options.callbacks = callbacks;
    options.callback_count = 2;
    eryx_sandbox_t *sandbox = NULL;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    return sandbox;
}

/* Without the prelude, whose imports may be what was broken. */
static const char works[] =
    "import asyncio, eryx, json\n"
    "async def main():\n"
    "    await asyncio.sleep(0.001)\n"
    "    return [each['i'] for each in await asyncio.gather(echo(i=1), eryx.invoke('echo', i=2))]\n"
    "def deep():\n    return asyncio.run(main())\n"
    "print(await main(), deep(), asyncio.run(main()), plain(i=json.loads('3')))\n";
static const char worked[] = "[1, 2] [1, 2] [1, 2] {'i': 3}\n";

static void expect_works(eryx_sandbox_t *sandbox) {
    prints(sandbox, works, worked);
}

/* Runs each in a session of its own; afterwards everything works. */
static void expect_survives(const char *const *programs) {
    for (size_t i = 0; programs[i]; i++) {
        eryx_sandbox_t *sandbox = new_sandbox();
        expect_works(sandbox);
        eryx_outcome_t *outcome = execute(sandbox, programs[i]);
        if (eryx_outcome_kind(outcome) != ERYX_OUTCOME_OK)
            fail_msg("%s: %s", programs[i], eryx_outcome_traceback(outcome));
        eryx_outcome_free(outcome);
        print_message("%.60s\n", programs[i]);
        expect_works(sandbox);
        eryx_sandbox_free(sandbox);
    }
}

static void test_modules(void **state) {
    (void)state;
    static const char *const programs[] = {
        "import sys\ndel sys.modules['eryx']",
        "import sys\nfor name in list(sys.modules):\n"
        "    if name.startswith('_eryx') or name == 'eryx': del sys.modules[name]",
        "import sys\nfor name in list(sys.modules):\n"
        "    if name.partition('.')[0] in ('asyncio', '_asyncio', 'json'): del sys.modules[name]",
        "import sys, asyncio.events\ndel sys.modules['asyncio'], sys.modules['asyncio.events']",
        "import sys\nfor name in list(sys.modules):\n"
        "    if name not in ('sys', 'builtins', '__main__'): del sys.modules[name]",
        "import sys\nfor name in list(sys.modules):\n"
        "    if name.startswith('_eryx'): sys.modules[name] = None",
        "import json\njson.dumps = json.loads = lambda *a, **k: 1 / 0\n"
        "def loads(text): return 3\njson.loads = loads",
        "import eryx\nvars(eryx).clear()\nimport sys\ndel sys.modules['eryx']\n"
        "import importlib\nsys.modules['eryx'] = importlib.import_module('_eryx_callbacks')",
        "import sys\nsys.path.clear(); sys.path_hooks.clear(); sys.path_importer_cache.clear()",
        NULL};
    expect_survives(programs);
}

static void test_loops(void **state) {
    (void)state;
    static const char *const programs[] = {
        "import asyncio\nasyncio.set_event_loop(None)",
        "import asyncio\nasyncio.get_event_loop_policy().set_event_loop(None)",
        "import asyncio\nasyncio.get_running_loop().call_soon(print, 1)\nawait asyncio.sleep(0)\n"
        "asyncio.get_running_loop().close = None",
        "import _eryx_driver\n_eryx_driver._session_loop.close()",
        "import asyncio\nloop = asyncio.get_running_loop()\nawait asyncio.sleep(0)\n"
        "loop.set_task_factory(lambda loop, coro, **k: asyncio.Task(coro, loop=loop, **k))",
        "import asyncio\nloop = asyncio.get_running_loop()\nawait asyncio.sleep(0)\nloop.stop()",
        "import asyncio\nasyncio.get_running_loop().set_debug(True)\nawait asyncio.sleep(0)",
        "import asyncio, warnings\nwarnings.simplefilter('ignore')\n"
        "class Policy(asyncio.DefaultEventLoopPolicy):\n    pass\n"
        "asyncio.set_event_loop_policy(Policy())",
        NULL};
    expect_survives(programs);
    /* A policy that refuses is asked by asyncio.run, as everywhere; what is awaited needs none. */
    eryx_sandbox_t *sandbox = new_sandbox();
    prints(sandbox,
           "import asyncio, warnings\nwarnings.simplefilter('ignore')\n"
           "class Policy(asyncio.AbstractEventLoopPolicy):\n"
           "    def get_event_loop(self): raise OSError('mine')\n"
           "    set_event_loop = new_event_loop = get_event_loop\n"
           "asyncio.set_event_loop_policy(Policy())\n"
           "async def main(): return await asyncio.gather(echo(i=1), asyncio.sleep(0.001))\n"
           "print(await main())\n"
           "try:\n    asyncio.run(asyncio.sleep(0))\n"
           "except OSError as error:\n    print(error)\n",
           "[{'i': 1}, None]\nmine\n");
    prints(sandbox, "print(await main())", "[{'i': 1}, None]\n");
    prints(sandbox, "asyncio.set_event_loop_policy(None)", "");
    expect_works(sandbox);
    eryx_sandbox_free(sandbox);
}

/* Builtins are the session's: what is replaced stays so, for asyncio too, until clear. */
static void test_builtins(void **state) {
    (void)state;
    static const char *const programs[] = {
        "import builtins\nvars(builtins).clear()",
        "import builtins\nbuiltins.print = builtins.len = builtins.Exception = builtins.range = "
        "None\n"
        "builtins.__import__ = builtins.__build_class__ = builtins.compile = None",
        "import builtins\nbuiltins.isinstance = builtins.type = lambda *a: False",
        "__builtins__ = {}",
        "__builtins__ = None",
        NULL};
    for (size_t i = 0; programs[i]; i++) {
        eryx_sandbox_t *sandbox = new_sandbox();
        eryx_outcome_free(execute(sandbox, programs[i]));
        eryx_outcome_t *outcome = execute(sandbox, works);
        if (eryx_outcome_kind(outcome) > ERYX_OUTCOME_EXCEPTION)
            fail_msg("%s: %s", programs[i], eryx_outcome_exception_message(outcome));
        eryx_outcome_free(outcome);
        check(execute(sandbox, "kept = 1"), ERYX_OUTCOME_OK, "");
        assert_int_equal(eryx_sandbox_clear(sandbox, NULL), ERYX_OK);
        expect_works(sandbox);
        eryx_sandbox_free(sandbox);
    }
    eryx_sandbox_t *sandbox = new_sandbox();
    prints(sandbox, "import builtins\nbuiltins.print = lambda *a: None", "");
    prints(sandbox, "print(await echo(i=1))", "");
    eryx_sandbox_free(sandbox);
}

/* A stream that the program has replaced stays so; one that it has closed is there again. */
static void test_streams(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox();
    prints(sandbox, "import sys\nsys.stdout = None\nprint('lost')", "");
    prints(sandbox, "print('lost', await echo(i=1))", "");
    prints(sandbox,
           "class Upper:\n    def write(self, text): sys.__stdout__.write(text.upper())\n"
           "    def flush(self): pass\nsys.stdout = Upper()\nprint('a', await echo(i='x'))",
           "A {'I': 'X'}\n");
    prints(sandbox, "print('still')", "STILL\n");
    prints(sandbox, "sys.stdout = sys.__stdout__\nsys.stdout.close()", "");
    expect_works(sandbox);
    prints(sandbox, "sys.stdout.detach()", "");
    expect_works(sandbox);
    prints(sandbox, "import sys\nsys.stdout = sys.stderr = sys.stdin = 5", "");
    eryx_outcome_t *outcome = execute(sandbox, "1 / 0");
    assert_string_equal(eryx_outcome_exception_type(outcome), "ZeroDivisionError");
    check(outcome, ERYX_OUTCOME_EXCEPTION, "");
    assert_int_equal(eryx_sandbox_clear(sandbox, NULL), ERYX_OK);
    prints(sandbox, "print(await echo(i=1))", "{'i': 1}\n");
    eryx_sandbox_free(sandbox);
}

/* What `clear` undoes. */
static void test_clear(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox();
    prints(sandbox,
           "import sys, os, builtins\nsys.modules.clear(); sys.meta_path.clear()\n"
           "sys.path_hooks.clear(); sys.path.clear(); os.environ.clear()\n"
           "sys.excepthook = sys.displayhook = None\nsys.setrecursionlimit(50)\n"
           "builtins.print = None\nglobals().clear()\n",
           "");
    assert_int_equal(eryx_sandbox_clear(sandbox, NULL), ERYX_OK);
    expect_works(sandbox);
    eryx_sandbox_free(sandbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modules),  cmocka_unit_test(test_loops),
        cmocka_unit_test(test_builtins), cmocka_unit_test(test_streams),
        cmocka_unit_test(test_clear),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
