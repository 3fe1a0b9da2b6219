/* Files of a session. They are read and written by files.py in the session's own Python, as one
 * expression that leaves nothing behind: the files are those that programs see, and what a program
 * has broken it has broken for itself only. */
#define _GNU_SOURCE
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base64.h"
#include "files_script.h"

static const char *verb_of(enum job_kind kind)
{
    switch (kind) {
    case JOB_PUT:
        return "put";
    case JOB_GET:
        return "get";
    case JOB_DELETE:
        return "delete";
    default:
        return "list";
    }
}

/* What goes with the path: the content in base64, or how much may be read. */
static json_t *argument_of(const struct job *job)
{
    if (job->kind != JOB_PUT)
        return json_sprintf("%" PRIu64, job->service->config->file_bytes);
    char *text = base64_encode(job->data, job->data_length);
    json_t *argument = text ? json_string_nocheck(text) : NULL;
    free(text);
    return argument;
}

/* For free(). A JSON string is the same in Python. */
static char *code_of(const struct job *job)
{
    json_t *words =
        json_pack("[s, s, s, o]", files_script, verb_of(job->kind), job->path, argument_of(job));
    char *array = words ? json_dumps(words, JSON_COMPACT) : NULL, *code = NULL;
    if (array && asprintf(&code,
                          "(lambda words: (lambda space: (exec(words[0], space), "
                          "space['answer'](words[1:]))[1])({'__name__': '_eryx_files'}))(%s)",
                          array) < 0)
        code = NULL;
    free(array);
    json_decref(words);
    return code;
}

static void take_answer(struct job *job, json_t *answer)
{
    if (job->kind == JOB_GET) {
        const char *text = json_string_value(answer);
        free(job->data);
        job->data = text ? base64_decode(text, strlen(text), &job->data_length) : NULL;
        if (!job->data)
            job_fail(job, JOB_FAILED, "the session gives no sensible answer");
    } else if (job->kind == JOB_LIST) {
        free(job->text);
        job->text = json_is_array(answer) ? json_dumps(answer, JSON_COMPACT) : NULL;
        if (!job->text)
            job_fail(job, JOB_FAILED, "the session gives no sensible answer");
    }
}

void files_run(struct job *job)
{
    eryx_execute_options_t options;
    eryx_outcome_t *outcome = NULL;
    eryx_error_t error = {0};
    char *code = code_of(job);
    eryx_execute_options_init(&options);
    options.filename = "<files>";
    options.result = "";
    if (!code) {
        job_fail(job, JOB_FAILED, "the path is not UTF-8, or memory is short");
        return;
    }
    int status =
        eryx_sandbox_execute(job->owner->sandbox, code, strlen(code), &options, &outcome, &error);
    free(code);
    size_t length = 0;
    const char *json = status == ERYX_OK ? eryx_outcome_result_json(outcome, &length) : NULL;
    json_t *answer = json ? json_loadb(json, length, JSON_DECODE_ANY, NULL) : NULL;
    if (answer)
        take_answer(job, answer);
    else if (status != ERYX_OK)
        job_fail(job, JOB_FAILED, "%s", error.message);
    else
        job_fail(job, JOB_FAILED, "%s%s%s", eryx_outcome_exception_type(outcome),
                 *eryx_outcome_exception_type(outcome) ? ": " : "",
                 eryx_outcome_exception_message(outcome));
    json_decref(answer);
    eryx_outcome_free(outcome);
}
