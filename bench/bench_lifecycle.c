/* What a sandbox costs: making one, executing next to nothing, taking the output over, the whole
 * cycle. Microseconds. */
#include "measure.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { WARM_UP = 50, REPETITIONS = 500 };

static void measure_instantiate(eryx_runtime_t *runtime)
{
    struct samples new = {0}, freed = {0};
    for (int i = 0; i < WARM_UP + REPETITIONS; i++) {
        uint64_t start = now_ns();
        eryx_sandbox_t *sandbox = new_sandbox(runtime, NULL);
        if (i >= WARM_UP)
            samples_add_since(&new, start);
        /* It must be ready: whatever making it put off is not to be counted as free. */
        eryx_outcome_free(execute(sandbox, "x=1", ERYX_OUTCOME_OK));
        start = now_ns();
        eryx_sandbox_free(sandbox);
        if (i >= WARM_UP)
            samples_add_since(&freed, start);
    }
    samples_print(&new, "instantiate_us");
    samples_print(&freed, "free_us");
}

/* Sandboxes that no used instance can be recycled for: all of them stay alive. */
static void measure_cold(eryx_runtime_t *runtime)
{
    static eryx_sandbox_t *sandboxes[REPETITIONS];
    struct samples new = {0}, first = {0};
    for (int i = 0; i < REPETITIONS; i++) {
        uint64_t start = now_ns();
        sandboxes[i] = new_sandbox(runtime, NULL);
        samples_add_since(&new, start);
        start = now_ns();
        eryx_outcome_free(execute(sandboxes[i], "x=1", ERYX_OUTCOME_OK));
        samples_add_since(&first, start);
    }
    for (int i = 0; i < REPETITIONS; i++)
        eryx_sandbox_free(sandboxes[i]);
    samples_print(&new, "cold_instantiate_us");
    samples_print(&first, "cold_first_exec_us");
}

/* A session keeps the code of its last source, a runtime that of sources which new sandboxes run again:
 * the same text is not compiled again. `fresh_cycle_us`, `exec_us` and `print_us` repeat it; `..._new_us`
 * are of text not seen before (a comment differs). */
static const char *source(char *buffer, size_t capacity, const char *code, bool again)
{
    static unsigned number;
    snprintf(buffer, capacity, "%s #%u", code, again ? 0 : ++number);
    return buffer;
}

static void measure_cycle(eryx_runtime_t *runtime, bool again)
{
    struct samples samples = {0};
    char text[64];
    for (int i = 0; i < WARM_UP + REPETITIONS; i++) {
        source(text, sizeof text, "x=1", again);
        uint64_t start = now_ns();
        eryx_sandbox_t *sandbox = new_sandbox(runtime, NULL);
        eryx_outcome_free(execute(sandbox, text, ERYX_OUTCOME_OK));
        eryx_sandbox_free(sandbox);
        if (i >= WARM_UP)
            samples_add_since(&samples, start);
    }
    samples_print(&samples, again ? "fresh_cycle_us" : "fresh_new_us");
}

static void measure_first(eryx_runtime_t *runtime)
{
    struct samples first = {0};
    for (int i = 0; i < REPETITIONS; i++) {
        eryx_sandbox_t *sandbox = new_sandbox(runtime, NULL);
        uint64_t start = now_ns();
        eryx_outcome_free(execute(sandbox, "x=1", ERYX_OUTCOME_OK));
        samples_add_since(&first, start);
        eryx_sandbox_free(sandbox);
    }
    samples_print(&first, "first_exec_us");
}

static void measure_execute(eryx_runtime_t *runtime, const char *code, const char *output,
                            bool again, const char *name)
{
    struct samples samples = {0};
    char text[64];
    eryx_sandbox_t *sandbox = new_sandbox(runtime, NULL);
    for (int i = 0; i < WARM_UP + REPETITIONS * 4; i++) {
        source(text, sizeof text, code, again);
        uint64_t start = now_ns();
        eryx_outcome_t *outcome = execute(sandbox, text, ERYX_OUTCOME_OK);
        size_t length;
        const char *printed = eryx_outcome_stdout(outcome, &length);
        if (i >= WARM_UP)
            samples_add_since(&samples, start);
        if (length != strlen(output) || memcmp(printed, output, length) != 0)
            fail("%s gave '%.*s'", text, (int)length, printed);
        eryx_outcome_free(outcome);
    }
    eryx_sandbox_free(sandbox);
    samples_print(&samples, name);
}

void bench_lifecycle(void)
{
    struct samples open = {0};
    for (int i = 0; i < WARM_UP; i++) {
        uint64_t start = now_ns();
        eryx_runtime_t *runtime = open_runtime();
        samples_add_since(&open, start);
        eryx_runtime_free(runtime);
    }
    eryx_runtime_t *runtime = open_runtime();
    json_open(NULL);
    samples_print(&open, "open_runtime_us");
    measure_instantiate(runtime);
    measure_cold(runtime);
    measure_cycle(runtime, true);
    measure_cycle(runtime, false);
    measure_first(runtime);
    for (int again = 0; again < 2; again++) {
        measure_execute(runtime, "x=1", "", again, again ? "exec_us" : "exec_new_us");
        measure_execute(runtime, "print(\"hello\")", "hello\n", again,
                        again ? "print_us" : "print_new_us");
    }
    json_close();
    eryx_runtime_free(runtime);
}
