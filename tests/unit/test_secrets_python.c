/* Secrets in the real runtime: Python has placeholders, and a value that gets in all the same (here
 * through stdin) does not get out again. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "python_runtime.h"
#include "secret_sample.h"
#include "signals.h"

/* What left the sandbox, by all ways. */
static struct {
    char text[1 << 16];
    size_t length;
} seen;

static void see(const char *text, size_t length) {
    assert_true(seen.length + length < sizeof seen.text);
    memcpy(seen.text + seen.length, text, length);
    seen.length += length;
    seen.text[seen.length] = '\0';
}

static void on_output(void *env, eryx_stream_t stream, const char *data, size_t length) {
    (void)env, (void)stream;
    see(data, length);
}

static void on_trace(void *env, uint32_t lineno, const char *event, size_t event_length,
                     const char *context, size_t context_length) {
    (void)env, (void)lineno;
    see(event, event_length);
    see(context, context_length);
}

static void on_look(void *env, eryx_call_t *call) {
    (void)env;
    size_t length;
    const char *arguments = eryx_call_arguments(call, &length);
    see(arguments, length);
    char answer[128];
    int written = snprintf(answer, sizeof answer, "\"%s\"", value);
    eryx_call_complete(call, answer, (size_t)written, NULL);
    eryx_call_free(call);
}

static void on_sample(void *env, const eryx_sample_t *sample) {
    (void)env;
    for (size_t i = 0; i < sample->count; i++) {
        see(sample->frames[i].function, strlen(sample->frames[i].function));
        see(sample->frames[i].file, strlen(sample->frames[i].file));
    }
}

static void on_event(void *env, const eryx_net_event_t *event) {
    (void)env;
    see(event->name, strlen(event->name));
    see(event->reason, strlen(event->reason));
    see("\n", 1);
}

static eryx_sandbox_t *make_of(bool tells_output, bool traced, const char *of_value,
                               const eryx_checkpoint_part_t *part, int expected) {
    eryx_sandbox_options_t options;
    eryx_secret_t secret;
    eryx_callback_t callback;
    eryx_error_t error = {0, ""};
    eryx_sandbox_options_init(&options);
    secret_sample(&secret);
    eryx_callback_init(&callback);
    secret.value = of_value;
    callback.name = "look";
    callback.blocking = true;
    callback.on_call = on_look;
    options.secrets = &secret;
    options.secret_count = 1;
    options.callbacks = &callback;
    options.callback_count = 1;
    options.on_input = secret_on_input;
    options.on_output = tells_output ? on_output : NULL;
    options.on_trace = traced ? on_trace : NULL;
    options.trace_locals_bytes = traced ? 1000 : 0;
    eryx_sandbox_t *sandbox = NULL;
    int status = part ? eryx_sandbox_resume(runtime, part, 1, &options, &sandbox, &error)
                      : eryx_sandbox_new(runtime, &options, &sandbox, &error);
    if (status != expected)
        fail_msg("%d, not %d: %s", status, expected, error.message);
    seen.length = 0;
    return sandbox;
}

static eryx_sandbox_t *make(bool tells_output, bool traced) {
    return make_of(tells_output, traced, value, NULL, ERYX_OK);
}

static void no_value_in(const char *text) {
    if (strstr(text, "live-4eC39"))
        fail_msg("the value got out: %s", text);
}

static void test_environ_has_the_placeholder(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = make(false, false), *other = make(false, false);
    const char *placeholder = eryx_sandbox_placeholder(sandbox, "API_KEY");
    char expected[128];
    snprintf(expected, sizeof expected, "%s\n", placeholder);
    expect(sandbox, "import os\nprint(os.environ['API_KEY'])", expected);
    assert_null(eryx_sandbox_placeholder(sandbox, "OTHER"));
    assert_string_not_equal(placeholder, eryx_sandbox_placeholder(other, "API_KEY"));
    eryx_sandbox_free(sandbox);
    eryx_sandbox_free(other);
}

