/* Ends of executions by a limit. */
#ifndef SANDBOX_LIMITS_H
#define SANDBOX_LIMITS_H

#include "sandbox/outcome.h"

/* Makes the outcome one that a limit ended: which, its value, and what was used of it. */
void limits_end(eryx_outcome_t *outcome, eryx_limit_t limit, uint64_t value, uint64_t used);

#endif
