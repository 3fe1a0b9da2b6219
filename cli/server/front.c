/* A server on HTTP: who gets a request, and how the server ends. When asked to end it takes no new
 * connections, says so at /readyz, and lets what runs come to its end. */
#include "front.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../commands.h"
#include "../message.h"
#include "api.h"
#include "http.h"
#include "http_guard.h"
#include "mcp_http.h"
#include "openapi_json.h"

static const uint64_t drain_ns = 30 * UINT64_C(1000000000);

struct front {
    const struct front_options *options;
    const struct server_config *config;
    struct loop *loop;
    struct service *service;
    struct mcp_http *mcp;
    struct http *http;
    struct loop_watch signals;
    uint64_t stop_at; /* 0: serving */
};

static sigset_t ends(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

void front_prepare(void)
{
    sigset_t set = ends();
    struct rlimit files;
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static bool is_health(const char *path)
{
    return strcmp(path, "/healthz") == 0 || strcmp(path, "/readyz") == 0;
}

static bool is_watch(const char *path)
{
    return is_health(path) || strcmp(path, "/metrics") == 0;
}

static void health(const struct front *front, struct http_request *request)
{
    char why[480] = "ok";
    bool ready = true;
    if (strcmp(request->path, "/readyz") == 0) {
        if (front->stop_at)
            strcpy(why, "ending");
        ready = !front->stop_at && !service_store_is_down(front->service, why, sizeof why - 1);
    }
    strcat(why, "\n");
    http_reply(request, ready ? 200 : 503, "text/plain", strdup(why), strlen(why));
}

static void handle(void *env, struct http_request *request)
{
    struct front *front = env;
    bool get = strcmp(request->method, "GET") == 0, api = front->options->api;
    if (is_health(request->path) && get)
        health(front, request);
    else if (strcmp(request->path, "/mcp") == 0)
        mcp_http_handle(front->mcp, request);
    else if (api && get && strcmp(request->path, "/metrics") == 0)
        metrics_reply(front->service, http_connections(front->http), request);
    else if (api && get && strcmp(request->path, "/openapi.json") == 0)
        http_reply(request, 200, "application/json", strdup(openapi_json), strlen(openapi_json));
    else if (api)
        api_handle(front->service, request);
    else
        http_reply_error(request, 404, "path", "the server is at /mcp");
}

/* --- The end ------------------------------------------------------------------------------ */

static void on_signal(void *env, uint32_t events)
{
    struct front *front = env;
    struct signalfd_siginfo info;
    (void)events;
    if (read(front->signals.fd, &info, sizeof info) != sizeof info)
        return;
    if (front->stop_at) {
        loop_stop(front->loop);
        return;
    }
    message_error("ending: waiting for what runs; again to end at once");
    front->stop_at = loop_now() + drain_ns;
    http_quiesce(front->http);
}

static uint64_t tick(void *env)
{
    struct front *front = env;
    struct service_counts counts;
    if (!front->stop_at)
        return UINT64_MAX;
    uint64_t now = loop_now();
    service_count(front->service, &counts);
    bool idle = counts.jobs == 0 && !http_is_asked(front->http);
    if (idle || now >= front->stop_at) {
        loop_stop(front->loop);
        return 0;
    }
    return front->stop_at - now;
}

/* --- The beginning ------------------------------------------------------------------------ */

static bool find_token(const struct front_options *options, char **token)
{
    *token = NULL;
    if (options->no_token)
        return true;
    if (!guard_read_token(options->token_file, token))
        return false;
    if (*token)
        return true;
    *token = guard_new_token();
    if (*token)
        message_error("no token was given (--token-file, ERYX_TOKEN): it is %s", *token);
    else
        message_error("cannot make a token");
    return *token != NULL;
}

static void announce(const struct front *front, const char *listen)
{
    const char *colon = strrchr(listen, ':');
    message_error("%s: listening on http://%.*s:%u%s", front->options->command,
                  (int)(colon - listen), listen, http_port(front->http),
                  front->options->api ? "" : "/mcp");
}

static bool serve(struct front *front, const struct http_options *http)
{
    sigset_t set = ends();
    front->http = http_new(http, front->loop);
    if (!front->http)
        return false;
    front->signals = (struct loop_watch){.ready = on_signal, .env = front};
    front->signals.fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (front->signals.fd < 0 || !loop_add(front->loop, &front->signals, EPOLLIN)) {
        message_error("cannot take signals: %s", strerror(errno));
        return false;
    }
    loop_add_tick(front->loop, tick, front);
    announce(front, http->listen);
    loop_run(front->loop);
    return true;
}

int front_serve(const struct front_options *options, const struct server_config *config,
                struct loop *loop, struct service *service, struct mcp *mcp)
{
    struct front front = {.options = options, .config = config, .loop = loop, .service = service};
    struct http_options http = {.listen = options->listen,
                                .origins = config->origins,
                                .origin_count = config->origin_count,
                                .body_max = config->request_bytes,
                                .is_public = is_health,
                                .is_watch = is_watch,
                                .handle = handle,
                                .env = &front};
    char *token;
    int code = EXIT_FAILED;
    front.signals.fd = -1;
    front.mcp = mcp_http_new(mcp, config->session_idle_ns);
    if (!find_token(options, &token))
        code = EXIT_USAGE;
    else if (front.mcp) {
        http.token = token;
        if (serve(&front, &http))
            code = EXIT_OK;
    }
    http_free(front.http);
    service_free(service);
    mcp_http_free(front.mcp);
    mcp_free(mcp);
    if (front.signals.fd >= 0)
        close(front.signals.fd);
    free(token);
    return code;
}
