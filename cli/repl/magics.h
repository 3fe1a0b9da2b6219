/* The prompt's own commands: `%time`, `%save`, ... */
#ifndef ERYX_CLI_REPL_MAGICS_H
#define ERYX_CLI_REPL_MAGICS_H

#include <stdbool.h>
#include <stddef.h>

#include "console.h"

enum magic {
    MAGIC_NONE, /* no command: it is Python */
    MAGIC_DONE,
    MAGIC_TIME, /* *code is to be run, and how long it took to be said */
    MAGIC_QUIT
};

/* What a first line is. Messages are printed. */
enum magic magic_run(struct console *console, const char *line, const char **code);

#endif
