/* A long run of random programs, friendly and hostile, on two threads: what it leaves behind.
 *
 * Now and then all sandboxes are freed and both threads stop; memory, descriptors and mappings are
 * measured there, with the same sandboxes alive at each reading, in which the same was executed. The
 * drift is between the readings after the warm-up (a quarter of the time) and the last ones.
 * Sandboxes that were not given back are found by taking all places of the runtime. Ends with 1 if
 * something leaked. Also: fresh cycles a second on one thread and on two. */
#include "measure.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* SETTLE: more often than a page must stay unchanged until a warm instance gives it back. */
enum { THREADS = 2, PLACES = 64, STOPS = 48, STOPS_SHORT = 4, LIVE = 8, SETTLE = 40 };

static const char *const friendly[] = {
    "x = 1",
    "print('hello')",
    "import json\nprint(json.loads(json.dumps({'a': [1, 2, {'b': None}]})))",
    "sum(i * i for i in range(2000))",
    "open('/tmp/x', 'w').write('y' * 10000)",
    "import asyncio\nasync def f(n): await asyncio.sleep(0); return n\n"
    "print(sum(await asyncio.gather(*(f(i) for i in range(50)))))",
    "import sqlite3\nc = sqlite3.connect(':memory:')\nc.execute('create table t(a)')",
    "class A: pass\nkept = [A() for _ in range(3000)]",
    "1 / 0",
    "raise SystemExit(3)",
};

static const char *const hostile[] = {
    "while True: pass",
    "import re\nre.match('(a+)+$', 'a' * 64 + 'b')",
    "10 ** 10 ** 8",
    "kept = []\nwhile True: kept.append(bytearray(1 << 20))",
    "import os\nos.abort()",
    "import os\nos._exit(1)",
    "while True: print('x' * 1000)",
    "def f(): f()\nimport sys\nsys.setrecursionlimit(10**6)\nf()",
    "x = []\nfor i in range(100000): x = [x]\nrepr(x)",
    "import time\ntime.sleep(100)",
    "import asyncio\nawait asyncio.sleep(100)",
    "for i in range(1000): open(f'/tmp/{i}', 'w').write('x')",
    "import builtins\nfor n in dir(builtins):\n"
    "    if n[0] != '_': setattr(builtins, n, None)",
};

enum {
    FRIENDLY = sizeof friendly / sizeof friendly[0],
    HOSTILE = sizeof hostile / sizeof hostile[0]
};

static struct soak {
    eryx_runtime_t *runtime;
    pthread_barrier_t stop, go;
    _Atomic(eryx_sandbox_t *) interruptible; /* of the other thread; under the lock */
    pthread_mutex_t lock;
    atomic_ullong executions;
    atomic_bool pausing, over;
} soak;

/* xorshift: the same programs in the same order for the same thread. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void interrupt_other(void)
{
    pthread_mutex_lock(&soak.lock);
    eryx_sandbox_t *sandbox = atomic_load(&soak.interruptible);
    if (sandbox)
        eryx_sandbox_interrupt(sandbox);
    pthread_mutex_unlock(&soak.lock);
}

static void offer(eryx_sandbox_t *sandbox)
{
    pthread_mutex_lock(&soak.lock);
    atomic_store(&soak.interruptible, sandbox);
    pthread_mutex_unlock(&soak.lock);
}

static void run(eryx_sandbox_t *sandbox, const char *code)
{
    eryx_outcome_t *outcome = NULL;
    eryx_error_t error = {0, ""};
    if (eryx_sandbox_execute(sandbox, code, strlen(code), NULL, &outcome, &error) != ERYX_OK)
        fail("%s: %s", code, error.message);
    eryx_outcome_free(outcome);
    atomic_fetch_add(&soak.executions, 1);
}

/* A copy of the session runs on its own. */
static void fork_session(eryx_sandbox_t *sandbox, const char *code)
{
    eryx_sandbox_t *copy = NULL;
    eryx_error_t error = {0, ""};
    if (eryx_sandbox_fork(sandbox, NULL, 1, &copy, &error) != ERYX_OK)
        fail("fork: %s", error.message);
    run(copy, code);
    eryx_sandbox_free(copy);
}

