/* `eryx repl`: options, and the sandbox, the signals and the editor that the prompt uses. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <eryx.h>

#include "../callbacks.h"
#include "../commands.h"
#include "../message.h"
#include "../package_options.h"
#include "../processes.h"
#include "../suggest.h"
#include "../values.h"
#include "console.h"
#include "editor.h"
#include "paint.h"
#include "prompt.h"

enum {
    OPTION_TIMEOUT = 256,
    OPTION_MEMORY,
    OPTION_ENV,
    OPTION_RUNTIME,
    OPTION_CALLBACKS,
    OPTION_COLOR,
    OPTION_NO_HISTORY
};

struct request {
    eryx_limits_t limits;
    const char **environ;
    size_t environ_count;
    const char *runtime_path;
    const char *callbacks_path;
    struct package_options packages;
    bool keep_history;
    enum paint_mode paint;
};

static const struct option options[] = {
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"memory", required_argument, NULL, OPTION_MEMORY},
    {"env", required_argument, NULL, OPTION_ENV},
    {"runtime", required_argument, NULL, OPTION_RUNTIME},
    {"callbacks", required_argument, NULL, OPTION_CALLBACKS},
    PACKAGES_OPTIONS,
    {"color", required_argument, NULL, OPTION_COLOR},
    {"no-history", no_argument, NULL, OPTION_NO_HISTORY},
    {"help", no_argument, NULL, 'h'},
    {0},
};

/* --- What the prompt needs ---------------------------------------------------------------- */

/* Makes the folders of a path below the home folder; what fails shows when the file is written. */
static char *history_path(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int length = -1;
    if (state && *state == '/')
        length = asprintf(&path, "%s/eryx/history", state);
    else if (home && *home == '/')
        length = asprintf(&path, "%s/.local/state/eryx/history", home);
    if (length < 0)
        return NULL;
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    return path;
}

