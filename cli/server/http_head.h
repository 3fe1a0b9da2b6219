/* What the head of a request must be like, before anything of its body is taken. */
#ifndef ERYX_CLI_SERVER_HTTP_HEAD_H
#define ERYX_CLI_SERVER_HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

/* What http.c knows of a request's body from its head. */
struct http_head {
    uint64_t length; /* of the body, as it is announced; 0 if it is not */
    bool expects;    /* the client waits for 100 Continue */
};

/* NULL, or what is wrong: a head that a proxy in front could understand in another way, so that one
 * request would be taken for two (RFC 9112, 6.3 and 11.2). The connection must be closed then. */
const char *http_head_read(struct MHD_Connection *connection, struct http_head *head);

/* Decodes a path or a query in place (MHD_OPTION_UNESCAPE_CALLBACK). Its NULs would cut it off: they
 * become 0xFF, which no UTF-8 has. */
size_t http_head_decode(void *env, struct MHD_Connection *connection, char *text);

#endif
