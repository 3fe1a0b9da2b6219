/* Packages: the first time, when their image is made, and from then on beside sandboxes without any. */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WARM_UP = 50, REPETITIONS = 500, ROUNDS = 3 };

static eryx_runtime_t *open_with(const eryx_packages_t *packages, const char *cache)
{
    eryx_runtime_t *runtime;
    eryx_error_t error;
    eryx_runtime_options_t options;
    eryx_runtime_options_init(&options);
    options.packages = packages;
    options.image_cache = cache;
    if (eryx_runtime_open(NULL, &options, &runtime, &error) != ERYX_OK)
        fail("%s", error.message);
    return runtime;
}

static void cycle(eryx_runtime_t *runtime, const char *code)
{
    eryx_sandbox_t *sandbox = new_sandbox(runtime, NULL);
    eryx_outcome_free(execute(sandbox, code, ERYX_OUTCOME_OK));
    eryx_sandbox_free(sandbox);
}

/* From nothing to the end of the program, in milliseconds. */
static void measure_first(const eryx_packages_t *packages, const char *code)
{
    struct samples first = {0};
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = now_ns();
        eryx_runtime_t *runtime = open_with(packages, "");
        cycle(runtime, code);
        samples_add(&first, (double)(now_ns() - start) / 1e6);
        eryx_runtime_free(runtime);
    }
    samples_print(&first, "package_first_ms");
}

/* Of the same code again and again, or of source not seen before. */
static void cycle_into(struct samples *samples, eryx_runtime_t *runtime, const char *code,
                       unsigned number)
{
    char text[256];
    snprintf(text, sizeof text, "%s #%u", code, number);
    uint64_t start = now_ns();
    cycle(runtime, text);
    samples_add_since(samples, start);
}

/* By turns, so that both have the same of the machine. */
static void measure_cached(const eryx_packages_t *packages, const char *cache, const char *code)
{
    struct samples with = {0}, without = {0}, open = {0}, new = {0}, stock_new = {0};
    eryx_runtime_free(open_with(packages, cache));
    uint64_t start = now_ns();
    eryx_runtime_t *runtime = open_with(packages, cache), *stock = open_runtime();
    samples_add_since(&open, start);
    for (unsigned i = 1; i <= WARM_UP + REPETITIONS; i++) {
        if (i == WARM_UP)
            with.count = without.count = new.count = stock_new.count = 0;
        cycle_into(&with, runtime, code, 0);
        cycle_into(&without, stock, "x=1", 0);
        cycle_into(&new, runtime, code, i);
        cycle_into(&stock_new, stock, "x=1", i);
    }
    eryx_runtime_free(runtime);
    eryx_runtime_free(stock);
    samples_print(&open, "package_open_us");
    samples_print(&with, "package_cached_us");
    samples_print(&without, "package_stock_us");
    samples_print(&new, "package_new_us");
    samples_print(&stock_new, "package_stock_new_us");
}

void bench_packages(const char *cache, const char *code, char **paths)
{
    eryx_packages_t *packages;
    eryx_error_t error;
    if (eryx_packages_new(&packages, &error) != ERYX_OK)
        fail("%s", error.message);
    for (; *paths; paths++)
        if (eryx_packages_add(packages, *paths, &error) != ERYX_OK)
            fail("%s", error.message);
    json_open(NULL);
    measure_first(packages, code);
    measure_cached(packages, cache, code);
    json_close();
    eryx_packages_free(packages);
}
