/* See python_runtime.h. */
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

eryx_runtime_t *runtime;
eryx_call_t *held[HELD_MAX];
atomic_uint held_count, cancelled;

int open_runtime(void **state) {
    (void)state;
    eryx_error_t error = {0};
    int status = eryx_runtime_open(NULL, NULL, &runtime, &error);
    if (status != ERYX_OK)
        print_error("%s\n", error.message);
    signals_save();
    return status;
}

int close_runtime(void **state) {
    (void)state;
    eryx_runtime_free(runtime);
    return 0;
}

void on_echo(void *env, eryx_call_t *call) {
    (void)env;
    size_t length;
    const char *arguments = eryx_call_arguments(call, &length);
    eryx_call_complete(call, arguments, length, NULL);
    eryx_call_free(call);
}

void on_hold(void *env, eryx_call_t *call) {
    (void)env;
    held[atomic_load(&held_count)] = call;
    atomic_fetch_add(&held_count, 1);
}

void on_cancel(void *env, eryx_call_t *call) {
    (void)env, (void)call;
    atomic_fetch_add(&cancelled, 1);
}

const char prelude[] = "import asyncio\n"
                       "from _eryx_driver import call, call_blocking\n";

void check(eryx_outcome_t *outcome, eryx_outcome_kind_t kind, const char *output) {
    if (eryx_outcome_kind(outcome) != kind ||
        strcmp(eryx_outcome_stdout(outcome, NULL), output) != 0)
        fail_msg("kind %d, not %d: %s\nstdout: %s\nexpected: %s\n%s", eryx_outcome_kind(outcome),
                 kind, eryx_outcome_exception_message(outcome), eryx_outcome_stdout(outcome, NULL),
                 output, eryx_outcome_traceback(outcome));
    eryx_outcome_free(outcome);
}

eryx_outcome_t *run(eryx_sandbox_t *sandbox, const char *code, const char *result) {
    char text[4096];
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

void expect(eryx_sandbox_t *sandbox, const char *code, const char *output) {
    check(run(sandbox, code, NULL), ERYX_OUTCOME_OK, output);
}

eryx_outcome_t *execute(eryx_sandbox_t *sandbox, const char *code) {
    eryx_outcome_t *outcome = NULL;
    eryx_error_t error = {0};
    if (eryx_sandbox_execute(sandbox, code, strlen(code), NULL, &outcome, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return outcome;
}

void prints(eryx_sandbox_t *sandbox, const char *code, const char *output) {
    check(execute(sandbox, code), ERYX_OUTCOME_OK, output);
}

eryx_execution_t *start_waiting(eryx_sandbox_t *sandbox, const char *code) {
    eryx_execution_t *execution;
    eryx_error_t error = {0};
    if (eryx_execution_start(sandbox, code, strlen(code), NULL, &execution, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    return execution;
}

void finish_held(eryx_execution_t *execution, unsigned i, const char *result, const char *output) {
    assert_int_equal(eryx_call_complete(held[i], result, strlen(result), NULL), ERYX_OK);
    eryx_call_free(held[i]);
    while (eryx_execution_run(execution) != ERYX_EXECUTION_DONE)
        assert_int_equal(eryx_execution_wait(execution, 10 * second), 1);
    check(eryx_execution_take_outcome(execution), ERYX_OUTCOME_OK, output);
    eryx_execution_free(execution);
}

unsigned wanted;
size_t answer_length = 1;

void *complete_wanted(void *argument) {
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

void expect_later(eryx_sandbox_t *sandbox, unsigned count, const char *code, const char *output) {
    pthread_t thread;
    wanted = count;
    atomic_store(&held_count, 0);
    assert_int_equal(pthread_create(&thread, NULL, complete_wanted, NULL), 0);
    expect(sandbox, code, output);
    pthread_join(thread, NULL);
}

void free_held(void) {
    for (unsigned i = 0; i < atomic_load(&held_count); i++) {
        assert_int_equal(eryx_call_complete(held[i], "1", 1, NULL), ERYX_ERR_STATE);
        eryx_call_free(held[i]);
    }
    atomic_store(&held_count, 0);
}
