/* The HTTP interface: from paths and bodies to jobs and back. What a program did is always status
 * 200, with the outcome in the body; other statuses say that it was not run, or that what it was to
 * act on is not there. */
#define _GNU_SOURCE
#include "api.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "../values.h"
#include "answer.h"

/* A request until its answer. */
struct ask {
    struct http_request *request;
    struct job *job;
    bool stream;
};

/* --- Answers ------------------------------------------------------------------------------ */

static unsigned http_status(enum job_status status)
{
    switch (status) {
    case JOB_OVERLOADED:
        return 429;
    case JOB_NO_SESSION:
        return 404;
    case JOB_EXISTS:
    case JOB_ELSEWHERE:
    case JOB_LOST:
        return 409;
    case JOB_UNAVAILABLE:
        return 503;
    case JOB_INVALID:
        return 400;
    default:
        return 422;
    }
}

static const char *error_code(enum job_status status)
{
    switch (status) {
    case JOB_OVERLOADED:
        return "overloaded";
    case JOB_NO_SESSION:
        return "no_session";
    case JOB_EXISTS:
        return "exists";
    case JOB_ELSEWHERE:
        return "elsewhere";
    case JOB_LOST:
        return "lost";
    case JOB_UNAVAILABLE:
        return "store";
    case JOB_INVALID:
        return "session_name";
    case JOB_CANCELLED:
        return "cancelled";
    case JOB_TIMED_OUT:
        return "timeout";
    default:
        return "failed";
    }
}

static void refuse(struct http_request *request, enum job_status status, const char *message)
{
    http_reply_error(request, http_status(status), error_code(status),
                     message && *message ? message : job_status_text(status));
}

static void bad_request(struct http_request *request, const char *message)
{
    http_reply_error(request, 400, "request", message);
}

static void reply_done(struct ask *ask)
{
    struct job *job = ask->job;
    struct http_request *request = ask->request;
    switch (job->kind) {
    case JOB_EXECUTE:
        http_reply_json(request, 200, answer_object(job));
        return;
    case JOB_GET:
        http_reply(request, 200, "application/octet-stream", job->data, job->data_length);
        job->data = NULL;
        return;
    case JOB_LIST:
        http_reply(request, 200, "application/json", job->text, strlen(job->text));
        job->text = NULL;
        return;
    case JOB_SHOW:
        http_reply_json(request, 200, json_pack("{s:s}", "session", job->session));
        return;
    case JOB_FORK:
        http_reply_json(request, 201, json_pack("{s:s}", "session", job->target));
        return;
    default:
        http_reply(request, 204, "application/json", NULL, 0);
    }
}

static void on_output(struct job *job)
{
    struct ask *ask = job->env;
    eryx_stream_t stream;
    const char *data;
    size_t length;
    while (job_next_output(job, &stream, &data, &length)) {
        if (ask->request)
            http_stream_event(ask->request, stream == ERYX_STDERR ? "stderr" : "stdout",
                              answer_string(data, length));
    }
}

static void on_done(struct job *job)
{
    struct ask *ask = job->env;
    struct http_request *request = ask->request;
    bool refused = !job->outcome && job->status != JOB_OK;
    if (request && ask->stream) {
        json_t *error = refused
                            ? json_pack("{s:s, s:s}", "code", error_code(job->status), "message",
                                        *job->message ? job->message : job_status_text(job->status))
                            : NULL;
        http_stream_event(request, refused ? "error" : "outcome",
                          refused ? error : answer_object(job));
        http_stream_end(request);
    } else if (request && refused) {
        refuse(request, job->status, job->message);
    } else if (request) {
        reply_done(ask);
    }
    job_free(job);
    free(ask);
}

static void on_gone(struct http_request *request)
{
    struct ask *ask = request->env;
    ask->request = NULL;
    service_cancel(ask->job);
}

/* Takes the job over. */
static void submit(struct service *service, struct http_request *request, struct job *job,
                   bool stream)
{
    struct ask *ask = malloc(sizeof *ask);
    if (!ask) {
        job_free(job);
        http_reply_error(request, 500, "memory", "out of memory");
        return;
    }
    *ask = (struct ask){request, job, stream};
    job->env = ask;
    job->on_done = on_done;
    job->on_output = stream ? on_output : NULL;
    enum job_status status = service_submit(service, job);
    if (status != JOB_OK) {
        refuse(request, status, NULL);
        job_free(job);
        free(ask);
        return;
    }
    request->env = ask;
    request->on_gone = on_gone;
    if (stream)
        http_stream_begin(request);
}

