/* Queues on the test guest: one descriptor for any number of executions, driven by poll. */
#include "fixture.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#ifdef __SANITIZE_THREAD__ /* leaves no address space for 1,000 sandboxes */
enum { MANY = 20, THREADED = 10 };
#else
enum { MANY = 1000, THREADED = 100 };
#endif

static const uint64_t millisecond = 1000000;

static eryx_call_t *held[MANY];
static atomic_uint held_count;

static void hold(void *env, eryx_call_t *call) {
    (void)env;
    held[atomic_load(&held_count)] = call;
    atomic_fetch_add(&held_count, 1);
}

static eryx_queue_t *new_queue(void) {
    eryx_queue_t *queue = NULL;
    eryx_error_t error = {0, ""};
    if (eryx_queue_new(&queue, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return queue;
}

static eryx_sandbox_t *new_sandbox(uint64_t wall_time_ns) {
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, wall_time_ns);
    eryx_callback_t callback;
    eryx_callback_init(&callback);
    callback.name = "echo";
    callback.on_call = hold;
    assert_int_equal(eryx_sandbox_add_callback(sandbox, &callback, NULL), ERYX_OK);
    return sandbox;
}

static eryx_execution_t *start(eryx_sandbox_t *sandbox, const char *command, eryx_queue_t *queue) {
    eryx_execute_options_t options;
    eryx_execute_options_init(&options);
    options.queue = queue;
    options.env = sandbox;
    eryx_execution_t *execution = NULL;
    assert_int_equal(
        eryx_execution_start(sandbox, command, strlen(command), &options, &execution, NULL),
        ERYX_OK);
    assert_ptr_equal(eryx_execution_env(execution), sandbox);
    return execution;
}

/* Whether the queue's descriptor becomes readable in time. */
static bool readable(eryx_queue_t *queue, int milliseconds) {
    struct pollfd item = {.fd = eryx_queue_fd(queue), .events = POLLIN};
    int ready = poll(&item, 1, milliseconds);
    assert_true(ready >= 0);
    return ready > 0;
}

static void end(eryx_execution_t *execution, eryx_outcome_kind_t kind) {
    eryx_outcome_t *outcome = eryx_execution_take_outcome(execution);
    assert_non_null(outcome);
    assert_int_equal(eryx_outcome_kind(outcome), kind);
    eryx_outcome_free(outcome);
    eryx_execution_free(execution);
}

static void test_one(void **state) {
    (void)state;
    eryx_queue_t *queue = new_queue();
    eryx_sandbox_t *sandbox = new_sandbox(0);
    assert_false(readable(queue, 0));
    assert_null(eryx_queue_next(queue));
    eryx_execution_t *execution = start(sandbox, "call", queue);
    assert_true(readable(queue, 0));
    assert_ptr_equal(eryx_queue_next(queue), execution);
    assert_null(eryx_queue_next(queue));
    assert_false(readable(queue, 0));
    atomic_store(&held_count, 0);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    assert_null(eryx_queue_next(queue));
    assert_false(readable(queue, 5));
    eryx_call_complete(held[0], "1", 1, NULL);
    eryx_call_free(held[0]);
    assert_true(readable(queue, 0));
    assert_ptr_equal(eryx_queue_next(queue), execution);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
    end(execution, ERYX_OUTCOME_OK);
    assert_null(eryx_queue_next(queue));
    assert_false(readable(queue, 0));

    execution = start(sandbox, "sleep 20", queue);
    assert_int_equal(eryx_execution_run(execution),
                     ERYX_EXECUTION_WAITING); /* not from the queue */
    assert_null(eryx_queue_next(queue));
    assert_false(readable(queue, 5));
    assert_true(readable(queue, 1000));
    assert_ptr_equal(eryx_queue_next(queue), execution);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
    end(execution, ERYX_OUTCOME_OK);

    execution = start(sandbox, "sleep 100000", queue);
    eryx_execution_run(execution);
    assert_null(eryx_queue_next(queue));
    eryx_execution_cancel(execution);
    assert_true(readable(queue, 0));
    assert_ptr_equal(eryx_queue_next(queue), execution);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
    end(execution, ERYX_OUTCOME_OK);

    execution = start(sandbox, "sleep 100000", queue);
    eryx_execution_run(execution);
    eryx_queue_free(queue); /* goes on without it */
    eryx_execution_cancel(execution);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
    end(execution, ERYX_OUTCOME_OK);
    eryx_queue_free(NULL);
    eryx_sandbox_free(sandbox);
}

static void test_wall_time(void **state) {
    (void)state;
    eryx_queue_t *queue = new_queue();
    eryx_sandbox_t *sandbox = new_sandbox(30 * millisecond);
    eryx_execution_t *execution = start(sandbox, "call", queue);
    atomic_store(&held_count, 0);
    eryx_execution_run(execution);
    assert_null(eryx_queue_next(queue));
    assert_true(readable(queue, 2000));
    assert_ptr_equal(eryx_queue_next(queue), execution);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_DONE);
    end(execution, ERYX_OUTCOME_LIMIT);
    eryx_call_free(held[0]);
    eryx_sandbox_free(sandbox);
    eryx_queue_free(queue);
}

