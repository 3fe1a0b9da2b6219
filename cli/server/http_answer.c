/* Answers: whole ones, and streams of events. */
#include "http.h"

#include <stdlib.h>
#include <string.h>

#include "http_state.h"

/* --- Suspending --------------------------------------------------------------------------- */

void http_resume(struct http_state *state)
{
    if (!state->suspended)
        return;
    state->suspended = false;
    loop_remove(state->http->loop, &state->watch);
    MHD_resume_connection(state->connection);
    state->http->kick = true;
}

void http_tell_gone(struct http_state *state)
{
    if (state->gone || state->ended)
        return;
    state->gone = true;
    if (state->request.on_gone)
        state->request.on_gone(&state->request);
}

static void client_went(void *env, uint32_t events)
{
    struct http_state *state = env;
    (void)events;
    http_tell_gone(state);
    http_resume(state);
}

void http_suspend(struct http_state *state)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(state->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    MHD_suspend_connection(state->connection);
    state->suspended = true;
    state->watch = (struct loop_watch){info->connect_fd, client_went, state, false};
    loop_add(state->http->loop, &state->watch, EPOLLRDHUP);
}

/* --- Answers ------------------------------------------------------------------------------ */

const char *http_header(struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->state->connection, MHD_HEADER_KIND, name);
}

const char *http_query(struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->state->connection, MHD_GET_ARGUMENT_KIND, name);
}

void http_add_header(struct http_request *request, const char *name, const char *value)
{
    struct http_state *state = request->state;
    char *copies[2] = {strdup(name), strdup(value)};
    if (copies[0] && copies[1] && state->header_count < HTTP_HEADERS_MAX) {
        memcpy(state->headers[state->header_count++], copies, sizeof copies);
        return;
    }
    free(copies[0]);
    free(copies[1]);
}

static void set_headers(struct http_state *state, const char *type)
{
    MHD_add_response_header(state->response, "Content-Type", type);
    MHD_add_response_header(state->response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(state->response, "Cache-Control", "no-store");
    if (state->http->ending)
        MHD_add_response_header(state->response, "Connection", "close");
    if (state->origin) {
        MHD_add_response_header(state->response, "Access-Control-Allow-Origin", state->origin);
        MHD_add_response_header(state->response, "Access-Control-Expose-Headers",
                                "Mcp-Session-Id, Retry-After");
        MHD_add_response_header(state->response, "Vary", "Origin");
    }
    for (size_t i = 0; i < state->header_count; i++)
        MHD_add_response_header(state->response, state->headers[i][0], state->headers[i][1]);
}

void http_hold(struct http_state *state, int64_t bytes)
{
    state->held += (uint64_t)bytes;
    state->http->held += (uint64_t)bytes;
}

void http_reply(struct http_request *request, unsigned status, const char *type, char *body,
                size_t length)
{
    struct http_state *state = request->state;
    state->response = MHD_create_response_from_buffer(
        length, body, body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    state->status = status;
    state->ended = true;
    http_hold(state, (int64_t)length);
    if (state->response)
        set_headers(state, type);
    else
        free(body);
    http_resume(state);
}

void http_reply_json(struct http_request *request, unsigned status, json_t *json)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(json);
    if (text)
        http_reply(request, status, "application/json", text, strlen(text));
    else
        http_reply(request, 500, "text/plain", NULL, 0);
}

void http_reply_error(struct http_request *request, unsigned status, const char *code,
                      const char *message)
{
    if (status == 429 || status == 409 || status == 503)
        http_add_header(request, "Retry-After", "1");
    http_reply_json(request, status,
                    json_pack("{s:{s:s, s:s}}", "error", "code", code, "message", message));
}

/* --- Streams ------------------------------------------------------------------------------ */

static ssize_t read_stream(void *env, uint64_t position, char *buffer, size_t capacity)
{
    struct http_state *state = env;
    (void)position;
    if (state->gone)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t length = state->out_end - state->out_begin;
    if (length == 0 && state->ended)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (length == 0) {
        http_suspend(state);
        return 0;
    }
    length = length < capacity ? length : capacity;
    memcpy(buffer, state->out + state->out_begin, length);
    state->out_begin += length;
    http_hold(state, -(int64_t)length);
    return (ssize_t)length;
}

void http_stream_begin(struct http_request *request)
{
    struct http_state *state = request->state;
    state->response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, read_stream, state, NULL);
    state->status = 200;
    state->streaming = true;
    if (state->response)
        set_headers(state, "text/event-stream");
    http_resume(state);
}

bool http_append(char **data, size_t *capacity, size_t used, const char *more, size_t length)
{
    if (!*data || used + length + 1 > *capacity) {
        size_t bigger = *capacity ? *capacity * 2 : 1024;
        while (bigger < used + length + 1)
            bigger *= 2;
        char *moved = realloc(*data, bigger);
        if (!moved)
            return false;
        *data = moved;
        *capacity = bigger;
    }
    if (length > 0)
        memcpy(*data + used, more, length);
    (*data)[used + length] = '\0';
    return true;
}

static void put(struct http_state *state, const char *text)
{
    size_t length = strlen(text);
    if (state->out_begin > 0 && state->out_begin == state->out_end)
        state->out_begin = state->out_end = 0;
    if (!http_append(&state->out, &state->out_capacity, state->out_end, text, length)) {
        state->gone = true; /* an incomplete stream is worse than none */
        return;
    }
    state->out_end += length;
    http_hold(state, (int64_t)length);
}

void http_stream_event(struct http_request *request, const char *event, json_t *json)
{
    struct http_state *state = request->state;
    char *text =
        json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(json);
    if (!text)
        return;
    if (event) {
        put(state, "event: ");
        put(state, event);
        put(state, "\n");
    }
    put(state, "data: "); /* JSON has no newlines */
    put(state, text);
    put(state, "\n\n");
    free(text);
    http_resume(state);
}

size_t http_stream_backlog(const struct http_request *request)
{
    return request->state->out_end - request->state->out_begin;
}

void http_stream_end(struct http_request *request)
{
    request->state->ended = true;
    http_resume(request->state);
}
