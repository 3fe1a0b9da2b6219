/* Forks: copies of a session at rest and in the middle of an await, that know nothing of each other. With
 * the real runtime. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "python_runtime.h"
#include "signals.h"

enum { COPIES = 20 };

static unsigned finalized;

static void finalize(void *env) {
    (void)env;
    finalized++;
}

static eryx_sandbox_t *new_sandbox(uint64_t wall_time) {
    eryx_callback_t callback;
    eryx_callback_init(&callback);
    callback.name = "hold";
    callback.on_call = on_hold;
    callback.on_cancel = on_cancel;
    callback.env_finalizer = finalize;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.callbacks = &callback;
    options.callback_count = 1;
    options.env_finalizer = finalize;
    if (wall_time)
        options.limits.wall_time_ns = wall_time;
    eryx_sandbox_t *sandbox;
    eryx_error_t error = {0};
    signals_restore();
    atomic_store(&held_count, 0);
    atomic_store(&cancelled, 0);
    finalized = 0;
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return sandbox;
}

static void fork_into(eryx_sandbox_t *sandbox, size_t count, eryx_sandbox_t **out) {
    eryx_error_t error = {0};
    if (eryx_sandbox_fork(sandbox, NULL, count, out, &error) != ERYX_OK)
        fail_msg("%s", error.message);
}

static void test_at_rest(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0), *copies[COPIES];
    prints(sandbox,
           "import random, uuid\nx = [1]\ndef add(n): x.append(n); return x\n"
           "open('/tmp/f', 'w').write('parent')\nnumber = random.random()",
           "");
    fork_into(sandbox, COPIES, copies);
    prints(sandbox, "x.append('parent')", "");
    for (int i = 0; i < COPIES; i++) {
        char code[64], output[64];
        assert_null(eryx_sandbox_execution(copies[i]));
        snprintf(code, sizeof code, "print(add(%d), open('/tmp/f').read())", i);
        snprintf(output, sizeof output, "[1, %d] parent\n", i);
        prints(copies[i], code, output);
    }
    prints(sandbox, "print(x)", "[1, 'parent']\n");
    for (int i = 0; i < COPIES; i++)
        eryx_sandbox_free(copies[i]);
    assert_int_equal(finalized, 0);
    eryx_sandbox_free(sandbox);
    assert_int_equal(finalized, 2);
}

/* No two copies get the same random numbers, and none those of its parent. */
static void test_entropy(void **state) {
    (void)state;
    static const char code[] = "print(random.random(), uuid.uuid4(), tempfile.mktemp())";
    eryx_sandbox_t *sandbox = new_sandbox(0), *copies[4];
    char seen[5][256];
    prints(sandbox, "import random, uuid, tempfile; random.random(); tempfile.mktemp()", "");
    fork_into(sandbox, 4, copies);
    for (int i = 0; i < 5; i++) {
        eryx_outcome_t *outcome = execute(i < 4 ? copies[i] : sandbox, code);
        snprintf(seen[i], sizeof seen[i], "%s", eryx_outcome_stdout(outcome, NULL));
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_OK);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(seen[i], seen[k]);
        eryx_outcome_free(outcome);
    }
    for (int i = 0; i < 4; i++)
        eryx_sandbox_free(copies[i]);
    eryx_sandbox_free(sandbox);
}

static const char waiting_code[] =
    "import asyncio\n"
    "async def work(n):\n"
    "    local = [n] * 3\n"
    "    got = await hold(n=n)\n"
    "    return local, got\n"
    "print('before')\n"
    "x = 'set'\n"
    "result = await asyncio.gather(work(1), asyncio.sleep(0.01, 'slept'))\n"
    "print(result)";

