/* HTTP by libmicrohttpd, driven by the loop through its epoll descriptor.
 *
 * A request without an answer is suspended, and so is a stream that has nothing to send; the
 * library does not look at suspended connections, so their descriptors are watched here for a
 * client that goes. */
#define _GNU_SOURCE
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "../message.h"
#include "http_guard.h"

enum { CONNECTIONS = 8192, BACKLOG = 1024, IDLE_SECONDS = 120, HEADERS_MAX = 8 };

struct http {
    const struct http_options *options;
    struct MHD_Daemon *daemon;
    struct loop *loop;
    struct loop_watch watch;
    bool loopback;
    bool kick; /* something was resumed */
    struct http_state *states;
};

struct http_state {
    struct http_request request;
    struct http *http;
    struct MHD_Connection *connection;
    struct loop_watch watch;
    size_t capacity;
    bool too_long, handed, suspended, gone, ended;
    struct MHD_Response *response; /* the whole one, to be queued */
    unsigned status;
    bool streaming;
    char *out;
    size_t out_begin, out_end, out_capacity;
    size_t header_count;
    char *headers[HEADERS_MAX][2];
    struct http_state *next, *previous;
};

/* --- Suspending --------------------------------------------------------------------------- */

static void resume(struct http_state *state)
{
    if (!state->suspended)
        return;
    state->suspended = false;
    loop_remove(state->http->loop, &state->watch);
    MHD_resume_connection(state->connection);
    state->http->kick = true;
}

static void tell_gone(struct http_state *state)
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
    tell_gone(state);
    resume(state);
}

static void suspend(struct http_state *state)
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
    if (copies[0] && copies[1] && state->header_count < HEADERS_MAX) {
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
    for (size_t i = 0; i < state->header_count; i++)
        MHD_add_response_header(state->response, state->headers[i][0], state->headers[i][1]);
}

void http_reply(struct http_request *request, unsigned status, const char *type, char *body,
                size_t length)
{
    struct http_state *state = request->state;
    state->response = MHD_create_response_from_buffer(
        length, body, body ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    state->status = status;
    state->ended = true;
    if (state->response)
        set_headers(state, type);
    else
        free(body);
    resume(state);
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
        suspend(state);
        return 0;
    }
    length = length < capacity ? length : capacity;
    memcpy(buffer, state->out + state->out_begin, length);
    state->out_begin += length;
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
    resume(state);
}

static bool append(char **data, size_t *capacity, size_t used, const char *more, size_t length)
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
    if (append(&state->out, &state->out_capacity, state->out_end, text, length))
        state->out_end += length;
    else
        state->gone = true; /* an incomplete stream is worse than none */
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
    resume(state);
}

size_t http_stream_backlog(const struct http_request *request)
{
    return request->state->out_end - request->state->out_begin;
}

void http_stream_end(struct http_request *request)
{
    request->state->ended = true;
    resume(request->state);
}

/* --- Requests ----------------------------------------------------------------------------- */

static void free_state(struct http_state *state)
{
    loop_remove(state->http->loop, &state->watch);
    if (state->previous)
        state->previous->next = state->next;
    else
        state->http->states = state->next;
    if (state->next)
        state->next->previous = state->previous;
    for (size_t i = 0; i < state->header_count; i++) {
        free(state->headers[i][0]);
        free(state->headers[i][1]);
    }
    if (state->response)
        MHD_destroy_response(state->response);
    free(state->request.body);
    free(state->out);
    free((char *)state->request.path);
    free((char *)state->request.method);
    free(state);
}

static struct http_state *new_state(struct http *http, struct MHD_Connection *connection,
                                    const char *url, const char *method)
{
    struct http_state *state = calloc(1, sizeof *state);
    if (!state)
        return NULL;
    state->http = http;
    state->connection = connection;
    state->request.state = state;
    state->next = http->states;
    if (http->states)
        http->states->previous = state;
    http->states = state;
    state->request.path = strdup(url);
    state->request.method = strdup(method);
    if (state->request.path && state->request.method)
        return state;
    free_state(state);
    return NULL;
}

static bool take_body(struct http_state *state, const char *data, size_t length)
{
    if (state->too_long || state->request.length + length > state->http->options->body_max) {
        state->too_long = true; /* read to its end, so that the client sees the answer */
        return true;
    }
    if (!append(&state->request.body, &state->capacity, state->request.length, data, length))
        return false;
    state->request.length += length;
    return true;
}

static void hand_over(struct http_state *state)
{
    struct http_request *request = &state->request;
    const struct http_options *options = state->http->options;
    state->handed = true;
    if (state->http->loopback && !guard_host(http_header(request, "Host"))) {
        http_reply_error(request, 403, "host", "the Host header does not name this machine");
    } else if (!guard_origin(http_header(request, "Origin"), options->origins,
                             options->origin_count)) {
        http_reply_error(request, 403, "origin", "pages of this origin may not ask");
    } else if (options->token && !options->is_public(request->path) &&
               !guard_token(http_header(request, "Authorization"), options->token)) {
        http_add_header(request, "WWW-Authenticate", "Bearer");
        http_reply_error(request, 401, "token", "Authorization: Bearer TOKEN is needed");
    } else if (state->too_long) {
        http_reply_error(request, 413, "too_long", "the body is longer than limits.request");
    } else if (!request->body && !take_body(state, "", 0)) {
        http_reply_error(request, 500, "memory", "out of memory");
    } else {
        options->handle(options->env, request);
    }
}

