/* Samples of a measurement, and how the C benchmarks report them.
 *
 * A benchmark prints one JSON object on stdout; bench/run collects them. Anything that goes
 * wrong ends the program: a figure of work that did not happen is worse than none. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx.h>

struct samples {
    double *values;
    size_t count, capacity;
};

uint64_t now_ns(void);

/* Memory of this process in KiB. Rss counts every page that is mapped; Pss shares pages that
 * several mappings have among them, and Private_Dirty is what only this process has. */
struct usage {
    double rss, pss, private_dirty;
};

struct usage measure_usage(void);

void samples_add(struct samples *samples, double value);
/* Adds the microseconds since then. */
void samples_add_since(struct samples *samples, uint64_t start_ns);
/* Prints `"name": {"median": ..., "min": ..., "max": ..., "count": ...}`, preceded by a comma
 * unless it is the first of the object, and empties the samples. */
void samples_print(struct samples *samples, const char *name);

void json_open(const char *name);
void json_close(void);
void json_number(const char *name, double value);

/* Prints the message and exits with 1. */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

eryx_runtime_t *open_runtime(void);
eryx_sandbox_t *new_sandbox(eryx_runtime_t *runtime, const eryx_sandbox_options_t *options);
/* Runs code that must end as expected. The caller frees the outcome. */
eryx_outcome_t *execute(eryx_sandbox_t *sandbox, const char *code, eryx_outcome_kind_t expected);

/* A runtime whose pool holds as many instances. */
eryx_runtime_t *open_warm_runtime(unsigned count);
/* Starts an execution in the queue; it must be handed to end_execution when it is done, which must be
 * without an exception. */
void start_execution(eryx_queue_t *queue, eryx_sandbox_t *sandbox, const char *code);
void end_execution(eryx_execution_t *execution);

/* The benchmarks, by argument: see main.c. */
void bench_lifecycle(void);
void bench_interrupt(void);
void bench_memory(unsigned sandboxes);
void bench_callbacks(void);
enum waiting {
    WAITING_WARM, /* from a pool of as many instances, all with the same source */
    WAITING_NEW,  /* each with a source of its own */
    WAITING_COLD  /* in instances that were never used before */
};
void bench_waiting(unsigned sandboxes, enum waiting kind);
void bench_sockets(unsigned sandboxes);
void bench_soak(unsigned seconds);
void bench_parallel(void);
void bench_session(void);
void bench_copies(void);
/* paths: of packages, NULL at the end; images are kept in the folder cache; code imports them. */
void bench_packages(const char *cache, const char *code, char **paths);

#endif
