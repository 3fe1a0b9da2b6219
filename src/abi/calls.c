/* Exports that return at once: cabi_realloc, the control interface, the session's state. */
#define _GNU_SOURCE
#include "abi/calls.h"

#include <stdlib.h>
#include <string.h>

#include "abi/lift.h"
#include "base/utf8.h"

#define MESSAGE_MAX ((uint32_t)1 << 20) /* of an exception */
#define TRACEBACK_MAX ((uint32_t)4 << 20)

guest_status_t call_helper(guest_t *guest, size_t export, const engine_value_t *arguments,
                           engine_value_t *result) {
    guest->phase = PHASE_HELPER;
    if (export != EXPORT_REALLOC && export != EXPORT_CONFIGURE && export != EXPORT_LIMIT &&
        export != EXPORT_WAKE)
        guest->untouched = false;
    engine_state_t state = engine_call(guest->instance, export, arguments, result);
    guest->phase = PHASE_IDLE;
    if (state == ENGINE_DONE)
        return GUEST_ENDED;
    return guest->exited ? GUEST_EXITED : GUEST_TRAPPED;
}

/* Lets the guest free what a call of the export before returned. */
static guest_status_t post_return(guest_t *guest, size_t export, const engine_value_t *result) {
    if (!engine_has_export(guest->instance, export))
        return GUEST_ENDED;
    engine_value_t nothing;
    return call_helper(guest, export, result, &nothing);
}

static guest_status_t broken(guest_t *guest, const char *where) {
    guest->fault_in = where;
    guest->fault = "a pointer outside of memory";
    return GUEST_TRAPPED;
}

static guest_status_t allocate(guest_t *guest, uint32_t align, size_t size, uint32_t *address) {
    if (size > INT32_MAX)
        return GUEST_REFUSED;
    engine_value_t arguments[ENGINE_MAX_ARGUMENTS] = {
        {.u32 = 0}, {.u32 = 0}, {.u32 = align}, {.u32 = (uint32_t)size}};
    engine_value_t result;
    guest_status_t status = call_helper(guest, EXPORT_REALLOC, arguments, &result);
    if (status != GUEST_ENDED)
        return status;
    if (result.u32 == 0)
        return GUEST_REFUSED;
    if (!lift_writable(guest, result.u32, (uint32_t)size) || result.u32 % align != 0)
        return broken(guest, "cabi_realloc");
    *address = result.u32;
    return GUEST_ENDED;
}

guest_status_t call_lower(guest_t *guest, const char *data, size_t length, uint32_t *address) {
    *address = 1;
    if (length == 0)
        return GUEST_ENDED;
    guest_status_t status = allocate(guest, 1, length, address);
    if (status == GUEST_ENDED)
        memcpy(guest->slot->base + *address, data, length);
    return status;
}

/* A (pointer, length) pair at element `index` of the list at `list`. The list was checked
 * when it was allocated, and linear memory never shrinks under a running guest. */
static guest_status_t lower_text(guest_t *guest, uint32_t list, size_t index, const char *text,
                                 size_t length) {
    uint32_t address;
    guest_status_t status = call_lower(guest, text, length, &address);
    if (status != GUEST_ENDED)
        return status;
    char *element = (char *)guest->slot->base + list + 8 * index;
    lower_u32(element, address);
    lower_u32(element + 4, (uint32_t)length);
    return GUEST_ENDED;
}

static guest_status_t lower_list(guest_t *guest, const char *const *items, size_t count,
                                 engine_value_t *out) {
    out[0].u32 = 4;
    out[1].u32 = (uint32_t)count;
    if (count == 0)
        return GUEST_ENDED;
    if (count > INT32_MAX / 16)
        return GUEST_REFUSED;
    guest_status_t status = allocate(guest, 4, 8 * count, &out[0].u32);
    for (size_t i = 0; i < count && status == GUEST_ENDED; i++)
        status = lower_text(guest, out[0].u32, i, items[i], strlen(items[i]));
    return status;
}

