/* The Model Context Protocol: what a message asks for, who is answered when, and what is told
 * meanwhile.
 *
 * A call of a tool is a job of the service. While it runs, its output goes out as progress (if the
 * client gave a token) and as log messages (if it asked for them), and once a second progress says
 * that it still runs, which keeps the client's own time limit away. */
#include "mcp.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "mcp_tools.h"

enum {
    PARSE_ERROR = -32700,
    INVALID_REQUEST = -32600,
    NO_METHOD = -32601,
    INVALID_PARAMS = -32602,
    UNSUPPORTED_VERSION = -32022
};
enum { LEVEL_INFO = 1, LEVEL_NOTICE = 2, LEVEL_NONE = 99 };

static const char *const handshake_versions[] = {"2025-11-25", "2025-06-18", "2025-03-26",
                                                 "2024-11-05", NULL};
static const char modern_version[] = "2026-07-28";
static const char version_key[] = "io.modelcontextprotocol/protocolVersion";
static const char level_key[] = "io.modelcontextprotocol/logLevel";
static const char server_key[] = "io.modelcontextprotocol/serverInfo";
static const uint64_t heartbeat = 1000000000;

static const char instructions[] =
    "Runs Python code in sandboxes that see nothing of this machine. run_python is for one-off "
    "code; "
    "session_execute keeps variables and files between calls. The value of the last expression is "
    "shown, as in a notebook. There is no network, and nothing can be installed.";

struct mcp_peer {
    struct mcp *mcp;
    int level; /* of log messages that it wants */
};

struct mcp {
    struct service *service;
    const struct server_config *config;
    struct mcp_call *calls; /* all that run */
    uint64_t next_beat;
    struct mcp_peer nobody; /* whose client has gone */
};

struct mcp_call {
    struct mcp_peer *peer;
    struct mcp_sink *sink; /* NULL: nobody listens any more */
    struct job *job;
    json_t *id;
    json_t *token; /* of progress; NULL: none */
    double progress;
    int level;
    bool modern;
    bool cancelled; /* by the client: it is not answered */
    struct mcp_call *next, *previous;
};

/* --- Messages ----------------------------------------------------------------------------- */

static json_t *envelope(json_t *id, const char *name, json_t *content)
{
    return json_pack("{s:s, s:O?, s:o}", "jsonrpc", "2.0", "id", id ? id : json_null(), name,
                     content);
}

json_t *mcp_error(json_t *id, int code, const char *message)
{
    return envelope(id, "error", json_pack("{s:i, s:s}", "code", code, "message", message));
}

json_t *mcp_parse_error(const char *what)
{
    return mcp_error(NULL, PARSE_ERROR, what);
}

bool mcp_is_initialize(const json_t *message)
{
    const char *method = json_string_value(json_object_get(message, "method"));
    return method && strcmp(method, "initialize") == 0;
}

static json_t *server_info(void)
{
    return json_pack("{s:s, s:s, s:s}", "name", "eryx", "title", "eryx: Python in a sandbox",
                     "version", eryx_version());
}

/* What a result of 2026-07-28 has in addition. */
static void modernise(json_t *result, bool cacheable)
{
    json_object_set_new(result, "resultType", json_string("complete"));
    json_object_set_new(result, "_meta", json_pack("{s:o}", server_key, server_info()));
    if (!cacheable)
        return;
    json_object_set_new(result, "ttlMs", json_integer(3600000));
    json_object_set_new(result, "cacheScope", json_string("public"));
}

/* --- Calls -------------------------------------------------------------------------------- */

static void send_note(struct mcp_call *call, const char *method, json_t *params)
{
    json_t *message =
        json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", method, "params", params);
    if (message)
        call->sink->send(call->sink, message, false);
}

static void send_progress(struct mcp_call *call, json_t *text)
{
    double elapsed = (double)(loop_now() - call->job->submitted) / 1e9;
    call->progress = elapsed > call->progress ? elapsed : call->progress + 1e-6;
    send_note(call, "notifications/progress",
              json_pack("{s:O, s:f, s:o}", "progressToken", call->token, "progress", call->progress,
                        "message", text));
}

