/* What other threads may see of a sandbox is what its control has, under the control's lock. */
#define _GNU_SOURCE
#include <eryx/usage.h>

#include <string.h>

#include "abi/call.h"
#include "base/clock.h"
#include "base/error.h"
#include "memory/scan.h"
#include "sandbox/sandbox.h"

enum { LOOKED_AT_MAX = 256 }; /* waitables */

void eryx_usage_init(eryx_usage_t *usage) {
    *usage = (eryx_usage_t){.size = sizeof *usage};
}

static bool count_pages(memory_slot_t *slot, size_t first, size_t end, void *env) {
    uint64_t *bytes = env;
    *bytes += (uint64_t)(end - first) * slot->origin->page;
    return true;
}

/* Its thread may make it larger meanwhile: a copy of what the scan needs. */
static uint64_t private_bytes(const memory_slot_t *slot) {
    uint64_t bytes = 0;
    memory_slot_t view = {.origin = slot->origin,
                          .base = slot->base,
                          .size = __atomic_load_n(&slot->size, __ATOMIC_RELAXED)};
    return scan_private(&view, count_pages, &bytes) == SCAN_DONE ? bytes : 0;
}

int eryx_sandbox_usage(eryx_sandbox_t *sandbox, eryx_usage_t *out, eryx_error_t *error) {
    if (!sandbox || !out || out->size != sizeof *out)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s",
                         sandbox ? "usage: call eryx_usage_init" : "sandbox is NULL");
    control_t *control = sandbox->control;
    eryx_usage_init(out);
    control_look(control, out);
    if (control->slot)
        out->memory_bytes = private_bytes(control->slot);
    control_looked(control);
    return ERYX_OK;
}

uint64_t eryx_sandbox_memory(eryx_sandbox_t *sandbox) {
    return sandbox && sandbox->instance ? private_bytes(sandbox->instance->slot) : 0;
}

/* The first thing in the table that is pending; there may be a great many. */
void usage_note_wait(eryx_sandbox_t *sandbox) {
    const waitables_t *waitables = &sandbox->instance->guest.waitables;
    control_wait_t wait = {.kind = ERYX_WAIT_TIMER, .count = waitables->owned};
    uint32_t last = waitables_last(waitables);
    if (!sandbox->measure)
        return;
    for (uint32_t i = 1; waitables->owned > 0 && i <= last && i <= LOOKED_AT_MAX; i++) {
        const pending_t *pending = waitables_owner(waitables, i);
        if (!pending)
            continue;
        wait.kind = pending->kind->wait;
        if (pending->kind != &call_kind)
            continue;
        const eryx_call_t *call = (const eryx_call_t *)pending;
        size_t length = call->name_length < sizeof wait.callback - 1 ? call->name_length
                                                                     : sizeof wait.callback - 1;
        memcpy(wait.callback, call->text, length);
        break; /* what the host is to do says more than a socket */
    }
    control_note_wait(sandbox->control, &wait);
}
