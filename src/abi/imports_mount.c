/* Mounts as the guest imports them, module "eryx"; runtime/wasi/mounts.c is the other side.
 *
 * A result is 0 or a count, or -1 - e for the error e (errors.h). -1 would be "no such host". Data
 * goes through a buffer of the host, never from or to guest memory by a system call. */
#include <errno.h>
#include <stdlib.h>

#include "abi/errors.h"
#include "abi/imports.h"
#include "abi/lift.h"
#include "mount/mounts.h"

enum {
    STAT_BYTES = 64,  /* kind, links, inode, size, three times in seconds, their nanoseconds */
    OPEN_BYTES = 72,  /* file, then stat */
    TIMES_BYTES = 32, /* two times in seconds, their nanoseconds, which of them are given */
    RECORD_BYTES = 12 /* number, flags, length of the path */
};

enum { RECORD_FILE = 1, RECORD_READ_ONLY = 2, RECORD_OVERLAY = 4 };

#define READ_MAX ((uint32_t)1 << 20) /* in one call, so that an interrupt is seen */

static const char fault_pointer[] = "a pointer outside of memory";

static int32_t answer(ptrdiff_t result) {
    return result >= 0 ? (int32_t)result : -1 - error_to_code((int)-result);
}

static engine_reply_t reply(engine_value_t *values, ptrdiff_t result) {
    values[0].i32 = answer(result);
    return ENGINE_RETURN;
}

/* The guest's (mount, pointer, length). False: outside of memory. */
static bool lift_path(const guest_t *guest, const engine_value_t *values, mount_path_t *out) {
    const char *text = lift_readable(guest, values[1].u32, values[2].u32);
    *out = (mount_path_t){values[0].u32, text ? text : "", values[2].u32};
    return text || values[2].u32 == 0;
}

static void lower_time(char *out, int index, int64_t nanoseconds) {
    int64_t seconds = nanoseconds / 1000000000, rest = nanoseconds % 1000000000;
    if (rest < 0) {
        seconds--;
        rest += 1000000000;
    }
    lower_u64(out + 24 + 8 * index, (uint64_t)seconds);
    lower_u32(out + 48 + 4 * index, (uint32_t)rest);
}

static void lower_stat(char *out, const eryx_file_stat_t *status) {
    memset(out, 0, STAT_BYTES);
    lower_u32(out, status->kind);
    lower_u32(out + 4, status->links);
    lower_u64(out + 8, status->inode);
    lower_u64(out + 16, status->size);
    lower_time(out, 0, status->accessed_ns);
    lower_time(out, 1, status->modified_ns);
    lower_time(out, 2, status->changed_ns);
}

/* Before the first file is opened there may be no table. */
static bool has_mounts(const guest_t *guest, engine_value_t *values) {
    if (guest->mounts)
        return true;
    values[0].i32 = answer(-ESTALE);
    return false;
}

static char *bounce_of(mounts_t *mounts) {
    if (!mounts->bounce)
        mounts->bounce = malloc(MOUNTS_BOUNCE);
    return mounts->bounce;
}

/* --- The list ----------------------------------------------------------------------------- */

static uint32_t flags_of(const mount_t *mount) {
    uint32_t flags = mount->is_file ? RECORD_FILE : 0;
    if (mount->mode == ERYX_MOUNT_OVERLAY)
        return flags | RECORD_OVERLAY;
    return mount_writable(mount) ? flags : flags | RECORD_READ_ONLY;
}

/* (buffer, capacity): how many bytes the list has; they are written if they fit. */
static engine_reply_t import_list(void *context, engine_value_t *values) {
    guest_t *guest = context;
    const mounts_t *mounts = guest->mounts;
    size_t length = 0;
    for (size_t i = 0; mounts && i < mounts->count; i++)
        length += RECORD_BYTES + mounts->items[i].target_length;
    char *out = lift_writable(guest, values[0].u32, values[1].u32);
    if (values[1].u32 > 0 && !out)
        return guest_refuse(guest, "mount-list", fault_pointer);
    for (size_t i = 0; length > 0 && length <= values[1].u32 && i < mounts->count; i++) {
        const mount_t *mount = &mounts->items[i];
        lower_u32(out, mount->number);
        lower_u32(out + 4, flags_of(mount));
        lower_u32(out + 8, (uint32_t)mount->target_length);
        memcpy(out + RECORD_BYTES, mount->target, mount->target_length);
        out += RECORD_BYTES + mount->target_length;
    }
    return reply(values, (ptrdiff_t)length);
}

/* --- Open files --------------------------------------------------------------------------- */