static void test_waiting(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0), *copies[3];
    eryx_execution_t *execution = start_waiting(sandbox, waiting_code);
    assert_int_equal(atomic_load(&held_count), 1);
    fork_into(sandbox, 3, copies);
    assert_int_equal(atomic_load(&held_count), 1);
    for (unsigned i = 0; i < 3; i++) {
        eryx_execution_t *copy = eryx_sandbox_execution(copies[i]);
        assert_non_null(copy);
        assert_int_equal(eryx_execution_state(copy), ERYX_EXECUTION_RUNNABLE);
        assert_int_equal(eryx_execution_run(copy), ERYX_EXECUTION_WAITING);
        assert_int_equal(atomic_load(&held_count), i + 2);
        assert_string_equal(eryx_call_name(held[i + 1]), "hold");
        assert_string_equal(eryx_call_arguments(held[i + 1], NULL), "{\"n\": 1}");
    }
    finish_held(execution, 0, "\"parent\"", "before\n[([1, 1, 1], 'parent'), 'slept']\n");
    for (unsigned i = 0; i < 3; i++) {
        char result[16], output[64];
        snprintf(result, sizeof result, "%u", i);
        snprintf(output, sizeof output, "before\n[([1, 1, 1], %u), 'slept']\n", i);
        finish_held(eryx_sandbox_execution(copies[i]), i + 1, result, output);
        prints(copies[i], "print(x)", "set\n");
        eryx_sandbox_free(copies[i]);
    }
    eryx_sandbox_free(sandbox);
    assert_int_equal(finalized, 2);
}

/* A result that has come, but that the program does not know of yet, comes to the copy, too. */
static void test_completed(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0), *copies[2];
    eryx_execution_t *execution =
        start_waiting(sandbox, "import asyncio\n"
                               "print(await asyncio.gather(hold(n=1), hold(n=2), hold(n=3),"
                               " return_exceptions=True))");
    assert_int_equal(atomic_load(&held_count), 3);
    eryx_call_complete(held[1], "[2]", 3, NULL);
    eryx_call_fail(held[2], "why", NULL);
    fork_into(sandbox, 1, copies);
    fork_into(copies[0], 1, copies + 1);
    finish_held(execution, 0, "1", "[1, [2], CallbackError('why')]\n");
    eryx_call_free(held[1]);
    eryx_call_free(held[2]);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(eryx_execution_run(eryx_sandbox_execution(copies[i])),
                         ERYX_EXECUTION_WAITING);
        assert_int_equal(atomic_load(&held_count), 4 + i);
        finish_held(eryx_sandbox_execution(copies[i]), 3 + i, "9",
                    "[9, [2], CallbackError('why')]\n");
        eryx_sandbox_free(copies[i]);
    }
    eryx_sandbox_free(sandbox);
}

/* Copies that are freed, before and after they ran, leave nothing behind. */
static void test_abandoned(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0), *copies[2];
    eryx_execution_t *execution = start_waiting(sandbox, waiting_code);
    fork_into(sandbox, 2, copies);
    eryx_sandbox_free(copies[0]);
    assert_int_equal(atomic_load(&cancelled), 0);
    assert_int_equal(eryx_execution_run(eryx_sandbox_execution(copies[1])), ERYX_EXECUTION_WAITING);
    eryx_sandbox_free(copies[1]);
    assert_int_equal(atomic_load(&cancelled), 1);
    assert_int_equal(eryx_call_complete(held[1], "1", 1, NULL), ERYX_ERR_STATE);
    eryx_call_free(held[1]);
    finish_held(execution, 0, "5", "before\n[([1, 1, 1], 5), 'slept']\n");
    eryx_sandbox_free(sandbox);
}

/* A copy of a waiting session comes back to what was before that execution, as its parent does. */
static void test_rolled_back(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0), *copy;
    prints(sandbox, "x = 'before'", "");
    eryx_execution_t *execution =
        start_waiting(sandbox, "x = 'changed'\nawait hold()\nx = 'more'\nimport os; os.abort()");
    fork_into(sandbox, 1, &copy);
    eryx_execution_t *other = eryx_sandbox_execution(copy);
    assert_int_equal(eryx_execution_run(other), ERYX_EXECUTION_WAITING);
    for (unsigned i = 0; i < 2; i++) {
        eryx_execution_t *one = i ? other : execution;
        eryx_call_complete(held[i], "1", 1, NULL);
        eryx_call_free(held[i]);
        assert_int_equal(eryx_execution_run(one), ERYX_EXECUTION_DONE);
        eryx_outcome_t *outcome = eryx_execution_take_outcome(one);
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_TRAP);
        assert_false(eryx_outcome_session_lost(outcome));
        eryx_outcome_free(outcome);
        eryx_execution_free(one);
        prints(i ? copy : sandbox, "print(x)", "before\n");
    }
    eryx_sandbox_free(copy);
    eryx_sandbox_free(sandbox);
}

