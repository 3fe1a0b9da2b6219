/* MCP over HTTP: the "streamable HTTP" transport, at one path. */
#ifndef ERYX_CLI_SERVER_MCP_HTTP_H
#define ERYX_CLI_SERVER_MCP_HTTP_H

#include "http.h"
#include "mcp.h"

struct mcp_http;

/* idle_ns: a client that is not heard of so long is forgotten; 0: never. */
struct mcp_http *mcp_http_new(struct mcp *mcp, uint64_t idle_ns);
void mcp_http_free(struct mcp_http *server);

void mcp_http_handle(struct mcp_http *server, struct http_request *request);

#endif
