/* Outcomes as JSON and as text. The text is for a model that wrote the program: what it printed,
 * the traceback, and where a limit was met what can be done about it. */
#define _GNU_SOURCE
#include "answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../outcome_kind.h"
#include "../values.h"

json_t *answer_string(const char *data, size_t length)
{
    size_t good = value_utf8_prefix(data, length);
    if (good == length)
        return json_stringn_nocheck(data, length);
    char *fixed = malloc(length * 3 + 1), *out = fixed;
    while (fixed && length > 0) {
        memcpy(out, data, good);
        out += good;
        data += good;
        length -= good;
        if (length == 0)
            break;
        memcpy(out, "\xEF\xBF\xBD", 3);
        out += 3;
        data++;
        length--;
        good = value_utf8_prefix(data, length);
    }
    json_t *string = fixed ? json_stringn_nocheck(fixed, (size_t)(out - fixed)) : NULL;
    free(fixed);
    return string;
}

static const char *kind_name(const struct job *job)
{
    if (job->status == JOB_CANCELLED)
        return "cancelled";
    if (job->status == JOB_TIMED_OUT)
        return "timeout";
    return outcome_kind_name(eryx_outcome_kind(job->outcome));
}

static void set_text(json_t *object, const char *name, const char *text)
{
    json_object_set_new(object, name, answer_string(text, strlen(text)));
}

static void set_output(json_t *object, const char *name, const struct job *job,
                       eryx_stream_t stream)
{
    size_t length;
    char *text = job_all_output(job, stream, &length);
    if (text)
        json_object_set_new(object, name, answer_string(text, length));
    free(text);
}

static void set_end(json_t *object, const struct job *job)
{
    const eryx_outcome_t *outcome = job->outcome;
    if (job->status != JOB_OK) {
        set_text(object, "message", job_status_text(job->status));
        return;
    }
    if (eryx_outcome_kind(outcome) == ERYX_OUTCOME_EXCEPTION) {
        json_t *exception = json_object();
        set_text(exception, "type", eryx_outcome_exception_type(outcome));
        set_text(exception, "message", eryx_outcome_exception_message(outcome));
        set_text(exception, "traceback", eryx_outcome_traceback(outcome));
        json_object_set_new(object, "exception", exception);
    } else if (*eryx_outcome_exception_message(outcome)) {
        set_text(object, "message", eryx_outcome_exception_message(outcome));
    }
    if (eryx_outcome_kind(outcome) == ERYX_OUTCOME_LIMIT)
        json_object_set_new(object, "limit",
                            json_pack("{s:s, s:I, s:I}", "name",
                                      eryx_limit_name(eryx_outcome_limit(outcome)), "value",
                                      (json_int_t)eryx_outcome_limit_value(outcome), "used",
                                      (json_int_t)eryx_outcome_limit_used(outcome)));
}

static void set_result(json_t *object, const eryx_outcome_t *outcome)
{
    size_t length;
    json_error_t error;
    const char *text = eryx_outcome_result_json(outcome, &length);
    json_t *result =
        text ? json_loadb(text, length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error) : NULL;
    if (result)
        json_object_set_new(object, "result", result);
    else if (text) /* what jansson has no type for: integers of more than 64 bits */
        json_object_set_new(
            object, "result_error",
            json_sprintf("the value cannot be told: %s; convert it with str()", error.text));
    else if (eryx_outcome_result_error(outcome))
        set_text(object, "result_error", eryx_outcome_result_error(outcome));
}