static engine_reply_t import_stat(void *context, engine_value_t *values) {
    guest_t *guest = context;
    mount_path_t path;
    eryx_file_stat_t status;
    char *out = lift_writable(guest, values[3].u32, STAT_BYTES);
    if (!lift_path(guest, values, &path) || !out)
        return guest_refuse(guest, "mount-stat", fault_pointer);
    if (!has_mounts(guest, values))
        return ENGINE_RETURN;
    int error = mounts_stat(guest->mounts, path, &status);
    if (!error)
        lower_stat(out, &status);
    return reply(values, error);
}

static engine_reply_t import_open(void *context, engine_value_t *values) {
    guest_t *guest = context;
    mount_path_t path;
    eryx_file_stat_t status;
    uint64_t file;
    char *out = lift_writable(guest, values[4].u32, OPEN_BYTES);
    if (!lift_path(guest, values, &path) || !out)
        return guest_refuse(guest, "mount-open", fault_pointer);
    if (!has_mounts(guest, values))
        return ENGINE_RETURN;
    int error = mounts_open(guest->mounts, path, values[3].u32, &file, &status);
    if (!error) {
        lower_u64(out, file);
        lower_stat(out + 8, &status);
    }
    return reply(values, error);
}

static engine_reply_t import_close(void *context, engine_value_t *values) {
    guest_t *guest = context;
    if (!has_mounts(guest, values))
        return ENGINE_RETURN;
    return reply(values, mounts_close(guest->mounts, values[0].u64));
}

static engine_reply_t import_status(void *context, engine_value_t *values) {
    guest_t *guest = context;
    eryx_file_stat_t status;
    char *out = lift_writable(guest, values[1].u32, STAT_BYTES);
    if (!out)
        return guest_refuse(guest, "mount-status", fault_pointer);
    if (!has_mounts(guest, values))
        return ENGINE_RETURN;
    int error = mounts_status(guest->mounts, values[0].u64, &status);
    if (!error)
        lower_stat(out, &status);
    return reply(values, error);
}

/* (file, offset, buffer, length) */
static engine_reply_t import_read(void *context, engine_value_t *values) {
    guest_t *guest = context;
    uint32_t length = values[3].u32 < READ_MAX ? values[3].u32 : READ_MAX;
    char *out = lift_writable(guest, values[2].u32, length);
    if (!out && length > 0)
        return guest_refuse(guest, "mount-read", fault_pointer);
    if (!has_mounts(guest, values))
        return ENGINE_RETURN;
    char *bounce = bounce_of(guest->mounts);
    ptrdiff_t got = bounce ? 0 : -ENOMEM;
    uint32_t done = 0;
    while (bounce && done < length) {
        uint32_t part = length - done < MOUNTS_BOUNCE ? length - done : MOUNTS_BOUNCE;
        got = mounts_read(guest->mounts, values[0].u64, values[1].u64 + done, bounce, part);
        if (got <= 0)
            break;
        memcpy(out + done, bounce, (size_t)got);
        done += (uint32_t)got;
        if ((uint32_t)got < part)
            break;
    }
    return reply(values, done > 0 ? (ptrdiff_t)done : got);
}

static engine_reply_t import_write(void *context, engine_value_t *values) {
    guest_t *guest = context;
    uint32_t length = values[3].u32 < MOUNTS_BOUNCE ? values[3].u32 : MOUNTS_BOUNCE;
    const char *data = lift_readable(guest, values[2].u32, length);
    if (!data && length > 0)
        return guest_refuse(guest, "mount-write", fault_pointer);
    if (!has_mounts(guest, values))
        return ENGINE_RETURN;
    char *bounce = bounce_of(guest->mounts);
    if (!bounce)
        return reply(values, -ENOMEM);
    if (length > 0)
        memcpy(bounce, data, length);
    return reply(values, mounts_write(guest->mounts, values[0].u64, values[1].u64, bounce, length));
}

static engine_reply_t import_resize(void *context, engine_value_t *values) {
    guest_t *guest = context;
    if (!has_mounts(guest, values))
        return ENGINE_RETURN;
    return reply(values, mounts_resize(guest->mounts, values[0].u64, values[1].u64));
}

static engine_reply_t import_sync(void *context, engine_value_t *values) {
    guest_t *guest = context;
    if (!has_mounts(guest, values))
        return ENGINE_RETURN;
    return reply(values, mounts_sync(guest->mounts, values[0].u64));
}

