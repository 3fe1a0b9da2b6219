/* cabi_realloc, configure, last-exception: canonical ABI of the control interface. */
#define _GNU_SOURCE
#include "abi/calls.h"

#include <stdlib.h>
#include <string.h>

#include "abi/lift.h"

#define MESSAGE_MAX ((uint32_t)1 << 20) /* of an exception */
#define TRACEBACK_MAX ((uint32_t)4 << 20)

static guest_status_t helper(guest_t *guest, size_t export, const engine_value_t *arguments,
                             engine_value_t *result) {
    guest->phase = PHASE_HELPER;
    engine_state_t state = engine_call(guest->instance, export, arguments, result);
    guest->phase = PHASE_IDLE;
    if (state == ENGINE_DONE)
        return GUEST_ENDED;
    return guest->exited ? GUEST_EXITED : GUEST_TRAPPED;
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
    guest_status_t status = helper(guest, EXPORT_REALLOC, arguments, &result);
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
        status =
            lower_environ(guest, settings->environ, settings->environ_count, arguments + 2);
    size_t length = strlen(settings->filename);
    if (status == GUEST_ENDED)
        status = call_lower(guest, settings->filename, length, &arguments[4].u32);
    if (status != GUEST_ENDED)
        return status;
    arguments[5].u32 = (uint32_t)length;
    arguments[6].u32 = 0; /* capture-output: ours arrives through the streams */
    arguments[7].u32 = settings->script;
    engine_value_t nothing;
    return helper(guest, EXPORT_CONFIGURE, arguments, &nothing);
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
    guest_status_t status = helper(guest, EXPORT_EXCEPTION, values, &values[0]);
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
    if (!engine_has_export(guest->instance, EXPORT_EXCEPTION_POST))
        return GUEST_ENDED;
    engine_value_t nothing;
    return helper(guest, EXPORT_EXCEPTION_POST, values, &nothing);
}
