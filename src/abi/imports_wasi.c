/* The WASI functions that the guest imports: clocks, entropy, standard streams, exit. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/random.h>

#include "abi/imports.h"
#include "abi/lift.h"
#include "base/clock.h"

/* Resource handles; the guest gets no others. */
enum { HANDLE_STDIN = 1, HANDLE_STDOUT = 2, HANDLE_STDERR = 3, HANDLE_ERROR = 4 };

/* result<_, stream-error>: discriminant at 0, stream-error at 4, its error handle at 8. */
enum { STREAM_RESULT_BYTES = 12, STREAM_FAILED = 0, STREAM_CLOSED = 1 };

static const char *const fault_pointer = "a pointer outside of memory";
static const char *const fault_handle = "no such resource";

/* --- Clocks, entropy, exit ---------------------------------------------------------------- */

static engine_reply_t import_wait_for(void *context, engine_value_t *values) {
    guest_t *guest = context;
    uint64_t duration = values[0].u64;
    if (duration == 0) {
        values[0].u32 = SUBTASK_RETURNED;
        return ENGINE_RETURN;
    }
    uint32_t subtask;
    const char *fault =
        waitables_timer_new(&guest->waitables, clock_add(clock_monotonic(), duration), &subtask);
    if (fault)
        return guest_refuse(guest, "wait-for", fault);
    values[0].u32 = subtask << 4 | SUBTASK_STARTED;
    return ENGINE_RETURN;
}

static engine_reply_t import_monotonic_now(void *context, engine_value_t *values) {
    const guest_t *guest = context;
    values[0].u64 = clock_monotonic() + guest->clock_ahead;
    return ENGINE_RETURN;
}

static engine_reply_t import_wall_now(void *context, engine_value_t *values) {
    guest_t *guest = context;
    char *out = lift_writable(guest, values[0].u32, 12);
    if (!out)
        return guest_refuse(guest, "wall-clock.now", fault_pointer);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    lower_u64(out, (uint64_t)now.tv_sec);
    lower_u32(out + 8, (uint32_t)now.tv_nsec);
    return ENGINE_RETURN;
}

static engine_reply_t import_random(void *context, engine_value_t *values) {
    ssize_t got;
    do
        got = getrandom(&values[0].u64, sizeof values[0].u64, 0);
    while (got < 0 && errno == EINTR);
    if (got == sizeof values[0].u64)
        return ENGINE_RETURN;
    return guest_refuse(context, "get-random-u64", "the host has no entropy");
}

static engine_reply_t import_exit(void *context, engine_value_t *values) {
    guest_t *guest = context;
    guest->exit_code = values[0].u32 != 0;
    const char *code = guest->exit_slot ? lift_readable(guest, guest->exit_slot, 4) : NULL;
    if (code)
        guest->exit_code = (int)lift_u32(code);
    guest->exited = true;
    return ENGINE_REFUSE;
}

/* --- Standard streams --------------------------------------------------------------------- */

static engine_reply_t import_get_stdin(void *context, engine_value_t *values) {
    (void)context;
    values[0].u32 = HANDLE_STDIN;
    return ENGINE_RETURN;
}

static engine_reply_t import_get_stdout(void *context, engine_value_t *values) {
    (void)context;
    values[0].u32 = HANDLE_STDOUT;
    return ENGINE_RETURN;
}

static engine_reply_t import_get_stderr(void *context, engine_value_t *values) {
    (void)context;
    values[0].u32 = HANDLE_STDERR;
    return ENGINE_RETURN;
}

static engine_reply_t import_drop_resource(void *context, engine_value_t *values) {
    if (values[0].u32 >= HANDLE_STDIN && values[0].u32 <= HANDLE_ERROR)
        return ENGINE_RETURN;
    return guest_refuse(context, "resource-drop", fault_handle);
}

static engine_reply_t import_write(void *context, engine_value_t *values) {
    static const char name[] = "output-stream.blocking-write-and-flush";
    guest_t *guest = context;
    uint32_t handle = values[0].u32, length = values[2].u32;
    if (handle != HANDLE_STDOUT && handle != HANDLE_STDERR)
        return guest_refuse(guest, name, fault_handle);
    const char *data = lift_readable(guest, values[1].u32, length);
    char *result = lift_writable(guest, values[3].u32, STREAM_RESULT_BYTES);
    if ((!data && length > 0) || !result)
        return guest_refuse(guest, name, fault_pointer);
    if (length > 0 &&
        !guest->streams.write(guest->streams.env, handle == HANDLE_STDOUT ? 1 : 2, data, length))
        return guest_refuse(guest, name, "a limit of the sandbox");
    result[0] = 0;
    return ENGINE_RETURN;
}

static void lower_stream_error(char *result, uint8_t which) {
    result[0] = 1;
    result[4] = (char)which;
    lower_u32(result + 8, HANDLE_ERROR);
}

static engine_reply_t import_read(void *context, engine_value_t *values) {
    static const char name[] = "input-stream.blocking-read";
    guest_t *guest = context;
    if (values[0].u32 != HANDLE_STDIN)
        return guest_refuse(guest, name, fault_handle);
    char *result = lift_writable(guest, values[2].u32, STREAM_RESULT_BYTES);
    uint32_t address, capacity;
    char *buffer = lift_arena(guest, &address, &capacity);
    if (!result || !buffer)
        return guest_refuse(guest, name, fault_pointer);
    if (values[1].u64 < capacity)
        capacity = (uint32_t)values[1].u64;
    ptrdiff_t got = 0;
    if (guest->streams.read && capacity > 0)
        got = guest->streams.read(guest->streams.env, buffer, capacity);
    if (got <= 0 && values[1].u64 > 0) {
        lower_stream_error(result, got < 0 ? STREAM_FAILED : STREAM_CLOSED);
        return ENGINE_RETURN;
    }
    result[0] = 0;
    lower_u32(result + 4, address);
    lower_u32(result + 8, (size_t)got > capacity ? capacity : (uint32_t)got);
    return ENGINE_RETURN;
}

/* --- The table ---------------------------------------------------------------------------- */

#define STREAMS "wasi:io/streams@0.2.0"

static const engine_import_t items[] = {
    {"wasi:clocks/monotonic-clock@0.3.0", "[async-lower]wait-for", "I", "i", false,
     import_wait_for},
    {"wasi:clocks/monotonic-clock@0.2.0", "now", "", "I", false, import_monotonic_now},
    {"wasi:clocks/wall-clock@0.2.0", "now", "i", "", false, import_wall_now},
    {"wasi:random/random@0.2.0", "get-random-u64", "", "I", false, import_random},
    {"wasi:cli/exit@0.2.0", "exit", "i", "", false, import_exit},
    {"wasi:cli/stdin@0.2.0", "get-stdin", "", "i", false, import_get_stdin},
    {"wasi:cli/stdout@0.2.0", "get-stdout", "", "i", false, import_get_stdout},
    {"wasi:cli/stderr@0.2.0", "get-stderr", "", "i", false, import_get_stderr},
    {STREAMS, "[method]output-stream.blocking-write-and-flush", "iiii", "", false, import_write},
    {STREAMS, "[method]input-stream.blocking-read", "iIi", "", false, import_read},
    {STREAMS, "[resource-drop]input-stream", "i", "", false, import_drop_resource},
    {STREAMS, "[resource-drop]output-stream", "i", "", false, import_drop_resource},
    {"wasi:io/error@0.2.0", "[resource-drop]error", "i", "", false, import_drop_resource},
};
const engine_import_table_t imports_wasi = {items, sizeof items / sizeof items[0]};
