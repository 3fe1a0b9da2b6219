/* Where a program spends its time: samples of its Python stack.
 *
 *     options.on_sample = on_sample;               (eryx_sandbox_options_t)
 *     options.sample_interval_ns = 1000000;
 *
 * While a program runs it is asked for a sample once in every interval. It answers where CPython looks at
 * its eval breaker (ceval.c): when a function begins, a call has returned, a loop turns. So a sample taken after a
 * long call of a C function names the line that made the call, and carries its time. Each costs some
 * microseconds; a program that waits is not sampled. Samples are what the program says of itself: it can
 * avoid them, or be called what it likes. With eryx_limits_t.fuel they take some of it. */
#ifndef ERYX_PROFILE_H
#define ERYX_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/export.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ERYX_SAMPLE_INTERVAL_MIN_NS 100000

/* One Python frame. Texts are UTF-8, at most 255 bytes, NUL-terminated, without values of secrets. */
typedef struct eryx_frame {
    const char *function; /* the code's qualified name: "Parser.parse", "<module>" */
    const char *file; /* its filename: eryx_execute_options_t.filename, or a path in the sandbox */
    uint32_t line;    /* where it is; 0: nowhere */
    uint32_t first_line; /* of the function */
} eryx_frame_t;

typedef struct eryx_sample {
    uint64_t time_ns; /* CLOCK_MONOTONIC */
    /* CPU time that the executing thread has spent on this execution since the sample before it, or since it
     * began: what this sample stands for. */
    uint64_t cpu_ns;
    const eryx_frame_t *frames; /* the innermost first; at most 200 */
    size_t count;
    bool cut; /* there are more frames outside of the last one */
} eryx_sample_t;

/* Called on the executing thread; the sample is valid during the call only. Must not call into the
 * sandbox, and has 800 KiB of stack. At most once for each time that the program was asked. */
typedef void (*eryx_sample_fn)(void *env, const eryx_sample_t *sample);

#ifdef __cplusplus
}
#endif
#endif