static void test_kept_output_and_result(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = make(false, false);
    const char *placeholder = eryx_sandbox_placeholder(sandbox, "API_KEY");
    eryx_outcome_t *outcome = run(sandbox,
                                  "import sys, base64, urllib.parse, json\n"
                                  "v = input()\n"
                                  "print(v, repr(v), v.encode().hex(), json.dumps({'v': v}))\n"
                                  "print(base64.b64encode(f'u:{v}'.encode()).decode())\n"
                                  "for c in v: print(c, end='', flush=True)\n"
                                  "sys.stderr.write(v)\n",
                                  "v");
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_OK);
    const char *text = eryx_outcome_stdout(outcome, NULL);
    no_value_in(text);
    no_value_in(eryx_outcome_stderr(outcome, NULL));
    no_value_in(eryx_outcome_result_json(outcome, NULL));
    if (strncmp(text, placeholder, strlen(placeholder)) != 0)
        fail_msg("%s: not the placeholder %s", text, placeholder);
    assert_string_equal(eryx_outcome_stderr(outcome, NULL), placeholder);
    assert_null(strstr(text, "736b2d6c6976652d"));
    assert_null(strstr(text, "c2stbGl2ZS00ZUMzO")); /* base64 of the value, as after "u:" + 1 */
    eryx_outcome_free(outcome);
    outcome = run(
        sandbox,
        "print(base64.b64decode(base64.b64encode(f'u:{v}'.encode())) == f'u:{v}'.encode())", NULL);
    assert_string_equal(eryx_outcome_stdout(outcome, NULL), "True\n");
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
}

static void test_exceptions(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = make(false, false);
    eryx_outcome_t *outcome = run(sandbox,
                                  "v = input()\n"
                                  "class E(Exception): pass\n"
                                  "E.__qualname__ = v\n"
                                  "e = E('bad key ' + v)\n"
                                  "e.add_note(v[:20] + v[20:])\n"
                                  "raise e\n",
                                  NULL);
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_EXCEPTION);
    no_value_in(eryx_outcome_exception_type(outcome));
    no_value_in(eryx_outcome_exception_message(outcome));
    no_value_in(eryx_outcome_traceback(outcome));
    assert_non_null(strstr(eryx_outcome_exception_message(outcome),
                           eryx_sandbox_placeholder(sandbox, "API_KEY")));
    eryx_outcome_free(outcome);
    outcome = run(sandbox, "x = {1, v}", "x");
    assert_non_null(eryx_outcome_result_error(outcome));
    no_value_in(eryx_outcome_result_error(outcome));
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
}

static void test_output_as_it_is_written(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = make(true, false);
    const char *placeholder = eryx_sandbox_placeholder(sandbox, "API_KEY");
    char expected[256];
    /* Three letters are shown before it can be known what they begin. */
    snprintf(expected, sizeof expected, "%s\nsk-%s\nname? sk", placeholder, placeholder + 3);
    eryx_outcome_free(run(sandbox,
                          "v = input()\nprint(v)\n"
                          "for c in v: print(c, end='', flush=True)\n"
                          "print('\\nname? sk', end='')\n",
                          NULL));
    assert_string_equal(seen.text, expected);
    eryx_sandbox_free(sandbox);
}

static void test_traces_and_callbacks(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = make(true, true);
    eryx_outcome_t *outcome = run(sandbox,
                                  "def f(a):\n"
                                  "    b = [a]\n"
                                  "    return b\n"
                                  "v = input()\n"
                                  "f(v)\n"
                                  "got = look(key=v)\n"
                                  "import os\n"
                                  "print(got == os.environ['API_KEY'])\n",
                                  NULL);
    if (eryx_outcome_kind(outcome) != ERYX_OUTCOME_OK)
        fail_msg("%s", eryx_outcome_traceback(outcome));
    no_value_in(seen.text);
    assert_non_null(strstr(seen.text, "True\n"));
    assert_non_null(strstr(seen.text, eryx_sandbox_placeholder(sandbox, "API_KEY")));
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
}

/* Names of functions and files, and of hosts that a program asks for, which the rules may refuse. */
static void test_samples_and_events(void **state) {
    (void)state;
    static const char *const hosts[] = {"api.example.org"};
    static const char word[] = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"; /* an identifier, no host name */
    eryx_sandbox_options_t options;
    eryx_net_options_t net;
    eryx_secret_t secret;
    eryx_error_t error = {0, ""};
    char code[1024];
    eryx_sandbox_options_init(&options);
    eryx_net_options_init(&net);
    eryx_secret_init(&secret);
    secret.name = "API_KEY";
    secret.value = word;
    secret.hosts = hosts;
    secret.host_count = 1;
    net.on_event = on_event;
    options.secrets = &secret;
    options.secret_count = 1;
    options.net = &net;
    options.on_sample = on_sample;
    options.sample_interval_ns = 1000000;
    eryx_sandbox_t *sandbox;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, &error), ERYX_OK);
    seen.length = 0;
    snprintf(code, sizeof code,
             "import socket, time\n"
             "exec(compile('''def %s():\n"
             "    end = time.monotonic() + 0.1\n"
             "    while time.monotonic() < end: pass\n''', '/tmp/%s.py', 'exec'))\n"
             "%s()\n"
             "for host in '%s%%', '%s':\n"
             "    try: socket.getaddrinfo(host, 80)\n"
             "    except PermissionError: pass\n",
             word, word, word, word, word);
    eryx_outcome_t *outcome = run(sandbox, code, NULL);
    if (eryx_outcome_kind(outcome) != ERYX_OUTCOME_OK)
        fail_msg("%s", eryx_outcome_traceback(outcome));
    const char *placeholder = eryx_sandbox_placeholder(sandbox, "API_KEY");
    assert_non_null(strstr(seen.text, "/tmp/ERYX_SECRET_"));
    assert_non_null(strstr(seen.text, "the host 'ERYX_SECRET_"));
    assert_non_null(strstr(seen.text, placeholder));
    assert_null(strstr(seen.text, "live_4eC39"));
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
}

