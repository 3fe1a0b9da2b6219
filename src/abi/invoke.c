/* Results are written into the arena (docs/architecture.md, section 5). A call whose result does
 * not fit stays where it is until the guest has made room. */
#define _GNU_SOURCE
#include "abi/invoke.h"

#include <stdio.h>
#include <string.h>

#include "abi/callbacks.h"
#include "abi/lift.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "secrets/secrets.h"

/* result<string, string>: discriminant at 0, string at 4. A callback-info: three strings. */
enum { RESULT_BYTES = 12, INFO_BYTES = 24, STRING_BYTES = 8 };

static const char *const fault_pointer = "a pointer outside of memory";
static const char *const fault_text = "text that is not UTF-8";

/* --- Results ------------------------------------------------------------------------------ */

/* False: the arena is too small. */
static bool lower_result(const guest_t *guest, char *result, bool failed, const char *text,
                         size_t length) {
    uint32_t address, capacity;
    char *buffer = lift_arena(guest, &address, &capacity);
    if (!buffer || capacity < length)
        return false;
    if (length > 0)
        memcpy(buffer, text, length);
    result[0] = failed;
    lower_u32(result + 4, address);
    lower_u32(result + 8, (uint32_t)length);
    return true;
}

/* An error instead of a call; cut to what the arena holds. */
static engine_reply_t reply_error(const guest_t *guest, engine_value_t *values, char *result,
                                  const char *text) {
    uint32_t address, capacity = 0;
    lift_arena(guest, &address, &capacity);
    if (!lower_result(guest, result, true, text, utf8_cut(text, strlen(text), capacity)))
        memset(result, 0, RESULT_BYTES);
    values[0].u32 = SUBTASK_RETURNED;
    return ENGINE_RETURN;
}

void invoke_collect(guest_t *guest) {
    if (!guest->calls || !guest->calls->mailbox)
        return;
    pending_t *pending = mailbox_collect(guest->calls->mailbox);
    while (pending) {
        pending_t *next = pending->next;
        if (pending->subtask)
            waitables_return(&guest->waitables, pending->subtask);
        pending->kind->release(pending);
        pending = next;
    }
}

const char *invoke_next_event(guest_t *guest, uint32_t set, event_t *out) {
    void *owner;
    if (waitables_deadline(&guest->waitables) != CLOCK_NEVER)
        waitables_expire(&guest->waitables, clock_monotonic());
    invoke_collect(guest);
    const char *fault = waitables_peek(&guest->waitables, set, out, &owner);
    if (fault || out->code == EVENT_NONE)
        return fault;
    pending_t *pending = owner;
    uint32_t needed = 0;
    if (pending && pending->kind->lower)
        fault = pending->kind->lower(guest, pending, &needed);
    if (fault)
        return fault;
    if (needed > 0) {
        *out = (event_t){EVENT_NONE, out->first, needed};
        return NULL;
    }
    waitables_take(&guest->waitables, set);
    if (pending)
        pending->kind->done(pending);
    return NULL;
}

/* --- How a call is pending ---------------------------------------------------------------- */

static void retain_call(pending_t *self) {
    call_retain((eryx_call_t *)self);
}

static void release_call(pending_t *self) {
    call_release((eryx_call_t *)self);
}

static const char *lower_call(const guest_t *guest, pending_t *self, uint32_t *needed) {
    const eryx_call_t *call = (eryx_call_t *)self;
    char *result = lift_writable(guest, call->result_at, RESULT_BYTES);
    if (!result)
        return fault_pointer;
    secrets_scrub(guest->calls->secrets, call->result, call->result_length);
    if (!lower_result(guest, result, call->failed, call->result, call->result_length))
        *needed = call->result_length > 0 ? (uint32_t)call->result_length : 1;
    return NULL;
}

static void done_call(pending_t *self) {
    calls_done((eryx_call_t *)self);
}

static void abandon_call(pending_t *self) {
    calls_abandon((eryx_call_t *)self);
}

const pending_kind_t call_kind = {ERYX_WAIT_CALLBACK, retain_call, release_call,
                                  lower_call,         done_call,   abandon_call};