static void on_output(struct job *job)
{
    struct mcp_call *call = job->env;
    eryx_stream_t stream;
    const char *data;
    size_t length;
    while (job_next_output(job, &stream, &data, &length)) {
        if (!call->sink || call->cancelled)
            continue;
        if (call->token)
            send_progress(call, answer_string(data, length));
        if ((stream == ERYX_STDERR ? LEVEL_NOTICE : LEVEL_INFO) >= call->level)
            send_note(call, "notifications/message",
                      json_pack("{s:s, s:s, s:o}", "level",
                                stream == ERYX_STDERR ? "notice" : "info", "logger",
                                stream == ERYX_STDERR ? "stderr" : "stdout", "data",
                                answer_string(data, length)));
    }
}

static void unlist(struct mcp_call *call)
{
    if (call->previous)
        call->previous->next = call->next;
    else
        call->peer->mcp->calls = call->next;
    if (call->next)
        call->next->previous = call->previous;
}

static void free_call(struct mcp_call *call)
{
    json_decref(call->id);
    json_decref(call->token);
    job_free(call->job);
    free(call);
}

static void on_done(struct job *job)
{
    struct mcp_call *call = job->env;
    unlist(call); /* the final answer may be the end of its peer */
    if (call->sink && call->cancelled) {
        call->sink->send(call->sink, NULL, true);
    } else if (call->sink) {
        json_t *result = mcp_tools_result(job);
        if (call->modern)
            modernise(result, false);
        call->sink->send(call->sink, envelope(call->id, "result", result), true);
    }
    free_call(call);
}

void mcp_abandon(struct mcp_call *call)
{
    call->sink = NULL;
    service_cancel(call->job);
}

static struct mcp_call *find_call(struct mcp_peer *peer, const json_t *id)
{
    struct mcp_call *call = peer->mcp->calls;
    while (call && !(call->peer == peer && !call->cancelled && json_equal(call->id, id)))
        call = call->next;
    return call;
}

static int level_of(const char *name)
{
    static const char *const names[] = {"debug", "info",     "notice", "warning",
                                        "error", "critical", "alert",  "emergency"};
    for (int i = 0; name && i < 8; i++) {
        if (strcmp(name, names[i]) == 0)
            return i;
    }
    return -1;
}

static struct mcp_call *new_call(struct mcp_peer *peer, struct job *job, json_t *id,
                                 const json_t *meta, struct mcp_sink *sink)
{
    struct mcp *mcp = peer->mcp;
    struct mcp_call *call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    const json_t *token = json_object_get(meta, "progressToken");
    *call = (struct mcp_call){.peer = peer, .sink = sink, .job = job, .level = peer->level};
    call->modern = json_object_get(meta, version_key) != NULL;
    if (call->modern) {
        int level = level_of(json_string_value(json_object_get(meta, level_key)));
        call->level = level < 0 ? LEVEL_NONE : level;
    }
    call->id = json_incref(id);
    if (json_is_string(token) || json_is_integer(token))
        call->token = json_incref((json_t *)token);
    call->next = mcp->calls;
    if (mcp->calls)
        mcp->calls->previous = call;
    mcp->calls = call;
    job->env = call;
    job->on_output = call->token || call->level != LEVEL_NONE ? on_output : NULL;
    job->on_done = on_done;
    return call;
}

static uint64_t tick(void *env)
{
    struct mcp *mcp = env;
    uint64_t now = loop_now();
    if (!mcp->calls)
        return UINT64_MAX;
    if (now >= mcp->next_beat) {
        for (struct mcp_call *call = mcp->calls; call; call = call->next) {
            if (call->token && call->sink && !call->cancelled &&
                now - call->job->submitted >= heartbeat)
                send_progress(call, json_string("running"));
        }
        mcp->next_beat = now + heartbeat;
    }
    return mcp->next_beat - now;
}

/* --- Requests ----------------------------------------------------------------------------- */

