/* What a session costs: executing among 100 names, saving and restoring a few, and being traced.
 * First use of snapshot and restore is that of a new sandbox: in instances that earlier ones have used
 * (what a server has after a while), and in instances that are all new. */
#include "measure.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WARM_UP = 50,
    REPETITIONS = 500,
    FIRST = 50,
    FIRST_USED = 250,
    TRACED = 10,
    ITERATIONS = 100000
};

static void measure_execute(eryx_runtime_t *runtime, bool again)
{
    struct samples samples = {0};
    eryx_sandbox_t *sandbox = new_sandbox(runtime, NULL);
    eryx_outcome_free(execute(sandbox,
                              "for i in range(98): globals()[f'name_{i}'] = [i]\n"
                              "runs = 0\n",
                              ERYX_OUTCOME_OK));
    for (int i = 0; i < WARM_UP + REPETITIONS * 4; i++) {
        char text[64];
        snprintf(text, sizeof text, "runs += name_1[0] #%d", again ? 0 : i);
        uint64_t start = now_ns();
        eryx_outcome_t *outcome = execute(sandbox, text, ERYX_OUTCOME_OK);
        if (i >= WARM_UP)
            samples_add_since(&samples, start);
        eryx_outcome_free(outcome);
    }
    char check[64];
    snprintf(check, sizeof check, "assert runs == %d", WARM_UP + REPETITIONS * 4);
    eryx_outcome_free(execute(sandbox, check, ERYX_OUTCOME_OK));
    eryx_sandbox_free(sandbox);
    samples_print(&samples, again ? "session_exec_us" : "session_exec_new_us");
}

static const char *const names = "count = 3\n"
                                 "title = 'eryx'\n"
                                 "items = [1, 2.5, None, 'text']\n"
                                 "table = {'a': (1, 2), 'b': {3, 4}}\n";
static const char *const names_kept =
    "assert (count, title, items, table) == "
    "(3, 'eryx', [1, 2.5, None, 'text'], {'a': (1, 2), 'b': {3, 4}})\n";

static void *snapshot(eryx_sandbox_t *sandbox, size_t *length)
{
    void *data;
    eryx_error_t error;
    if (eryx_sandbox_snapshot(sandbox, NULL, &data, length, &error) != ERYX_OK)
        fail("cannot take a snapshot: %s", error.message);
    return data;
}

static void restore(eryx_sandbox_t *sandbox, const void *data, size_t length)
{
    eryx_error_t error;
    if (eryx_sandbox_restore(sandbox, data, length, &error) != ERYX_OK)
        fail("cannot restore a snapshot: %s", error.message);
}

static void measure_snapshot(eryx_runtime_t *runtime)
{
    struct samples saved = {0}, restored = {0};
    size_t length = 0;
    eryx_sandbox_t *sandbox = new_sandbox(runtime, NULL);
    eryx_outcome_free(execute(sandbox, names, ERYX_OUTCOME_OK));
    for (int i = 0; i < WARM_UP + REPETITIONS; i++) {
        uint64_t start = now_ns();
        void *data = snapshot(sandbox, &length);
        if (i >= WARM_UP)
            samples_add_since(&saved, start);
        eryx_outcome_free(execute(sandbox, "count = None", ERYX_OUTCOME_OK));
        start = now_ns();
        restore(sandbox, data, length);
        if (i >= WARM_UP)
            samples_add_since(&restored, start);
        eryx_bytes_free(data);
    }
    eryx_outcome_free(execute(sandbox, names_kept, ERYX_OUTCOME_OK));
    eryx_sandbox_free(sandbox);
    samples_print(&saved, "snapshot_us");
    samples_print(&restored, "restore_us");
    json_number("snapshot_bytes", (double)length);
}

