/* The prompt of `eryx repl`. */
#ifndef ERYX_CLI_REPL_PROMPT_H
#define ERYX_CLI_REPL_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "console.h"
#include "editor.h"

/* Reads and runs inputs until the end; returns the exit code of the process. */
int prompt_loop(struct console *console, bool colour);

/* For editor_options; env is a struct console. */
bool prompt_complete(void *env, const char *line, size_t length, struct completion *out);

#endif
