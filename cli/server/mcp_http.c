/* MCP over HTTP. A POST has one message. Its answer is JSON, or, when there is something to tell
 * before it, a stream of server-sent events that ends with it. A client of the older revisions gets
 * an id with initialize, by which its later messages (cancelled, setLevel) are known to be its; one
 * without an id is a client for one request. Streams are not resumed: a client that goes away
 * cancels what it asked for. */
#define _GNU_SOURCE
#include "mcp_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

enum { ID_BYTES = 16, CLIENTS_MAX = 4096, BACKLOG_MAX = 8 << 20 };

struct client {
    char id[2 * ID_BYTES + 1];
    struct mcp_peer *peer;
    uint64_t used;
    unsigned open; /* requests that are not answered */
    struct client *next;
};

struct mcp_http {
    struct mcp *mcp;
    uint64_t idle_ns;
    struct client *clients;
    size_t client_count;
};

/* A POST until its answer. */
struct post {
    struct mcp_sink sink; /* first */
    struct mcp_http *server;
    struct http_request *request;
    struct mcp_call *call;
    struct client *client;  /* NULL: one for this request only, ... */
    struct mcp_peer *alone; /* ... which this is */
    bool streaming, may_stream, receiving, gone;
};

/* --- Clients ------------------------------------------------------------------------------ */

static struct client *find_client(struct mcp_http *server, const char *id)
{
    struct client *client = server->clients;
    while (client && strcmp(client->id, id) != 0)
        client = client->next;
    if (client)
        client->used = loop_now();
    return client;
}

static void forget(struct mcp_http *server, struct client *client)
{
    struct client **at = &server->clients;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    server->client_count--;
    mcp_peer_free(client->peer);
    free(client);
}

/* Forgets who was not heard of for long, and the one not heard of for longest if there are too
 * many. */
static void make_room(struct mcp_http *server)
{
    uint64_t now = loop_now();
    struct client *oldest = NULL;
    for (struct client *client = server->clients, *next; client; client = next) {
        next = client->next;
        if (client->open > 0)
            continue;
        if (server->idle_ns && now - client->used > server->idle_ns)
            forget(server, client);
        else if (!oldest || client->used < oldest->used)
            oldest = client;
    }
    if (server->client_count >= CLIENTS_MAX && oldest)
        forget(server, oldest);
}

static struct client *new_client(struct mcp_http *server)
{
    unsigned char bytes[ID_BYTES];
    make_room(server);
    struct client *client = calloc(1, sizeof *client);
    if (!client || server->client_count >= CLIENTS_MAX ||
        getrandom(bytes, sizeof bytes, 0) != sizeof bytes ||
        !(client->peer = mcp_peer_new(server->mcp))) {
        free(client);
        return NULL;
    }
    for (size_t i = 0; i < ID_BYTES; i++)
        snprintf(client->id + 2 * i, 3, "%02x", bytes[i]);
    client->used = loop_now();
    client->next = server->clients;
    server->clients = client;
    server->client_count++;
    return client;
}

/* --- Requests ----------------------------------------------------------------------------- */

static void free_post(struct post *post)
{
    if (post->client) {
        post->client->open--;
        post->client->used = loop_now();
    }
    mcp_peer_free(post->alone);
    free(post);
}

static void on_gone(struct http_request *request)
{
    struct post *post = request->env;
    if (post->call)
        mcp_abandon(post->call);
    free_post(post);
}

static void send_final(struct post *post, json_t *message)
{
    struct http_request *request = post->request;
    if (post->streaming) {
        if (message)
            http_stream_event(request, NULL, message);
        http_stream_end(request);
    } else if (message) {
        bool failed = json_object_get(message, "error") != NULL && post->receiving;
        http_reply_json(request, failed ? 400 : 200, message);
    } else { /* it was cancelled */
        http_reply(request, 202, "text/plain", NULL, 0);
    }
    post->call = NULL;
    post->request = NULL;
    if (!post->receiving)
        free_post(post);
}

