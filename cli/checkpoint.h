/* Programs that are written to a file while they wait.
 *
 * SIGUSR1 writes the file and the program goes on. At its time limit a program that waits is
 * written and left, with EXIT_LIMIT; one that computes has a second more to come to an await. With
 * checkpoint_waiting it is written and left as soon as it waits, with EXIT_WAITING. */
#ifndef ERYX_CLI_CHECKPOINT_H
#define ERYX_CLI_CHECKPOINT_H

#include <eryx.h>

#include "program.h"

/* Drives the execution to its end: *outcome is the caller's; or to where it was left: *written is the
 * exit code then. Returns ERYX_OK or a status with error. */
int checkpoint_drive(const struct program *program, eryx_sandbox_t *sandbox,
                     eryx_execution_t *execution, eryx_outcome_t **outcome, int *written,
                     eryx_error_t *error);

#endif
