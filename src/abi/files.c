/* Files of the sandbox: see files.h. What the guest answers is as hostile as everything from it. */
#include "abi/files.h"

#include <errno.h>

#include "abi/calls.h"
#include "abi/errors.h"
#include "abi/lift.h"

enum { STAT_BYTES = 64 };

guest_status_t guest_file_call(guest_t *guest, guest_file_call_t *call) {
    engine_value_t values[ENGINE_MAX_ARGUMENTS] = {{.u32 = call->operation}};
    size_t length = strlen(call->path);
    call->answer = NULL;
    call->answer_length = 0;
    if (!engine_has_export(guest->instance, EXPORT_FILE)) {
        call->error = ENOSYS;
        return GUEST_ENDED;
    }
    guest_status_t status = call_lower(guest, call->path, length, &values[1].u32);
    if (status == GUEST_ENDED)
        status = call_lower(guest, call->data, call->length, &values[4].u32);
    if (status != GUEST_ENDED)
        return status;
    values[2].u32 = (uint32_t)length;
    values[3].u64 = call->offset;
    values[5].u32 = (uint32_t)call->length;
    status = call_helper(guest, EXPORT_FILE, values, &values[0]);
    if (status != GUEST_ENDED)
        return status;
    call->error = values[0].i32 < 0 ? error_from_code(-(int64_t)values[0].i32) : 0;
    if (values[0].i32 <= 0)
        return GUEST_ENDED;
    uint32_t address, capacity;
    const char *arena = lift_arena(guest, &address, &capacity);
    if (!arena || values[0].u32 > capacity) {
        guest->fault_in = "eryx_file_call";
        guest->fault = "an answer outside of memory";
        return GUEST_TRAPPED;
    }
    call->answer = (const uint8_t *)arena;
    call->answer_length = values[0].u32;
    return GUEST_ENDED;
}

static int64_t time_at(const char *answer, int index) {
    int64_t seconds, result;
    memcpy(&seconds, answer + 24 + 8 * index, sizeof seconds);
    if (__builtin_mul_overflow(seconds, INT64_C(1000000000), &result) ||
        __builtin_add_overflow(result, (int64_t)lift_u32(answer + 48 + 4 * index), &result))
        return 0;
    return result;
}

bool guest_file_stat(const guest_file_call_t *call, eryx_file_stat_t *out) {
    if (call->answer_length != STAT_BYTES)
        return false;
    const char *answer = (const char *)call->answer;
    uint32_t kind = lift_u32(answer);
    *out = (eryx_file_stat_t){
        .kind = kind <= ERYX_FILE_SOCKET ? (eryx_file_kind_t)kind : ERYX_FILE_UNKNOWN,
        .links = lift_u32(answer + 4),
        .accessed_ns = time_at(answer, 0),
        .modified_ns = time_at(answer, 1),
        .changed_ns = time_at(answer, 2),
    };
    memcpy(&out->inode, answer + 8, sizeof out->inode);
    memcpy(&out->size, answer + 16, sizeof out->size);
    return true;
}

bool guest_file_entry(const guest_file_call_t *call, size_t *at, eryx_file_entry_t *out,
                      bool *bad) {
    const uint8_t *record = call->answer + *at;
    size_t left = call->answer_length - *at;
    *bad = false;
    if (*at >= call->answer_length)
        return false;
    if (left < 2 || record[1] == 0 || left - 2 < record[1]) {
        *bad = true;
        return false;
    }
    *out = (eryx_file_entry_t){
        .name = (const char *)record + 2,
        .length = record[1],
        .kind = record[0] <= ERYX_FILE_SOCKET ? (eryx_file_kind_t)record[0] : ERYX_FILE_UNKNOWN,
    };
    /* Not a name: it could lead the host elsewhere. */
    bool dots = record[2] == '.' && (record[1] == 1 || (record[1] == 2 && record[3] == '.'));
    if (dots || memchr(out->name, '/', out->length) || memchr(out->name, '\0', out->length))
        *bad = true;
    *at += 2u + record[1];
    return !*bad;
}