json_t *answer_object(const struct job *job)
{
    const eryx_outcome_t *outcome = job->outcome;
    json_t *object = json_object();
    set_text(object, "outcome", kind_name(job));
    json_object_set_new(object, "exit_code", json_integer(eryx_outcome_exit_code(outcome)));
    set_output(object, "stdout", job, ERYX_STDOUT);
    set_output(object, "stderr", job, ERYX_STDERR);
    if (eryx_outcome_output_dropped(outcome))
        json_object_set_new(object, "output_dropped_bytes",
                            json_integer((json_int_t)eryx_outcome_output_dropped(outcome)));
    set_end(object, job);
    set_result(object, outcome);
    if (job->session[0])
        json_object_set_new(object, "session_lost",
                            json_boolean(eryx_outcome_session_lost(outcome)));
    if (job->unsaved)
        json_object_set_new(object, "saved", json_false());
    json_object_set_new(object, "wall_time_ms",
                        json_real((double)eryx_outcome_wall_time_ns(outcome) / 1e6));
    return object;
}

/* --- Text --------------------------------------------------------------------------------- */

static void write_cut(FILE *out, const char *text, size_t length, size_t max)
{
    if (length <= max) {
        fwrite(text, 1, length, out);
        return;
    }
    size_t head = max / 2, tail = max - head;
    fwrite(text, 1, head, out);
    fprintf(out, "\n... [%zu bytes left out] ...\n", length - head - tail);
    fwrite(text + length - tail, 1, tail, out);
}

static void write_output(FILE *out, const struct job *job, eryx_stream_t stream, const char *title,
                         size_t max)
{
    size_t length;
    char *text = job_all_output(job, stream, &length);
    if (text && length > 0) {
        fputs(title, out);
        write_cut(out, text, length, max);
        if (text[length - 1] != '\n')
            fputc('\n', out);
    }
    free(text);
}

static const char *advice(const eryx_outcome_t *outcome)
{
    if (eryx_outcome_kind(outcome) == ERYX_OUTCOME_TRAP)
        return "The interpreter crashed or ran out of stack. Do less at once, or avoid very deep "
               "recursion.";
    switch (eryx_outcome_limit(outcome)) {
    case ERYX_LIMIT_WALL_TIME:
    case ERYX_LIMIT_CPU_TIME:
        return "Do less in one call, use a faster algorithm, or look for an endless loop.";
    case ERYX_LIMIT_OUTPUT:
        return "Print less: a summary, or the first few lines.";
    case ERYX_LIMIT_HOST_MEMORY:
        return "Keep less at once: smaller results, less output, fewer pending calls.";
    default:
        return "";
    }
}

static void write_end(FILE *out, const struct job *job, size_t max)
{
    const eryx_outcome_t *outcome = job->outcome;
    eryx_outcome_kind_t kind = eryx_outcome_kind(outcome);
    const char *traceback = eryx_outcome_traceback(outcome);
    if (job->status != JOB_OK)
        fprintf(out, "The program was %s.\n", job_status_text(job->status));
    else if (kind == ERYX_OUTCOME_EXCEPTION)
        write_cut(out, traceback, strlen(traceback), max);
    else if (kind == ERYX_OUTCOME_EXIT)
        fprintf(out, "The program ended with exit code %d.\n", eryx_outcome_exit_code(outcome));
    else if (kind != ERYX_OUTCOME_OK)
        fprintf(out, "The program was stopped: %s. %s\n", eryx_outcome_exception_message(outcome),
                advice(outcome));
    if (eryx_outcome_output_dropped(outcome))
        fprintf(out, "[%" PRIu64 " bytes of output beyond the limit were dropped]\n",
                eryx_outcome_output_dropped(outcome));
    if (job->session[0] && eryx_outcome_session_lost(outcome))
        fputs("The session was lost: its variables and files are gone. Make again what is needed "
              "of them.\n",
              out);
    if (job->unsaved)
        fputs("[the session works on, but could not be saved in the server's store]\n", out);
}

json_t *answer_text(const struct job *job, size_t max)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        return NULL;
    write_output(out, job, ERYX_STDOUT, "", max);
    write_output(out, job, ERYX_STDERR, "[stderr]\n", max);
    write_end(out, job, max);
    if (fclose(out) != 0) {
        free(text);
        return NULL;
    }
    json_t *string = length > 0 ? answer_string(text, length) : json_string("(no output)");
    free(text);
    return string;
}
