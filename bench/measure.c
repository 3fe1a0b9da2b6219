/* Samples, memory, JSON and checked calls of the library: see measure.h. */
#include "measure.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct usage measure_usage(void)
{
    struct usage usage = {-1, -1, -1};
    char line[256];
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    if (!file)
        fail("cannot open /proc/self/smaps_rollup");
    while (fgets(line, sizeof line, file)) {
        sscanf(line, "Rss: %lf", &usage.rss);
        sscanf(line, "Pss: %lf", &usage.pss);
        sscanf(line, "Private_Dirty: %lf", &usage.private_dirty);
    }
    fclose(file);
    if (usage.rss < 0 || usage.pss < 0 || usage.private_dirty < 0)
        fail("/proc/self/smaps_rollup does not have Rss, Pss and Private_Dirty");
    return usage;
}

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("eryx-bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void samples_add(struct samples *samples, double value)
{
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity ? samples->capacity * 2 : 256;
        double *grown = realloc(samples->values, samples->capacity * sizeof *grown);
        if (!grown)
            fail("out of memory");
        samples->values = grown;
    }
    samples->values[samples->count++] = value;
}

void samples_add_since(struct samples *samples, uint64_t start_ns)
{
    samples_add(samples, (double)(now_ns() - start_ns) / 1e3);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool json_first = true;

static void json_name(const char *name)
{
    printf("%s\"%s\": ", json_first ? "" : ", ", name);
    json_first = false;
}

void json_open(const char *name)
{
    if (name)
        json_name(name);
    putchar('{');
    json_first = true;
}

void json_close(void)
{
    putchar('}');
    json_first = false;
}

void json_number(const char *name, double value)
{
    json_name(name);
    printf("%.3f", value);
}

void samples_print(struct samples *samples, const char *name)
{
    size_t count = samples->count;
    double *values = samples->values;
    if (count == 0)
        fail("no samples of %s", name);
    qsort(values, count, sizeof *values, compare);
    double median = count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
    json_open(name);
    json_number("median", median);
    json_number("min", values[0]);
    json_number("max", values[count - 1]);
    json_number("count", (double)count);
    json_close();
    free(values);
    *samples = (struct samples){0};
}

eryx_runtime_t *open_runtime(void)
{
    eryx_runtime_t *runtime;
    eryx_error_t error;
    if (eryx_runtime_open(NULL, NULL, &runtime, &error) != ERYX_OK)
        fail("cannot open the runtime: %s", error.message);
    return runtime;
}

eryx_sandbox_t *new_sandbox(eryx_runtime_t *runtime, const eryx_sandbox_options_t *options)
{
    eryx_sandbox_t *sandbox;
    eryx_error_t error;
    if (eryx_sandbox_new(runtime, options, &sandbox, &error) != ERYX_OK)
        fail("cannot make a sandbox: %s", error.message);
    return sandbox;
}

eryx_outcome_t *execute(eryx_sandbox_t *sandbox, const char *code, eryx_outcome_kind_t expected)
{
    eryx_outcome_t *outcome;
    eryx_error_t error;
    if (eryx_sandbox_execute(sandbox, code, strlen(code), NULL, &outcome, &error) != ERYX_OK)
        fail("cannot execute '%s': %s", code, error.message);
    if (eryx_outcome_kind(outcome) != expected)
        fail("'%s' ended as %d instead of %d: %s%s", code, (int)eryx_outcome_kind(outcome),
             (int)expected, eryx_outcome_exception_message(outcome),
             eryx_outcome_traceback(outcome));
    return outcome;
}

eryx_runtime_t *open_warm_runtime(unsigned count)
{
    eryx_runtime_t *runtime;
    eryx_error_t error;
    eryx_runtime_options_t options;
    eryx_runtime_options_init(&options);
    options.max_warm = options.prewarm = count;
    if (eryx_runtime_open(NULL, &options, &runtime, &error) != ERYX_OK)
        fail("cannot open the runtime: %s", error.message);
    return runtime;
}

void start_execution(eryx_queue_t *queue, eryx_sandbox_t *sandbox, const char *code)
{
    eryx_execute_options_t options;
    eryx_execute_options_init(&options);
    options.queue = queue;
    eryx_execution_t *execution;
    eryx_error_t error;
    if (eryx_execution_start(sandbox, code, strlen(code), &options, &execution, &error) != ERYX_OK)
        fail("cannot start '%s': %s", code, error.message);
}

void end_execution(eryx_execution_t *execution)
{
    eryx_outcome_t *outcome = eryx_execution_take_outcome(execution);
    if (eryx_outcome_kind(outcome) != ERYX_OUTCOME_OK)
        fail("a program ended as %d: %s%s", (int)eryx_outcome_kind(outcome),
             eryx_outcome_exception_message(outcome), eryx_outcome_traceback(outcome));
    eryx_outcome_free(outcome);
    eryx_execution_free(execution);
}
