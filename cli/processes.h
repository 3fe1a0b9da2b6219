/* Callbacks that are commands: each call runs one process, many at the same time. */
#ifndef ERYX_CLI_PROCESSES_H
#define ERYX_CLI_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>

#include <eryx.h>

/* What a call runs. */
struct process_command {
    char **argv; /* ended by NULL; argv[0] is looked for in PATH */
    uint64_t timeout_ns;
};

/* Starts the thread that looks after the processes. Prints its own message on failure. */
bool processes_start(void);

/* For eryx_callback_t: env is a struct process_command, which outlives the thread. */
void processes_on_call(void *env, eryx_call_t *call);
void processes_on_cancel(void *env, eryx_call_t *call);

/* Kills what still runs and ends the thread; no call is alive when it returns. Does nothing
 * without processes_start. */
void processes_stop(void);

/* Kills what runs, from any thread, when this process is about to _exit. */
void processes_kill(void);

#endif
