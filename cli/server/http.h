/* HTTP/1.1 on the loop's thread, by libmicrohttpd. A request is handed over when its body is there,
 * and answered then or later, as a whole or as a stream. */
#ifndef ERYX_CLI_SERVER_HTTP_H
#define ERYX_CLI_SERVER_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "loop.h"

struct http;

struct http_request {
    const char *method, *path; /* the path is decoded, and begins with / */
    char *body;                /* NUL-terminated; gone when the handler returns, or the handler's
                                * who sets it to NULL */
    size_t length;
    /* The handler's. on_gone: the client has gone before the answer was complete; nothing may be
     * done with the request after it. May be NULL. */
    void (*on_gone)(struct http_request *request);
    void *env;
    struct http_state *state;
};

struct http_options {
    const char *listen;   /* "ADDRESS:PORT"; port 0: any */
    const char *token;    /* that requests must have; NULL: none */
    char *const *origins; /* that browsers may come from, besides this machine's own */
    size_t origin_count;
    uint64_t body_max;
    bool (*is_public)(const char *path); /* needs no token */
    bool (*is_watch)(const char *path);  /* is answered under any load */
    void (*handle)(void *env, struct http_request *request);
    void *env;
};

/* Whether "ADDRESS:PORT" is reachable from this machine only; false with a message if it is no
 * address. */
bool http_is_loopback(const char *listen);

/* Prints its own message and returns NULL on failure. options must outlive it. */
struct http *http_new(const struct http_options *options, struct loop *loop);
uint16_t http_port(const struct http *http);
uint32_t http_connections(const struct http *http);
/* Takes no new connections any more, and ends those there are with their next answer. */
void http_quiesce(struct http *http);
/* Whether there are requests without a complete answer. */
bool http_is_asked(const struct http *http);
/* Requests that are not answered end. */
void http_free(struct http *http);

/* NULL if there is none. Valid as long as the request. */
const char *http_header(struct http_request *request, const char *name);
const char *http_query(struct http_request *request, const char *name);

/* Of the answer; before it. False without memory. */
void http_add_header(struct http_request *request, const char *name, const char *value);

/* The answer: takes body over, from malloc. Nothing may be done with the request after it. */
void http_reply(struct http_request *request, unsigned status, const char *type, char *body,
                size_t length);
/* Takes the JSON over. */
void http_reply_json(struct http_request *request, unsigned status, json_t *json);
/* {"error": {"code": ..., "message": ...}} */
void http_reply_error(struct http_request *request, unsigned status, const char *code,
                      const char *message);

/* An answer of server-sent events. */
void http_stream_begin(struct http_request *request);
/* event NULL: a "message". Takes the JSON over. */
void http_stream_event(struct http_request *request, const char *event, json_t *json);
/* Bytes that the client has not taken yet. */
size_t http_stream_backlog(const struct http_request *request);
/* Nothing may be done with the request after it. */
void http_stream_end(struct http_request *request);

#endif
