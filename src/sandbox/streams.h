/* What a guest's standard streams and traces end in: the outcome, or the host's functions. */
#ifndef SANDBOX_STREAMS_H
#define SANDBOX_STREAMS_H

#include <eryx/sandbox.h>

#include "abi/guest.h"

/* For the sandbox's guest. */
guest_streams_t streams_of(eryx_sandbox_t *sandbox);
/* Hands over lines that are not complete (ERYX_OUTPUT_LINE). */
void streams_flush(eryx_sandbox_t *sandbox);

#endif
