/* The tools. A mistake in the arguments is a result with isError, which the model sees and can put
 * right, not an error of the protocol, which it may never see. */
#define _GNU_SOURCE
#include "mcp_tools.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../values.h"
#include "answer.h"
#include "base64.h"

enum { TEXT_MAX = 64 << 10 }; /* of output in a text for a model */

enum argument {
    ARG_CODE = 1,
    ARG_SESSION = 2,
    ARG_TIMEOUT = 4,
    ARG_NEW_SESSION = 8,
    ARG_PATH = 16,
    ARG_CONTENT = 32,
    ARG_ENCODING = 64,
    ARG_FOLDER = 128
};

struct tool {
    const char *name, *title, *description;
    enum job_kind kind;
    unsigned arguments;
    unsigned required;
    bool read_only, list;
};

static const struct tool tools[] = {
    {"run_python", "Run Python",
     "Runs Python code in a fresh sandbox and returns what it prints and the value of its last "
     "expression. Full CPython 3.14 with its standard library; no network, no files of this "
     "machine, no "
     "packages to install. Nothing is kept afterwards; use session_execute to build on earlier "
     "code. "
     "Top-level await works.",
     JOB_EXECUTE, ARG_CODE | ARG_TIMEOUT, ARG_CODE, false, false},
    {"session_execute", "Run Python in a session",
     "Runs Python code in a session, like a cell of a notebook: variables, functions, imports and "
     "files "
     "stay for the next call with the same session. A session is made when it is first used.",
     JOB_EXECUTE, ARG_CODE | ARG_SESSION | ARG_TIMEOUT, ARG_CODE, false, false},
    {"session_fork", "Copy a session",
     "Makes a new session that is a copy of another one, to try something without risk to it.",
     JOB_FORK, ARG_SESSION | ARG_NEW_SESSION, ARG_NEW_SESSION, false, false},
    {"session_reset", "Reset a session",
     "Forgets everything in a session: variables, imports and files.", JOB_RESET, ARG_SESSION, 0,
     false, false},
    {"session_list", "List sessions", "Lists the sessions that exist.", JOB_LIST, 0, 0, true, true},
    {"file_put", "Write a file",
     "Writes a file into a session's file system. Relative paths are below /home/sandbox, where "
     "programs "
     "start; folders are made as needed.",
     JOB_PUT, ARG_SESSION | ARG_PATH | ARG_CONTENT | ARG_ENCODING, ARG_PATH | ARG_CONTENT, false,
     false},
    {"file_get", "Read a file", "Reads a file of a session's file system.", JOB_GET,
     ARG_SESSION | ARG_PATH | ARG_ENCODING, ARG_PATH, true, false},
    {"file_list", "List files", "Lists a folder of a session's file system.", JOB_LIST,
     ARG_SESSION | ARG_FOLDER, 0, true, false},
};

enum { TOOL_COUNT = sizeof tools / sizeof *tools };

static const struct {
    enum argument argument;
    const char *name, *type, *description;
} properties[] = {
    {ARG_CODE, "code", "string", "Python source."},
    {ARG_SESSION, "session", "string",
     "Name of the session: letters, digits, '-' and '_'. Default: \"default\"."},
    {ARG_NEW_SESSION, "new_session", "string", "Name of the new session."},
    {ARG_TIMEOUT, "timeout", "number", "Seconds after which the code is stopped."},
    {ARG_PATH, "path", "string", "Path in the sandbox."},
    {ARG_FOLDER, "path", "string", "Folder in the sandbox. Default: /home/sandbox."},
    {ARG_CONTENT, "content", "string", "What is to be in the file."},
    {ARG_ENCODING, "encoding", "string",
     "What the content is: \"text\" (UTF-8), or \"base64\" for other bytes. Default: \"text\"."},
};

enum { PROPERTY_COUNT = sizeof properties / sizeof *properties };

/* --- Descriptions ------------------------------------------------------------------------- */

static json_t *schema_of(const struct tool *tool, const struct server_config *config)
{
    json_t *members = json_object(), *required = json_array();
    for (size_t i = 0; i < PROPERTY_COUNT; i++) {
        if (!(tool->arguments & properties[i].argument))
            continue;
        json_t *member = json_pack("{s:s, s:s}", "type", properties[i].type, "description",
                                   properties[i].description);
        if (properties[i].argument == ARG_ENCODING)
            json_object_set_new(member, "enum", json_pack("[s, s]", "text", "base64"));
        if (properties[i].argument == ARG_TIMEOUT) {
            json_object_set_new(member, "exclusiveMinimum", json_integer(0));
            if (config->limits.wall_time_ns)
                json_object_set_new(member, "maximum",
                                    json_real((double)config->limits.wall_time_ns / 1e9));
        }
        json_object_set_new(members, properties[i].name, member);
        if (tool->required & properties[i].argument)
            json_array_append_new(required, json_string(properties[i].name));
    }
    return json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", members, "required",
                     required, "additionalProperties", 0);
}