static void send_message(struct mcp_sink *sink, json_t *message, bool final)
{
    struct post *post = (struct post *)sink;
    if (final) {
        send_final(post, message);
        return;
    }
    if (!post->may_stream ||
        (post->streaming && http_stream_backlog(post->request) > BACKLOG_MAX)) {
        json_decref(message);
        return;
    }
    if (!post->streaming) {
        post->streaming = true;
        http_stream_begin(post->request);
    }
    http_stream_event(post->request, NULL, message);
}

/* Finds out who speaks. False: it was answered. */
static bool find_peer(struct post *post, const json_t *message, struct mcp_peer **peer)
{
    struct http_request *request = post->request;
    const char *id = http_header(request, "Mcp-Session-Id");
    bool begins = mcp_is_initialize(message);
    if (id && !begins) {
        post->client = find_client(post->server, id);
        if (!post->client) {
            http_reply_error(request, 404, "session", "unknown Mcp-Session-Id: initialize again");
            return false;
        }
    } else if (begins) {
        post->client = new_client(post->server);
        if (post->client)
            http_add_header(request, "Mcp-Session-Id", post->client->id);
    } else {
        post->alone = mcp_peer_new(post->server->mcp);
    }
    if (!post->client && !post->alone) {
        http_reply_error(request, 429, "overloaded", "too many clients; try again later");
        return false;
    }
    if (post->client)
        post->client->open++;
    *peer = post->client ? post->client->peer : post->alone;
    return true;
}

static void receive(struct post *post, json_t *message)
{
    struct http_request *request = post->request;
    struct mcp_peer *peer;
    bool none;
    if (!find_peer(post, message, &peer)) {
        free(post);
        return;
    }
    post->receiving = true;
    post->call = mcp_receive(peer, message, &post->sink, &none);
    post->receiving = false;
    if (none)
        http_reply(request, 202, "text/plain", NULL, 0);
    if (!post->call)
        free_post(post);
}

static void take_post(struct mcp_http *server, struct http_request *request)
{
    json_t *message =
        json_loadb(request->body, request->length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    struct post *post = message ? calloc(1, sizeof *post) : NULL;
    if (!message) {
        http_reply_json(request, 400, mcp_parse_error("the body is not JSON"));
        return;
    }
    if (!post) {
        http_reply_error(request, 500, "memory", "out of memory");
    } else {
        const char *accept = http_header(request, "Accept");
        *post = (struct post){.sink = {send_message}, .server = server, .request = request};
        post->may_stream = accept && strcasestr(accept, "text/event-stream");
        request->env = post;
        request->on_gone = on_gone;
        receive(post, message);
    }
    json_decref(message);
}

static void take_delete(struct mcp_http *server, struct http_request *request)
{
    const char *id = http_header(request, "Mcp-Session-Id");
    struct client *client = id ? find_client(server, id) : NULL;
    if (!client) {
        http_reply_error(request, 404, "session", "unknown Mcp-Session-Id");
    } else if (client->open > 0) {
        http_reply_error(request, 409, "busy", "requests of this client are running");
    } else {
        forget(server, client);
        http_reply(request, 204, "text/plain", NULL, 0);
    }
}

void mcp_http_handle(struct mcp_http *server, struct http_request *request)
{
    if (strcmp(request->method, "POST") == 0) {
        take_post(server, request);
    } else if (strcmp(request->method, "DELETE") == 0) {
        take_delete(server, request);
    } else {
        http_add_header(request, "Allow", "POST, DELETE");
        http_reply_error(request, 405, "method", "POST a message of JSON-RPC");
    }
}

struct mcp_http *mcp_http_new(struct mcp *mcp, uint64_t idle_ns)
{
    struct mcp_http *server = calloc(1, sizeof *server);
    if (server)
        *server = (struct mcp_http){.mcp = mcp, .idle_ns = idle_ns};
    return server;
}

void mcp_http_free(struct mcp_http *server)
{
    if (!server)
        return;
    while (server->clients)
        forget(server, server->clients);
    free(server);
}