static void run_session(uint64_t *seed)
{
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.limits.wall_time_ns = 2000000 + next_random(seed) % 20000000;
    options.limits.memory_bytes = (uint64_t)(128 + next_random(seed) % 128) << 20;
    options.limits.output_bytes = 100000;
    options.limits.stop_on_output = next_random(seed) % 2;
    options.rollback = next_random(seed) % 4 != 0;
    eryx_sandbox_t *sandbox = new_sandbox(soak.runtime, &options);
    unsigned count = 1 + (unsigned)(next_random(seed) % 4);
    bool mine = next_random(seed) % 4 == 0;
    if (mine)
        offer(sandbox);
    for (unsigned i = 0; i < count; i++) {
        uint64_t random = next_random(seed);
        run(sandbox, random % 3 ? friendly[random / 3 % FRIENDLY] : hostile[random / 3 % HOSTILE]);
        if (random % 16 == 0)
            interrupt_other();
        if (random % 32 == 1)
            fork_session(sandbox, friendly[random / 32 % FRIENDLY]);
    }
    if (mine)
        offer(NULL);
    eryx_sandbox_free(sandbox);
}

static void *run_sessions(void *argument)
{
    uint64_t seed = 88172645463325252u + (uint64_t)(uintptr_t)argument * 7919;
    while (!atomic_load(&soak.over)) {
        if (atomic_load(&soak.pausing)) {
            pthread_barrier_wait(&soak.stop);
            pthread_barrier_wait(&soak.go);
        } else {
            run_session(&seed);
        }
    }
    return NULL;
}

struct state {
    double rss;
    long descriptors, mappings;
};

static long count_files(const char *path)
{
    DIR *folder = opendir(path);
    long count = 0;
    while (folder && readdir(folder))
        count++;
    if (folder)
        closedir(folder);
    return count;
}