/* --- invoke ------------------------------------------------------------------------------- */

/* Why the call cannot be made, in `out`; false if it can. */
static bool refuse_call(const guest_t *guest, const callback_t *callback, const char *name,
                        uint32_t name_length, uint32_t length, char *out, size_t capacity) {
    const calls_t *calls = guest->calls;
    const mailbox_t *mailbox = calls ? calls->mailbox : NULL;
    if (guest->phase != PHASE_RUNNING)
        snprintf(out, capacity, "callbacks can be called only while a program runs");
    else if (!callback)
        snprintf(out, capacity, "unknown callback %.*s", (int)utf8_cut(name, name_length, 255),
                 name);
    else if (atomic_load(&mailbox->calls) >= calls->pending_max)
        snprintf(out, capacity, "limit pending_calls: %u calls are pending already",
                 calls->pending_max);
    else if (calls->total >= calls->total_max)
        snprintf(out, capacity, "limit total_calls: this execution has made %llu calls already",
                 (unsigned long long)calls->total);
    else if (atomic_load(&mailbox->argument_bytes) + length > calls->argument_max)
        snprintf(
            out, capacity,
            "limit call_argument_bytes: the arguments of pending calls would exceed %llu bytes",
            (unsigned long long)calls->argument_max);
    else
        return false;
    return true;
}

/* The call as a subtask: pending, or returned already with a result that did not fit. */
static engine_reply_t start_subtask(guest_t *guest, eryx_call_t *call, bool returned,
                                    engine_value_t *values) {
    waitable_t *subtask;
    const char *fault = waitables_call_new(&guest->waitables, call, &subtask);
    if (fault) {
        calls_abandon(call);
        return guest_refuse(guest, "invoke", fault);
    }
    call->pending.subtask = subtask;
    if (returned)
        waitables_return(&guest->waitables, subtask);
    values[0].u32 = waitables_number(subtask) << 4 | SUBTASK_STARTED;
    return ENGINE_RETURN;
}

static engine_reply_t reply_over_budget(const guest_t *guest, engine_value_t *values, char *result,
                                        uint64_t bytes) {
    char reason[160];
    snprintf(reason, sizeof reason,
             "limit host_memory_bytes: a call of %llu bytes would exceed the %llu bytes that the "
             "host may hold for this sandbox",
             (unsigned long long)bytes, (unsigned long long)guest->calls->budget->max);
    return reply_error(guest, values, result, reason);
}

static engine_reply_t start_call(guest_t *guest, const callback_t *callback, const char *arguments,
                                 uint32_t length, engine_value_t *values) {
    calls_t *calls = guest->calls;
    uint32_t result_at = values[4].u32;
    char *result = (char *)guest->slot->base + result_at;
    uint64_t bytes = call_bytes(callback->name_length, length);
    if (!budget_take(calls->budget, bytes))
        return reply_over_budget(guest, values, result, bytes);
    eryx_call_t *call = call_new(calls->spare, calls->mailbox, callback->name,
                                 callback->name_length, arguments, length);
    if (!call) {
        budget_give(calls->budget, bytes);
        return reply_error(guest, values, result, "the host is out of memory for the call");
    }
    calls->spare = NULL;
    secrets_scrub(calls->secrets, call->text + call->name_length + 1, call->arguments_length);
    calls->pending++;
    calls->total++;
    call->calls = calls;
    call->callback = callback;
    call->result_max = calls->result_max;
    call->result_at = result_at;
    callback->on_call(callback->env, call);
    if (call_started(call))
        return start_subtask(guest, call, false, values);
    secrets_scrub(calls->secrets, call->result, call->result_length);
    if (!lower_result(guest, result, call->failed, call->result, call->result_length))
        return start_subtask(guest, call, true, values);
    calls_done(call);
    values[0].u32 = SUBTASK_RETURNED;
    return ENGINE_RETURN;
}