static void snapshot_and_restore(eryx_sandbox_t *from, eryx_sandbox_t *to, struct samples *saved,
                                 struct samples *restored)
{
    eryx_outcome_free(execute(from, names, ERYX_OUTCOME_OK));
    size_t length;
    uint64_t start = now_ns();
    void *data = snapshot(from, &length);
    samples_add_since(saved, start);
    start = now_ns();
    restore(to, data, length);
    samples_add_since(restored, start);
    eryx_bytes_free(data);
    eryx_outcome_free(execute(to, names_kept, ERYX_OUTCOME_OK));
}

static void measure_first_snapshot(eryx_runtime_t *runtime)
{
    struct samples saved = {0}, restored = {0};
    for (int i = 0; i < WARM_UP + FIRST_USED; i++) {
        eryx_sandbox_t *from = new_sandbox(runtime, NULL), *to = new_sandbox(runtime, NULL);
        if (i == WARM_UP)
            saved.count = restored.count = 0;
        snapshot_and_restore(from, to, &saved, &restored);
        eryx_sandbox_free(from);
        eryx_sandbox_free(to);
    }
    samples_print(&saved, "snapshot_first_us");
    samples_print(&restored, "restore_first_us");
}

static void measure_cold_snapshot(eryx_runtime_t *runtime)
{
    eryx_sandbox_t *sandboxes[2 * FIRST]; /* all stay alive: no instance is used again */
    struct samples saved = {0}, restored = {0};
    for (int i = 0; i < FIRST; i++) {
        eryx_sandbox_t *from = sandboxes[2 * i] = new_sandbox(runtime, NULL);
        eryx_sandbox_t *to = sandboxes[2 * i + 1] = new_sandbox(runtime, NULL);
        snapshot_and_restore(from, to, &saved, &restored);
    }
    for (int i = 0; i < 2 * FIRST; i++)
        eryx_sandbox_free(sandboxes[i]);
    samples_print(&saved, "snapshot_cold_us");
    samples_print(&restored, "restore_cold_us");
}

static void on_trace(void *env, uint32_t lineno, const char *event_json, size_t event_length,
                     const char *context_json, size_t context_length)
{
    (void)lineno, (void)event_json, (void)event_length, (void)context_json, (void)context_length;
    ++*(uint64_t *)env;
}

/* A loop of 100,000 iterations, by turns traced and not. */
static void measure_trace(eryx_runtime_t *runtime)
{
    static const char *const loop = "def loop():\n"
                                    "    total = 0\n"
                                    "    for i in range(100000):\n"
                                    "        total += i\n"
                                    "    return total\n";
    uint64_t events = 0;
    eryx_sandbox_options_t options;
    eryx_sandbox_options_init(&options);
    options.on_trace = on_trace;
    options.env = &events;
    eryx_sandbox_t *sandboxes[2] = {new_sandbox(runtime, NULL), new_sandbox(runtime, &options)};
    struct samples samples[2] = {{0}, {0}};
    for (int i = 0; i < 2; i++)
        eryx_outcome_free(execute(sandboxes[i], loop, ERYX_OUTCOME_OK));
    for (int round = 0; round <= TRACED; round++) {
        for (int traced = 0; traced < 2; traced++) {
            events = 0;
            uint64_t start = now_ns();
            eryx_outcome_t *outcome = execute(sandboxes[traced], "loop()", ERYX_OUTCOME_OK);
            if (round > 0)
                samples_add_since(&samples[traced], start);
            eryx_outcome_free(outcome);
        }
    }
    if (events > 0 && events < ITERATIONS)
        fail("%llu events of a loop of %d iterations", (unsigned long long)events, ITERATIONS);
    json_number("trace_events", (double)events);
    samples_print(&samples[0], "untraced_us");
    samples_print(&samples[1], "traced_us");
    for (int i = 0; i < 2; i++)
        eryx_sandbox_free(sandboxes[i]);
}

void bench_session(void)
{
    eryx_runtime_t *runtime = open_runtime();
    json_open(NULL);
    measure_execute(runtime, false);
    measure_execute(runtime, true);
    measure_snapshot(runtime);
    measure_cold_snapshot(runtime);
    measure_first_snapshot(runtime);
    measure_trace(runtime);
    json_close();
    eryx_runtime_free(runtime);
}
