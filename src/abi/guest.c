/* Life of a guest, and the state machine of `execute`. */
#define _GNU_SOURCE
#include "abi/guest.h"

#include <stdio.h>

#include "abi/callbacks.h"
#include "abi/calls.h"
#include "abi/invoke.h"
#include "abi/library_job.h"
#include "base/clock.h"

/* What [async-lift]execute and its callback return: code | set << 4. */
enum { CALLBACK_EXIT = 0, CALLBACK_YIELD = 1, CALLBACK_WAIT = 2 };

const engine_export_t guest_exports[] = {
    [EXPORT_EXECUTE] = {"[async-lift]execute", "ii", "i", false},
    [EXPORT_CALLBACK] = {"[callback][async-lift]execute", "iii", "i", false},
    [EXPORT_REALLOC] = {"cabi_realloc", "iiii", "i", false},
    [EXPORT_CONFIGURE] = {"eryx:sandbox/control@0.1.0#configure", "iiiiiiiiiiii", "", false},
    [EXPORT_LIMIT] = {"eryx:sandbox/control@0.1.0#limit", "Iiii", "", false},
    [EXPORT_EXCEPTION] = {"eryx:sandbox/control@0.1.0#last-exception", "", "i", false},
    [EXPORT_EXCEPTION_POST] = {"cabi_post_eryx:sandbox/control@0.1.0#last-exception", "i", "",
                               true},
    [EXPORT_RESULT] = {"eryx:sandbox/control@0.1.0#result-json", "iii", "i", false},
    [EXPORT_RESULT_POST] = {"cabi_post_eryx:sandbox/control@0.1.0#result-json", "i", "", true},
    [EXPORT_SNAPSHOT] = {"eryx:sandbox/control@0.1.0#snapshot", "i", "i", false},
    [EXPORT_SNAPSHOT_POST] = {"cabi_post_eryx:sandbox/control@0.1.0#snapshot", "i", "", true},
    [EXPORT_RESTORE] = {"restore-state", "ii", "i", false},
    [EXPORT_RESTORE_POST] = {"cabi_post_restore-state", "i", "", true},
    [EXPORT_CLEAR] = {"clear-state", "", "", false},
    [EXPORT_SETTLE] = {"eryx:sandbox/control@0.1.0#settle", "", "", false},
    [EXPORT_WAKE] = {"eryx:sandbox/control@0.1.0#wake", "", "", false},
    [EXPORT_FILE] = {"eryx_file_call", "iiiIii", "i", true},
};
const size_t guest_export_count = sizeof guest_exports / sizeof guest_exports[0];

static void forget_extension(guest_t *guest) {
    engine_code_release(guest->prepared);
    guest->prepared = NULL;
    library_job_release(guest->job);
    guest->job = NULL;
}

int guest_open(guest_t *guest, engine_t *engine, memory_slot_t *slot, eryx_error_t *error) {
    *guest = (guest_t){.slot = slot, .engine = engine, .waitables.forget = pending_abandon};
    int status = engine_instantiate(engine, slot, guest, &guest->instance, error);
    if (status != ERYX_OK)
        return status;
    if (!engine_global_get(guest->instance, "eryx_arena", &guest->arena))
        guest->arena = 0;
    if (!engine_global_get(guest->instance, "eryx_exit_code", &guest->exit_slot))
        guest->exit_slot = 0;
    guest->untouched = true;
    return ERYX_OK;
}

void guest_close(guest_t *guest) {
    forget_extension(guest);
    engine_instance_free(guest->instance);
    guest->instance = NULL;
    waitables_free(&guest->waitables);
}

bool guest_can_reset(const guest_t *guest) {
    return engine_libraries_fresh(guest->instance);
}

