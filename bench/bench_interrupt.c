/* From eryx_sandbox_interrupt on another thread to the return of execute. Microseconds.
 *
 * The program says on stdout that it is about to start; a moment later, when it is in the
 * midst of its loop, the interrupt is requested. The moments differ, so that all places of the
 * loop have their turn. */
#include "measure.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

enum { WARM_UP = 5, REPETITIONS = 60 };

struct attempt {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    eryx_sandbox_t *sandbox;
    unsigned delay_us;
    bool started, over;
    _Atomic uint64_t requested;
};

static const struct {
    const char *name, *code;
} programs[] = {
    {"loop", "print('go', flush=True)\nwhile True: pass"},
    {"regex", "import re\npattern = re.compile('(a+)+$')\nprint('go', flush=True)\n"
              "pattern.match('a' * 64 + 'b')"},
    {"sum", "print('go', flush=True)\nsum(range(10**12))"},
    {"power", "print('go', flush=True)\n10**10**8"},
};

static void on_output(void *env, eryx_stream_t stream, const char *data, size_t length)
{
    struct attempt *attempt = env;
    (void)data;
    (void)length;
    if (stream != ERYX_STDOUT)
        return;
    pthread_mutex_lock(&attempt->mutex);
    attempt->started = true;
    pthread_cond_signal(&attempt->changed);
    pthread_mutex_unlock(&attempt->mutex);
}

static void *interrupter(void *argument)
{
    struct attempt *attempt = argument;
    for (;;) {
        pthread_mutex_lock(&attempt->mutex);
        while (!attempt->started && !attempt->over)
            pthread_cond_wait(&attempt->changed, &attempt->mutex);
        attempt->started = false;
        bool over = attempt->over;
        struct timespec delay = {0, (long)attempt->delay_us * 1000};
        pthread_mutex_unlock(&attempt->mutex);
        if (over)
            return NULL;
        nanosleep(&delay, NULL);
        attempt->requested = now_ns();
        eryx_sandbox_interrupt(attempt->sandbox);
    }
}

static void measure(struct attempt *attempt, const char *name, const char *code,
                    struct samples *all)
{
    struct samples samples = {0};
    for (unsigned i = 0; i < WARM_UP + REPETITIONS; i++) {
        attempt->delay_us = 1000 + i * 7919 % 3000;
        eryx_outcome_free(execute(attempt->sandbox, code, ERYX_OUTCOME_INTERRUPTED));
        /* The request happened before execute returned, and so before this read. */
        double passed = (double)(now_ns() - attempt->requested) / 1e3;
        if (i >= WARM_UP) {
            samples_add(&samples, passed);
            samples_add(all, passed);
        }
    }
    samples_print(&samples, name);
}

void bench_interrupt(void)
{
    struct attempt attempt = {.mutex = PTHREAD_MUTEX_INITIALIZER,
                              .changed = PTHREAD_COND_INITIALIZER};
    struct samples all = {0};
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.on_output = on_output;
    options.env = &attempt;
    options.limits.wall_time_ns = 20000000000u;
    eryx_runtime_t *runtime = open_runtime();
    attempt.sandbox = new_sandbox(runtime, &options);
    pthread_t thread;
    if (pthread_create(&thread, NULL, interrupter, &attempt) != 0)
        fail("cannot start a thread");
    json_open(NULL);
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++)
        measure(&attempt, programs[i].name, programs[i].code, &all);
    samples_print(&all, "all");
    json_close();
    pthread_mutex_lock(&attempt.mutex);
    attempt.over = true;
    pthread_cond_signal(&attempt.changed);
    pthread_mutex_unlock(&attempt.mutex);
    pthread_join(thread, NULL);
    eryx_sandbox_free(attempt.sandbox);
    eryx_runtime_free(runtime);
}