static int take_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaddset(&set, numbers[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool open_console(struct console *console, const struct request *request,
                         const struct callbacks *callbacks)
{
    eryx_error_t error = {0};
    eryx_runtime_options_t runtime_options;
    eryx_runtime_options_init(&runtime_options);
    runtime_options.max_sandboxes = 4;
    eryx_packages_t *packages;
    if (package_options_load(&request->packages, &packages) != EXIT_OK)
        return false;
    runtime_options.packages = packages;
    int status =
        eryx_runtime_open(request->runtime_path, &runtime_options, &console->runtime, &error);
    eryx_packages_free(packages);
    if (status != ERYX_OK) {
        message_error("%s", error.message);
        return false;
    }
    eryx_sandbox_options_t *options = console->options;
    eryx_sandbox_options_init(options);
    options->limits = request->limits;
    options->limits.output_bytes = UINT64_MAX; /* nothing is kept: it goes through */
    options->environ = (const char *const *)request->environ;
    options->environ_count = request->environ_count;
    options->on_output = console_on_output;
    options->on_input = console_on_input;
    options->callbacks = callbacks->list;
    options->callback_count = callbacks->count;
    options->env = console;
    if (eryx_sandbox_new(console->runtime, options, &console->sandbox, &error) != ERYX_OK) {
        message_error("cannot make a sandbox: %s", error.message);
        return false;
    }
    return true;
}

static void greet(const struct console *console)
{
    eryx_runtime_info_t info = {.size = sizeof info};
    eryx_runtime_get_info(console->runtime, &info);
    printf("eryx %s, Python %s in a sandbox. %%help lists the prompt's own commands.\n",
           eryx_version(), info.python_version);
    fflush(stdout);
}

static int converse(const struct request *request, struct callbacks *callbacks)
{
    eryx_sandbox_options_t sandbox_options;
    struct console console = {.options = &sandbox_options,
                              .signal_fd = take_signals(),
                              .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    char *path = request->keep_history ? history_path() : NULL;
    int code = EXIT_FAILED;
    signal(SIGPIPE, SIG_IGN);
    if (console.signal_fd < 0 || console.stop_fd < 0) {
        message_error("cannot take signals: %s", strerror(errno));
    } else if (open_console(&console, request, callbacks) &&
               (callbacks->count == 0 || processes_start())) {
        struct editor_options editor = {path, console.signal_fd, &console.ended_by, prompt_complete,
                                        &console};
        console.editor = editor_new(&editor);
        if (!console.editor) {
            message_error("cannot read lines: %s", strerror(errno));
        } else {
            if (editor_is_terminal(console.editor))
                greet(&console);
            code = prompt_loop(&console, paint_wanted(request->paint));
        }
        editor_free(console.editor);
        processes_stop();
    }
    console_free(&console);
    free(path);
    return code;
}

/* --- The command -------------------------------------------------------------------------- */

static int set_color(struct request *request, const char *value)
{
    static const char *const names[] = {"auto", "always", "never"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(value, names[i]) == 0) {
            request->paint = (enum paint_mode)i;
            return EXIT_OK;
        }
    }
    return message_usage("repl", "--color %s: auto, always or never", value);
}

static int set_option(struct request *request, int option, const char *value)
{
    if (package_options_has(option))
        return package_options_set(&request->packages, option, value);
    switch (option) {
    case OPTION_TIMEOUT:
        return value_duration(value, &request->limits.wall_time_ns)
                   ? EXIT_OK
                   : message_usage("repl",
                                   "--timeout %s: a duration is needed, such as 10, 1.5s, "
                                   "2m, or none",
                                   value);
    case OPTION_MEMORY:
        return value_size(value, &request->limits.memory_bytes) &&
                       request->limits.memory_bytes <= UINT64_C(4) << 30
                   ? EXIT_OK
                   : message_usage("repl", "--memory %s: a size up to 4G is needed, such as 256M",
                                   value);
    case OPTION_ENV:
        if (!strchr(value, '=') || *value == '=' ||
            value_utf8_prefix(value, strlen(value)) != strlen(value))
            return message_usage("repl", "--env %s: NAME=VALUE in UTF-8 is needed", value);
        request->environ[request->environ_count++] = value;
        return EXIT_OK;
    case OPTION_CALLBACKS:
        request->callbacks_path = value;
        return EXIT_OK;
    case OPTION_COLOR:
        return set_color(request, value);
    case OPTION_NO_HISTORY:
        request->keep_history = false;
        return EXIT_OK;
    default:
        request->runtime_path = value;
        return EXIT_OK;
    }
}

/* Returns EXIT_OK, an exit code, or -1 for --help. */
static int parse_options(struct request *request, int argc, char **argv)
{
    opterr = 0;
    optind = 1;
    int option;
    while ((option = getopt_long(argc, argv, "+:r:h", options, NULL)) != -1) {
        if (option == 'h')
            return -1;
        if (option == '?' || option == ':')
            return suggest_option("repl", option, argv, options);
        int result = set_option(request, option, optarg);
        if (result != EXIT_OK)
            return result;
    }
    if (optind < argc)
        return message_usage("repl", "unexpected argument '%s'; 'eryx run' runs a program",
                             argv[optind]);
    return EXIT_OK;
}

static int run(int argc, char **argv)
{
    struct request request = {.environ = calloc((size_t)argc, sizeof(char *)),
                              .keep_history = true};
    if (!request.environ) {
        message_error("out of memory");
        return EXIT_FAILED;
    }
    eryx_limits_init(&request.limits);
    request.limits.wall_time_ns = 0; /* there is Ctrl-C */
    int result = parse_options(&request, argc, argv);
    if (result == -1) {
        result = command_help.run(2, (char *[]){"help", "repl", NULL});
    } else if (result == EXIT_OK) {
        struct callbacks callbacks = {0};
        if (request.callbacks_path &&
            !callbacks_read(request.callbacks_path, request.runtime_path, &callbacks))
            result = EXIT_USAGE;
        else
            result = converse(&request, &callbacks);
        callbacks_free(&callbacks);
    }
    free(request.environ);
    package_options_free(&request.packages);
    return result;
}

const struct command command_repl = {
    .name = "repl",
    .summary = "a Python prompt in a sandbox",
    .help =
        "Usage: eryx repl [options]\n"
        "\n"
        "A prompt for Python in a sandbox. Names stay from one input to the next; values of\n"
        "expressions are shown, and the last one is `_`; `await` works. Tab completes names,\n"
        "attributes, modules and files of the sandbox. Ctrl-C stops what is running.\n"
        "Without a terminal inputs are read from stdin and no prompt is shown.\n"
        "\n"
        "Examples:\n"
        "  eryx repl\n"
        "  eryx repl --timeout 10s --memory 256M\n"
        "  eryx repl --callbacks tools.json           with functions that run commands\n"
        "  printf '6 * 7\\n_ + 1\\n' | eryx repl        prints 42 and 43\n"
        "\n"
        "Commands of the prompt:\n"
        "  %time CODE         run it and say how long it took\n"
        "  %mem               the largest of the session's variables\n"
        "  %save FILE         save the session, with its files, in a file of this machine\n"
        "  %load FILE         replace the session by a saved one, of the same runtime file\n"
        "  %reset             forget everything\n"
        "  %help              this list\n"
        "  %quit              end, as Ctrl-D, exit and quit do\n"
        "\n"
        "Options:\n"
        "  --timeout TIME     stop each input after TIME: 10, 1.5s, 2m; default none\n"
        "  --memory SIZE      most memory of the sandbox; default 512M\n"
        "  --env NAME=VALUE   set a variable of os.environ; may be repeated\n"
        "  --callbacks FILE   functions that programs can call; see 'eryx help run'\n" PACKAGES_HELP
        "  --color WHEN       tracebacks in colour: auto (on a terminal, unless NO_COLOR is\n"
        "                     set), always, never\n"
        "  --no-history       neither read nor write the history, which is otherwise kept in\n"
        "                     $XDG_STATE_HOME/eryx/history (~/.local/state/eryx/history)\n"
        "  --runtime FILE     use this runtime.cwasm\n"
        "  -h, --help         this help\n"
        "\n"
        "Keys are those of emacs; ~/.editrc (see editrc(5)) changes them.\n",
    .run = run,
};