struct request {
    struct mcp_peer *peer;
    struct mcp_sink *sink;
    json_t *id;
    const json_t *params, *meta;
    bool modern;
    struct mcp_call *call; /* set if the answer comes later */
};

/* The result, or NULL if *code and *what are the error, or if the answer comes later. */
typedef json_t *(*method_fn)(struct request *request, int *code, const char **what);

static json_t *capabilities(void)
{
    return json_pack("{s:{s:b}, s:{}}", "tools", "listChanged", 0, "logging");
}

static json_t *initialize(struct request *request, int *code, const char **what)
{
    const char *wanted = json_string_value(json_object_get(request->params, "protocolVersion"));
    size_t i = 0;
    if (!wanted) {
        *code = INVALID_PARAMS;
        *what = "initialize needs protocolVersion";
        return NULL;
    }
    while (handshake_versions[i] && strcmp(handshake_versions[i], wanted) != 0)
        i++;
    return json_pack("{s:s, s:o, s:o, s:s}", "protocolVersion",
                     handshake_versions[i] ? handshake_versions[i] : handshake_versions[0],
                     "capabilities", capabilities(), "serverInfo", server_info(), "instructions",
                     instructions);
}

static json_t *discover(struct request *request, int *code, const char **what)
{
    (void)request;
    (void)code;
    (void)what;
    json_t *versions = json_pack("[s]", modern_version);
    for (size_t i = 0; handshake_versions[i]; i++)
        json_array_append_new(versions, json_string(handshake_versions[i]));
    json_t *result = json_pack("{s:o, s:o, s:s}", "supportedVersions", versions, "capabilities",
                               capabilities(), "instructions", instructions);
    modernise(result, true);
    return result;
}

static json_t *ping(struct request *request, int *code, const char **what)
{
    (void)request;
    (void)code;
    (void)what;
    return json_object();
}

static json_t *list_tools(struct request *request, int *code, const char **what)
{
    (void)code;
    (void)what;
    json_t *result = json_pack("{s:o}", "tools", mcp_tools_list(request->peer->mcp->config));
    if (request->modern)
        modernise(result, true);
    return result;
}

static json_t *set_level(struct request *request, int *code, const char **what)
{
    int level = level_of(json_string_value(json_object_get(request->params, "level")));
    if (level < 0) {
        *code = INVALID_PARAMS;
        *what = "level must be debug, info, notice, warning, error, critical, alert or emergency";
        return NULL;
    }
    request->peer->level = level;
    return json_object();
}

static json_t *call_tool(struct request *request, int *code, const char **what)
{
    struct mcp *mcp = request->peer->mcp;
    const char *name = json_string_value(json_object_get(request->params, "name"));
    const json_t *arguments = json_object_get(request->params, "arguments");
    json_t *result = NULL;
    if (!name || (arguments && !json_is_object(arguments))) {
        *code = INVALID_PARAMS;
        *what = "tools/call needs a name, and arguments that are an object";
        return NULL;
    }
    struct job *job = mcp_tools_job(mcp->service, mcp->config, name, arguments, &result);
    if (!job && !result) {
        *code = INVALID_PARAMS;
        *what = "unknown tool; tools/list has their names";
        return NULL;
    }
    if (job) {
        request->call = new_call(request->peer, job, request->id, request->meta, request->sink);
        enum job_status status = request->call ? service_submit(mcp->service, job) : JOB_OVERLOADED;
        if (status == JOB_OK)
            return NULL;
        result = mcp_tools_failure("%s", job_status_text(status));
        if (request->call) {
            unlist(request->call);
            free_call(request->call);
        } else {
            job_free(job);
        }
        request->call = NULL;
    }
    if (request->modern)
        modernise(result, false);
    return result;
}

static const struct {
    const char *name;
    method_fn fn;
} methods[] = {
    {"initialize", initialize}, {"server/discover", discover}, {"ping", ping},
    {"tools/list", list_tools}, {"tools/call", call_tool},     {"logging/setLevel", set_level},
};