bool guest_reset(guest_t *guest) {
    forget_extension(guest);
    waitables_clear(&guest->waitables);
    guest->phase = PHASE_IDLE;
    guest->streams = (guest_streams_t){0};
    guest->calls = NULL;
    guest->net = NULL;
    guest->mounts = NULL;
    guest->tls = NULL;
    guest->exited = guest->returned = guest->failed = false;
    guest->untouched = true;
    guest->clock_ahead = 0;
    guest->fault = guest->fault_in = NULL;
    engine_trim(guest->instance);
    return engine_instance_reset(guest->instance);
}

bool guest_trapped_on_memory(const guest_t *guest) {
    return engine_trap(guest->instance)->kind == ENGINE_TRAP_MEMORY;
}

bool guest_out_of_fuel(const guest_t *guest) {
    return engine_trap(guest->instance)->kind == ENGINE_TRAP_FUEL;
}

void guest_trap_message(const guest_t *guest, char *out, size_t capacity) {
    const engine_trap_t *trap = engine_trap(guest->instance);
    if (guest->fault) {
        snprintf(out, capacity, "the runtime broke the contract: %s: %s", guest->fault_in,
                 guest->fault);
        return;
    }
    switch (trap->kind) {
    case ENGINE_TRAP_MEMORY:
        snprintf(out, capacity, "the interpreter crashed: it used memory that is not its own");
        break;
    case ENGINE_TRAP_STACK:
        snprintf(out, capacity, "the interpreter crashed: C stack exhausted");
        break;
    case ENGINE_TRAP_UNREACHABLE:
        snprintf(out, capacity, "the interpreter aborted");
        break;
    default:
        snprintf(out, capacity, "the interpreter crashed: %s", trap->message);
        break;
    }
}

static guest_status_t fault(guest_t *guest, const char *what) {
    guest->fault_in = "execute";
    guest->fault = what;
    guest->phase = PHASE_IDLE;
    return GUEST_TRAPPED;
}

/* Takes in how a call of `execute` or its callback went. */
static guest_status_t settle(guest_t *guest, engine_state_t state, engine_value_t answer) {
    if (state == ENGINE_SUSPENDED) {
        guest->phase = PHASE_BLOCKED;
        return GUEST_WAITING;
    }
    guest->phase = PHASE_IDLE;
    if (state == ENGINE_TRAPPED)
        return guest->exited ? GUEST_EXITED : GUEST_TRAPPED;
    guest->set = answer.u32 >> 4;
    switch (answer.u32 & 15) {
    case CALLBACK_EXIT:
        return guest->returned ? GUEST_ENDED : fault(guest, "it ended without a result");
    case CALLBACK_YIELD:
        guest->phase = PHASE_YIELDED;
        return GUEST_WAITING;
    case CALLBACK_WAIT:
        if (!waitables_can_wait(&guest->waitables, guest->set))
            return fault(guest, "deadlock: nothing is pending");
        guest->phase = PHASE_WAITING;
        return GUEST_WAITING;
    default:
        return fault(guest, "unknown answer");
    }
}

guest_status_t guest_start(guest_t *guest, const char *code, size_t length) {
    uint32_t address;
    guest->returned = guest->failed = guest->untouched = false;
    guest_status_t status = call_lower(guest, code, length, &address);
    if (status != GUEST_ENDED)
        return status;
    engine_value_t arguments[ENGINE_MAX_ARGUMENTS] = {{.u32 = address}, {.u32 = (uint32_t)length}};
    engine_value_t answer;
    guest->phase = PHASE_RUNNING;
    engine_state_t state = engine_call(guest->instance, EXPORT_EXECUTE, arguments, &answer);
    return settle(guest, state, answer);
}

static guest_status_t deliver(guest_t *guest, const event_t *event) {
    engine_value_t arguments[ENGINE_MAX_ARGUMENTS] = {
        {.u32 = event->code}, {.u32 = event->first}, {.u32 = event->second}};
    engine_value_t answer;
    guest->phase = PHASE_RUNNING;
    engine_state_t state = engine_call(guest->instance, EXPORT_CALLBACK, arguments, &answer);
    return settle(guest, state, answer);
}

