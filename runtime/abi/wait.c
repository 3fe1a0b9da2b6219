/* See wait.h. One timer serves all of asyncio's: it is set for the nearest one and left
 * alone when a later one becomes the nearest, which costs a resumption without work but
 * saves cancelling and starting on each of the many time-outs that never happen. */
#include "wait.h"

#include <string.h>

#include "call.h"
#include "guest_bindings.h"
#include "memory.h"
#include "watch.h"

static struct {
    bool inside;
    uint32_t set;       /* of the execution; made once, 0 before */
    uint32_t sleep_set; /* of abi_wait_ns */
    uint32_t timer;     /* subtask, 0: none */
    uint64_t deadline;  /* of the timer */
    abi_returned_fn *returned;
    abi_ready_fn *ready;
    abi_cancelled_fn *cancelled;
} waiting;

void abi_wait_handlers(abi_returned_fn *returned, abi_ready_fn *ready, abi_cancelled_fn *cancelled)
{
    waiting.ready = ready;
    waiting.returned = returned;
    waiting.cancelled = cancelled;
}

void abi_wait_begin(void)
{
    waiting.inside = true;
}

static void forget(uint32_t *set)
{
    if (*set != 0) {
        waitable_set_drop(*set);
        *set = 0;
    }
}

void abi_wait_forget(void)
{
    forget(&waiting.set);
    forget(&waiting.sleep_set);
}

static uint32_t started(uint32_t result, uint32_t *set)
{
    uint32_t subtask = result >> 4;
    if ((result & 0xf) == WIT_SUBTASK_RETURNED) {
        return 0;
    }
    if (*set == 0) {
        *set = waitable_set_new();
    }
    waitable_join(subtask, *set);
    return subtask;
}

bool abi_wait_ns(uint64_t nanoseconds)
{
    wit_event_t got;
    uint32_t subtask;
    if (!waiting.inside) {
        return false;
    }
    subtask =
        started(import_wasi_clocks_0_3_0_monotonic_clock_wait_for(nanoseconds), &waiting.sleep_set);
    while (subtask != 0) {
        uint32_t event = waitable_set_wait(waiting.sleep_set, &got);
        if (event == WIT_EVENT_SUBTASK && got.index == subtask &&
            got.payload >= WIT_SUBTASK_RETURNED) {
            subtask_drop(subtask);
            subtask = 0;
        }
    }
    return true;
}

bool abi_wait_possible(void)
{
    return waiting.inside;
}

static void subtask_over(uint32_t subtask)
{
    waitable_join(subtask, 0);
    subtask_cancel(subtask);
    subtask_drop(subtask);
}

/* Takes the end of a subtask. True if it was one of them. */
static bool subtask_returned(uint32_t *subtasks, uint32_t count, uint32_t subtask)
{
    subtask_drop(subtask);
    for (uint32_t i = 0; i < count; i++) {
        if (subtasks[i] == subtask) {
            subtasks[i] = 0;
            return true;
        }
    }
    return false;
}

