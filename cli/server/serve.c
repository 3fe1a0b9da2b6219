/* `eryx serve`: options. */
#include <getopt.h>

#include "../commands.h"
#include "../message.h"
#include "../suggest.h"
#include "server.h"

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'}, {"runtime", required_argument, NULL, 'r'},
    {"listen", required_argument, NULL, 'l'}, {"token-file", required_argument, NULL, 't'},
    {"store", required_argument, NULL, 's'},  {"no-token", no_argument, NULL, 'n'},
    {"help", no_argument, NULL, 'h'},         {0},
};

static int run(int argc, char **argv)
{
    struct server_request request = {.default_listen = "127.0.0.1:8080"};
    request.front.command = "serve";
    request.front.api = true;
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
        case 's':
            request.store = optarg;
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
    return server_run(&request);
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
        "                     may ask\n"
        "  --store PLACE      keep sessions there, so that each server that uses it can take any:\n"
        "                     a folder, redis://HOST, or s3://BUCKET; see below\n"
        "  --runtime FILE     use this runtime.cwasm\n"
        "  -h, --help         this help\n"
        "\n"
        "Stores: else \"store\" of the configuration, {\"url\": PLACE}, or ERYX_STORE is taken.\n"
        "  /FOLDER                                    locked by flock: one machine, NFSv4, ...\n"
        "  redis://[USER:PASSWORD@]HOST[:PORT][/DB]   or rediss:// with TLS\n"
        "  s3://BUCKET/PREFIX?region=R&endpoint=URL   keys from AWS_ACCESS_KEY_ID,\n"
        "                     AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN\n"
        "  Options after '?': lease=30s, how long others wait for a server that died;\n"
        "  timeout=10s; ca=FILE, authorities to trust; prefix=TEXT of Redis keys.\n"
        "\n"
        "Too many requests at once are answered with 429. SIGTERM ends the server when what\n"
        "runs has ended, after 30 seconds at the latest.\n",
    .run = run,
};