guest_status_t guest_continue(guest_t *guest) {
    event_t event = {EVENT_NONE, 0, 0};
    const char *broken;
    switch (guest->phase) {
    case PHASE_YIELDED:
        return deliver(guest, &event);
    case PHASE_WAITING:
        broken = invoke_next_event(guest, guest->set, &event);
        if (broken)
            return fault(guest, broken);
        if (event.code != EVENT_NONE)
            return deliver(guest, &event);
        if (event.second == 0)
            return GUEST_WAITING;
        event = (event_t){EVENT_NONE, 0, 0};
        return deliver(guest, &event);
    case PHASE_BLOCKED:
        waitables_expire(&guest->waitables, clock_monotonic());
        invoke_collect(guest);
        if (!waitables_ready(&guest->waitables, guest->set))
            return GUEST_WAITING;
        guest->phase = PHASE_RUNNING;
        engine_value_t answer;
        engine_state_t state = engine_resume(guest->instance, &answer);
        return settle(guest, state, answer);
    default:
        return fault(guest, "continued without having waited");
    }
}

bool guest_can_cancel(const guest_t *guest) {
    return guest->phase == PHASE_WAITING || guest->phase == PHASE_YIELDED;
}

guest_status_t guest_cancel_task(guest_t *guest) {
    event_t event = {EVENT_TASK_CANCELLED, 0, 0};
    return deliver(guest, &event);
}

uint64_t guest_deadline(const guest_t *guest) {
    if (guest->phase == PHASE_YIELDED || waitables_ready(&guest->waitables, guest->set))
        return 0;
    if (guest->calls && guest->calls->mailbox && atomic_load(&guest->calls->mailbox->filled))
        return 0;
    return waitables_deadline(&guest->waitables);
}

void guest_abandon_calls(guest_t *guest) {
    if (guest->waitables.owned > 0)
        waitables_abandon(&guest->waitables);
}

void guest_cancel(guest_t *guest) {
    engine_cancel(guest->instance);
    guest->phase = PHASE_IDLE;
}

bool guest_can_save(const guest_t *guest) {
    return guest->phase == PHASE_IDLE || guest->phase == PHASE_WAITING ||
           guest->phase == PHASE_YIELDED;
}

bool guest_save(const guest_t *guest, guest_image_t *out) {
    out->global_count = engine_globals_get(guest->instance, out->globals);
    out->phase = guest->phase;
    out->set = guest->set;
    out->clock = clock_monotonic() + guest->clock_ahead;
    out->returned = guest->returned;
    out->failed = guest->failed;
    out->waitables.length = 0;
    return engine_libraries_save(guest->instance, &out->libraries) &&
           waitables_save(&guest->waitables, clock_monotonic(), &out->waitables);
}

const char *guest_load(guest_t *guest, const guest_image_t *image) {
    guest->untouched = false;
    size_t used;
    const buffer_t *saved = &image->waitables;
    /* The memory that it was given may be larger than the one it was made with. */
    if (!engine_instance_reset(guest->instance) ||
        !engine_globals_set(guest->instance, image->globals, image->global_count))
        return "globals of another runtime";
    if (engine_libraries_restore(guest->instance, &image->libraries, NULL) != ERYX_OK)
        return "an extension whose code is not there any more, or does not fit";
    const char *broken =
        waitables_restore(&guest->waitables, saved->data, saved->length, clock_monotonic(), &used);
    if (!broken && used != saved->length)
        broken = "bytes after the table of waitables";
    if (broken)
        return broken;
    guest->clock_ahead = image->clock - clock_monotonic();
    guest->phase = image->phase;
    guest->set = image->set;
    guest->returned = image->returned;
    guest->failed = image->failed;
    if (!guest_can_save(guest) ||
        (guest->phase == PHASE_WAITING && !waitables_can_wait(&guest->waitables, guest->set)))
        return "a state in which no guest can be";
    return NULL;
}

void guest_image_free(guest_image_t *image) {
    buffer_free(&image->waitables);
    engine_libraries_free(&image->libraries);
}

bool guest_failed(const guest_t *guest) {
    return guest->failed;
}
