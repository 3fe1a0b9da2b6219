/* HTTP by libmicrohttpd, driven by the loop through its epoll descriptor.
 *
 * A request without an answer is suspended, and so is a stream that has nothing to send; the
 * library does not look at suspended connections, so their descriptors are watched here for a
 * client that goes. Who may not ask is known from the head: nothing of such a body is kept. */
#define _GNU_SOURCE
#include "http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../message.h"
#include "http_address.h"
#include "http_guard.h"
#include "http_head.h"
#include "http_state.h"

enum { CONNECTIONS = 8192, BACKLOG = 1024, IDLE_SECONDS = 120 };
/* Bodies of requests that are not answered yet, and answers that are not read: as much as so many of
 * the longest bodies. */
enum { LONGEST_BODIES = 8 };
static const char too_much[] =
    "other requests have too much to say, or their answers are not read; "
    "nothing was begun";
/* What is read of a body that nobody wants, so that its client, which may send all of it before it
 * looks, gets to see the answer. */
static const uint64_t unwanted_max = 1 << 20;

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
    state->http->held -= state->held;
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
    /* The library sends the head only. */
    state->request.method = strdup(strcmp(method, "HEAD") == 0 ? "GET" : method);
    if (state->request.path && state->request.method)
        return state;
    free_state(state);
    return NULL;
}

static void refuse(struct http_state *state, unsigned status, const char *code, const char *message)
{
    state->refused = status;
    state->refusal[0] = code;
    state->refusal[1] = message;
}

static void drop_body(struct http_state *state)
{
    free(state->request.body);
    state->request.body = NULL;
    state->request.length = state->capacity = 0;
}

/* False: that is enough of what nobody wants. */
static bool take_body(struct http_state *state, const char *data, size_t length)
{
    struct http *http = state->http;
    uint64_t max = http->options->body_max;
    if (!state->refused && state->request.length + length > max)
        refuse(state, 413, "too_long", "the body is longer than limits.request");
    if (!state->refused && http->held + length > max * LONGEST_BODIES)
        refuse(state, 429, "overloaded", too_much);
    if (state->refused) {
        drop_body(state);
        state->unwanted += length;
        return state->unwanted <= unwanted_max + (state->refused == 413 ? max : 0);
    }
    if (!http_append(&state->request.body, &state->capacity, state->request.length, data, length))
        return false;
    state->request.length += length;
    http_hold(state, (int64_t)length);
    return true;
}

/* Who asks, and for how much. */
static void judge(struct http_state *state, uint64_t length)
{
    struct http_request *request = &state->request;
    const struct http_options *options = state->http->options;
    const char *origin = http_header(request, "Origin");
    if (state->http->loopback && !guard_host(http_header(request, "Host"))) {
        refuse(state, 403, "host", "the Host header does not name this machine");
        return;
    }
    if (!guard_origin(origin, options->origins, options->origin_count)) {
        refuse(state, 403, "origin", "pages of this origin may not ask");
        return;
    }
    state->origin = origin;
    state->preflight = origin && strcmp(request->method, "OPTIONS") == 0 &&
                       http_header(request, "Access-Control-Request-Method");
    if (!state->preflight && options->token && !options->is_public(request->path) &&
        !guard_token(http_header(request, "Authorization"), options->token)) {
        http_add_header(request, "WWW-Authenticate", "Bearer");
        refuse(state, 401, "token", "Authorization: Bearer TOKEN is needed");
    } else if (length > options->body_max) {
        refuse(state, 413, "too_long", "the body is longer than limits.request");
    } else if (!options->is_watch(request->path) &&
               state->http->held > options->body_max * LONGEST_BODIES) {
        refuse(state, 429, "overloaded", too_much);
    }
}

/* What a browser asks before a page of another origin may send a token (Fetch, CORS protocol). */
static void allow_page(struct http_request *request)
{
    http_add_header(request, "Access-Control-Allow-Methods", "GET, POST, PUT, DELETE");
    http_add_header(request, "Access-Control-Allow-Headers",
                    "Authorization, Content-Type, Accept, Last-Event-ID, Mcp-Session-Id, "
                    "Mcp-Protocol-Version, Mcp-Method, Mcp-Name");
    http_add_header(request, "Access-Control-Max-Age", "600");
    http_reply(request, 204, "text/plain", NULL, 0);
}

static void hand_over(struct http_state *state)
{
    struct http_request *request = &state->request;
    const struct http_options *options = state->http->options;
    state->handed = true;
    if (state->refused) {
        http_reply_error(request, state->refused, state->refusal[0], state->refusal[1]);
    } else if (state->preflight) {
        allow_page(request);
    } else if (!request->body && !take_body(state, "", 0)) {
        http_reply_error(request, 500, "memory", "out of memory");
    } else {
        options->handle(options->env, request);
        drop_body(state); /* what is to stay was taken out of it */
    }
}

/* With its head. What is answered without its body ends the connection. */
static bool begin(struct http_state *state)
{
    struct http_head head;
    const char *wrong = http_head_read(state->connection, &head);
    if (wrong)
        refuse(state, 400, "request", wrong);
    else
        judge(state, head.length);
    uint64_t most = unwanted_max + (state->refused == 413 ? state->http->options->body_max : 0);
    if (!wrong && (!state->refused || (!head.expects && head.length <= most)))
        return true;
    hand_over(state);
    return state->response &&
           MHD_queue_response(state->connection, state->status, state->response) == MHD_YES;
}

static enum MHD_Result on_request(void *env, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *length, void **handle)
{
    struct http_state *state = *handle;
    struct http *http = env;
    (void)version;
    if (http->closed)
        return MHD_NO;
    if (!state) {
        *handle = state = new_state(http, connection, url, method);
        return state && begin(state) ? MHD_YES : MHD_NO;
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
        http_suspend(state);
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
        http_tell_gone(state);
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
    /* When descriptors ran out the library listens again only in the run after one was closed. */
    uint32_t connections = http_connections(http);
    http->kick = http->kick || connections < http->connections;
    http->connections = connections;
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

static bool start(struct http *http, const struct addrinfo *address)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO;
    if (address->ai_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    http->loopback = http_address_is_loopback(address->ai_addr);
    errno = 0;
    http->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, http, MHD_OPTION_SOCK_ADDR, address->ai_addr,
        MHD_OPTION_UNESCAPE_CALLBACK, http_head_decode, NULL, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, http, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)BACKLOG, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_SECONDS, MHD_OPTION_END);
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
    if (!http_address_find(options->listen, &address))
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
    http->ending = true;
    MHD_socket fd = MHD_quiesce_daemon(http->daemon);
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
}

bool http_is_asked(const struct http *http)
{
    return http->states != NULL;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    loop_remove(http->loop, &http->watch);
    http->closed = true;
    for (struct http_state *state = http->states; state; state = state->next) {
        if (state->handed)
            http_tell_gone(state);
        http_resume(state); /* the daemon cannot be stopped with suspended connections */
    }
    if (http->daemon) {
        MHD_run(http->daemon);
        MHD_stop_daemon(http->daemon);
    }
    free(http);
}