static long count_lines(const char *path)
{
    FILE *file = fopen(path, "r");
    long lines = 0;
    for (int c; file && (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    if (file)
        fclose(file);
    return lines;
}

/* Brings the warm instances into the same state: whether one was used often or made anew a moment
 * ago, it has touched the same parts of the image, and keeps few pages of its own. */
static void settle(eryx_sandbox_t **live)
{
    for (int i = 0; i < LIVE; i++) {
        live[i] = new_sandbox(soak.runtime, NULL);
        for (size_t program = 0; program < FRIENDLY; program++)
            run(live[i], friendly[program]);
    }
    for (int round = 0; round < SETTLE; round++) {
        for (int i = 0; i < LIVE; i++) {
            eryx_sandbox_free(live[i]);
            live[i] = NULL;
        }
        for (int i = 0; i < LIVE; i++) {
            live[i] = new_sandbox(soak.runtime, NULL);
            eryx_outcome_free(execute(live[i], "x=1", ERYX_OUTCOME_OK));
        }
    }
}

/* Both threads stand still, without sandboxes. */
static struct state measure_state(void)
{
    struct state state;
    eryx_sandbox_t *live[LIVE] = {NULL};
    atomic_store(&soak.pausing, true);
    pthread_barrier_wait(&soak.stop);
    settle(live);
    state.rss = measure_usage().rss;
    state.descriptors = count_files("/proc/self/fd");
    state.mappings = count_lines("/proc/self/maps");
    for (int i = 0; i < LIVE; i++)
        eryx_sandbox_free(live[i]);
    atomic_store(&soak.pausing, false);
    pthread_barrier_wait(&soak.go);
    return state;
}

/* How many places of the runtime nobody gave back. */
static unsigned missing_places(void)
{
    eryx_sandbox_t *sandboxes[PLACES] = {NULL};
    unsigned taken = 0;
    while (taken < PLACES &&
           eryx_sandbox_new(soak.runtime, NULL, &sandboxes[taken], NULL) == ERYX_OK)
        taken++;
    for (unsigned i = 0; i < taken; i++)
        eryx_sandbox_free(sandboxes[i]);
    return PLACES - taken;
}

static void sleep_ns(uint64_t ns)
{
    struct timespec time = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};
    nanosleep(&time, NULL);
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

void bench_soak(unsigned seconds)
{
    pthread_t threads[THREADS];
    struct state first = {0}, last = {0};
    double rss[STOPS];
    eryx_runtime_options_t options;
    eryx_error_t error;
    eryx_runtime_options_init(&options);
    options.max_sandboxes = PLACES;
    if (eryx_runtime_open(NULL, &options, &soak.runtime, &error) != ERYX_OK)
        fail("%s", error.message);
    if (pthread_barrier_init(&soak.stop, NULL, THREADS + 1) != 0 ||
        pthread_barrier_init(&soak.go, NULL, THREADS + 1) != 0 ||
        pthread_mutex_init(&soak.lock, NULL) != 0)
        fail("out of memory");
    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, run_sessions, (void *)i) != 0)
            fail("cannot start a thread");
    int stops = seconds < STOPS ? STOPS_SHORT : STOPS;
    for (int i = 1; i <= stops; i++) {
        sleep_ns((uint64_t)seconds * 1000000000u / (unsigned)stops);
        last = measure_state();
        rss[i - 1] = last.rss;
        if (i == stops / 4)
            first = last;
    }
    atomic_store(&soak.over, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    unsigned lost = missing_places();
    long descriptors = last.descriptors - first.descriptors;
    json_open(NULL);
    json_number("executions", (double)atomic_load(&soak.executions));
    json_number("rss_mib", last.rss / 1024);
    /* What sandboxes hold at a moment varies by more than a leak would: medians of many moments. */
    double before = median(rss + stops / 4, (size_t)stops / 4);
    double after = median(rss + stops - stops / 4, (size_t)stops / 4);
    json_number("rss_drift_pct", (after - before) / before * 100);
    json_number("leaked_sandboxes", lost);
    json_number("leaked_descriptors", (double)descriptors);
    json_number("more_mappings", (double)(last.mappings - first.mappings));
    json_close();
    eryx_runtime_free(soak.runtime);
    if (lost > 0 || descriptors > 0)
        fail("%u sandboxes and %ld descriptors leaked", lost, descriptors);
}

/* --- Fresh cycles ------------------------------------------------------------------------- */

static struct {
    eryx_runtime_t *runtime;
    atomic_ullong cycles;
    atomic_bool over;
} cycling;

static void *cycle(void *argument)
{
    (void)argument;
    while (!atomic_load_explicit(&cycling.over, memory_order_relaxed)) {
        eryx_sandbox_t *sandbox = new_sandbox(cycling.runtime, NULL);
        eryx_outcome_free(execute(sandbox, "x=1", ERYX_OUTCOME_OK));
        eryx_sandbox_free(sandbox);
        atomic_fetch_add_explicit(&cycling.cycles, 1, memory_order_relaxed);
    }
    return NULL;
}

struct rate {
    double per_second;
    double cpu_us; /* of a cycle: tells contention where other programs use the processors, too */
};

static uint64_t process_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct rate measure_cycles(unsigned count)
{
    pthread_t threads[THREADS];
    atomic_store(&cycling.over, false);
    for (unsigned i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, cycle, NULL) != 0)
            fail("cannot start a thread");
    sleep_ns(200000000); /* warm-up */
    uint64_t start = now_ns(), used = process_time(), before = atomic_load(&cycling.cycles);
    sleep_ns(2000000000);
    double passed = (double)(now_ns() - start) / 1e9;
    double cycles = (double)(atomic_load(&cycling.cycles) - before);
    used = process_time() - used;
    atomic_store(&cycling.over, true);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    return (struct rate){cycles / passed, (double)used / 1e3 / cycles};
}

void bench_parallel(void)
{
    cycling.runtime = open_runtime();
    json_open(NULL);
    struct rate one = measure_cycles(1), two = measure_cycles(2);
    json_number("fresh_per_s_1c", one.per_second);
    json_number("fresh_per_s_2c", two.per_second);
    json_number("fresh_cpu_us_1c", one.cpu_us);
    json_number("fresh_cpu_us_2c", two.cpu_us);
    json_close();
    eryx_runtime_free(cycling.runtime);
}
