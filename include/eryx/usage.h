/* What a sandbox uses at this moment, and what it waits for: for monitors such as `eryx top`. */
#ifndef ERYX_USAGE_H
#define ERYX_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>
#include <eryx/export.h>
#include <eryx/sandbox.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum eryx_wait {
    ERYX_WAIT_NOTHING = 0, /* it runs, or there is no execution */
    ERYX_WAIT_HOST = 1,    /* it could go on: its host has not run it yet */
    ERYX_WAIT_CALLBACK = 2,
    ERYX_WAIT_NETWORK = 3,
    ERYX_WAIT_TIMER = 4,
    ERYX_WAIT_EXTENSION = 5 /* a native extension is being compiled */
} eryx_wait_t;

typedef struct eryx_usage {
    size_t size;    /* sizeof(eryx_usage_t), set by eryx_usage_init */
    bool executing; /* an execution has begun and is not over */
    bool running;   /* Python is at work in it */
    eryx_wait_t wait;
    uint32_t wait_count; /* calls and sockets that are pending */
    char callback[256];  /* with ERYX_WAIT_CALLBACK: the name of one that is waited for */
    uint64_t wall_ns;    /* of this execution; 0 without one */
    /* Of the threads that ran its executions, in its life; 0 without eryx_sandbox_options_t.measure. */
    uint64_t cpu_ns;
    uint64_t memory_bytes; /* as of eryx_sandbox_memory; 0 without an execution */
} eryx_usage_t;

/* Zeros. Any thread. */
ERYX_API void eryx_usage_init(eryx_usage_t *usage);

/* Any thread, at any time between eryx_sandbox_new and eryx_sandbox_free. What is waited for is known with
 * eryx_sandbox_options_t.measure only. Takes up to a millisecond while there is an execution (its memory is
 * counted), in which that can neither end nor begin to wait.
 * Errors: ERYX_ERR_ARGUMENT (NULL; *out was not set up). */
ERYX_API int eryx_sandbox_usage(eryx_sandbox_t *sandbox, eryx_usage_t *out, eryx_error_t *error);

/* Bytes of the host's memory that the sandbox has for itself: pages of its linear memory that it has
 * written. By the thread that uses the sandbox, between executions. 0: the kernel does not tell. */
ERYX_API uint64_t eryx_sandbox_memory(eryx_sandbox_t *sandbox);

#ifdef __cplusplus
}
#endif
#endif
