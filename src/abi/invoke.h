/* Calls of host callbacks, as the guest sees them: the imports, and results on their way in. */
#ifndef ABI_INVOKE_H
#define ABI_INVOKE_H

#include "abi/guest.h"
#include "engine/engine.h"

engine_reply_t import_invoke(void *context, engine_value_t *values);
engine_reply_t import_list_callbacks(void *context, engine_value_t *values);
engine_reply_t import_report_trace(void *context, engine_value_t *values);

/* Takes the next event of a set, after timers that are due and calls that were completed; the
 * result of a call is written. EVENT_NONE: there is none, or, if second is not 0, the arena
 * needs that many bytes for it. Not NULL: a fault of the guest. */
const char *invoke_next_event(guest_t *guest, uint32_t set, event_t *out);
/* Lets calls that other threads have completed return. */
void invoke_collect(guest_t *guest);

#endif
