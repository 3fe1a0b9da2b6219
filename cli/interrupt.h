/* Signals that end the program, and the last resort of its time limit, on a thread of their own. */
#ifndef ERYX_CLI_INTERRUPT_H
#define ERYX_CLI_INTERRUPT_H

#include <stdbool.h>
#include <stdint.h>

#include <eryx.h>

/* Blocks SIGINT, SIGTERM and SIGHUP in this thread and those it starts from now on: to be
 * called before the library starts any, so that only the thread below takes them. */
void interrupt_block(void);

/* From now on SIGINT interrupts sandbox; a second one, SIGTERM and SIGHUP end the process at once.
 * limit_ns is the program's time limit (0: none): if the execution has not ended a
 * second after it (blocked in a write, say), the process ends with EXIT_LIMIT. */
bool interrupt_watch(eryx_sandbox_t *sandbox, uint64_t limit_ns);

/* No signal reaches the sandbox any more when it returns. */
void interrupt_end(void);

/* Readable once the sandbox was interrupted: for poll. */
int interrupt_fd(void);

/* Readable once SIGUSR1 came, which asks for a checkpoint; interrupt_checkpoint_taken empties it. */
int interrupt_checkpoint_fd(void);
void interrupt_checkpoint_taken(void);

/* Ends this process by SIGINT, as shells expect of a program stopped by Ctrl-C.
 * Returns EXIT_INTERRUPT where that is not possible. */
int interrupt_finish(void);

#endif
