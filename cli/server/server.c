/* Sets a server up from its options and its configuration, and takes it down again. */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "../commands.h"
#include "../message.h"
#include "stdio.h"

/* --store, then the configuration, then the environment, which is where a password may be. */
static bool choose_store(const char *given, struct server_config *config)
{
    const char *environment = getenv("ERYX_STORE");
    if (!given && !config->store_directory && !config->store_url && environment && *environment)
        given = environment;
    if (!given)
        return true;
    free(config->store_url);
    config->store_url = strdup(given);
    if (!config->store_url)
        message_error("out of memory");
    return config->store_url != NULL;
}

static void choose_front(struct server_request *request, const struct server_config *config)
{
    struct front_options *front = &request->front;
    if (!front->listen && request->default_listen)
        front->listen = config->listen ? config->listen : request->default_listen;
    if (!front->token_file)
        front->token_file = config->token_file;
}

static int serve(const struct front_options *front, const struct server_config *config,
                 struct loop *loop, struct service *service)
{
    struct mcp *mcp = service ? mcp_new(service, config, loop) : NULL;
    if (mcp && front->listen)
        return front_serve(front, config, loop, service, mcp);
    int code = mcp && stdio_serve(mcp, config, loop) ? EXIT_OK : EXIT_FAILED;
    service_free(service);
    mcp_free(mcp);
    return code;
}

int server_run(struct server_request *request)
{
    struct server_config config;
    /* Before a connection to a store: that over TLS cannot ask for MSG_NOSIGNAL. */
    signal(SIGPIPE, SIG_IGN);
    if (!config_read(request->config_path, &config))
        return EXIT_USAGE;
    int code = EXIT_FAILED;
    if (choose_store(request->store, &config)) {
        choose_front(request, &config);
        if (request->front.listen)
            front_prepare();
        struct loop *loop = loop_new();
        if (loop)
            code = serve(&request->front, &config, loop,
                         service_new(&config, request->runtime_path, loop));
        else
            message_error("cannot start: %s", strerror(errno));
        loop_free(loop);
    }
    config_free(&config);
    return code;
}