/* Of executions only: the other tools' results are text. */
static json_t *output_schema(void)
{
    static const struct {
        const char *name, *type, *description;
    } members[] = {
        {"outcome", "string",
         "ok, exception, exit, limit, interrupted, trap, timeout or cancelled"},
        {"exit_code", "integer", "0 if all went well"},
        {"stdout", "string", "what the program wrote, and the value of its last expression"},
        {"stderr", "string", "what the program wrote to stderr"},
        {"output_dropped_bytes", "integer", "output beyond the limit"},
        {"exception", "object", "type, message and traceback"},
        {"limit", "object", "name, value and used, of the limit that was met"},
        {"message", "string", "why the program was stopped"},
        {"session_lost", "boolean", "variables and files of the session are gone"},
        {"saved", "boolean", "false if the session could not be stored"},
        {"wall_time_ms", "number", "how long it ran"},
    };
    json_t *all = json_object();
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        json_object_set_new(all, members[i].name,
                            json_pack("{s:s, s:s}", "type", members[i].type, "description",
                                      members[i].description));
    return json_pack("{s:s, s:o, s:[s, s, s]}", "type", "object", "properties", all, "required",
                     "outcome", "stdout", "stderr");
}

json_t *mcp_tools_list(const struct server_config *config)
{
    json_t *list = json_array();
    for (size_t i = 0; i < TOOL_COUNT; i++) {
        json_t *tool = json_pack("{s:s, s:s, s:s, s:o, s:{s:b, s:b, s:b}}", "name", tools[i].name,
                                 "title", tools[i].title, "description", tools[i].description,
                                 "inputSchema", schema_of(&tools[i], config), "annotations",
                                 "readOnlyHint", tools[i].read_only, "destructiveHint",
                                 tools[i].kind == JOB_RESET, "openWorldHint", 0);
        if (tools[i].kind == JOB_EXECUTE)
            json_object_set_new(tool, "outputSchema", output_schema());
        json_array_append_new(list, tool);
    }
    return list;
}

/* --- Arguments ---------------------------------------------------------------------------- */

static json_t *result_of(json_t *text, json_t *structured, bool is_error)
{
    json_t *result = json_pack("{s:[{s:s, s:o}], s:b}", "content", "type", "text", "text",
                               text ? text : json_string("out of memory"), "isError", is_error);
    if (structured)
        json_object_set_new(result, "structuredContent", structured);
    return result;
}

json_t *mcp_tools_failure(const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    json_t *result = result_of(length < 0 ? NULL : answer_string(text, (size_t)length), NULL, true);
    if (length >= 0)
        free(text);
    return result;
}

/* NULL if all is well, else what is wrong. */
static json_t *check_arguments(const struct tool *tool, const json_t *arguments)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)arguments, name, value)
    {
        size_t i = 0;
        while (i < PROPERTY_COUNT && !((tool->arguments & properties[i].argument) &&
                                       strcmp(properties[i].name, name) == 0))
            i++;
        if (i == PROPERTY_COUNT)
            return mcp_tools_failure("%s has no argument '%s'", tool->name, name);
        bool number = properties[i].argument == ARG_TIMEOUT;
        if (number ? !json_is_number(value) : !json_is_string(value))
            return mcp_tools_failure("argument '%s' must be a %s", name, properties[i].type);
        if (!number && properties[i].argument != ARG_CODE &&
            properties[i].argument != ARG_CONTENT &&
            json_string_length(value) != strlen(json_string_value(value)))
            return mcp_tools_failure("argument '%s' contains a NUL", name);
    }
    for (size_t i = 0; i < PROPERTY_COUNT; i++) {
        if ((tool->required & properties[i].argument) &&
            !json_object_get(arguments, properties[i].name))
            return mcp_tools_failure("%s needs the argument '%s': %s", tool->name,
                                     properties[i].name, properties[i].description);
    }
    return NULL;
}

static const char *text_argument(const json_t *arguments, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(arguments, name));
    return text ? text : otherwise;
}

/* False: too long to be one. */
static bool set_id(char *out, const char *id)
{
    if (strlen(id) > SESSION_ID_MAX)
        return false;
    strcpy(out, id);
    return true;
}

static json_t *set_content(struct job *job, const struct server_config *config,
                           const json_t *arguments)
{
    const json_t *content = json_object_get(arguments, "content");
    const char *text = json_string_value(content);
    job->data_length = json_string_length(content);
    if (strcmp(text_argument(arguments, "encoding", "text"), "base64") == 0) {
        job->data = base64_decode(text, job->data_length, &job->data_length);
        if (!job->data)
            return mcp_tools_failure("'content' is not base64");
    } else {
        job->data = malloc(job->data_length + 1);
        if (job->data)
            memcpy(job->data, text, job->data_length);
    }
    if (job->data_length > config->file_bytes)
        return mcp_tools_failure("the file has %zu bytes, more than the %" PRIu64
                                 " that the server takes; write it in pieces by a program",
                                 job->data_length, config->file_bytes);
    return NULL;
}

