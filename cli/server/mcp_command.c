/* `eryx mcp`: options. */
#include <getopt.h>

#include "../commands.h"
#include "../message.h"
#include "../suggest.h"
#include "http.h"
#include "server.h"

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"runtime", required_argument, NULL, 'r'},
    {"http", required_argument, NULL, 'l'},
    {"token-file", required_argument, NULL, 't'},
    {"store", required_argument, NULL, 's'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static int run(int argc, char **argv)
{
    struct server_request request = {.front = {.command = "mcp"}};
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
        case 'h':
            return command_help.run(2, (char *[]){"help", "mcp", NULL});
        default:
            return suggest_option("mcp", option, argv, options);
        }
    }
    if (optind < argc)
        return message_usage("mcp", "unexpected argument '%s'", argv[optind]);
    if (request.front.listen && !http_is_loopback(request.front.listen))
        return message_usage("mcp", "--http %s: only on loopback; 'eryx serve' has /mcp for others",
                             request.front.listen);
    return server_run(&request);
}

const struct command command_mcp = {
    .name = "mcp",
    .summary = "serve Python to language models, by the Model Context Protocol",
    .help =
        "Usage: eryx mcp [options]\n"
        "\n"
        "A server of the Model Context Protocol, on stdin and stdout: a language model's client\n"
        "starts it, and the model runs Python in sandboxes that see nothing of this machine.\n"
        "\n"
        "Examples:\n"
        "  eryx mcp\n"
        "  eryx mcp --config limits.json\n"
        "  {\"mcpServers\": {\"python\": {\"command\": \"eryx\", \"args\": [\"mcp\"]}}}\n"
        "                                 in the configuration of a client\n"
        "\n"
        "Tools:\n"
        "  run_python         run code in a fresh sandbox\n"
        "  session_execute    run code in a session, which keeps variables and files\n"
        "  session_fork       copy a session\n"
        "  session_reset      forget everything in a session\n"
        "  session_list       the sessions that exist\n"
        "  file_put, file_get, file_list   files in a session's file system\n"
        "  Output goes out as progress while code runs; a cancelled call stops its program.\n"
        "\n"
        "Options:\n"
        "  --http ADDRESS:PORT   serve over HTTP on loopback, at /mcp, instead: 127.0.0.1:8700\n"
        "  --token-file FILE  the token that HTTP requests must have; else ERYX_TOKEN is taken,\n"
        "                     else a new one is made and printed\n"
        "  --config FILE      limits and sizes; see below\n"
        "  --store PLACE      where sessions are kept, for later and for other servers: a folder\n"
        "                     or a URL; 'eryx help serve' tells which\n"
        "  --runtime FILE     use this runtime.cwasm\n"
        "  -h, --help         this help\n"
        "\n"
        "Configuration: a JSON object; every key may be left out.\n"
        "  {\"limits\": {\"timeout\": \"60s\", \"cpu_time\": \"none\", \"memory\": \"256M\",\n"
        "              \"output\": \"1M\", \"host_memory\": \"256M\", \"snapshot\": \"256M\",\n"
        "              \"file\": \"16M\", \"request\": \"32M\"},\n"
        "   \"sessions\": 256, \"session_idle\": \"1h\", \"session_jobs\": 64,\n"
        "   \"jobs\": 1024, \"workers\": 8, \"store\": {\"directory\": \"/var/lib/eryx\"}}\n"
        "  limits        of every execution, of files and of messages\n"
        "  sessions      how many at once; one that is idle for session_idle is closed\n"
        "  jobs          calls that are accepted and not done; session_jobs: for one session\n"
        "  workers       threads that run programs; one that waits needs none\n"
        "  store         where sessions are kept: {\"directory\": FOLDER} or {\"url\": URL}\n",
    .run = run,
};
