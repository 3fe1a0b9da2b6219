/* The sandbox of `eryx repl` and its session: runs what was typed, and asks it things. */
#ifndef ERYX_CLI_REPL_CONSOLE_H
#define ERYX_CLI_REPL_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx.h>

struct editor;
struct json_t;

struct console {
    eryx_runtime_t *runtime;
    eryx_sandbox_t *sandbox;         /* the session */
    eryx_sandbox_options_t *options; /* of the session */
    eryx_sandbox_t *helper; /* a second one, that knows Python's syntax; NULL until needed */
    struct editor *editor;
    int signal_fd;  /* as in editor_options */
    int stop_fd;    /* eventfd: readable when the running program was interrupted */
    bool asking;    /* the session answers a question of ours: its output is dropped */
    bool line_open; /* the last output had no newline at its end */
    int ended_by;   /* a signal other than SIGINT came, 0: none */
};

/* For eryx_sandbox_options_t; env is a struct console. */
void console_on_output(void *env, eryx_stream_t stream, const char *data, size_t length);
ptrdiff_t console_on_input(void *env, char *buffer, size_t capacity);

/* Runs code in the session while this thread looks after Ctrl-C: the first cancels (a program that
 * waits may clean up), the second interrupts. The outcome is the caller's; NULL after a message. */
eryx_outcome_t *console_run(struct console *console, const char *code, size_t length,
                            const eryx_execute_options_t *options);

/* Runs `work` in the same way: anything that runs guest code. */
typedef int (*console_work_fn)(struct console *console, void *argument, eryx_error_t *error);
int console_call(struct console *console, console_work_fn work, void *argument,
                 eryx_error_t *error);

/* Asks repl.py in the session: the answer is the caller's; NULL if there is none. */
struct json_t *console_ask(struct console *console, const char *what, const char *text,
                           size_t length);

/* Whether `source` lacks lines. */
bool console_lacks_lines(struct console *console, const char *source, size_t length);

void console_free(struct console *console);

#endif
