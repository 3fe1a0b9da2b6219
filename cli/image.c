/* `eryx image`: runtime files of one's own, in which modules are imported and names defined already. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <eryx.h>

#include "commands.h"
#include "message.h"
#include "mount_options.h"
#include "package_options.h"
#include "progress.h"
#include "report.h"
#include "source.h"
#include "suggest.h"
#include "values.h"

enum { OPTION_CODE = 256, OPTION_TIMEOUT, OPTION_MOUNT, OPTION_RUNTIME, CODES_MAX = 100 };

static const struct option options_list[] = {
    {"output", required_argument, NULL, 'o'},
    {"code", required_argument, NULL, OPTION_CODE},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"mount", required_argument, NULL, OPTION_MOUNT},
    PACKAGES_OPTIONS,
    {"runtime", required_argument, NULL, OPTION_RUNTIME},
    {"help", no_argument, NULL, 'h'},
    {0},
};

struct build {
    const char *output, *runtime_path;
    const char *codes[CODES_MAX];
    size_t code_count;
    uint64_t timeout_ns;
    struct mount_options mounts;
    struct package_options packages;
};

static int set_option(struct build *build, int option, char *value)
{
    if (package_options_has(option))
        return package_options_set(&build->packages, option, value);
    switch (option) {
    case 'o':
        build->output = value;
        return EXIT_OK;
    case OPTION_CODE:
        if (build->code_count == CODES_MAX)
            return message_usage("image", "--code: at most %d files", CODES_MAX);
        build->codes[build->code_count++] = value;
        return EXIT_OK;
    case OPTION_TIMEOUT:
        if (value_duration(value, &build->timeout_ns))
            return EXIT_OK;
        return message_usage("image", "--timeout %s: a duration is needed, such as 10s or none",
                             value);
    case OPTION_MOUNT:
        return mount_options_add(&build->mounts, false, value);
    default:
        build->runtime_path = value;
        return EXIT_OK;
    }
}

/* EXIT_OK, an exit code, or -1 for --help. */
static int parse(struct build *build, int argc, char **argv)
{
    opterr = 0;
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, "+:o:r:h", options_list, NULL)) != -1;) {
        if (option == 'h')
            return -1;
        int result = option == '?' || option == ':'
                         ? suggest_option("image", option, argv, options_list)
                         : set_option(build, option, optarg);
        if (result != EXIT_OK)
            return result;
    }
    if (optind < argc)
        return message_usage("image", "'%s': give files with --code", argv[optind]);
    if (!build->output)
        return message_usage("image", "no output: give -o FILE");
    if (build->code_count == 0 && build->packages.count == 0)
        return message_usage("image", "nothing to run: give --code FILE, or --package");
    return EXIT_OK;
}

static void on_output(void *env, eryx_stream_t stream, const char *data, size_t length)
{
    (void)env;
    progress_hide();
    fwrite(data, 1, length, stream == ERYX_STDOUT ? stdout : stderr);
}

/* Runs one file in the session. An exception is told as `eryx run` tells it. */
static int run_code(eryx_sandbox_t *sandbox, const char *path)
{
    struct source source;
    eryx_outcome_t *outcome;
    eryx_error_t error;
    eryx_execute_options_t options;
    if (!source_from_file(path, &source))
        return EXIT_USAGE;
    eryx_execute_options_init(&options);
    options.filename = source.name;
    int status =
        eryx_sandbox_execute(sandbox, source.text, source.length, &options, &outcome, &error);
    source_free(&source);
    if (status != ERYX_OK) {
        message_error("cannot run %s: %s", path, error.message);
        return EXIT_FAILED;
    }
    progress_hide();
    fflush(stdout);
    int code = report_text(outcome, NULL, 0);
    if (code == EXIT_OK && eryx_outcome_kind(outcome) != ERYX_OUTCOME_OK) {
        message_error("%s ended by exit: no image was made", path);
        code = EXIT_EXCEPTION;
    }
    eryx_outcome_free(outcome);
    return code;
}