/* --- Bodies ------------------------------------------------------------------------------- */

static char *copy_text(const json_t *string)
{
    size_t length = json_string_length(string);
    char *copy = malloc(length + 1);
    return copy ? memcpy(copy, json_string_value(string), length + 1) : NULL;
}

/* Sets what an execution's body says. NULL, or what is wrong with it. */
static const char *read_execution(struct job *job, const json_t *body, bool *stream)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)body, key, value)
    {
        if (strcmp(key, "code") == 0 && json_is_string(value)) {
            job->text = copy_text(value);
            job->text_length = json_string_length(value);
        } else if (strcmp(key, "timeout") == 0 && json_number_value(value) > 0 &&
                   json_number_value(value) < 1e9) {
            job->timeout_ns = (uint64_t)(json_number_value(value) * 1e9);
        } else if (strcmp(key, "result") == 0 && json_is_string(value) &&
                   strlen(json_string_value(value)) == json_string_length(value)) {
            job->result = copy_text(value);
        } else if (strcmp(key, "display") == 0 && json_is_boolean(value)) {
            job->display = json_is_true(value);
        } else if (strcmp(key, "stream") == 0 && json_is_boolean(value)) {
            *stream = json_is_true(value);
        } else {
            return "members are: code (string), timeout (seconds above 0), result (name of a "
                   "variable, or \"\" for the last expression), display and stream (booleans)";
        }
    }
    return job->text ? NULL : "\"code\" is needed: Python source";
}

static void execute(struct service *service, struct http_request *request, const char *session)
{
    json_error_t error;
    json_t *body =
        json_loadb(request->body, request->length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    const char *accept = http_header(request, "Accept");
    bool stream = accept && strcasestr(accept, "text/event-stream");
    struct job *job = job_new(JOB_EXECUTE);
    const char *wrong = !job                    ? "out of memory"
                        : !json_is_object(body) ? "the body must be a JSON object with \"code\""
                                                : read_execution(job, body, &stream);
    json_decref(body);
    if (wrong) {
        bad_request(request, wrong);
        job_free(job);
        return;
    }
    strcpy(job->session, session);
    job->create = true;
    submit(service, request, job, stream);
}

static void fork_session(struct service *service, struct http_request *request, const char *session)
{
    json_t *body = json_loadb(request->body, request->length, 0, NULL);
    const char *target = json_string_value(json_object_get(body, "session"));
    struct job *job = target && strlen(target) <= SESSION_ID_MAX ? job_new(JOB_FORK) : NULL;
    if (!job) {
        bad_request(request, "the body must be {\"session\": NAME OF THE NEW SESSION}");
    } else {
        strcpy(job->session, session);
        strcpy(job->target, target);
        submit(service, request, job, false);
    }
    json_decref(body);
}

static void simple(struct service *service, struct http_request *request, enum job_kind kind,
                   const char *session, const char *path)
{
    struct job *job = job_new(kind);
    if (job) {
        strcpy(job->session, session);
        job->create = kind == JOB_PUT;
        job->path = strdup(path);
        if (kind == JOB_PUT) {
            job->data = request->body;
            job->data_length = request->length;
            request->body = NULL;
        }
    }
    if (job && job->path) {
        submit(service, request, job, false);
        return;
    }
    job_free(job);
    http_reply_error(request, 500, "memory", "out of memory");
}

/* --- Sessions ----------------------------------------------------------------------------- */

struct search {
    const char *id; /* NULL: all */
    json_t *found;
};

static void add_session(void *env, const char *id, bool busy, uint64_t idle_ns)
{
    struct search *search = env;
    if (!search->id || strcmp(search->id, id) == 0)
        json_array_append_new(search->found,
                              json_pack("{s:s, s:b, s:f}", "session", id, "busy", busy,
                                        "idle_seconds", (double)idle_ns / 1e9));
}

static void list_sessions(struct service *service, struct http_request *request)
{
    struct search search = {NULL, json_array()};
    service_each_session(service, add_session, &search);
    http_reply_json(request, 200, json_pack("{s:o}", "sessions", search.found));
}

static void show_session(struct service *service, struct http_request *request, const char *id)
{
    struct search search = {id, json_array()};
    service_each_session(service, add_session, &search);
    json_t *first = json_incref(json_array_get(search.found, 0));
    json_decref(search.found);
    if (first)
        http_reply_json(request, 200, first);
    else if (service_has_store(service))
        simple(service, request, JOB_SHOW, id, "");
    else
        refuse(request, JOB_NO_SESSION, NULL);
}

/* A name that nobody has: the session is made when it is first used. */
static void name_session(struct http_request *request)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    unsigned char bytes[24];
    char id[sizeof bytes + 1] = "";
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
        http_reply_error(request, 500, "random", "no random numbers");
        return;
    }
    for (size_t i = 0; i < sizeof bytes; i++)
        id[i] = digits[bytes[i] % 36];
    id[sizeof bytes] = '\0';
    http_reply_json(request, 201, json_pack("{s:s}", "session", id));
}