static json_t *unsupported_version(json_t *id, const json_t *asked)
{
    return envelope(id, "error",
                    json_pack("{s:i, s:s, s:{s:[s], s:O}}", "code", UNSUPPORTED_VERSION, "message",
                              "unsupported protocol version", "data", "supported", modern_version,
                              "requested", asked));
}

/* The answer; NULL if it comes later. */
static json_t *answer(struct request *request, const char *method)
{
    const json_t *version = json_object_get(request->meta, version_key);
    int code = NO_METHOD;
    const char *what = "there is no such method";
    json_t *result = NULL;
    if (version &&
        !(json_is_string(version) && strcmp(json_string_value(version), modern_version) == 0))
        return unsupported_version(request->id, version);
    if (find_call(request->peer, request->id))
        return mcp_error(request->id, INVALID_REQUEST, "a request of this id is running");
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(methods[i].name, method) == 0)
            result = methods[i].fn(request, &code, &what);
    }
    if (result)
        return envelope(request->id, "result", result);
    return request->call ? NULL : mcp_error(request->id, code, what);
}

static void take_note(struct mcp_peer *peer, const char *method, const json_t *params)
{
    if (strcmp(method, "notifications/cancelled") != 0)
        return;
    struct mcp_call *call = find_call(peer, json_object_get(params, "requestId"));
    if (!call)
        return; /* it was answered meanwhile */
    call->cancelled = true;
    service_cancel(call->job);
}

static bool is_answer(const json_t *message)
{
    return json_object_get(message, "result") || json_object_get(message, "error");
}

struct mcp_call *mcp_receive(struct mcp_peer *peer, json_t *message, struct mcp_sink *sink,
                             bool *none)
{
    json_t *id = json_object_get(message, "id"), *reply;
    const char *method = json_string_value(json_object_get(message, "method"));
    const char *version = json_string_value(json_object_get(message, "jsonrpc"));
    const json_t *params = json_object_get(message, "params");
    struct request request = {.peer = peer, .sink = sink, .id = id, .params = params};
    request.meta = json_object_get(params, "_meta");
    request.modern = json_object_get(request.meta, version_key) != NULL;
    bool usable = json_is_string(id) || json_is_integer(id);
    *none = false;
    if (!version || strcmp(version, "2.0") != 0 || (params && !json_is_object(params)) ||
        (id && !usable) || (!method && !is_answer(message))) {
        reply = mcp_error(usable ? id : NULL, INVALID_REQUEST, "not a message of JSON-RPC 2.0");
    } else if (method && !id) {
        take_note(peer, method, params);
        *none = true;
        return NULL;
    } else if (!method) { /* an answer: nothing is ever asked */
        *none = true;
        return NULL;
    } else {
        reply = answer(&request, method);
    }
    if (reply)
        sink->send(sink, reply, true);
    return request.call;
}

/* --- Life --------------------------------------------------------------------------------- */

struct mcp_peer *mcp_peer_new(struct mcp *mcp)
{
    struct mcp_peer *peer = malloc(sizeof *peer);
    if (peer)
        *peer = (struct mcp_peer){mcp, LEVEL_NONE};
    return peer;
}

/* A peer lives as long as its calls: these are moved to one that nobody speaks for. */
void mcp_peer_free(struct mcp_peer *peer)
{
    if (!peer)
        return;
    for (struct mcp_call *call = peer->mcp->calls; call; call = call->next) {
        if (call->peer != peer)
            continue;
        call->peer = &peer->mcp->nobody;
        mcp_abandon(call);
    }
    free(peer);
}

struct mcp *mcp_new(struct service *service, const struct server_config *config, struct loop *loop)
{
    struct mcp *mcp = calloc(1, sizeof *mcp);
    if (!mcp)
        return NULL;
    mcp->service = service;
    mcp->config = config;
    mcp->nobody.mcp = mcp;
    loop_add_tick(loop, tick, mcp);
    return mcp;
}

void mcp_free(struct mcp *mcp)
{
    free(mcp);
}