static engine_reply_t import_entries(void *context, engine_value_t *values) {
    guest_t *guest = context;
    uint32_t capacity = values[2].u32 < MOUNTS_BOUNCE ? values[2].u32 : MOUNTS_BOUNCE;
    char *out = lift_writable(guest, values[1].u32, capacity);
    if (!out && capacity > 0)
        return guest_refuse(guest, "mount-entries", fault_pointer);
    if (!has_mounts(guest, values))
        return ENGINE_RETURN;
    char *bounce = bounce_of(guest->mounts);
    if (!bounce)
        return reply(values, -ENOMEM);
    ptrdiff_t count = mounts_entries(guest->mounts, values[0].u64, (uint8_t *)bounce, capacity);
    if (count > 0)
        memcpy(out, bounce, (size_t)count);
    return reply(values, count);
}

/* --- Names -------------------------------------------------------------------------------- */

static engine_reply_t import_readlink(void *context, engine_value_t *values) {
    guest_t *guest = context;
    mount_path_t path;
    uint32_t capacity = values[4].u32 < MOUNTS_BOUNCE ? values[4].u32 : MOUNTS_BOUNCE;
    char *out = lift_writable(guest, values[3].u32, capacity);
    if (!lift_path(guest, values, &path) || (!out && capacity > 0))
        return guest_refuse(guest, "mount-readlink", fault_pointer);
    if (!has_mounts(guest, values))
        return ENGINE_RETURN;
    char *bounce = bounce_of(guest->mounts);
    if (!bounce)
        return reply(values, -ENOMEM);
    ptrdiff_t length = mounts_readlink(guest->mounts, path, bounce, capacity);
    if (length > 0)
        memcpy(out, bounce, (size_t)length);
    return reply(values, length);
}

/* Out of what can be told in nanoseconds: the nearest. */
static int64_t lift_time(const char *fields, int index) {
    int64_t seconds = 0, result;
    memcpy(&seconds, fields + 8 * index, sizeof seconds);
    uint32_t nanoseconds = lift_u32(fields + 16 + 4 * index);
    if (__builtin_mul_overflow(seconds, INT64_C(1000000000), &result) ||
        __builtin_add_overflow(result, (int64_t)(nanoseconds % 1000000000), &result))
        return seconds < 0 ? INT64_MIN : INT64_MAX;
    return result;
}

static engine_reply_t import_set_times(void *context, engine_value_t *values) {
    guest_t *guest = context;
    mount_path_t path;
    const char *fields = lift_readable(guest, values[3].u32, TIMES_BYTES);
    if (!lift_path(guest, values, &path) || !fields)
        return guest_refuse(guest, "mount-set-times", fault_pointer);
    if (!has_mounts(guest, values))
        return ENGINE_RETURN;
    int64_t accessed = lift_time(fields, 0), modified = lift_time(fields, 1);
    return reply(values,
                 mounts_set_times(guest->mounts, path, lift_u32(fields + 24) ? &accessed : NULL,
                                  lift_u32(fields + 28) ? &modified : NULL));
}

/* (change, mount, path, length, other, length) */
static engine_reply_t import_change(void *context, engine_value_t *values) {
    guest_t *guest = context;
    mount_path_t path;
    const char *other = lift_readable(guest, values[4].u32, values[5].u32);
    if (!lift_path(guest, values + 1, &path) || (!other && values[5].u32 > 0))
        return guest_refuse(guest, "mount-change", fault_pointer);
    if (!has_mounts(guest, values))
        return ENGINE_RETURN;
    return reply(values, mounts_change(guest->mounts, (enum mount_change)values[0].u32, path,
                                       other ? other : "", values[5].u32));
}

static const engine_import_t items[] = {
    {IMPORTS_PRIVATE, "mount-list", "ii", "i", false, import_list},
    {IMPORTS_PRIVATE, "mount-stat", "iiii", "i", false, import_stat},
    {IMPORTS_PRIVATE, "mount-open", "iiiii", "i", false, import_open},
    {IMPORTS_PRIVATE, "mount-close", "I", "i", false, import_close},
    {IMPORTS_PRIVATE, "mount-status", "Ii", "i", false, import_status},
    {IMPORTS_PRIVATE, "mount-read", "IIii", "i", false, import_read},
    {IMPORTS_PRIVATE, "mount-write", "IIii", "i", false, import_write},
    {IMPORTS_PRIVATE, "mount-resize", "II", "i", false, import_resize},
    {IMPORTS_PRIVATE, "mount-sync", "I", "i", false, import_sync},
    {IMPORTS_PRIVATE, "mount-entries", "Iii", "i", false, import_entries},
    {IMPORTS_PRIVATE, "mount-readlink", "iiiii", "i", false, import_readlink},
    {IMPORTS_PRIVATE, "mount-set-times", "iiii", "i", false, import_set_times},
    {IMPORTS_PRIVATE, "mount-change", "iiiiii", "i", false, import_change},
};
const engine_import_table_t imports_mount = {items, sizeof items / sizeof items[0]};