static int build_in(const struct build *build, eryx_sandbox_t *sandbox)
{
    eryx_error_t error;
    int result = EXIT_OK;
    for (size_t i = 0; i < build->code_count && result == EXIT_OK; i++) {
        progress_step(i + 1, "running", build->codes[i]);
        result = run_code(sandbox, build->codes[i]);
    }
    if (result != EXIT_OK)
        return result;
    progress_step(build->code_count + 1, "writing", build->output);
    int status = eryx_image_build(sandbox, build->output, &error);
    progress_hide();
    if (status == ERYX_OK)
        return EXIT_OK;
    message_error("no image was made: %s", error.message);
    return EXIT_FAILED;
}

static int build_image(const struct build *build)
{
    eryx_runtime_t *runtime;
    eryx_sandbox_t *sandbox;
    eryx_error_t error;
    eryx_sandbox_options_t options;
    eryx_runtime_options_t runtime_options;
    eryx_packages_t *packages;
    int result = package_options_load(&build->packages, &packages);
    if (result != EXIT_OK)
        return result;
    progress_begin(build->code_count + 1);
    eryx_runtime_options_init(&runtime_options);
    runtime_options.packages = packages;
    int status = eryx_runtime_open(build->runtime_path, &runtime_options, &runtime, &error);
    eryx_packages_free(packages);
    if (status != ERYX_OK) {
        message_error("%s", error.message);
        return EXIT_FAILED;
    }
    result = EXIT_FAILED;
    eryx_sandbox_options_init(&options);
    options.limits.wall_time_ns = build->timeout_ns;
    options.on_output = on_output;
    options.mounts = build->mounts.list;
    options.mount_count = build->mounts.count;
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) == ERYX_OK) {
        result = build_in(build, sandbox);
        eryx_sandbox_free(sandbox);
    } else {
        message_error("cannot make a sandbox: %s", error.message);
    }
    eryx_runtime_free(runtime);
    return message_flush_stdout(result);
}

static int run(int argc, char **argv)
{
    struct build build = {.timeout_ns = UINT64_C(60000000000)};
    const char *action = argc > 1 ? argv[1] : "";
    int result = -1;
    if (strcmp(action, "build") == 0)
        result = parse(&build, argc - 1, argv + 1);
    else if (strcmp(action, "--help") != 0 && strcmp(action, "-h") != 0)
        result = message_usage(
            "image", *action ? "unknown action '%s': build" : "no action%s: build", action);
    if (result == -1)
        result = command_help.run(2, (char *[]){"help", "image", NULL});
    else if (result == EXIT_OK)
        result = build_image(&build);
    progress_end();
    mount_options_free(&build.mounts);
    package_options_free(&build.packages);
    return result;
}

const struct command command_image = {
    .name = "image",
    .summary = "make a runtime file in which modules are imported already",
    .help =
        "Usage: eryx image build -o OUTPUT [--code FILE ...] [--package PATH ...] [options]\n"
        "\n"
        "Runs the files one after the other in a sandbox and writes what it is then as a runtime\n"
        "file: sandboxes of OUTPUT begin with these modules imported, names defined and files\n"
        "made, native extensions loaded and packages\n"
        "there, as fast as those of the installed runtime. `random` and what uses it are seeded\n"
        "anew in every sandbox. At most 256 MiB of memory can be used.\n"
        "\n"
        "Examples:\n"
        "  echo 'import statistics, sqlite3; table = {n: n * n for n in range(1000)}' > warm.py\n"
        "  eryx image build -o warm.cwasm --code warm.py\n"
        "  eryx run --runtime warm.cwasm -c 'print(table[12])'\n"
        "  eryx image build -o web.cwasm -r requirements.txt --code warm.py\n"
        "  ERYX_RUNTIME=warm.cwasm eryx run program.py\n"
        "\n"
        "Options:\n"
        "  -o, --output FILE  the runtime file to make; replaced when it is complete\n"
        "  --code FILE        a program to run; may be repeated\n" PACKAGES_HELP
        "  --mount SOURCE:TARGET[:MODE]   as of 'eryx run', while these run\n"
        "  --timeout TIME     of each program; default 60s\n"
        "  --runtime FILE     the runtime file to begin with; default as of 'eryx run'\n"
        "  -h, --help         this help\n"
        "\n"
        "Exit codes: 1 a program raised an exception, 2 wrong options, 124 a limit, 125 the file\n"
        "cannot be written. OUTPUT is then as it was.\n",
    .run = run,
};