static enum MHD_Result on_request(void *env, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *length, void **handle)
{
    struct http_state *state = *handle;
    (void)version;
    if (!state) {
        *handle = new_state(env, connection, url, method);
        return *handle ? MHD_YES : MHD_NO;
    }
    if (*length > 0) {
        bool good = take_body(state, data, *length);
        *length = 0;
        return good ? MHD_YES : MHD_NO;
    }
    if (!state->handed)
        hand_over(state);
    if (state->gone)
        return MHD_NO;
    if (!state->response) {
        if (state->ended || state->streaming)
            return MHD_NO; /* no memory for an answer */
        suspend(state);
        return MHD_YES;
    }
    return MHD_queue_response(connection, state->status, state->response);
}

static void on_completed(void *env, struct MHD_Connection *connection, void **handle,
                         enum MHD_RequestTerminationCode code)
{
    struct http_state *state = *handle;
    (void)env;
    (void)connection;
    (void)code;
    if (!state)
        return;
    if (state->handed)
        tell_gone(state);
    *handle = NULL;
    free_state(state);
}

/* --- The server --------------------------------------------------------------------------- */

static void on_events(void *env, uint32_t events)
{
    struct http *http = env;
    (void)events;
    MHD_run(http->daemon);
}

static uint64_t tick(void *env)
{
    struct http *http = env;
    MHD_UNSIGNED_LONG_LONG milliseconds;
    for (int i = 0; http->kick && i < 16; i++) {
        http->kick = false;
        MHD_run(http->daemon);
    }
    if (http->kick)
        return 0;
    if (MHD_get_timeout(http->daemon, &milliseconds) != MHD_YES)
        return UINT64_MAX;
    if (milliseconds == 0)
        http->kick = true;
    return (uint64_t)milliseconds * 1000000;
}

/* Splits "ADDRESS:PORT"; false with a message. */
static bool resolve(const char *listen, struct addrinfo **out)
{
    const char *colon = strrchr(listen, ':');
    char address[256];
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    if (colon && (size_t)(colon - listen) < sizeof address) {
        size_t length = (size_t)(colon - listen);
        bool bracket = length >= 2 && listen[0] == '[' && listen[length - 1] == ']';
        snprintf(address, sizeof address, "%.*s", (int)(bracket ? length - 2 : length),
                 listen + bracket);
        if (strcmp(address, "localhost") == 0)
            strcpy(address, "127.0.0.1");
        if (colon[1] && getaddrinfo(*address ? address : NULL, colon + 1, &hints, out) == 0)
            return true;
    }
    message_error("cannot listen on '%s': ADDRESS:PORT is needed, such as 127.0.0.1:8080, "
                  "[::1]:8080 or 0.0.0.0:8080",
                  listen);
    return false;
}

static bool is_loopback_address(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

bool http_is_loopback(const char *listen)
{
    struct addrinfo *address;
    if (!resolve(listen, &address))
        return false;
    bool loopback = is_loopback_address(address->ai_addr);
    freeaddrinfo(address);
    return loopback;
}

static bool start(struct http *http, const struct addrinfo *address)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO;
    if (address->ai_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    http->loopback = is_loopback_address(address->ai_addr);
    errno = 0;
    http->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, http, MHD_OPTION_SOCK_ADDR, address->ai_addr,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS, MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)BACKLOG,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS, MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        http->daemon ? MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info) {
        message_error("cannot listen on %s: %s", http->options->listen,
                      errno ? strerror(errno) : "the HTTP library refuses");
        return false;
    }
    http->watch = (struct loop_watch){info->epoll_fd, on_events, http, false};
    return loop_add(http->loop, &http->watch, EPOLLIN);
}

struct http *http_new(const struct http_options *options, struct loop *loop)
{
    struct addrinfo *address;
    if (!resolve(options->listen, &address))
        return NULL;
    struct http *http = calloc(1, sizeof *http);
    if (http) {
        http->options = options;
        http->loop = loop;
        if (start(http, address)) {
            loop_add_tick(loop, tick, http);
        } else {
            http_free(http);
            http = NULL;
        }
    }
    freeaddrinfo(address);
    return http;
}

uint16_t http_port(const struct http *http)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

uint32_t http_connections(const struct http *http)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info ? info->num_connections : 0;
}

void http_quiesce(struct http *http)
{
    MHD_socket fd = MHD_quiesce_daemon(http->daemon);
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
}

void http_free(struct http *http)
{
    if (!http)
        return;
    loop_remove(http->loop, &http->watch);
    for (struct http_state *state = http->states; state; state = state->next) {
        if (state->handed)
            tell_gone(state);
        resume(state); /* the daemon cannot be stopped with suspended connections */
    }
    if (http->daemon) {
        MHD_run(http->daemon);
        MHD_stop_daemon(http->daemon);
    }
    free(http);
}
