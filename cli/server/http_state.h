/* What http.c and http_answer.c know of a connection's request. */
#ifndef ERYX_CLI_SERVER_HTTP_STATE_H
#define ERYX_CLI_SERVER_HTTP_STATE_H

#include <microhttpd.h>

#include "http.h"

enum { HTTP_HEADERS_MAX = 8 };

struct http {
    const struct http_options *options;
    struct MHD_Daemon *daemon;
    struct loop *loop;
    struct loop_watch watch;
    bool loopback;
    bool kick;            /* something was resumed */
    uint32_t connections; /* when they were last counted */
    bool ending;          /* no new connections */
    bool closed;          /* nothing more is answered */
    uint64_t held; /* bytes: bodies of requests without a complete answer, answers not sent */
    struct http_state *states;
};

struct http_state {
    struct http_request request;
    struct http *http;
    struct MHD_Connection *connection;
    struct loop_watch watch;
    size_t capacity;
    uint64_t held;          /* its part of those */
    uint64_t unwanted;      /* bytes of the body: dropped */
    unsigned refused;       /* a status, with ... */
    const char *refusal[2]; /* ... the code and the message */
    const char *origin;     /* of a page that may see the answer */
    bool preflight, handed, suspended, gone, ended;
    struct MHD_Response *response; /* the whole one, to be queued */
    unsigned status;
    bool streaming;
    char *out;
    size_t out_begin, out_end, out_capacity;
    size_t header_count;
    char *headers[HTTP_HEADERS_MAX][2];
    struct http_state *next, *previous;
};

/* Until there is something to send; a client that goes is noticed. */
void http_suspend(struct http_state *state);
void http_resume(struct http_state *state);
/* Once, and only while there is no complete answer. */
void http_tell_gone(struct http_state *state);
/* Counts bytes that are held for it; what is still counted goes with it. */
void http_hold(struct http_state *state, int64_t bytes);
/* Makes *data large enough for used + length and a NUL. False without memory. */
bool http_append(char **data, size_t *capacity, size_t used, const char *more, size_t length);

#endif