void abi_wait_subtasks(uint32_t *subtasks, uint32_t count, uint64_t nanoseconds)
{
    wit_event_t got;
    uint32_t timer = 0;
    if (waiting.inside && waiting.sleep_set == 0) {
        waiting.sleep_set = waitable_set_new();
    }
    for (uint32_t i = 0; waiting.inside && i < count; i++) {
        if (subtasks[i] != 0) {
            waitable_join(subtasks[i], waiting.sleep_set);
        }
    }
    bool wait = waiting.inside && nanoseconds != 0;
    if (wait && nanoseconds != UINT64_MAX) {
        timer = started(import_wasi_clocks_0_3_0_monotonic_clock_wait_for(nanoseconds),
                        &waiting.sleep_set);
        wait = timer != 0;
    }
    while (wait) {
        uint32_t event = waitable_set_wait(waiting.sleep_set, &got);
        if (event == WIT_EVENT_SUBTASK && got.payload >= WIT_SUBTASK_RETURNED) {
            wait = false;
            if (!subtask_returned(subtasks, count, got.index)) {
                timer = 0;
            }
        }
    }
    while (waiting.inside && waitable_set_poll(waiting.sleep_set, &got) == WIT_EVENT_SUBTASK) {
        if (!subtask_returned(subtasks, count, got.index)) {
            timer = 0;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (subtasks[i] != 0) {
            subtask_over(subtasks[i]);
        }
    }
    if (timer != 0) {
        subtask_over(timer);
    }
}

static void timer_cancel(void)
{
    if (waiting.timer != 0) {
        subtask_over(waiting.timer);
        waiting.timer = 0;
    }
}

bool abi_wait_arm(int64_t nanoseconds)
{
    uint64_t deadline;
    abi_wait_set();
    if (nanoseconds < 0) {
        return true;
    }
    deadline = import_wasi_clocks_0_2_0_monotonic_clock_now() + (uint64_t)nanoseconds;
    if (waiting.timer != 0 && waiting.deadline <= deadline) {
        return true;
    }
    timer_cancel();
    waiting.timer = started(
        import_wasi_clocks_0_3_0_monotonic_clock_wait_for((uint64_t)nanoseconds), &waiting.set);
    waiting.deadline = deadline;
    return waiting.timer != 0;
}

uint32_t abi_wait_set(void)
{
    if (waiting.set == 0) {
        waiting.set = waitable_set_new();
    }
    return waiting.set;
}

void abi_wait_event(uint32_t event, uint32_t waitable, uint32_t state)
{
    if (event == WIT_EVENT_SUBTASK && waitable == waiting.timer && state >= WIT_SUBTASK_RETURNED) {
        subtask_drop(waitable);
        waiting.timer = 0;
    } else if (event == WIT_EVENT_SUBTASK && state >= WIT_SUBTASK_RETURNED) {
        struct abi_call *call = abi_call_find(waitable);
        if (call != NULL) {
            abi_call_end(call);
            waiting.returned(call, waitable);
        } else if (abi_watch_end(waitable)) {
            waiting.ready(waitable);
        }
    } else if (event == WIT_EVENT_TASK_CANCELLED) {
        waiting.cancelled();
    }
}

/* There is no memory for the result of a call: it fails. */
static void give_up(uint32_t subtask)
{
    static const char reason[] = "out of memory for the result";
    struct abi_call *call = abi_call_find(subtask);
    if (call == NULL) {
        return;
    }
    abi_call_cancel(call);
    call->result.is_error = true;
    call->result.error = (wit_string_t){(char *)(uintptr_t)eryx_arena.ptr, sizeof reason - 1};
    memcpy((char *)call->result.error.ptr, reason, sizeof reason);
    waiting.returned(call, subtask);
}

/* The next event of the set. liberyx answers NONE, subtask and bytes when a result does not
 * fit into the arena; other hosts have no use for it. */
static uint32_t next_event(uint32_t (*get)(uint32_t, wit_event_t *), wit_event_t *got)
{
    for (;;) {
        uint32_t event = get(waiting.set, got);
        if (event != WIT_EVENT_NONE || got->payload <= eryx_arena.capacity) {
            return event;
        }
        if (!abi_arena_reserve(got->payload)) {
            give_up(got->index);
            return event;
        }
    }
}

bool abi_wait_block(int64_t nanoseconds)
{
    wit_event_t got;
    uint32_t event;
    if (!waiting.inside) {
        return false;
    }
    if (abi_wait_arm(nanoseconds)) {
        event = next_event(waitable_set_wait, &got);
        abi_wait_event(event, got.index, got.payload);
    }
    return true;
}

bool abi_wait_poll(void)
{
    wit_event_t got;
    bool any = false;
    while (abi_call_count() + abi_watch_count() != 0) {
        uint32_t event = next_event(waitable_set_poll, &got);
        if (event == WIT_EVENT_NONE) {
            break;
        }
        abi_wait_event(event, got.index, got.payload);
        any = true;
    }
    return any;
}

void abi_wait_end(void)
{
    struct abi_call *call;
    timer_cancel();
    abi_watch_cancel_all();
    while ((call = abi_call_any()) != NULL) {
        uint32_t subtask = call->subtask;
        abi_call_cancel(call);
        waiting.returned(call, subtask);
    }
    waiting.inside = false;
}
