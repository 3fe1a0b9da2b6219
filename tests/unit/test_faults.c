/* What the embedding program and other threads do at the wrong moment: calls that are completed while
 * their execution is interrupted, interrupts without end, signal handlers, fork(). */
#define _GNU_SOURCE
#include "fixture.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "signals.h"

static eryx_sandbox_t *new_sandbox(eryx_call_fn on_call, void *env) {
    eryx_sandbox_options_t options;
    eryx_callback_t callback;
    eryx_sandbox_options_init(&options);
    eryx_callback_init(&callback);
    callback.name = "echo";
    callback.on_call = on_call;
    callback.env = env;
    options.callbacks = &callback;
    options.callback_count = 1;
    eryx_sandbox_t *sandbox = NULL;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    return sandbox;
}

/* --- Completion and interrupt at once ----------------------------------------------------- */

typedef struct race {
    eryx_sandbox_t *sandbox;
    eryx_call_t *call;
    /* Passed twice a round: between the two the threads read `call` and `over`, which change only before. */
    pthread_barrier_t barrier;
    atomic_bool over;
} race_t;

static void hold(void *env, eryx_call_t *call) {
    race_t *race = env;
    race->call = call;
    pthread_barrier_wait(&race->barrier);
    pthread_barrier_wait(&race->barrier);
}

static void *complete(void *argument) {
    race_t *race = argument;
    for (;;) {
        pthread_barrier_wait(&race->barrier);
        if (atomic_load(&race->over))
            return NULL;
        eryx_call_t *call = race->call;
        pthread_barrier_wait(&race->barrier);
        eryx_call_complete(call, "7", 1, NULL); /* or it is too late */
        eryx_call_free(call);
    }
}

static void *interrupt(void *argument) {
    race_t *race = argument;
    for (;;) {
        pthread_barrier_wait(&race->barrier);
        if (atomic_load(&race->over))
            return NULL;
        pthread_barrier_wait(&race->barrier);
        eryx_sandbox_interrupt(race->sandbox);
    }
}

static void test_completion_meets_interrupt(void **state) {
    (void)state;
    race_t race = {.over = false};
    pthread_t threads[2];
    unsigned ended = 0, interrupted = 0;
    assert_int_equal(pthread_barrier_init(&race.barrier, NULL, 3), 0);
    race.sandbox = new_sandbox(hold, &race);
    fixture_expect(race.sandbox, "set 5", "");
    pthread_create(&threads[0], NULL, complete, &race);
    pthread_create(&threads[1], NULL, interrupt, &race);
    for (int i = 0; i < 600; i++) {
        eryx_outcome_t *outcome = fixture_run(race.sandbox, i % 2 ? "call" : "pause");
        if (eryx_outcome_kind(outcome) == ERYX_OUTCOME_OK) {
            assert_string_equal(eryx_outcome_stdout(outcome, NULL), "ok:7");
            ended++;
        } else {
            assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_INTERRUPTED);
            interrupted++;
        }
        eryx_outcome_free(outcome);
    }
    atomic_store(&race.over, true);
    pthread_barrier_wait(&race.barrier);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    pthread_barrier_destroy(&race.barrier);
    assert_int_equal(ended + interrupted, 600);
    fixture_expect(race.sandbox, "get", "5");
    eryx_sandbox_free(race.sandbox);
}

/* --- A thousand interrupts ---------------------------------------------------------------- */

static void *interrupt_until_over(void *argument) {
    race_t *race = argument;
    struct timespec moment = {0, 50000};
    while (!atomic_load(&race->over)) {
        eryx_sandbox_interrupt(race->sandbox);
        nanosleep(&moment, NULL);
    }
    return NULL;
}

