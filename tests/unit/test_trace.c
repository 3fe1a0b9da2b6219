/* Traces of the real runtime: which events a program gives, and what they carry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <eryx.h>

#include "python_runtime.h"
#include "signals.h"

enum { LOG_BYTES = 1 << 20 };

/* One line an event: `type line function`, or the whole JSON of both if `whole`. */
static struct {
    char text[LOG_BYTES];
    size_t length;
    uint64_t events;
    bool whole, counts_only;
} log_;

static void value_of(const char *json, size_t length, const char *key, char *out, size_t size) {
    char quoted[64], copy[4096];
    snprintf(copy, sizeof copy, "%.*s", (int)length, json);
    snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
    const char *found = strstr(copy, quoted);
    found = found ? found + strlen(quoted) : "-\"";
    snprintf(out, size, "%.*s", (int)strcspn(found, "\""), found);
}

static void on_trace(void *env, uint32_t lineno, const char *event, size_t event_length,
                     const char *context, size_t context_length) {
    (void)env;
    log_.events++;
    if (log_.counts_only)
        return;
    char *to = log_.text + log_.length;
    size_t room = LOG_BYTES - log_.length;
    int written;
    if (log_.whole) {
        written = snprintf(to, room, "%u %.*s %.*s\n", lineno, (int)event_length, event,
                           (int)context_length, context);
    } else {
        char type[64], function[64], detail[128];
        value_of(event, event_length, "type", type, sizeof type);
        value_of(event, event_length, type[0] == 'e' ? "exception" : "name", detail, sizeof detail);
        value_of(context, context_length, "function", function, sizeof function);
        written = snprintf(to, room, "%s %u %s%s%s\n", type, lineno, function,
                           detail[0] == '-' ? "" : " ", detail[0] == '-' ? "" : detail);
    }
    if (written < 0 || (size_t)written >= room)
        abort();
    log_.length += (size_t)written;
}

static eryx_sandbox_t *new_sandbox(bool traced, uint32_t locals) {
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    eryx_callback_t callback;
    eryx_callback_init(&callback);
    callback.name = "host.echo";
    callback.on_call = on_echo;
    options.callbacks = &callback;
    options.callback_count = 1;
    options.on_trace = traced ? on_trace : NULL;
    options.trace_locals_bytes = locals;
    eryx_sandbox_t *sandbox = NULL;
    eryx_error_t error = {0};
    signals_restore();
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    memset(&log_, 0, sizeof log_);
    return sandbox;
}

