/* task.return, waitable sets and subtasks, as the canonical ABI defines them for this world. */
#define _GNU_SOURCE
#include "abi/builtins.h"

#include "abi/guest.h"
#include "abi/invoke.h"
#include "abi/lift.h"

static const char *const fault_pointer = "a pointer outside of memory";

engine_reply_t builtin_task_return(void *context, engine_value_t *values) {
    guest_t *guest = context;
    if (guest->phase != PHASE_RUNNING || guest->returned)
        return guest_refuse(guest, "task-return", "nothing is to be returned now");
    if (!lift_readable(guest, values[1].u32, values[2].u32) && values[2].u32 > 0)
        return guest_refuse(guest, "task-return", fault_pointer);
    guest->returned = true;
    guest->failed = values[0].u32 != 0;
    return ENGINE_RETURN;
}

engine_reply_t builtin_set_new(void *context, engine_value_t *values) {
    guest_t *guest = context;
    const char *fault = waitables_set_new(&guest->waitables, &values[0].u32);
    return fault ? guest_refuse(guest, "waitable-set-new", fault) : ENGINE_RETURN;
}

/* Polls a set into the two words at values[1]; the event's code becomes the result. */
static engine_reply_t poll_into(guest_t *guest, engine_value_t *values, const char *name,
                                bool *none) {
    char *out = lift_writable(guest, values[1].u32, 8);
    if (!out)
        return guest_refuse(guest, name, fault_pointer);
    event_t event;
    const char *fault = invoke_next_event(guest, values[0].u32, &event);
    if (fault)
        return guest_refuse(guest, name, fault);
    *none = event.code == EVENT_NONE && event.second == 0;
    lower_u32(out, event.first);
    lower_u32(out + 4, event.second);
    values[0].u32 = event.code;
    return ENGINE_RETURN;
}

engine_reply_t builtin_set_wait(void *context, engine_value_t *values) {
    guest_t *guest = context;
    if (guest->phase == PHASE_HELPER)
        return guest_refuse(guest, "waitable-set-wait", "a function that may not wait does");
    uint32_t set = values[0].u32;
    bool none = false;
    engine_reply_t reply = poll_into(guest, values, "waitable-set-wait", &none);
    if (reply != ENGINE_RETURN || !none)
        return reply;
    if (!waitables_can_wait(&guest->waitables, set))
        return guest_refuse(guest, "waitable-set-wait", "deadlock: nothing is pending");
    guest->set = set;
    return ENGINE_WAIT;
}

engine_reply_t builtin_set_poll(void *context, engine_value_t *values) {
    bool none;
    return poll_into(context, values, "waitable-set-poll", &none);
}

engine_reply_t builtin_set_drop(void *context, engine_value_t *values) {
    guest_t *guest = context;
    const char *fault = waitables_set_drop(&guest->waitables, values[0].u32);
    return fault ? guest_refuse(guest, "waitable-set-drop", fault) : ENGINE_RETURN;
}

engine_reply_t builtin_join(void *context, engine_value_t *values) {
    guest_t *guest = context;
    const char *fault = waitables_join(&guest->waitables, values[0].u32, values[1].u32);
    return fault ? guest_refuse(guest, "waitable-join", fault) : ENGINE_RETURN;
}

engine_reply_t builtin_subtask_drop(void *context, engine_value_t *values) {
    guest_t *guest = context;
    const char *fault = waitables_subtask_drop(&guest->waitables, values[0].u32);
    return fault ? guest_refuse(guest, "subtask-drop", fault) : ENGINE_RETURN;
}

engine_reply_t builtin_subtask_cancel(void *context, engine_value_t *values) {
    guest_t *guest = context;
    const char *fault = waitables_subtask_cancel(&guest->waitables, values[0].u32, &values[0].u32);
    return fault ? guest_refuse(guest, "subtask-cancel", fault) : ENGINE_RETURN;
}