/* --- Paths -------------------------------------------------------------------------------- */

static void wrong_method(struct http_request *request, const char *allowed)
{
    http_add_header(request, "Allow", allowed);
    http_reply_error(request, 405, "method", "not with this method");
}

static bool is(const struct http_request *request, const char *method)
{
    return strcmp(request->method, method) == 0;
}

static void files(struct service *service, struct http_request *request, const char *session,
                  const char *path)
{
    size_t length = strlen(path);
    bool folder = length == 0 || path[length - 1] == '/';
    const char *root = http_query(request, "root"); /* "/": not below the home folder */
    char *full = NULL;
    if (value_utf8_prefix(path, length) != length) {
        bad_request(request, "the file's path is not UTF-8, or has a NUL");
        return;
    }
    if (root && strcmp(root, "/") == 0 && asprintf(&full, "/%s", path) >= 0)
        path = full;
    if (is(request, "GET"))
        simple(service, request, folder ? JOB_LIST : JOB_GET, session, *path ? path : ".");
    else if (is(request, "PUT") && !folder)
        simple(service, request, JOB_PUT, session, path);
    else if (is(request, "DELETE") && !folder)
        simple(service, request, JOB_DELETE, session, path);
    else
        wrong_method(request, folder ? "GET" : "GET, PUT, DELETE");
    free(full);
}

/* rest: what follows the session's name, "" or beginning with '/'. */
static void session_path(struct service *service, struct http_request *request, const char *id,
                         const char *rest)
{
    bool post = is(request, "POST");
    if (*rest == '\0' && is(request, "GET"))
        show_session(service, request, id);
    else if (*rest == '\0' && is(request, "DELETE"))
        simple(service, request, JOB_CLOSE, id, "");
    else if (*rest == '\0')
        wrong_method(request, "GET, DELETE");
    else if (strcmp(rest, "/execute") == 0 && post)
        execute(service, request, id);
    else if (strcmp(rest, "/fork") == 0 && post)
        fork_session(service, request, id);
    else if (strcmp(rest, "/reset") == 0 && post)
        simple(service, request, JOB_RESET, id, "");
    else if (strncmp(rest, "/files", 6) == 0 && (rest[6] == '/' || !rest[6]))
        files(service, request, id, rest[6] ? rest + 7 : "");
    else if (strcmp(rest, "/execute") == 0 || strcmp(rest, "/fork") == 0 ||
             strcmp(rest, "/reset") == 0)
        wrong_method(request, "POST");
    else
        http_reply_error(request, 404, "path", "there is no such path; see /openapi.json");
}

void api_handle(struct service *service, struct http_request *request)
{
    static const char sessions[] = "/v1/sessions";
    const size_t length = sizeof sessions - 1;
    const char *path = request->path;
    if (strcmp(path, "/v1/run") == 0) {
        if (is(request, "POST"))
            execute(service, request, "");
        else
            wrong_method(request, "POST");
    } else if (strcmp(path, "/v1/top") == 0) {
        if (is(request, "GET"))
            top_reply(service, request);
        else
            wrong_method(request, "GET");
    } else if (strcmp(path, sessions) == 0) {
        if (is(request, "GET"))
            list_sessions(service, request);
        else if (is(request, "POST"))
            name_session(request);
        else
            wrong_method(request, "GET, POST");
    } else if (strncmp(path, sessions, length) == 0 && path[length] == '/') {
        const char *id = path + length + 1;
        size_t id_length = strcspn(id, "/");
        char name[SESSION_ID_MAX + 1];
        if (id_length == 0 || id_length > SESSION_ID_MAX) {
            refuse(request, JOB_INVALID, NULL);
            return;
        }
        memcpy(name, id, id_length);
        name[id_length] = '\0';
        session_path(service, request, name, id + id_length);
    } else {
        http_reply_error(request, 404, "path", "there is no such path; see /openapi.json");
    }
}
