/* How far long work is, on stderr if that is a terminal: one line, written anew in place, with the time that the
 * step takes; nothing if not, and nothing of work that is over at once. One at a time. */
#ifndef ERYX_CLI_PROGRESS_H
#define ERYX_CLI_PROGRESS_H

#include <stddef.h>

/* The work begins; `total` steps. */
void progress_begin(size_t total);

/* Step `number` (from 1) begins. */
void progress_step(size_t number, const char *what, const char *name);

/* Takes the line away: something else is written. It comes again after a while. */
void progress_hide(void);

void progress_end(void);

#endif
