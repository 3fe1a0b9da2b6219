/* Values of secrets in a session's memory: there should be none, and none must leave in a checkpoint. */
#ifndef CHECKPOINT_LEAKS_H
#define CHECKPOINT_LEAKS_H

#include "sandbox/sandbox.h"

/* Errors: ERYX_ERR_STATE (a value was found), _MEMORY. */
int leaks_check(eryx_sandbox_t *sandbox, eryx_error_t *error);

#endif