static long count_lines(const char *path) {
    FILE *file = fopen(path, "r");
    long lines = 0;
    for (int c; file && (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    if (file)
        fclose(file);
    return lines;
}

static void test_thousand_interrupts(void **state) {
    (void)state;
    race_t race = {.over = false};
    pthread_t thread;
    long mappings = 0;
    race.sandbox = fixture_sandbox(runtime, 0);
    fixture_expect(race.sandbox, "set 9", "");
    pthread_create(&thread, NULL, interrupt_until_over, &race);
    for (int i = 0; i < 1000; i++) {
        fixture_expect_kind(race.sandbox, "loop", ERYX_OUTCOME_INTERRUPTED, false);
        if (i == 100)
            mappings = count_lines("/proc/self/maps");
    }
    atomic_store(&race.over, true);
    pthread_join(thread, NULL);
    assert_in_range(count_lines("/proc/self/maps"), 1, mappings + 8);
    fixture_expect(race.sandbox, "get", "9");
    eryx_sandbox_free(race.sandbox);
}

/* --- Signal handlers ---------------------------------------------------------------------- */

static struct sigaction engines; /* what was there before the program's own handler */
static sigjmp_buf escape;
static atomic_int own_faults, passed_on;
static char *forbidden;

static bool is_own(const siginfo_t *info) {
    return (char *)info->si_addr >= forbidden && (char *)info->si_addr < forbidden + 4096;
}

static void on_fault(int signal, siginfo_t *info, void *context) {
    if (is_own(info)) {
        atomic_fetch_add(&own_faults, 1);
        siglongjmp(escape, 1);
    }
    atomic_fetch_add(&passed_on, 1);
    engines.sa_sigaction(signal, info, context);
}

/* The program's own fault ends in its handler. */
static bool caught(void) {
    int before = atomic_load(&own_faults);
    if (sigsetjmp(escape, 1) == 0)
        *(volatile char *)forbidden = 1;
    return atomic_load(&own_faults) == before + 1;
}

static void interrupt_one(eryx_sandbox_t *sandbox) {
    race_t race = {.sandbox = sandbox};
    pthread_t thread;
    pthread_create(&thread, NULL, interrupt_until_over, &race);
    eryx_outcome_t *outcome = NULL;
    assert_int_equal(eryx_sandbox_execute(sandbox, "loop", 4, NULL, &outcome, NULL), ERYX_OK);
    assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_INTERRUPTED);
    eryx_outcome_free(outcome);
    atomic_store(&race.over, true);
    pthread_join(thread, NULL);
}

/* Set after the runtime was opened: it passes on what is not its own. */
static void test_handler_after(void **state) {
    (void)state;
    signals_restore();
    forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction own = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    assert_int_equal(sigaction(SIGSEGV, &own, &engines), 0);
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 0);
    for (int i = 0; i < 5; i++) {
        interrupt_one(sandbox);
        assert_true(caught());
    }
    assert_in_range(atomic_load(&passed_on), 5, 1000);
    assert_int_equal(sigaction(SIGSEGV, &engines, NULL), 0);
    eryx_sandbox_free(sandbox);
    munmap(forbidden, 4096);
}

/* Set before the first runtime is opened, which takes a process of its own: faults that are not a sandbox's
 * still reach it. The number of the check that failed, 0: none. */
static void only_own(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    if (!is_own(info))
        _exit(10);
    atomic_fetch_add(&own_faults, 1);
    siglongjmp(escape, 1);
}

