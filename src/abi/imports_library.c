/* Loading of extension modules: what the guest's dlopen asks for (runtime/wasi/dynamic.c).
 *
 *   library-prepare(bytes, length, reply)       the code of a .so: checked, compiled, kept; this can
 *   library-prepared(reply)                     take long: then it is a subtask, and this its result
 *   library-find(file, reply)                   in place of both, an open file of a mount by its number (as
 *                                               mount-read): its code, if that is there. 2: it is not, or
 *                                               this is no file of this machine; prepare wants the bytes
 *   library-load(memory_base, reply)            makes the prepared one part of the instance. 2: the code that was
 *                                               kept is damaged; prepare wants the bytes
 *   library-symbol(library, name, length, reply) a slot of the table, or an address
 *
 * All answer 0 or 1 (refused: the reply has the reason), or 16 times a subtask and 1. Constructors run
 * in the guest. */
#include <stdio.h>

#include "abi/callbacks.h"
#include "abi/imports.h"
#include "abi/library_job.h"
#include "abi/lift.h"
#include "base/error.h"
#include "engine/library.h"
#include "extension/prepare.h"
#include "mount/mounts.h"

enum { REPLY_DONE = 0, REPLY_REFUSED = 1, REPLY_BYTES = 2 };

/* In the guest's memory. The meaning of the numbers depends on the call. */
typedef struct library_reply {
    uint32_t numbers[5];
    char reason[236]; /* why it was refused: NUL-terminated */
} library_reply_t;

static const char *const fault_pointer = "a pointer outside of memory";

static library_reply_t *lift_reply(guest_t *guest, uint32_t address) {
    void *reply = address % 4 == 0 ? lift_writable(guest, address, sizeof(library_reply_t)) : NULL;
    return reply;
}

static engine_reply_t refused(library_reply_t *reply, const eryx_error_t *error,
                              engine_value_t *values) {
    snprintf(reply->reason, sizeof reply->reason, "%s", error->message);
    values[0].u32 = REPLY_REFUSED;
    return ENGINE_RETURN;
}

/* numbers: bytes of memory, and their alignment. */
static engine_reply_t prepared(guest_t *guest, int status, const eryx_error_t *error,
                               library_reply_t *reply, engine_value_t *values) {
    if (status != ERYX_OK)
        return refused(reply, error, values);
    engine_code_needs_t needs = engine_code_needs(guest->prepared);
    reply->numbers[0] = needs.memory_bytes;
    reply->numbers[1] = needs.memory_alignment;
    values[0].u32 = REPLY_DONE;
    return ENGINE_RETURN;
}

static int charge(guest_t *guest, uint32_t length, eryx_error_t *error) {
    uint64_t *left = guest->extension_left;
    if (!left || length <= *left) {
        if (left)
            *left -= length;
        return ERYX_OK;
    }
    return error_set(error, ERYX_ERR_LIMIT,
                     "limit extension_bytes: it has %u bytes, this sandbox may still load %llu",
                     length, (unsigned long long)*left);
}

/* Compiles on another thread; the guest waits for the subtask. */
static engine_reply_t start_job(guest_t *guest, const char *data, uint32_t length,
                                library_reply_t *reply, engine_value_t *values) {
    mailbox_t *mailbox = calls_own_mailbox(guest->calls);
    eryx_error_t error;
    waitable_t *subtask;
    if (!mailbox) {
        error_set(&error, ERYX_ERR_MEMORY, "the host is out of memory");
        return refused(reply, &error, values);
    }
    if (library_job_start(guest->engine, mailbox, guest->calls->budget, data, length, &guest->job,
                          &error) != ERYX_OK)
        return refused(reply, &error, values);
    pending_t *pending = library_job_pending(guest->job);
    const char *fault = waitables_call_new(&guest->waitables, pending, &subtask);
    if (fault) {
        pending->kind->abandon(pending);
        return guest_refuse(guest, "library-prepare", fault);
    }
    pending->subtask = subtask;
    values[0].u32 = waitables_number(subtask) << 4 | SUBTASK_STARTED;
    return ENGINE_RETURN;
}

static void forget_prepared(guest_t *guest) {
    engine_code_release(guest->prepared);
    guest->prepared = NULL;
    library_job_release(guest->job);
    guest->job = NULL;
}

/* Nothing can be reached here that mount-read does not give, by the same number. */
static engine_reply_t import_find(void *context, engine_value_t *values) {
    guest_t *guest = context;
    library_reply_t *reply = lift_reply(guest, values[1].u32);
    engine_code_t *code;
    uint64_t length;
    eryx_error_t error;
    if (!reply)
        return guest_refuse(guest, "library-find", fault_pointer);
    int fd = guest->mounts ? mounts_descriptor(guest->mounts, values[0].u64) : -1;
    if (fd < 0 || !engine_code_of_file(guest->engine, fd, &length, &code)) {
        values[0].u32 = REPLY_BYTES;
        return ENGINE_RETURN;
    }
    forget_prepared(guest);
    int status = charge(guest, (uint32_t)length, &error);
    if (status == ERYX_OK)
        guest->prepared = code;
    else
        engine_code_release(code);
    return prepared(guest, status, &error, reply, values);
}

