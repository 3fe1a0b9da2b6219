/* `eryx info`: versions and sizes from the library, and what Python says about itself
 * from info.py, which is embedded here and run in a sandbox. */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <eryx.h>

#include "commands.h"
#include "info_script.h"
#include "json_text.h"
#include "message.h"
#include "suggest.h"

struct request {
    const char *runtime_path;
    bool json;
    bool verify;
};

static const struct option options[] = {
    {"json", no_argument, NULL, 'j'},
    {"runtime", required_argument, NULL, 'r'},
    {"verify", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {0},
};

static const char *const features[] = {
    "top-level await",
    "asyncio",
    "in-memory file system",
    "time limit",
    "memory limit",
    "output limit",
    "interrupt",
    "callbacks",
    "result values",
    "traces",
    "rollback",
    "forks",
    "checkpoints",
    "mounts",
    "network by permission",
    "TLS",
    "secrets",
    "native extensions",
    NULL,
};

static void print_json_member(const char *name, const char *text)
{
    printf("  \"%s\": ", name);
    json_print_text(text);
    fputs(",\n", stdout);
}

static void print_json(const struct request *request, const eryx_runtime_info_t *info,
                       const char *python)
{
    puts("{");
    print_json_member("eryx", info->eryx_version);
    print_json_member("python", info->python_version);
    print_json_member("engine", info->engine);
    print_json_member("build", info->build_id);
    print_json_member("runtime", info->path);
    printf("  \"verified\": %s,\n", request->verify ? "true" : "false");
    printf("  \"file_bytes\": %" PRIu64 ",\n", info->file_bytes);
    printf("  \"code_bytes\": %" PRIu64 ",\n", info->code_bytes);
    printf("  \"image_bytes\": %" PRIu64 ",\n", info->image_bytes);
    printf("  \"image_constant_bytes\": %" PRIu64 ",\n", info->image_constant_bytes);
    fputs("  \"features\": [", stdout);
    for (size_t i = 0; features[i]; i++) {
        fputs(i ? ", " : "", stdout);
        json_print_text(features[i]);
    }
    printf("],\n  \"sandbox\": %s}\n", python);
}

static void print_size(const char *name, uint64_t bytes, const char *note)
{
    printf("  %-16s %.1f MiB%s\n", name, (double)bytes / (1 << 20), note);
}

static void print_text(const struct request *request, const eryx_runtime_info_t *info,
                       const char *python)
{
    printf("eryx %s, Python %s, %s\n\nRuntime\n", info->eryx_version, info->python_version,
           info->engine);
    printf("  %-16s %s\n", "file", info->path);
    printf("  %-16s %s\n", "build", info->build_id);
    print_size("size", info->file_bytes, request->verify ? ", checksums verified" : "");
    print_size("machine code", info->code_bytes, "");
    print_size("memory image", info->image_bytes, "");
    print_size("  of it shared", info->image_constant_bytes, ", read-only");
    fputs("  features        ", stdout);
    int column = 18;
    for (size_t i = 0; features[i]; i++) {
        int length = (int)strlen(features[i]);
        if (column + length > 80)
            column = printf("\n%18s", "") - 1;
        column += printf(" %s%s", features[i], features[i + 1] ? "," : "");
    }
    printf("\n\nPython\n%s", python);
}

/* Runs info.py; the outcome is the caller's. */
static int ask_python(eryx_runtime_t *runtime, bool json, eryx_outcome_t **outcome)
{
    eryx_error_t error = {0};
    eryx_sandbox_t *sandbox;
    eryx_sandbox_options_t sandbox_options;
    eryx_sandbox_options_init(&sandbox_options);
    sandbox_options.argv = (const char *const[]){"info.py", json ? "json" : "text"};
    sandbox_options.argc = 2;
    int status = eryx_sandbox_new(runtime, &sandbox_options, &sandbox, &error);
    if (status == ERYX_OK) {
        eryx_execute_options_t execute_options;
        eryx_execute_options_init(&execute_options);
        execute_options.filename = "info.py";
        status = eryx_sandbox_execute(sandbox, info_script, strlen(info_script), &execute_options,
                                      outcome, &error);
        eryx_sandbox_free(sandbox);
    }
    if (status != ERYX_OK)
        message_error("cannot ask the sandbox: %s", error.message);
    return status;
}

static int print_info(const struct request *request, eryx_runtime_t *runtime)
{
    eryx_runtime_info_t info = {.size = sizeof info};
    if (eryx_runtime_get_info(runtime, &info) != ERYX_OK) {
        message_error("the library gives no information about the runtime");
        return EXIT_FAILED;
    }
    eryx_outcome_t *outcome;
    if (ask_python(runtime, request->json, &outcome) != ERYX_OK)
        return EXIT_FAILED;
    int code = EXIT_FAILED;
    if (eryx_outcome_kind(outcome) == ERYX_OUTCOME_OK) {
        const char *python = eryx_outcome_stdout(outcome, NULL);
        if (request->json)
            print_json(request, &info, python);
        else
            print_text(request, &info, python);
        code = message_flush_stdout(EXIT_OK);
    } else {
        message_error("the sandbox does not answer: %s\n%s",
                      eryx_outcome_exception_message(outcome), eryx_outcome_traceback(outcome));
    }
    eryx_outcome_free(outcome);
    return code;
}

/* Returns EXIT_OK, an exit code, or -1 for --help. */
static int parse_options(struct request *request, int argc, char **argv)
{
    opterr = 0;
    optind = 1;
    int option;
    while ((option = getopt_long(argc, argv, "+:h", options, NULL)) != -1) {
        switch (option) {
        case 'j':
            request->json = true;
            break;
        case 'r':
            request->runtime_path = optarg;
            break;
        case 'v':
            request->verify = true;
            break;
        case 'h':
            return -1;
        default:
            return suggest_option("info", option, argv, options);
        }
    }
    if (optind < argc)
        return message_usage("info", "unexpected argument '%s'", argv[optind]);
    return EXIT_OK;
}

static int run(int argc, char **argv)
{
    struct request request = {0};
    int result = parse_options(&request, argc, argv);
    if (result == -1)
        return command_help.run(2, (char *[]){"help", "info", NULL});
    if (result != EXIT_OK)
        return result;

    eryx_error_t error = {0};
    eryx_runtime_options_t runtime_options;
    eryx_runtime_options_init(&runtime_options);
    runtime_options.verify = request.verify;
    eryx_runtime_t *runtime;
    if (eryx_runtime_open(request.runtime_path, &runtime_options, &runtime, &error) != ERYX_OK) {
        message_error("%s", error.message);
        return EXIT_FAILED;
    }
    result = print_info(&request, runtime);
    eryx_runtime_free(runtime);
    return result;
}

const struct command command_info = {
    .name = "info",
    .summary = "show versions, features, sizes and Python modules",
    .help = "Usage: eryx info [--json] [--runtime FILE] [--verify]\n"
            "\n"
            "Shows what is inside: versions, sizes of the runtime file, features, and the\n"
            "modules that import in the sandbox.\n"
            "\n"
            "Examples:\n"
            "  eryx info\n"
            "  eryx info --json | python3 -m json.tool\n"
            "  eryx info --verify --runtime ./runtime.cwasm   check a file's sha256 sums\n"
            "\n"
            "Options:\n"
            "  --json            one JSON object instead of text\n"
            "  --runtime FILE    look at this file; default $ERYX_RUNTIME, then the\n"
            "                    installed one\n"
            "  --verify          check the sha256 of all parts of the file (0.1 s)\n"
            "  -h, --help        this help\n",
    .run = run,
};
