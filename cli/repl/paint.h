/* Tracebacks in colour. */
#ifndef ERYX_CLI_REPL_PAINT_H
#define ERYX_CLI_REPL_PAINT_H

#include <stdbool.h>

enum paint_mode { PAINT_AUTO, PAINT_ALWAYS, PAINT_NEVER };

/* Whether stderr is to be coloured: `mode`, then NO_COLOR, FORCE_COLOR, TERM and the terminal. */
bool paint_wanted(enum paint_mode mode);

/* Writes a traceback, as Python prints it, to stderr. */
void paint_traceback(const char *text, bool colour);

#endif