static void test_snapshots(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = make(false, false);
    eryx_error_t error = {0, ""};
    void *data;
    size_t length;
    eryx_outcome_free(run(sandbox, "import os\nkey = os.environ['API_KEY']", NULL));
    assert_int_equal(eryx_sandbox_snapshot(sandbox, NULL, &data, &length, &error), ERYX_OK);
    eryx_bytes_free(data);
    eryx_outcome_free(run(sandbox, "v = input()", NULL));
    assert_int_equal(eryx_sandbox_snapshot(sandbox, NULL, &data, &length, &error), ERYX_ERR_STATE);
    assert_null(data);
    assert_non_null(strstr(error.message, "secret"));
    eryx_sandbox_free(sandbox);
}

/* A session goes on with its placeholders, whatever the secret is now; it takes no value along. */
static void test_checkpoints(void **state) {
    (void)state;
    static const char other[] = "sk-live-QQQQQQQQQQQQQQQQQQQQQQQQ";
    eryx_sandbox_t *sandbox = make(false, false), *copy;
    eryx_error_t error = {0, ""};
    void *data;
    size_t length;
    char expected[128];
    snprintf(expected, sizeof expected, "True %s\n", eryx_sandbox_placeholder(sandbox, "API_KEY"));
    eryx_outcome_free(run(sandbox, "import os\nkey = os.environ['API_KEY']", NULL));
    assert_int_equal(eryx_sandbox_checkpoint(sandbox, NULL, &data, &length, &error), ERYX_OK);
    eryx_checkpoint_part_t part = {data, length};
    copy = make_of(false, false, other, &part, ERYX_OK);
    expect(copy, "print(os.environ['API_KEY'] == key, key)", expected);
    eryx_sandbox_free(copy);
    assert_int_equal(eryx_sandbox_fork(sandbox, NULL, 1, &copy, &error), ERYX_OK);
    expect(copy, "print(os.environ['API_KEY'] == key, key)", expected);
    eryx_sandbox_free(copy);
    assert_null(make_of(false, false, "sk-live-short1234", &part, ERYX_ERR_ARGUMENT));
    eryx_bytes_free(data);
    eryx_outcome_free(run(sandbox, "v = input()", NULL));
    assert_int_equal(eryx_sandbox_checkpoint(sandbox, NULL, &data, &length, &error),
                     ERYX_ERR_STATE);
    assert_non_null(strstr(error.message, "secret"));
    eryx_sandbox_free(sandbox);
}

static void test_options_are_checked(void **state) {
    (void)state;
    static const char *const hosts[] = {"api.example.org"}, *const environ[] = {"API_KEY=1"};
    eryx_sandbox_options_t options;
    eryx_secret_t secret;
    eryx_error_t error = {0, ""};
    eryx_sandbox_t *sandbox;
    eryx_sandbox_options_init(&options);
    eryx_secret_init(&secret);
    secret.name = "API_KEY";
    secret.value = value;
    secret.hosts = hosts;
    secret.host_count = 1;
    options.secrets = &secret;
    options.secret_count = 1;
    options.environ = environ;
    options.environ_count = 1;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, &error), ERYX_ERR_ARGUMENT);
    assert_non_null(strstr(error.message, "API_KEY"));
    options.environ_count = 0;
    secret.value = "short";
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, &error), ERYX_ERR_ARGUMENT);
    secret.value = value;
    secret.size = 1;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, &error), ERYX_ERR_ARGUMENT);
    options.secrets = NULL;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, &error), ERYX_ERR_ARGUMENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_environ_has_the_placeholder),
        cmocka_unit_test(test_kept_output_and_result),
        cmocka_unit_test(test_exceptions),
        cmocka_unit_test(test_output_as_it_is_written),
        cmocka_unit_test(test_traces_and_callbacks),
        cmocka_unit_test(test_samples_and_events),
        cmocka_unit_test(test_snapshots),
        cmocka_unit_test(test_checkpoints),
        cmocka_unit_test(test_options_are_checked),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
