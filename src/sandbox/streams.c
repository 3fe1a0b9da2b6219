/* Output is counted before it is split into lines, so the limit is the same in both modes. */
#define _GNU_SOURCE
#include "sandbox/streams.h"

#include <string.h>

#include "sandbox/samples.h"
#include "sandbox/scrub.h"

#define LINE_MAX_BYTES 65536 /* a longer line comes in pieces */

static void emit(eryx_sandbox_t *sandbox, int stream, const char *data, size_t length) {
    sandbox->on_output(sandbox->env, (eryx_stream_t)stream, data, length);
}

static void flush(eryx_sandbox_t *sandbox, int stream) {
    buffer_t *line = &sandbox->lines[stream - 1];
    if (line->length > 0)
        emit(sandbox, stream, line->data, line->length);
    line->length = 0;
}

/* False when out of memory for what is not a whole line yet. */
static bool emit_lines(eryx_sandbox_t *sandbox, int stream, const char *data, size_t length) {
    buffer_t *line = &sandbox->lines[stream - 1];
    while (length > 0) {
        const char *newline = memchr(data, '\n', length);
        size_t piece = newline ? (size_t)(newline - data) + 1 : length;
        if (piece > LINE_MAX_BYTES - line->length) {
            piece = LINE_MAX_BYTES - line->length;
            newline = data + piece - 1;
        }
        if (newline && line->length == 0) {
            emit(sandbox, stream, data, piece);
        } else {
            if (!buffer_append(line, data, piece))
                return false;
            if (newline)
                flush(sandbox, stream);
        }
        data += piece;
        length -= piece;
    }
    return true;
}

static bool take(eryx_sandbox_t *sandbox, int stream, const char *data, size_t length) {
    if (length == 0)
        return true;
    eryx_outcome_t *outcome = sandbox->execution.outcome;
    if (sandbox->on_output && sandbox->output_mode == ERYX_OUTPUT_LINE)
        return emit_lines(sandbox, stream, data, length);
    if (sandbox->on_output)
        emit(sandbox, stream, data, length);
    else if (outcome)
        return buffer_append(&outcome->output[stream - 1], data, length);
    return true;
}

void streams_flush(eryx_sandbox_t *sandbox) {
    for (int stream = ERYX_STDOUT; stream <= ERYX_STDERR; stream++) {
        const char *data;
        size_t length;
        if (scrub_output_end(sandbox, stream, &data, &length) && length > 0)
            take(sandbox, stream, data, length);
    }
    flush(sandbox, ERYX_STDOUT);
    flush(sandbox, ERYX_STDERR);
}

static bool exceed(eryx_execution_t *execution, eryx_limit_t limit, uint64_t used) {
    execution->exceeded = limit;
    execution->exceeded_used = used;
    return false;
}

static bool write_output(void *env, int stream, const char *data, size_t length) {
    eryx_sandbox_t *sandbox = env;
    eryx_execution_t *execution = &sandbox->execution;
    uint64_t room = sandbox->limits.output_bytes - execution->output_bytes;
    size_t taken = length < room ? length : (size_t)room;
    bool kept = execution->outcome && !sandbox->on_output;
    if (kept && !execution_hold(sandbox, taken))
        return exceed(execution, ERYX_LIMIT_HOST_MEMORY, atomic_load(&sandbox->budget->refused));
    size_t shown = taken;
    if (taken > 0 &&
        (!scrub_output(sandbox, stream, &data, &shown) || !take(sandbox, stream, data, shown)))
        taken = 0;
    execution->output_bytes += taken;
    if (!execution->outcome)
        return true;
    execution->outcome->output_dropped += length - taken;
    if (length <= room || !sandbox->limits.stop_on_output)
        return true;
    return exceed(execution, ERYX_LIMIT_OUTPUT, execution->output_bytes + length - taken);
}

static ptrdiff_t read_input(void *env, char *buffer, size_t capacity) {
    eryx_sandbox_t *sandbox = env;
    return sandbox->on_input(sandbox->env, buffer, capacity);
}

static void report_trace(void *env, uint32_t lineno, const char *event, size_t event_length,
                         const char *context, size_t context_length) {
    eryx_sandbox_t *sandbox = env;
    if (scrub_pair(sandbox, &event, event_length, &context, context_length))
        sandbox->on_trace(sandbox->env, lineno, event, event_length, context, context_length);
}

guest_streams_t streams_of(eryx_sandbox_t *sandbox) {
    return (guest_streams_t){
        .write = write_output,
        .read = sandbox->on_input ? read_input : NULL,
        .trace = sandbox->on_trace ? report_trace : NULL,
        .sample_begin = sandbox->on_sample ? samples_begin : NULL,
        .sample = sandbox->on_sample ? samples_take : NULL,
        .code_find = codes_answer_find,
        .code_keep = codes_answer_keep,
        .env = sandbox,
    };
}