/* Other streams and callbacks, and what does not fit. */
static void test_options(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0), *copy;
    eryx_error_t error;
    eryx_sandbox_options_t options;
    eryx_callback_t callback;
    eryx_execution_t *execution = start_waiting(sandbox, "print(await hold(n=1))");
    eryx_sandbox_options_init(&options);
    assert_int_equal(eryx_sandbox_fork(sandbox, &options, 1, &copy, &error), ERYX_ERR_ARGUMENT);
    assert_non_null(strstr(error.message, "hold"));
    assert_null(copy);
    eryx_callback_init(&callback);
    callback.name = "hold";
    callback.on_call = on_echo;
    options.callbacks = &callback;
    options.callback_count = 1;
    options.limits.pending_calls = 0;
    assert_int_equal(eryx_sandbox_fork(sandbox, &options, 1, &copy, &error), ERYX_ERR_LIMIT);
    eryx_sandbox_options_init(&options);
    options.callbacks = &callback;
    options.callback_count = 1;
    assert_int_equal(eryx_sandbox_fork(sandbox, &options, 1, &copy, &error), ERYX_OK);
    eryx_execution_t *other = eryx_sandbox_execution(copy);
    assert_int_equal(eryx_execution_run(other), ERYX_EXECUTION_DONE);
    check(eryx_execution_take_outcome(other), ERYX_OUTCOME_OK, "{'n': 1}\n");
    eryx_execution_free(other);
    eryx_sandbox_free(copy);
    finish_held(execution, 0, "2", "2\n");
    eryx_sandbox_free(sandbox);
}

static void test_states(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0), *copy;
    eryx_execution_t *execution;
    eryx_error_t error;
    assert_int_equal(eryx_execution_start(sandbox, "1", 1, NULL, &execution, NULL), ERYX_OK);
    assert_int_equal(eryx_sandbox_fork(sandbox, NULL, 1, &copy, &error), ERYX_ERR_STATE);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
    assert_int_equal(eryx_sandbox_fork(sandbox, NULL, 1, &copy, &error), ERYX_ERR_STATE);
    eryx_execution_free(execution);
    execution = start_waiting(sandbox, "import time; time.sleep(0.01); x = 1");
    assert_int_equal(eryx_sandbox_fork(sandbox, NULL, 1, &copy, &error), ERYX_ERR_STATE);
    assert_non_null(strstr(error.message, "not awaited"));
    while (eryx_execution_run(execution) != ERYX_EXECUTION_DONE)
        eryx_execution_wait(execution, second);
    eryx_execution_free(execution);
    assert_int_equal(eryx_sandbox_fork(sandbox, NULL, 0, NULL, &error), ERYX_OK);
    assert_int_equal(eryx_sandbox_fork(NULL, NULL, 1, &copy, &error), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_sandbox_fork(sandbox, NULL, 1, NULL, &error), ERYX_ERR_ARGUMENT);
    fork_into(sandbox, 1, &copy);
    eryx_sandbox_free(sandbox);
    prints(copy, "print(x)", "1\n");
    eryx_sandbox_free(copy);
}

