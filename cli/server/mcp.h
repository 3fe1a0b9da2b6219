/* The Model Context Protocol, without how its messages travel (JSON-RPC 2.0; revisions 2024-11-05
 * to 2025-11-25 with their handshake, and 2026-07-28, which has none). */
#ifndef ERYX_CLI_SERVER_MCP_H
#define ERYX_CLI_SERVER_MCP_H

#include <stdbool.h>

#include <jansson.h>

#include "service.h"

struct mcp;      /* the server: what all peers share */
struct mcp_peer; /* one client */
struct mcp_call; /* one request that is being worked on */

/* Where answers go. A transport has one for each stream of messages it can write. */
struct mcp_sink {
    /* Takes the message over. final: the answer to the request, after which nothing follows. */
    void (*send)(struct mcp_sink *sink, json_t *message, bool final);
};

struct mcp *mcp_new(struct service *service, const struct server_config *config, struct loop *loop);
/* After service_free: jobs tell their end to it. */
void mcp_free(struct mcp *mcp);

struct mcp_peer *mcp_peer_new(struct mcp *mcp);
/* Cancels what is being worked on; its sinks hear no more. */
void mcp_peer_free(struct mcp_peer *peer);

/* A message, whatever it is. Answers go to sink, at once or later, until the final one; the return
 * value is the call that is being worked on, NULL if the answer was sent, or none is due (*none).
 */
struct mcp_call *mcp_receive(struct mcp_peer *peer, json_t *message, struct mcp_sink *sink,
                             bool *none);

/* For text that is no JSON: the answer to send. */
json_t *mcp_parse_error(const char *what);
json_t *mcp_error(json_t *id, int code, const char *message);

/* The client has gone: cancels, and its sink hears no more. */
void mcp_abandon(struct mcp_call *call);

/* Whether a message is a request for initialize, which a transport may treat apart. */
bool mcp_is_initialize(const json_t *message);

#endif
