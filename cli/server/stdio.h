/* MCP over stdin and stdout: a JSON message a line. */
#ifndef ERYX_CLI_SERVER_STDIO_H
#define ERYX_CLI_SERVER_STDIO_H

#include <stdbool.h>

#include "config.h"
#include "loop.h"
#include "mcp.h"

/* Serves the client at stdin until it has gone and its calls are answered. False with a message. */
bool stdio_serve(struct mcp *mcp, const struct server_config *config, struct loop *loop);

#endif