/* Limits go on where they were; a queue drives copies like others. */
static void test_limits_and_queue(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(second / 5), *copies[COPIES];
    eryx_queue_t *queue;
    eryx_execution_t *execution =
        start_waiting(sandbox, "import asyncio; await asyncio.sleep(100)");
    assert_int_equal(eryx_queue_new(&queue, NULL), ERYX_OK);
    fork_into(sandbox, COPIES, copies);
    for (int i = 0; i < COPIES; i++)
        assert_int_equal(eryx_queue_add(queue, eryx_sandbox_execution(copies[i]), NULL), ERYX_OK);
    assert_int_equal(eryx_queue_add(queue, eryx_sandbox_execution(copies[0]), NULL),
                     ERYX_ERR_STATE);
    for (int done = 0; done < COPIES;) {
        struct pollfd wait = {eryx_queue_fd(queue), POLLIN, 0};
        assert_int_equal(poll(&wait, 1, 10000), 1);
        eryx_execution_t *next;
        while ((next = eryx_queue_next(queue)) != NULL) {
            if (eryx_execution_run(next) != ERYX_EXECUTION_DONE)
                continue;
            eryx_outcome_t *outcome = eryx_execution_take_outcome(next);
            assert_int_equal(eryx_outcome_limit(outcome), ERYX_LIMIT_WALL_TIME);
            eryx_outcome_free(outcome);
            done++;
        }
    }
    for (int i = 0; i < COPIES; i++)
        eryx_sandbox_free(copies[i]);
    eryx_queue_free(queue);
    eryx_execution_free(execution);
    eryx_sandbox_free(sandbox);
}

static atomic_bool interrupting;

static void *interrupt_always(void *sandbox) {
    while (atomic_load(&interrupting))
        eryx_sandbox_interrupt(sandbox);
    return NULL;
}

/* Interrupts while copies are made, at rest and waiting: they hit the sandbox, never a copy. */
static void test_interrupted(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0), *copy;
    pthread_t thread;
    eryx_checkpoint_part_t part;
    void *data;
    prints(sandbox, "x = 1", "");
    atomic_store(&interrupting, true);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_always, sandbox), 0);
    for (int i = 0; i < 20; i++) {
        fork_into(sandbox, 1, &copy);
        prints(copy, "print(x)", "1\n");
        eryx_sandbox_free(copy);
        assert_int_equal(eryx_sandbox_checkpoint(sandbox, NULL, &data, &part.length, NULL), 0);
        eryx_bytes_free(data);
    }
    atomic_store(&interrupting, false);
    pthread_join(thread, NULL);
    eryx_execution_t *execution = start_waiting(sandbox, waiting_code);
    atomic_store(&interrupting, true);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_always, sandbox), 0);
    fork_into(sandbox, 1, &copy);
    assert_int_equal(eryx_execution_run(eryx_sandbox_execution(copy)), ERYX_EXECUTION_WAITING);
    while (eryx_execution_run(execution) != ERYX_EXECUTION_DONE)
        eryx_execution_wait(execution, second);
    atomic_store(&interrupting, false);
    pthread_join(thread, NULL);
    eryx_execution_free(execution);
    eryx_call_free(held[0]);
    finish_held(eryx_sandbox_execution(copy), 1, "7", "before\n[([1, 1, 1], 7), 'slept']\n");
    prints(sandbox, "print(x)", "1\n");
    eryx_sandbox_free(copy);
    eryx_sandbox_free(sandbox);
}

static void test_grown(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(0), *copies[2];
    prints(sandbox, "big = [bytes([n]) * 1000000 for n in range(120)]", "");
    fork_into(sandbox, 2, copies);
    prints(sandbox, "big.clear()", "");
    for (int i = 0; i < 2; i++) {
        prints(copies[i], "x = b''.join(big); print(len(x))", "120000000\n"); /* memory.copy */
        prints(copies[i], "print(all(b == bytes([n]) * 1000000 for n, b in enumerate(big)))",
               "True\n");
        eryx_sandbox_free(copies[i]);
    }
    eryx_sandbox_free(sandbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_rest),          cmocka_unit_test(test_entropy),
        cmocka_unit_test(test_waiting),          cmocka_unit_test(test_completed),
        cmocka_unit_test(test_abandoned),        cmocka_unit_test(test_rolled_back),
        cmocka_unit_test(test_options),          cmocka_unit_test(test_states),
        cmocka_unit_test(test_limits_and_queue), cmocka_unit_test(test_grown),
        cmocka_unit_test(test_interrupted),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