static int with_handler_before(void) {
    forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction own = {.sa_sigaction = only_own, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    if (sigaction(SIGSEGV, &own, NULL) != 0)
        return 1;
    eryx_runtime_t *opened = NULL;
    eryx_sandbox_t *sandbox = NULL;
    eryx_outcome_t *outcome = NULL;
    if (eryx_runtime_open(fixture_path, NULL, &opened, NULL) != ERYX_OK ||
        eryx_sandbox_new(opened, NULL, &sandbox, NULL) != ERYX_OK)
        return 2;
    for (int i = 0; i < 3; i++) {
        if (eryx_sandbox_execute(sandbox, "null", 4, NULL, &outcome, NULL) != ERYX_OK ||
            eryx_outcome_kind(outcome) != ERYX_OUTCOME_TRAP)
            return 3;
        eryx_outcome_free(outcome);
        if (!caught())
            return 4;
    }
    eryx_sandbox_free(sandbox);
    eryx_runtime_free(opened);
    return 0;
}

/* --- fork() ------------------------------------------------------------------------------- */

static atomic_int finalized;

static void count_finalizer(void *env) {
    (void)env;
    atomic_fetch_add(&finalized, 1);
}

/* What a child sees of what it inherited, and that it can open a runtime of its own. */
static int use_inherited(eryx_sandbox_t *sandbox, eryx_execution_t *execution) {
    eryx_sandbox_t *other = NULL;
    eryx_outcome_t *outcome = NULL;
    eryx_execution_t *started = NULL;
    eryx_error_t error = {0, ""};
    void *data;
    size_t length;
    if (eryx_sandbox_new(runtime, NULL, &other, &error) != ERYX_ERR_STATE ||
        !strstr(error.message, "forked"))
        return 1;
    if (eryx_sandbox_execute(sandbox, "get", 3, NULL, &outcome, &error) != ERYX_ERR_STATE ||
        eryx_execution_start(sandbox, "get", 3, NULL, &started, &error) != ERYX_ERR_STATE ||
        eryx_sandbox_snapshot(sandbox, NULL, &data, &length, &error) != ERYX_ERR_STATE ||
        eryx_sandbox_fork(sandbox, NULL, 1, &other, &error) != ERYX_ERR_STATE)
        return 2;
    if (eryx_execution_run(execution) != ERYX_EXECUTION_DONE ||
        eryx_execution_take_outcome(execution) || eryx_execution_wait(execution, 0) != 1)
        return 3;
    eryx_sandbox_interrupt(sandbox);
    eryx_execution_cancel(execution);
    eryx_execution_free(execution);
    eryx_sandbox_free(sandbox);
    eryx_runtime_free(runtime);
    if (atomic_load(&finalized) != 0)
        return 4;
#ifdef __SANITIZE_THREAD__
    return 0; /* it cannot start threads in the child of a process that has some */
#endif
    eryx_runtime_t *own = NULL;
    if (eryx_runtime_open(fixture_path, NULL, &own, &error) != ERYX_OK ||
        eryx_sandbox_new(own, NULL, &other, &error) != ERYX_OK ||
        eryx_sandbox_execute(other, "touch 300", 9, NULL, &outcome, &error) != ERYX_OK ||
        eryx_outcome_kind(outcome) != ERYX_OUTCOME_OK)
        return 5;
    eryx_outcome_free(outcome);
    eryx_sandbox_free(other);
    eryx_runtime_free(own);
    return 0;
}

static void expect_child(int (*child_main)(eryx_sandbox_t *, eryx_execution_t *),
                         eryx_sandbox_t *sandbox, eryx_execution_t *execution) {
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(60);
        _exit(child_main(sandbox, execution));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the child ended with status 0x%x", (unsigned)status);
}

static int before_main(eryx_sandbox_t *sandbox, eryx_execution_t *execution) {
    (void)sandbox, (void)execution;
    return with_handler_before();
}

static void test_handler_before(void **state) {
    (void)state;
    expect_child(before_main, NULL, NULL);
}

static void test_fork(void **state) {
    (void)state;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.env_finalizer = count_finalizer;
    eryx_sandbox_t *sandbox = NULL;
    eryx_execution_t *execution = NULL;
    assert_int_equal(eryx_sandbox_new(runtime, &options, &sandbox, NULL), ERYX_OK);
    fixture_expect(sandbox, "set 4", "");
    eryx_sandbox_t *waiting = fixture_sandbox(runtime, UINT64_C(60000000000));
    assert_int_equal(eryx_execution_start(waiting, "sleep 200", 9, NULL, &execution, NULL),
                     ERYX_OK);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    expect_child(use_inherited, sandbox, execution);
    /* The parent goes on as if nothing had been. */
    fixture_expect(sandbox, "get", "4");
    while (eryx_execution_run(execution) != ERYX_EXECUTION_DONE)
        eryx_execution_wait(execution, UINT64_MAX);
    eryx_outcome_t *outcome = eryx_execution_take_outcome(execution);
    assert_string_equal(eryx_outcome_stdout(outcome, NULL), "102");
    eryx_outcome_free(outcome);
    eryx_sandbox_free(waiting);
    assert_int_equal(atomic_load(&finalized), 0);
    eryx_sandbox_free(sandbox);
    assert_int_equal(atomic_load(&finalized), 1);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_completion_meets_interrupt),
        cmocka_unit_test(test_thousand_interrupts),
        cmocka_unit_test(test_handler_after),
        cmocka_unit_test(test_fork),
    };
    const struct CMUnitTest first[] = {cmocka_unit_test(test_handler_before)};
    fixture_path = argc > 1 ? argv[1] : NULL;
    int failed = cmocka_run_group_tests(first, NULL, NULL); /* no runtime was opened yet */
    int status = fixture_main(argc, argv);
    if (status != 0)
        return status;
    return failed + cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
