/* The fields behind eryx_sandbox_t. */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <eryx/sandbox.h>

#include "sandbox/execution.h"
#include "sandbox/pool.h"
#include "sandbox/runtime.h"
#include "sandbox/watchdog.h"

/* Copies of strings; one allocation. */
typedef struct text_list {
    char **items;
    size_t count;
} text_list_t;

struct eryx_sandbox {
    eryx_runtime_t *runtime;
    eryx_limits_t limits;
    text_list_t argv, environ;
    char *filename; /* of the last execution; NULL: the default */
    bool script;
    eryx_output_fn on_output;
    eryx_input_fn on_input;
    void *env;
    void (*env_finalizer)(void *env);
    control_t *control;
    instance_t *instance; /* NULL after the session was lost, until the next execution */
    execution_t execution;
};

/* Makes sure that there is an instance. */
int sandbox_ready(eryx_sandbox_t *sandbox, eryx_error_t *error);

#endif