/* tuple<string, string> is 16 bytes: two elements of lower_text. */
static guest_status_t lower_environ(guest_t *guest, const char *const *items, size_t count,
                                    engine_value_t *out) {
    out[0].u32 = 4;
    out[1].u32 = (uint32_t)count;
    if (count == 0)
        return GUEST_ENDED;
    if (count > INT32_MAX / 16)
        return GUEST_REFUSED;
    guest_status_t status = allocate(guest, 4, 16 * count, &out[0].u32);
    for (size_t i = 0; i < count && status == GUEST_ENDED; i++) {
        const char *equals = strchrnul(items[i], '=');
        const char *value = *equals ? equals + 1 : equals;
        status = lower_text(guest, out[0].u32, 2 * i, items[i], (size_t)(equals - items[i]));
        if (status == GUEST_ENDED)
            status = lower_text(guest, out[0].u32, 2 * i + 1, value, strlen(value));
    }
    return status;
}

guest_status_t guest_configure(guest_t *guest, const guest_settings_t *settings) {
    engine_value_t arguments[ENGINE_MAX_ARGUMENTS] = {{.u32 = 0}};
    guest_status_t status = lower_list(guest, settings->argv, settings->argc, arguments);
    if (status == GUEST_ENDED)
        status = lower_environ(guest, settings->environ, settings->environ_count, arguments + 2);
    size_t length = strlen(settings->filename);
    if (status == GUEST_ENDED)
        status = call_lower(guest, settings->filename, length, &arguments[4].u32);
    if (status != GUEST_ENDED)
        return status;
    arguments[5].u32 = (uint32_t)length;
    arguments[6].u32 = 0; /* capture-output: ours arrives through the streams */
    arguments[7].u32 = settings->script;
    arguments[8].u32 = settings->last_value;
    arguments[9].u32 = settings->trace;
    arguments[10].u32 = settings->trace_locals;
    arguments[11].u32 = settings->display;
    engine_value_t nothing;
    status = call_helper(guest, EXPORT_CONFIGURE, arguments, &nothing);
    if (status != GUEST_ENDED)
        return status;
    engine_value_t limits[ENGINE_MAX_ARGUMENTS] = {{.u64 = settings->file_system_bytes},
                                                   {.u32 = settings->files},
                                                   {.u32 = settings->open_files},
                                                   {.u32 = settings->recursion}};
    return call_helper(guest, EXPORT_LIMIT, limits, &nothing);
}

/* Copies a string, cut at max without splitting a UTF-8 sequence. False: bad pointer. */
static bool lift_text(const guest_t *guest, const char *fields, uint32_t max, char **out) {
    uint32_t length = lift_u32(fields + 4);
    const char *data = lift_readable(guest, lift_u32(fields), length);
    if (length > 0 && !data)
        return false;
    if (length > max) {
        length = max;
        while (length > 0 && (data[length] & 0xc0) == 0x80)
            length--;
    }
    *out = length > 0 ? strndup(data, length) : NULL;
    return true;
}

/* option<exception-info> at 0: discriminant, then kind 4, message 12, traceback 20 and
 * option<s32> exit-code 28. */
guest_status_t guest_exception(guest_t *guest, guest_exception_t *out) {
    *out = (guest_exception_t){0};
    engine_value_t values[ENGINE_MAX_ARGUMENTS] = {{.u32 = 0}};
    guest_status_t status = call_helper(guest, EXPORT_EXCEPTION, values, &values[0]);
    if (status != GUEST_ENDED)
        return status;
    const char *info = lift_readable(guest, values[0].u32, 36);
    if (!info)
        return broken(guest, "last-exception");
    if (info[0] != 0) {
        if (!lift_text(guest, info + 4, MESSAGE_MAX, &out->type) ||
            !lift_text(guest, info + 12, MESSAGE_MAX, &out->message) ||
            !lift_text(guest, info + 20, TRACEBACK_MAX, &out->traceback))
            return broken(guest, "last-exception");
        out->exits = info[28] != 0;
        out->exit_code = (int)lift_u32(info + 32);
    }
    return post_return(guest, EXPORT_EXCEPTION_POST, values);
}