/* NULL, or what is wrong. */
static json_t *fill_job(struct job *job, const struct tool *tool,
                        const struct server_config *config, const json_t *arguments)
{
    const json_t *code = json_object_get(arguments, "code");
    double timeout = json_number_value(json_object_get(arguments, "timeout"));
    const char *encoding = text_argument(arguments, "encoding", "text");
    if (tool->arguments & ARG_SESSION &&
        !set_id(job->session, text_argument(arguments, "session", "default")))
        return mcp_tools_failure("'session': %s", job_status_text(JOB_INVALID));
    if (!set_id(job->target, text_argument(arguments, "new_session", "")))
        return mcp_tools_failure("'new_session': %s", job_status_text(JOB_INVALID));
    if (tool->arguments & ARG_SESSION && !job->session[0])
        return mcp_tools_failure("'session': %s", job_status_text(JOB_INVALID));
    if (strcmp(encoding, "text") != 0 && strcmp(encoding, "base64") != 0)
        return mcp_tools_failure("'encoding' must be \"text\" or \"base64\"");
    if (json_object_get(arguments, "timeout") && !(timeout > 0 && timeout <= 86400 * 365.0))
        return mcp_tools_failure("'timeout' must be a number of seconds above 0");
    job->timeout_ns = (uint64_t)(timeout * 1e9);
    job->display = tool->kind == JOB_EXECUTE;
    job->create = tool->kind == JOB_EXECUTE || tool->kind == JOB_PUT;
    job->path = strdup(text_argument(arguments, "path", "."));
    job->result = NULL;
    if (code) {
        job->text_length = json_string_length(code);
        job->text = malloc(job->text_length + 1);
        if (job->text)
            memcpy(job->text, json_string_value(code), job->text_length + 1);
    }
    if (tool->kind == JOB_PUT) {
        json_t *wrong = set_content(job, config, arguments);
        if (wrong)
            return wrong;
    }
    bool whole = job->path && (!code || job->text) && (tool->kind != JOB_PUT || job->data);
    return whole ? NULL : mcp_tools_failure("the server is out of memory; try again later");
}

static void add_session(void *env, const char *id, bool busy, uint64_t idle_ns)
{
    json_array_append_new(env, json_pack("{s:s, s:b, s:f}", "session", id, "busy", busy,
                                         "idle_seconds", (double)idle_ns / 1e9));
}

static json_t *list_sessions(struct service *service)
{
    json_t *list = json_array();
    service_each_session(service, add_session, list);
    char *text = json_dumps(list, JSON_COMPACT);
    json_t *result =
        result_of(text ? json_string(text) : NULL, json_pack("{s:o}", "sessions", list), false);
    free(text);
    return result;
}

struct job *mcp_tools_job(struct service *service, const struct server_config *config,
                          const char *name, const json_t *arguments, json_t **answer)
{
    const struct tool *tool = tools;
    while (tool < tools + TOOL_COUNT && strcmp(tool->name, name) != 0)
        tool++;
    *answer = NULL;
    if (tool == tools + TOOL_COUNT)
        return NULL;
    *answer = check_arguments(tool, arguments);
    if (*answer)
        return NULL;
    if (tool->list) {
        *answer = list_sessions(service);
        return NULL;
    }
    struct job *job = job_new(tool->kind);
    *answer = job ? fill_job(job, tool, config, arguments)
                  : mcp_tools_failure("the server is out of memory; try again later");
    if (job && !*answer) {
        const json_t *encoding = json_object_get(arguments, "encoding");
        job->binary = encoding && strcmp(json_string_value(encoding), "base64") == 0;
        return job;
    }
    job_free(job);
    return NULL;
}

/* --- Results ------------------------------------------------------------------------------ */

static json_t *file_result(const struct job *job)
{
    if (job->binary) {
        char *text = base64_encode(job->data, job->data_length);
        json_t *result = result_of(text ? json_string_nocheck(text) : NULL, NULL, false);
        free(text);
        return result;
    }
    if (value_utf8_prefix(job->data, job->data_length) != job->data_length)
        return mcp_tools_failure("the file is not text in UTF-8; ask for it with encoding "
                                 "\"base64\"");
    return result_of(json_stringn_nocheck(job->data, job->data_length), NULL, false);
}

json_t *mcp_tools_result(const struct job *job)
{
    if (job->outcome) {
        bool good = job->status == JOB_OK && eryx_outcome_kind(job->outcome) == ERYX_OUTCOME_OK;
        return result_of(answer_text(job, TEXT_MAX), answer_object(job), !good);
    }
    if (job->status != JOB_OK)
        return mcp_tools_failure("%s",
                                 job->message[0] ? job->message : job_status_text(job->status));
    switch (job->kind) {
    case JOB_GET:
        return file_result(job);
    case JOB_LIST:
        return result_of(json_string(job->text), NULL, false);
    case JOB_PUT:
        return result_of(json_sprintf("wrote %zu bytes to %s", job->data_length, job->path), NULL,
                         false);
    case JOB_FORK:
        return result_of(json_sprintf("session '%s' is a copy of '%s'", job->target, job->session),
                         NULL, false);
    default:
        return result_of(json_sprintf("session '%s' is empty", job->session), NULL, false);
    }
}
