/* A server on HTTP: MCP at /mcp, and for `eryx serve` the interface below /v1. */
#ifndef ERYX_CLI_SERVER_FRONT_H
#define ERYX_CLI_SERVER_FRONT_H

#include <stdbool.h>

#include "config.h"
#include "loop.h"
#include "mcp.h"
#include "service.h"

struct front_options {
    const char *command; /* "mcp" or "serve", for messages */
    const char *listen;
    const char *token_file; /* NULL: ERYX_TOKEN, or a new one */
    bool no_token;
    bool api; /* /v1, /metrics, /openapi.json */
};

/* Serves until SIGTERM or SIGINT, and then until what runs has ended, at most half a minute; a
 * second signal ends that too. Frees service and mcp. Returns the exit code of the process. */
int front_serve(const struct front_options *options, const struct server_config *config,
                struct loop *loop, struct service *service, struct mcp *mcp);

/* Raises the limit of open files and blocks the signals above: before any thread is started. */
void front_prepare(void);

#endif
