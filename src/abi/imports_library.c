/* Loading of extension modules: what the guest's dlopen asks for (runtime/wasi/dynamic.c).
 *
 *   library-prepare(bytes, length, reply)       the code of a .so: checked, compiled, kept
 *   library-load(memory_base, reply)            makes the prepared one part of the instance
 *   library-symbol(library, name, length, reply) a slot of the table, or an address
 *
 * All answer 0 or 1 (refused: the reply has the reason). Constructors run in the guest. */
#include <stdio.h>

#include "abi/imports.h"
#include "abi/lift.h"
#include "base/error.h"
#include "engine/library.h"
#include "extension/prepare.h"

enum { REPLY_DONE = 0, REPLY_REFUSED = 1 };

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
static engine_reply_t import_prepare(void *context, engine_value_t *values) {
    guest_t *guest = context;
    const char *data = lift_readable(guest, values[0].u32, values[1].u32);
    library_reply_t *reply = lift_reply(guest, values[2].u32);
    eryx_error_t error;
    if (!data || !reply)
        return guest_refuse(guest, "library-prepare", fault_pointer);
    engine_code_release(guest->prepared);
    guest->prepared = NULL;
    if (engine_code_obtain(guest->engine, data, values[1].u32, &guest->prepared, &error) !=
        ERYX_OK)
        return refused(reply, &error, values);
    engine_code_needs_t needs = engine_code_needs(guest->prepared);
    reply->numbers[0] = needs.memory_bytes;
    reply->numbers[1] = needs.memory_alignment;
    values[0].u32 = REPLY_DONE;
    return ENGINE_RETURN;
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
    int status = engine_library_load(guest->instance, guest->prepared, values[0].u32, &library,
                                     &error);
    engine_code_release(guest->prepared);
    guest->prepared = NULL;
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
    {IMPORTS_PRIVATE, "library-prepare", "iii", "i", false, import_prepare},
    {IMPORTS_PRIVATE, "library-load", "ii", "i", false, import_load},
    {IMPORTS_PRIVATE, "library-symbol", "iiii", "i", false, import_symbol},
};
const engine_import_table_t imports_library = {items, sizeof items / sizeof items[0]};