engine_reply_t import_invoke(void *context, engine_value_t *values) {
    guest_t *guest = context;
    char reason[384];
    uint32_t name_length = values[1].u32, length = values[3].u32;
    const char *name = lift_readable(guest, values[0].u32, name_length);
    const char *arguments = lift_readable(guest, values[2].u32, length);
    char *result = lift_writable(guest, values[4].u32, RESULT_BYTES);
    if ((!name && name_length > 0) || (!arguments && length > 0) || !result)
        return guest_refuse(guest, "invoke", fault_pointer);
    if (!utf8_valid(name, name_length) || !utf8_valid(arguments, length))
        return guest_refuse(guest, "invoke", fault_text);
    const callback_t *callback = guest->calls ? calls_find(guest->calls, name, name_length) : NULL;
    if (refuse_call(guest, callback, name, name_length, length, reason, sizeof reason))
        return reply_error(guest, values, result, reason);
    return start_call(guest, callback, arguments, length, values);
}

/* --- list-callbacks, report-trace --------------------------------------------------------- */

static void lower_string(char *field, char *buffer, uint32_t address, uint32_t *used,
                         const char *text, size_t length) {
    memcpy(buffer + *used, text, length);
    lower_u32(field, address + *used);
    lower_u32(field + 4, (uint32_t)length);
    *used += (uint32_t)length;
}

static size_t list_bytes(const calls_t *calls) {
    size_t bytes = 0;
    for (size_t i = 0; i < calls->count; i++) {
        const callback_t *item = calls->items[i];
        bytes += INFO_BYTES + item->name_length + item->description_length + item->schema_length;
    }
    return bytes;
}

static void lower_list(const calls_t *calls, char *buffer, uint32_t address) {
    uint32_t used = (uint32_t)calls->count * INFO_BYTES;
    for (size_t i = 0; i < calls->count; i++) {
        const callback_t *item = calls->items[i];
        char *fields = buffer + i * INFO_BYTES;
        lower_string(fields, buffer, address, &used, item->name, item->name_length);
        lower_string(fields + STRING_BYTES, buffer, address, &used, item->description,
                     item->description_length);
        lower_string(fields + 2 * STRING_BYTES, buffer, address, &used, item->schema,
                     item->schema_length);
    }
}

engine_reply_t import_list_callbacks(void *context, engine_value_t *values) {
    guest_t *guest = context;
    char *result = lift_writable(guest, values[0].u32, 8);
    if (!result)
        return guest_refuse(guest, "list-callbacks", fault_pointer);
    lower_u64(result, 0);
    if (!guest->calls || guest->calls->count == 0)
        return ENGINE_RETURN;
    uint32_t address, capacity;
    char *buffer = lift_arena(guest, &address, &capacity);
    size_t bytes = list_bytes(guest->calls);
    if (bytes > INT32_MAX)
        return guest_refuse(guest, "list-callbacks", "the list is too long");
    if (!buffer || capacity < bytes || address % 4 != 0) {
        lower_u32(result + 4, (uint32_t)bytes);
        return ENGINE_RETURN;
    }
    lower_list(guest->calls, buffer, address);
    lower_u32(result, address);
    lower_u32(result + 4, (uint32_t)guest->calls->count);
    return ENGINE_RETURN;
}

engine_reply_t import_report_trace(void *context, engine_value_t *values) {
    guest_t *guest = context;
    uint32_t event_length = values[2].u32, context_length = values[4].u32;
    const char *event = lift_readable(guest, values[1].u32, event_length);
    const char *where = lift_readable(guest, values[3].u32, context_length);
    if ((!event && event_length > 0) || (!where && context_length > 0))
        return guest_refuse(guest, "report-trace", fault_pointer);
    if (!utf8_valid(event, event_length) || !utf8_valid(where, context_length))
        return guest_refuse(guest, "report-trace", fault_text);
    if (!event || !where || !json_is_object(event, event_length, NULL) ||
        !json_is_object(where, context_length, NULL))
        return guest_refuse(guest, "report-trace", "no JSON object");
    if (guest->streams.trace)
        guest->streams.trace(guest->streams.env, values[0].u32, event, event_length, where,
                             context_length);
    return ENGINE_RETURN;
}