static void run_as(eryx_sandbox_t *sandbox, const char *filename, const char *code,
                   const char *output) {
    eryx_execute_options_t options;
    eryx_execute_options_init(&options);
    options.filename = filename;
    eryx_outcome_t *outcome = NULL;
    eryx_error_t error = {0};
    log_.length = 0;
    log_.events = 0;
    log_.text[0] = 0;
    if (eryx_sandbox_execute(sandbox, code, strlen(code), &options, &outcome, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    if (eryx_outcome_kind(outcome) != ERYX_OUTCOME_OK ||
        strcmp(eryx_outcome_stdout(outcome, NULL), output) != 0)
        fail_msg("%s\nstdout: %s\nexpected: %s\n%s", code, eryx_outcome_stdout(outcome, NULL),
                 output, eryx_outcome_traceback(outcome));
    eryx_outcome_free(outcome);
}

static void run_traced(eryx_sandbox_t *sandbox, const char *code, const char *output) {
    run_as(sandbox, NULL, code, output);
}

static void expect_events(eryx_sandbox_t *sandbox, const char *code, const char *events) {
    run_traced(sandbox, code, "");
    if (strcmp(log_.text, events) != 0)
        fail_msg("%s\ngives\n%s\nnot\n%s", code, log_.text, events);
}

static void expect_in_log(const char *part) {
    if (!strstr(log_.text, part))
        fail_msg("%s\nis not in\n%s", part, log_.text);
}

/* --- Events ------------------------------------------------------------------------------- */

static void test_off(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(false, 100);
    run_traced(sandbox, "import sys\nprint([sys.monitoring.get_tool(i) for i in range(6)])",
               "[None, None, None, None, None, None]\n");
    assert_int_equal(log_.events, 0);
    eryx_sandbox_free(sandbox);
}

static void test_calls(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(true, 0);
    expect_events(sandbox, "def f(n):\n    return n + 1\n\nx = f(f(1))\n",
                  "call 1 <module>\nline 1 <module>\nline 4 <module>\n"
                  "call 1 f\nline 2 f\nreturn 2 f\ncall 1 f\nline 2 f\nreturn 2 f\n"
                  "return 4 <module>\n");
    expect_events(sandbox,
                  "class A:\n    def m(self):\n        return [i for i in 'ab']\nA().m()\n",
                  "call 1 <module>\nline 1 <module>\ncall 1 A\nline 1 A\nline 2 A\nreturn 2 A\n"
                  "line 4 <module>\ncall 2 A.m\nline 3 A.m\nreturn 3 A.m\nreturn 4 <module>\n");
    expect_events(
        sandbox, "f(1)\n",
        "call 1 <module>\nline 1 <module>\ncall 1 f\nline 2 f\nreturn 2 f\nreturn 1 <module>\n");
    eryx_sandbox_free(sandbox);
}

static void test_exceptions(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(true, 0);
    expect_events(
        sandbox,
        "def f():\n    raise ValueError('bad')\ntry:\n    f()\nexcept ValueError:\n    pass\n",
        "call 1 <module>\nline 1 <module>\nline 3 <module>\nline 4 <module>\ncall 1 f\n"
        "line 2 f\nexception 2 f ValueError: bad\nexception 4 <module> ValueError: bad\n"
        "line 5 <module>\nline 6 <module>\nreturn 6 <module>\n");
    expect_events(sandbox,
                  "class E(Exception):\n    __str__ = 3\ntry:\n    raise E\nexcept E:\n    pass\n",
                  "call 1 <module>\nline 1 <module>\ncall 1 E\nline 1 E\nline 2 E\nreturn 2 E\n"
                  "line 3 <module>\nline 4 <module>\nexception 4 <module> E: <str failed>\n"
                  "line 5 <module>\nline 6 <module>\nreturn 6 <module>\n");
    log_.whole = true;
    run_traced(sandbox, "try:\n    raise KeyError('ä' * 500)\nexcept KeyError: pass\n", "");
    char expected[600] = "\"exception\":\"KeyError: '";
    for (int i = 0; i < 94; i++)
        strcat(expected, "ä");
    strcat(expected, "\"} {\"file\":\"<eryx");
    /* 200 bytes: 8 of the type, 2, the quote and whole characters. */
    expect_in_log(expected);
    eryx_sandbox_free(sandbox);
}

static void test_suspended(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(true, 0);
    expect_events(sandbox, "def g():\n    yield 1\n    yield 2\nfor i in g():\n    pass\n",
                  "call 1 <module>\nline 1 <module>\nline 4 <module>\ncall 1 g\nline 2 g\n"
                  "line 5 <module>\nline 4 <module>\nline 3 g\nline 5 <module>\nline 4 <module>\n"
                  "return 3 g\nreturn 4 <module>\n");
    expect_events(sandbox, "import asyncio\nawait asyncio.sleep(0.01)\nx = 1\n",
                  "call 1 <module>\nline 1 <module>\nline 2 <module>\nline 3 <module>\n"
                  "return 3 <module>\n");
    expect_events(
        sandbox, "async def f():\n    await asyncio.sleep(0.01)\n    return 2\nx = await f()\n",
        "call 1 <module>\nline 1 <module>\nline 4 <module>\ncall 1 f\nline 2 f\nline 3 f\n"
        "return 3 f\nreturn 4 <module>\n");
    eryx_sandbox_free(sandbox);
}

/* Only the program's lines, though the library's functions are Python too. */
static void test_library(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(true, 0);
    for (int i = 0; i < 2; i++)
        expect_events(sandbox,
                      "import textwrap, json\nx = textwrap.wrap('a b')\ny = json.dumps([x])\n",
                      "call 1 <module>\nline 1 <module>\nline 2 <module>\nline 3 <module>\n"
                      "return 3 <module>\n");
    expect_events(
        sandbox, "try:\n    json.loads('{')\nexcept ValueError:\n    pass\n",
        "call 1 <module>\nline 1 <module>\nline 2 <module>\n"
        "exception 2 <module> JSONDecodeError: Expecting property name enclosed in double "
        "quotes: line 1 column 2 (char 1)\n"
        "line 3 <module>\nline 4 <module>\nreturn 4 <module>\n");
    eryx_sandbox_free(sandbox);
}

static void test_callbacks(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(true, 0);
    expect_events(
        sandbox,
        "from _eryx_driver import call, call_blocking\nx = await call('host.echo', '1')\n"
        "y = call_blocking('host.echo', '2')\n",
        "call 1 <module>\nline 1 <module>\nline 2 <module>\ncallback-start 0 - host.echo\n"
        "callback-end 0 - host.echo\nline 3 <module>\ncallback-start 0 - host.echo\n"
        "callback-end 0 - host.echo\nreturn 3 <module>\n");
    eryx_sandbox_free(sandbox);
}

/* --- What events carry -------------------------------------------------------------------- */

static void test_json(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(true, 0);
    log_.whole = true;
    run_as(sandbox, "a\"\\\n\x01ä",
           "def f(): pass\nf.__code__ = f.__code__.replace(co_qualname='q\"\\ud800\\x7fz')\nf()\n",
           "");
    expect_in_log("\n1 {\"type\":\"line\",\"line\":1} "
                  "{\"file\":\"a\\\"\\\\\\u000a\\u0001ä\",\"function\":\"<module>\"}\n");
    expect_in_log("\n1 {\"type\":\"call\",\"line\":1} {\"file\":\"a\\\"\\\\\\u000a\\u0001ä\","
                  "\"function\":\"q\\\"\xef\xbf\xbd\x7fz\"}\n");
    eryx_sandbox_free(sandbox);
}

/* What a traceback is made with has the filename "<string>", too (namedtuple), as `eryx run -c`. */
static void test_report(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(true, 0);
    eryx_execute_options_t options;
    eryx_execute_options_init(&options);
    options.filename = "<string>";
    eryx_outcome_t *outcome = NULL;
    static const char code[] = "class E(Exception):\n    def __str__(self): return 'e'\nraise E\n";
    log_.length = 0;
    log_.whole = false;
    assert_int_equal(eryx_sandbox_execute(sandbox, code, sizeof code - 1, &options, &outcome, NULL),
                     ERYX_OK);
    assert_string_equal(eryx_outcome_exception_message(outcome), "e");
    eryx_outcome_free(outcome);
    expect_in_log("exception 3 <module> E: e\n");
    assert_null(strstr(log_.text, "<lambda>"));
    assert_null(strstr(log_.text, "__str__"));
    eryx_sandbox_free(sandbox);
}

/* A repr called for locals is not told of, the program's own call of it is. */
static void test_locals_repr(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(true, 100);
    log_.whole = true;
    run_traced(sandbox,
               "class R:\n    def __repr__(self):\n        return 'r'\n"
               "def f(a):\n    return a\nr = f(R())\nprint(repr(r))\n",
               "r\n");
    expect_in_log("\"function\":\"R.__repr__\"");
    eryx_sandbox_free(sandbox);
}

static void test_locals(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(true, 40);
    log_.whole = true;
    run_traced(sandbox,
               "class B:\n    def __repr__(self): 1 / 0\n"
               "def f(a, b):\n    c = 'x' * 1000\n    return 5\nx = f(1, B())\n",
               "");
    expect_in_log("5 {\"type\":\"return\",\"line\":5} {\"file\":\"<eryx>\",\"function\":\"f\","
                  "\"locals\":{\"a\":\"1\",\"b\":\"<repr failed>\","
                  "\"c\":\"'xxxxxxxxxxxxxxxxxxxxxx\"}}\n");
    run_traced(sandbox, "def g(q):\n    return 1\nx = g([0] * 1000)\n", "");
    expect_in_log("\"function\":\"g\",\"locals\":{\"q\":\"<1000 items>\"}}\n");
    run_traced(sandbox,
               "def h():\n    s = '\\ud800\"\\n'\n    return 1\nx = h()\n"
               "def k():\n    a_name_that_is_longer_than_what_there_is_room_for = 1\n    return 1\n"
               "x = k()\n",
               "");
    expect_in_log("\"function\":\"h\",\"locals\":{\"s\":\"'\\\\ud800\\\"\\\\n'\"}}\n");
    expect_in_log("\"function\":\"k\",\"locals\":{}}\n");
    eryx_sandbox_free(sandbox);
}

/* --- Programs that trace themselves, and the cost ----------------------------------------- */

static void test_own_tools(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(true, 0);
    run_traced(
        sandbox,
        "import sys\nseen = []\n"
        "def tracer(frame, event, argument):\n    seen.append(event)\n    return tracer\n"
        "def f():\n    return 1\n"
        "sys.settrace(tracer)\nf()\nsys.settrace(None)\nprint(seen)\n"
        "m = sys.monitoring\nm.use_tool_id(2, 'mine')\nlines = []\n"
        "m.register_callback(2, m.events.LINE, lambda code, line: lines.append(line))\n"
        "m.set_local_events(2, f.__code__, m.events.LINE)\nf()\nprint(lines)\nm.free_tool_id(2)\n",
        "['call', 'line', 'return']\n[7]\n");
    expect_in_log("line 7 f\n");
    run_traced(sandbox,
               "old = m.register_callback(4, m.events.LINE, None)\n"
               "print(old(1, 2) is m.DISABLE, old() is m.DISABLE, old(f.__code__, 'x'))\n"
               "m.free_tool_id(4)\nm.use_tool_id(4, 'mine')\n",
               "True True None\n");
    run_traced(sandbox, "print(m.get_tool(4), m.get_tool(3))\nm.free_tool_id(4)\n", "mine eryx\n");
    assert_int_not_equal(log_.events, 0);
    run_traced(sandbox, "print(m.get_tool(4), m.get_tool(3))\n", "eryx None\n");
    eryx_sandbox_free(sandbox);
}

static double seconds_of(eryx_sandbox_t *sandbox, const char *code) {
    double best = 1e9;
    for (int i = 0; i < 3; i++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        run_traced(sandbox, code, "");
        clock_gettime(CLOCK_MONOTONIC, &end);
        double taken =
            (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
        best = taken < best ? taken : best;
    }
    return best;
}

static void test_cost(void **state) {
    (void)state;
    static const char loop[] =
        "def f():\n    x = 0\n    for i in range(100000):\n        x += i\n    return x\nx = f()\n";
    eryx_sandbox_t *sandbox = new_sandbox(false, 0);
    double plain = seconds_of(sandbox, loop);
    eryx_sandbox_free(sandbox);
    sandbox = new_sandbox(true, 0);
    log_.counts_only = true;
    double traced = seconds_of(sandbox, loop);
    assert_true(log_.events > 200000);
    print_message("%.0f ns an event; %.2f ms untraced, %.2f ms traced\n",
                  (traced - plain) / (double)log_.events * 1e9, plain * 1e3, traced * 1e3);
    /* Far above what it takes (well under 1 us), so that a busy machine does not fail it. */
    assert_true(traced < (double)log_.events * 10e-6);
    eryx_sandbox_free(sandbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_off),        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_exceptions), cmocka_unit_test(test_suspended),
        cmocka_unit_test(test_library),    cmocka_unit_test(test_callbacks),
        cmocka_unit_test(test_json),       cmocka_unit_test(test_locals),
        cmocka_unit_test(test_report),     cmocka_unit_test(test_locals_repr),
        cmocka_unit_test(test_own_tools),  cmocka_unit_test(test_cost),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
