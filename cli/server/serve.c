/* `eryx serve`: options. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "../commands.h"
#include "../message.h"
#include "../suggest.h"
#include "config.h"
#include "front.h"

struct request {
    const char *config_path, *runtime_path;
    struct front_options front;
};

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"runtime", required_argument, NULL, 'r'},
    {"listen", required_argument, NULL, 'l'},
    {"token-file", required_argument, NULL, 't'},
    {"no-token", no_argument, NULL, 'n'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int serve(struct request *request)
{
    struct server_config config;
    if (!config_read(request->config_path, &config))
        return EXIT_USAGE;
    struct front_options *front = &request->front;
    front->command = "serve";
    front->api = true;
    if (!front->listen)
        front->listen = config.listen ? config.listen : "127.0.0.1:8080";
    if (!front->token_file)
        front->token_file = config.token_file;
    front_prepare();
    int code = EXIT_FAILED;
    struct loop *loop = loop_new();
    struct service *service = loop ? service_new(&config, request->runtime_path, loop) : NULL;
    struct mcp *mcp = service ? mcp_new(service, &config, loop) : NULL;
    if (!loop)
        message_error("cannot start: %s", strerror(errno));
    if (mcp)
        code = front_serve(front, &config, loop, service, mcp);
    else
        service_free(service);
    loop_free(loop);
    config_free(&config);
    return code;
}

static int run(int argc, char **argv)
{
    struct request request = {0};
    opterr = 0;
    optind = 1;
    int option;
    while ((option = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            request.config_path = optarg;
            break;
        case 'r':
            request.runtime_path = optarg;
            break;
        case 'l':
            request.front.listen = optarg;
            break;
        case 't':
            request.front.token_file = optarg;
            break;
        case 'n':
            request.front.no_token = true;
            break;
        case 'h':
            return command_help.run(2, (char *[]){"help", "serve", NULL});
        default:
            return suggest_option("serve", option, argv, options);
        }
    }
    if (optind < argc)
        return message_usage("serve", "unexpected argument '%s'", argv[optind]);
    return serve(&request);
}

const struct command command_serve = {
    .name = "serve",
    .summary = "serve Python over HTTP",
    .help =
        "Usage: eryx serve [options]\n"
        "\n"
        "Runs Python for others over HTTP, in sandboxes that see nothing of this machine:\n"
        "single runs, sessions, files, output as it is written. /openapi.json describes it\n"
        "all, /metrics is for Prometheus, /mcp speaks the Model Context Protocol.\n"
        "\n"
        "Examples:\n"
        "  eryx serve                                   on 127.0.0.1:8080, prints a token\n"
        "  eryx serve --listen 0.0.0.0:8080 --token-file /run/secrets/token\n"
        "  curl -H \"Authorization: Bearer $TOKEN\" -d '{\"code\": \"print(6 * 7)\"}' \\\n"
        "       http://127.0.0.1:8080/v1/run\n"
        "\n"
        "Options:\n"
        "  --listen ADDRESS:PORT   default 127.0.0.1:8080; port 0: any free one\n"
        "  --token-file FILE  the token that requests must have; else ERYX_TOKEN is taken, else\n"
        "                     a new one is made and printed\n"
        "  --no-token         no token is needed: whoever reaches the port may run programs\n"
        "  --config FILE      limits and sizes; 'eryx help mcp' has the keys. Also here:\n"
        "                     listen, token_file, and origins: an array of origins whose pages\n"
        "                     may ask. With {\"store\": {\"directory\": ...}} on a file system "
        "that\n"
        "                     servers share, each of them can take any session\n"
        "  --runtime FILE     use this runtime.cwasm\n"
        "  -h, --help         this help\n"
        "\n"
        "Too many requests at once are answered with 429. SIGTERM ends the server when what\n"
        "runs has ended, after 30 seconds at the latest.\n",
    .run = run,
};