static engine_reply_t import_prepare(void *context, engine_value_t *values) {
    guest_t *guest = context;
    uint32_t length = values[1].u32;
    const char *data = lift_readable(guest, values[0].u32, length);
    library_reply_t *reply = lift_reply(guest, values[2].u32);
    eryx_error_t error;
    if (!data || !reply)
        return guest_refuse(guest, "library-prepare", fault_pointer);
    forget_prepared(guest);
    int status = charge(guest, length, &error);
    if (status == ERYX_OK && !engine_code_known(guest->engine, data, length, &guest->prepared)) {
        if (guest->calls && guest->phase == PHASE_RUNNING && length <= EXTENSION_BYTES_MAX)
            return start_job(guest, data, length, reply, values);
        status = engine_code_obtain(guest->engine, data, length, &guest->prepared, &error);
    }
    return prepared(guest, status, &error, reply, values);
}

static engine_reply_t import_prepared(void *context, engine_value_t *values) {
    guest_t *guest = context;
    library_reply_t *reply = lift_reply(guest, values[0].u32);
    eryx_error_t error;
    if (!reply || !guest->job)
        return guest_refuse(guest, "library-prepared", reply ? "nothing was begun" : fault_pointer);
    library_job_t *job = guest->job;
    guest->job = NULL;
    int status = library_job_take(job, &guest->prepared, &error);
    library_job_release(job);
    return prepared(guest, status, &error, reply, values);
}

/* The first that exists; 0: none. */
static uint32_t find_procedure(guest_t *guest, uint32_t library, const char *name,
                               const char *other) {
    uint32_t slot;
    if (engine_library_symbol(guest->instance, library, name, strlen(name), &slot) ||
        (other && engine_library_symbol(guest->instance, library, other, strlen(other), &slot)))
        return slot;
    return 0;
}

/* numbers: the library, and slots of what is to be called, in that order; 0 for what it has not. */
static engine_reply_t import_load(void *context, engine_value_t *values) {
    guest_t *guest = context;
    library_reply_t *reply = lift_reply(guest, values[1].u32);
    eryx_error_t error;
    uint32_t library;
    if (!reply || !guest->prepared)
        return guest_refuse(guest, "library-load", reply ? "nothing is prepared" : fault_pointer);
    int status =
        engine_library_load(guest->instance, guest->prepared, values[0].u32, &library, &error);
    engine_code_release(guest->prepared);
    guest->prepared = NULL;
    if (status == ERYX_ERR_STATE) {
        values[0].u32 = REPLY_BYTES;
        return ENGINE_RETURN;
    }
    if (status != ERYX_OK)
        return refused(reply, &error, values);
    reply->numbers[0] = library;
    reply->numbers[1] = find_procedure(guest, library, EXTENSION_DATA, NULL);
    reply->numbers[2] = find_procedure(guest, library, EXTENSION_START, NULL);
    reply->numbers[3] = find_procedure(guest, library, "__wasm_apply_data_relocs", NULL);
    reply->numbers[4] = find_procedure(guest, library, "_initialize", "__wasm_call_ctors");
    values[0].u32 = REPLY_DONE;
    return ENGINE_RETURN;
}

/* numbers: the value. */
static engine_reply_t import_symbol(void *context, engine_value_t *values) {
    guest_t *guest = context;
    const char *name = lift_readable(guest, values[1].u32, values[2].u32);
    library_reply_t *reply = lift_reply(guest, values[3].u32);
    eryx_error_t error;
    if (!name || !reply)
        return guest_refuse(guest, "library-symbol", fault_pointer);
    if (!engine_library_symbol(guest->instance, values[0].u32, name, values[2].u32,
                               &reply->numbers[0])) {
        error_set(&error, ERYX_ERR_STATE, "the library has no symbol %.*s",
                  values[2].u32 < 120 ? (int)values[2].u32 : 120, name);
        return refused(reply, &error, values);
    }
    values[0].u32 = REPLY_DONE;
    return ENGINE_RETURN;
}

static const engine_import_t items[] = {
    {IMPORTS_PRIVATE, "library-find", "Ii", "i", false, import_find},
    {IMPORTS_PRIVATE, "library-prepare", "iii", "i", false, import_prepare},
    {IMPORTS_PRIVATE, "library-prepared", "i", "i", false, import_prepared},
    {IMPORTS_PRIVATE, "library-load", "ii", "i", false, import_load},
    {IMPORTS_PRIVATE, "library-symbol", "iiii", "i", false, import_symbol},
};
const engine_import_table_t imports_library = {items, sizeof items / sizeof items[0]};