/* result<X, string> where X is a string, a list of bytes or nothing: discriminant at 0, the
 * bytes' address at 4, their number at 8. */
static bool lift_answer(const guest_t *guest, const char *fields, bool has_value, uint64_t max,
                        guest_answer_t *out) {
    out->failed = fields[0] != 0;
    if (!out->failed && !has_value)
        return true;
    uint32_t length = lift_u32(fields + 8);
    const char *data = lift_readable(guest, lift_u32(fields + 4), length);
    if (length > 0 && !data)
        return false;
    out->length = length;
    if (out->failed)
        out->length = utf8_cut(data, length, MESSAGE_MAX);
    out->too_long = !out->failed && length > max;
    if (out->too_long || length == 0)
        return true;
    out->data = malloc(out->length + 1);
    if (!out->data) {
        out->too_long = true;
        return true;
    }
    memcpy(out->data, data, out->length);
    out->data[out->length] = '\0';
    return true;
}

static guest_status_t ask(guest_t *guest, size_t export, const engine_value_t *arguments,
                          bool has_value, uint64_t max, guest_answer_t *out) {
    engine_value_t values[ENGINE_MAX_ARGUMENTS] = {{.u32 = 0}};
    *out = (guest_answer_t){0};
    guest_status_t status = call_helper(guest, export, arguments, &values[0]);
    if (status != GUEST_ENDED)
        return status;
    const char *fields = lift_readable(guest, values[0].u32, 12);
    if (!fields || !lift_answer(guest, fields, has_value, max, out))
        return broken(guest, guest_exports[export].name);
    return post_return(guest, export + 1, values);
}

guest_status_t guest_result(guest_t *guest, const char *name, uint64_t max, guest_answer_t *out) {
    engine_value_t arguments[ENGINE_MAX_ARGUMENTS] = {{.u32 = name != NULL}};
    size_t length = name ? strlen(name) : 0;
    guest_status_t status = call_lower(guest, name, length, &arguments[1].u32);
    if (status != GUEST_ENDED)
        return status;
    arguments[2].u32 = (uint32_t)length;
    return ask(guest, EXPORT_RESULT, arguments, true, max, out);
}

guest_status_t guest_snapshot(guest_t *guest, bool skip_unpicklable, uint64_t max,
                              guest_answer_t *out) {
    engine_value_t arguments[ENGINE_MAX_ARGUMENTS] = {{.u32 = skip_unpicklable}};
    return ask(guest, EXPORT_SNAPSHOT, arguments, true, max, out);
}

guest_status_t guest_restore(guest_t *guest, const void *data, size_t length, guest_answer_t *out) {
    engine_value_t arguments[ENGINE_MAX_ARGUMENTS] = {{.u32 = 0}};
    *out = (guest_answer_t){0};
    guest_status_t status = call_lower(guest, data, length, &arguments[0].u32);
    if (status != GUEST_ENDED)
        return status;
    arguments[1].u32 = (uint32_t)length;
    return ask(guest, EXPORT_RESTORE, arguments, false, 0, out);
}

guest_status_t guest_wake(guest_t *guest) {
    engine_value_t arguments[ENGINE_MAX_ARGUMENTS] = {{.u32 = 0}}, nothing;
    guest_phase_t phase = guest->phase;
    guest_status_t status = call_helper(guest, EXPORT_WAKE, arguments, &nothing);
    if (status == GUEST_ENDED)
        guest->phase = phase;
    return status;
}

guest_status_t guest_settle(guest_t *guest) {
    engine_value_t arguments[ENGINE_MAX_ARGUMENTS] = {{.u32 = 0}}, nothing;
    return call_helper(guest, EXPORT_SETTLE, arguments, &nothing);
}

guest_status_t guest_clear(guest_t *guest) {
    engine_value_t arguments[ENGINE_MAX_ARGUMENTS] = {{.u32 = 0}}, nothing;
    return call_helper(guest, EXPORT_CLEAR, arguments, &nothing);
}
