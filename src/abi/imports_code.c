/* Compiled code of a program that other sandboxes have run before (runtime/python/code.c).
 *
 *   code-find(buffer, capacity) more than 0: so many bytes of code are known, and are in the buffer if it
 *                               has room for them; 0: code-keep is to be called once the program is
 *                               compiled, before anything of it runs; -3: the same, if nothing but
 *                               CPython's compiler has made the code; -2: nothing
 *   code-keep(code, length)     0. length 0: the program's code cannot be kept */
#include "abi/imports.h"
#include "abi/lift.h"

static const char *const fault_pointer = "a pointer outside of memory";

static engine_reply_t import_code_find(void *context, engine_value_t *values) {
    guest_t *guest = context;
    const guest_streams_t *streams = &guest->streams;
    uint32_t capacity = values[1].u32;
    char *buffer = lift_writable(guest, values[0].u32, capacity);
    if (!buffer)
        return guest_refuse(guest, "code-find", fault_pointer);
    int32_t found = streams->code_find ? streams->code_find(streams->env, buffer, capacity) : -2;
    values[0].u32 = (uint32_t)found;
    return ENGINE_RETURN;
}

static engine_reply_t import_code_keep(void *context, engine_value_t *values) {
    guest_t *guest = context;
    const guest_streams_t *streams = &guest->streams;
    uint32_t length = values[1].u32;
    const char *code = lift_readable(guest, values[0].u32, length);
    if (!code && length > 0)
        return guest_refuse(guest, "code-keep", fault_pointer);
    if (streams->code_keep)
        streams->code_keep(streams->env, code, length);
    values[0].u32 = 0;
    return ENGINE_RETURN;
}

static const engine_import_t items[] = {
    {IMPORTS_PRIVATE, "code-find", "ii", "i", false, import_code_find},
    {IMPORTS_PRIVATE, "code-keep", "ii", "i", false, import_code_keep},
};
const engine_import_table_t imports_code = {items, sizeof items / sizeof items[0]};