static void *complete_all(void *argument) {
    (void)argument;
    unsigned done = 0;
    while (done < MANY / 2) {
        if (done == atomic_load(&held_count)) {
            usleep(200);
            continue;
        }
        if (eryx_call_complete(held[done], "1", 1, NULL) != ERYX_OK)
            abort();
        eryx_call_free(held[done++]);
    }
    return NULL;
}

/* Half of them wait for calls, which another thread completes, half for timers. */
static void test_many(void **state) {
    (void)state;
    static eryx_sandbox_t *sandboxes[MANY];
    eryx_queue_t *queue = new_queue();
    atomic_store(&held_count, 0);
    for (int i = 0; i < MANY; i++) {
        char command[16];
        sandboxes[i] = new_sandbox(0);
        snprintf(command, sizeof command, i % 2 ? "call %d" : "sleep %d", i % 100 + 1);
        start(sandboxes[i], command, queue);
    }
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, complete_all, NULL), 0);
    int done = 0;
    while (done < MANY) {
        assert_true(readable(queue, 10000));
        eryx_execution_t *execution;
        while ((execution = eryx_queue_next(queue)) != NULL) {
            if (eryx_execution_run(execution) != ERYX_EXECUTION_DONE)
                continue;
            end(execution, ERYX_OUTCOME_OK);
            done++;
        }
    }
    assert_false(readable(queue, 0));
    pthread_join(thread, NULL);
    for (int i = 0; i < MANY; i++)
        eryx_sandbox_free(sandboxes[i]);
    eryx_queue_free(queue);
}

/* Several threads share a queue: every execution is run by one at a time. */
static atomic_uint finished;

static void *drive(void *argument) {
    eryx_queue_t *queue = argument;
    while (atomic_load(&finished) < THREADED) {
        eryx_execution_t *execution = eryx_queue_next(queue);
        if (!execution)
            readable(queue, 5);
        else if (eryx_execution_run(execution) == ERYX_EXECUTION_DONE)
            atomic_fetch_add(&finished, 1);
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    eryx_sandbox_t *sandboxes[THREADED];
    eryx_execution_t *executions[THREADED];
    eryx_queue_t *queue = new_queue();
    for (int i = 0; i < THREADED; i++) {
        char command[16];
        sandboxes[i] = fixture_sandbox(runtime, 0);
        snprintf(command, sizeof command, i % 2 ? "yield %d" : "sleep %d", i % 20 + 1);
        executions[i] = start(sandboxes[i], command, queue);
    }
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, drive, queue), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADED; i++) {
        end(executions[i], ERYX_OUTCOME_OK);
        eryx_sandbox_free(sandboxes[i]);
    }
    eryx_queue_free(queue);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_wall_time),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_threads),
    };
    int status = fixture_main(argc, argv);
    return status ? status : cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
