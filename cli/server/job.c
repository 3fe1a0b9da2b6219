/* Jobs as such: making and freeing them, their output, and the words for what became of them. */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *job_status_text(enum job_status status)
{
    switch (status) {
    case JOB_OK:
        return "done";
    case JOB_FAILED:
        return "failed";
    case JOB_CANCELLED:
        return "cancelled";
    case JOB_TIMED_OUT:
        return "stopped: the time that was given for it is over";
    case JOB_OVERLOADED:
        return "the server has too much to do or too many sessions; try again later, or close "
               "sessions";
    case JOB_NO_SESSION:
        return "there is no such session; it was never made, was closed, or was idle for too long";
    case JOB_EXISTS:
        return "there is a session of the new name already; choose another one, or close it first";
    case JOB_ELSEWHERE:
        return "another server is using the session; try again";
    case JOB_LOST:
        return "another server has changed the session meanwhile; nothing of this was kept, look "
               "at the session and do it again";
    case JOB_UNAVAILABLE:
        return "the store of sessions cannot be used; try again later";
    case JOB_INVALID:
        return "a session's name has 1 to 64 letters, digits, '-' and '_'";
    }
    return "unknown";
}

void job_fail(struct job *job, enum job_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(job->message, sizeof job->message, format, args);
    va_end(args);
    job->status = status;
}

struct job *job_new(enum job_kind kind)
{
    struct job *job = calloc(1, sizeof *job);
    if (job)
        job->kind = kind;
    return job;
}

void job_free(struct job *job)
{
    if (!job)
        return;
    eryx_outcome_free(job->outcome);
    free(job->text);
    free(job->path);
    free(job->data);
    free(job->result);
    free(job->output.data);
    free(job->piece);
    free(job);
}

static bool reserve(struct job_output *output, size_t more)
{
    if (output->length + more <= output->capacity)
        return true;
    size_t capacity = output->capacity ? output->capacity * 2 : 1024;
    while (capacity < output->length + more)
        capacity *= 2;
    char *data = realloc(output->data, capacity);
    if (!data)
        return false;
    output->data = data;
    output->capacity = capacity;
    return true;
}

bool job_add_output(struct job_output *output, char stream, const char *data, size_t length)
{
    uint32_t size;
    bool join = output->length > output->taken && output->data[output->last] == stream;
    if (!reserve(output, length + 5))
        return false;
    if (join) {
        memcpy(&size, output->data + output->last + 1, sizeof size);
        size += (uint32_t)length;
    } else {
        output->last = output->length;
        output->data[output->length] = stream;
        output->length += 5;
        size = (uint32_t)length;
    }
    memcpy(output->data + output->last + 1, &size, sizeof size);
    memcpy(output->data + output->length, data, length);
    output->length += length;
    return true;
}

bool job_next_output(struct job *job, eryx_stream_t *stream, const char **data, size_t *length)
{
    struct job_output *output = &job->output;
    bool some = false;
    uint32_t size = 0;
    pthread_mutex_lock(&job->service->lock);
    if (output->taken < output->length) {
        const char *record = output->data + output->taken;
        memcpy(&size, record + 1, sizeof size);
        char *piece = realloc(job->piece, (size_t)size + 1);
        if (piece) {
            job->piece = memcpy(piece, record + 5, size);
            *stream = (eryx_stream_t)record[0];
            output->taken += 5 + (size_t)size;
            some = true;
        }
    }
    pthread_mutex_unlock(&job->service->lock);
    *data = job->piece;
    *length = size;
    return some;
}

char *job_all_output(const struct job *job, eryx_stream_t stream, size_t *length)
{
    const struct job_output *output = &job->output;
    char *all = malloc(output->length + 1);
    *length = 0;
    for (size_t at = 0; all && at < output->length;) {
        uint32_t size;
        memcpy(&size, output->data + at + 1, sizeof size);
        if (output->data[at] == (char)stream) {
            memcpy(all + *length, output->data + at + 5, size);
            *length += size;
        }
        at += 5 + (size_t)size;
    }
    if (all)
        all[*length] = '\0';
    return all;
}
