/* TOML is read by Python's own parser in a sandbox (toml.py), so there is none to keep here. */
#include "toml.h"

#include <string.h>
#include <strings.h>

#include <jansson.h>

#include <eryx.h>

#include "message.h"
#include "toml_script.h"

bool toml_is_name(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && strcasecmp(dot, ".toml") == 0;
}

/* What the script has printed. */
static json_t *answer(const char *path, const eryx_outcome_t *outcome)
{
    json_t *answer = NULL;
    if (eryx_outcome_kind(outcome) == ERYX_OUTCOME_OK) {
        size_t length;
        const char *text = eryx_outcome_stdout(outcome, &length);
        answer = json_loadb(text, length, JSON_DECODE_ANY, NULL);
    }
    const char *error = json_string_value(json_object_get(answer, "error"));
    json_t *content = json_incref(json_object_get(answer, "content"));
    if (error)
        message_error("%s: %s", path, error);
    else if (!content)
        message_error("%s: cannot be read as TOML: %s", path,
                      eryx_outcome_exception_message(outcome));
    json_decref(answer);
    return content;
}

static json_t *read_in_sandbox(const char *path, const char *text, size_t length,
                               eryx_runtime_t *runtime)
{
    eryx_error_t error = {0};
    eryx_sandbox_t *sandbox;
    eryx_sandbox_options_t options;
    eryx_outcome_t *outcome = NULL;
    json_t *content = NULL;
    eryx_sandbox_options_init(&options);
    int status = eryx_sandbox_new(runtime, &options, &sandbox, &error);
    if (status != ERYX_OK) {
        message_error("%s", error.message);
        return NULL;
    }
    status = eryx_fs_write(sandbox, "/tmp/file.toml", text, length, &error);
    if (status == ERYX_OK)
        status =
            eryx_sandbox_execute(sandbox, toml_script, strlen(toml_script), NULL, &outcome, &error);
    if (status == ERYX_OK)
        content = answer(path, outcome);
    else
        message_error("%s: cannot be read as TOML: %s", path, error.message);
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
    return content;
}

json_t *toml_read(const char *path, const char *text, size_t length, const char *runtime_path)
{
    eryx_error_t error = {0};
    eryx_runtime_t *runtime;
    eryx_runtime_options_t options;
    eryx_runtime_options_init(&options);
    options.max_sandboxes = 1;
    options.max_warm = 0;
    if (eryx_runtime_open(runtime_path, &options, &runtime, &error) != ERYX_OK) {
        message_error("%s", error.message);
        return NULL;
    }
    json_t *content = read_in_sandbox(path, text, length, runtime);
    eryx_runtime_free(runtime);
    return content;
}
