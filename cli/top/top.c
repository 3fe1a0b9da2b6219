/* `eryx top`: options, and asking again and again. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../commands.h"
#include "../message.h"
#include "../server/http_guard.h"
#include "../suggest.h"
#include "../values.h"
#include "client.h"
#include "screen.h"
#include "table.h"

struct request {
    const char *url, *token_file;
    enum table_order order;
    uint64_t interval_ns;
    bool once, json;
};

static const struct option options[] = {
    {"token-file", required_argument, NULL, 't'},
    {"sort", required_argument, NULL, 's'},
    {"interval", required_argument, NULL, 'i'},
    {"once", no_argument, NULL, 'o'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static int cannot_ask(const struct request *request, const struct client *client)
{
    message_error("cannot ask %s: %s", request->url, client_error(client));
    return EXIT_FAILED;
}

static int show_once(const struct request *request, struct client *client, struct table *table)
{
    json_t *answer = client_ask(client);
    if (!answer)
        return cannot_ask(request, client);
    if (request->json) {
        json_dumpf(answer, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
        putchar('\n');
        json_decref(answer);
    } else {
        table_take(table, answer, 0);
        table_write(table, stdout, request->order, 0, 0, "\n");
    }
    return message_flush_stdout(EXIT_OK);
}

/* error NULL: all is well. */
static void draw(struct table *table, enum table_order order, const char *error)
{
    size_t rows, columns, length = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &length);
    screen_size(&rows, &columns);
    if (!out)
        return;
    /* The last line ends without a new one, which would scroll. */
    table_write(table, out, order, rows > 2 ? rows - 1 : 1, columns, SCREEN_LINE_END);
    if (error)
        fprintf(out, "%.*s", (int)columns, error);
    else
        fprintf(out, "%.*s", (int)columns,
                "q quit   sort: c cpu  m memory  n name  a age  s state");
    if (fclose(out) == 0)
        screen_show(text, length);
    free(text);
}

/* Until a key or a signal ends it. */
static void watch(struct request *request, struct client *client, struct table *table)
{
    uint64_t asked = now_ns(), next = asked + request->interval_ns;
    const char *error = NULL;
    draw(table, request->order, error);
    for (;;) {
        uint64_t now = now_ns();
        if (now >= next) {
            json_t *answer = client_ask(client);
            error = answer ? NULL : client_error(client);
            if (answer)
                table_take(table, answer, (double)(now - asked) / 1e9);
            asked = answer ? now : asked;
            next = now_ns() + request->interval_ns;
            draw(table, request->order, error);
            continue;
        }
        int key = screen_key((int)((next - now) / 1000000) + 1);
        if (key == 'q' || key == 'Q' || key < 0 || key == 4)
            return;
        enum table_order order = table_order_key((char)key);
        request->order = order < ORDERS ? order : request->order;
        draw(table, request->order, error);
    }
}

static int show_always(struct request *request, struct client *client, struct table *table)
{
    json_t *answer = client_ask(client); /* a wrong address is told before the screen changes */
    if (!answer)
        return cannot_ask(request, client);
    table_take(table, answer, 0);
    bool good = screen_begin();
    int cause = errno;
    if (good)
        watch(request, client, table);
    screen_end();
    if (good)
        return EXIT_OK;
    message_error("cannot use the terminal: %s", strerror(cause));
    return EXIT_FAILED;
}

static int show(struct request *request)
{
    char *token;
    if (!guard_read_token(request->token_file, &token))
        return EXIT_USAGE;
    struct client *client = client_new(request->url, token);
    struct table *table = table_new();
    int code = EXIT_FAILED;
    bool live = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (client && table)
        code = request->once || request->json || !live ? show_once(request, client, table)
                                                       : show_always(request, client, table);
    client_free(client);
    table_free(table);
    free(token);
    return code;
}

static int set_option(struct request *request, int option, const char *value)
{
    switch (option) {
    case 't':
        request->token_file = value;
        return EXIT_OK;
    case 's':
        request->order = table_order_named(value);
        return request->order < ORDERS
                   ? EXIT_OK
                   : message_usage("top", "--sort %s: cpu, memory, name, age or state", value);
    case 'i':
        return value_duration(value, &request->interval_ns) && request->interval_ns >= 100000000 &&
                       request->interval_ns <= UINT64_C(3600000000000)
                   ? EXIT_OK
                   : message_usage("top", "--interval %s: a time from 100ms to 1h is needed",
                                   value);
    case 'o':
        request->once = true;
        return EXIT_OK;
    default:
        request->json = true;
        return EXIT_OK;
    }
}

static int run(int argc, char **argv)
{
    struct request request = {.url = "http://127.0.0.1:8080", .interval_ns = 1000000000};
    int option;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == 'h')
            return command_help.run(2, (char *[]){"help", "top", NULL});
        if (option == '?' || option == ':')
            return suggest_option("top", option, argv, options);
        int result = set_option(&request, option, optarg);
        if (result != EXIT_OK)
            return result;
    }
    if (optind + 1 < argc)
        return message_usage("top", "more than one URL");
    if (optind < argc)
        request.url = argv[optind];
    if (strncmp(request.url, "http://", 7) != 0 && strncmp(request.url, "https://", 8) != 0)
        return message_usage("top", "%s: a URL is needed, such as http://127.0.0.1:8080",
                             request.url);
    return show(&request);
}

const struct command command_top = {
    .name = "top",
    .summary = "show what the sandboxes of a server do",
    .help =
        "Usage: eryx top [options] [URL]\n"
        "\n"
        "A live table of the sandboxes of a running 'eryx serve': their processor time, memory,\n"
        "age, and what each waits for: a callback, a timer, the network, or a thread that is\n"
        "free. URL is that of the server, default http://127.0.0.1:8080.\n"
        "\n"
        "Examples:\n"
        "  eryx top                                       with its token in ERYX_TOKEN\n"
        "  eryx top --token-file token http://127.0.0.1:9000\n"
        "  eryx top --once --sort memory                  one table, no keys\n"
        "  eryx top --json | jq '.sandboxes[] | .session'\n"
        "\n"
        "Keys:\n"
        "  q quits; c, m, n, a, s sort by cpu, memory, name, age, state\n"
        "\n"
        "Options:\n"
        "  --token-file FILE  the server's token; else ERYX_TOKEN is taken\n"
        "  --sort ORDER       cpu (default), memory, name, age or state\n"
        "  --interval TIME    between two looks, default 1s\n"
        "  --once             print one table; so it is without a terminal\n"
        "  --json             print what the server answers (GET /v1/top)\n"
        "  -h, --help         this help\n"
        "\n"
        "CPU% is of one processor, since the last look (in a first table: since the sandbox was\n"
        "made). CPU is that of all executions so far; RUNS how long this one takes. MEMORY is\n"
        "what the sandbox has for itself. '(run)' is a single run without a session.\n",
    .run = run,
};
