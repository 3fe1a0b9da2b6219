/* What `eryx serve` and `eryx mcp` are made of: configuration, loop, sessions, protocol. */
#ifndef ERYX_CLI_SERVER_SERVER_H
#define ERYX_CLI_SERVER_SERVER_H

#include "front.h"

struct server_request {
    const char *config_path;    /* NULL: the defaults */
    const char *runtime_path;   /* NULL: the one that is installed */
    const char *store;          /* NULL: as the configuration says, or ERYX_STORE */
    const char *default_listen; /* where the configuration's `listen` counts: what if it has none */
    struct front_options front; /* listen NULL, and no default_listen: stdin and stdout */
};

/* Serves until the end; the exit code of the process. */
int server_run(struct server_request *request);

#endif
