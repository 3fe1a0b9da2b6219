/* `eryx session`: named sessions in a folder, each a checkpoint, kept between commands. A session is
 * locked while a command uses it. The folder is also one that `eryx serve --store` can use. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <eryx.h>

#include "commands.h"
#include "message.h"
#include "options.h"
#include "program.h"
#include "server/store.h"

enum { SESSION_NAME_MAX = 100 };

static const char name_characters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

static bool name_valid(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length <= SESSION_NAME_MAX && strspn(name, name_characters) == length;
}

static int check_name(const char *name)
{
    if (name_valid(name))
        return EXIT_OK;
    return message_usage("session", "'%.120s': a name has 1 to %d letters, digits, - and _", name,
                         SESSION_NAME_MAX);
}

/* $ERYX_SESSIONS, else where the XDG base directories keep state. False with a message. */
static bool find_folder(char *out, size_t capacity)
{
    const char *given = getenv("ERYX_SESSIONS"), *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int length;
    if (given && *given)
        length = snprintf(out, capacity, "%s", given);
    else if (state && *state == '/')
        length = snprintf(out, capacity, "%s/eryx/sessions", state);
    else if (home && *home == '/')
        length = snprintf(out, capacity, "%s/.local/state/eryx/sessions", home);
    else
        length = -1;
    if (length > 0 && (size_t)length < capacity)
        return true;
    message_error("there is no folder for sessions: set ERYX_SESSIONS or HOME");
    return false;
}

/* Makes the folders above it; the store makes the last one. */
static struct store *open_store(const char *folder)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", folder);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700); /* what is wrong with it the store will say */
        *slash = '/';
    }
    return store_open(folder);
}

static struct store_hold *take_session(struct store *store, const char *name)
{
    struct store_error error = {0};
    struct store_hold *hold = store_take(store, name, &error);
    if (!hold && error.cause == STORE_BUSY)
        message_error("session %s is in use by another process", name);
    else if (!hold)
        message_error("cannot lock session %s: %s", name, error.text);
    return hold;
}

/* --- exec --------------------------------------------------------------------------------- */

static int exec_in(struct program *program, const char *folder, struct store *store,
                   const char *name)
{
    char path[PATH_MAX];
    struct store_hold *hold = take_session(store, name);
    if (!hold)
        return EXIT_FAILED;
    int result = EXIT_FAILED;
    if ((size_t)snprintf(path, sizeof path, "%s/%s.session", folder, name) < sizeof path) {
        program->session_path = path;
        result = program_run(program);
        program->session_path = NULL;
    }
    store_release(hold);
    return result;
}

static int exec_program(struct program *program, int argc, char **argv, const char *folder,
                        struct store *store)
{
    const char *code, *name = argc > 1 ? argv[1] : NULL;
    if (name && (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0))
        return command_help.run(2, (char *[]){"help", "session", NULL});
    if (!name)
        return message_usage("session", "exec: give the session's NAME, then options");
    int result = check_name(name);
    if (result == EXIT_OK)
        result = options_parse("session", program, argc - 1, argv + 1, &code);
    if (result == -1)
        return command_help.run(2, (char *[]){"help", "session", NULL});
    if (result == EXIT_OK && program->checkpoint_path)
        result = message_usage("session", "--checkpoint: a session is kept at rest");
    if (result == EXIT_OK)
        result = options_program("session", program, argc - 1, argv + 1, code);
    if (result != EXIT_OK)
        return result;
    result = exec_in(program, folder, store, name);
    source_free(&program->source);
    return result;
}

static int run_exec(int argc, char **argv, const char *folder, struct store *store)
{
    struct program program;
    int result = options_begin(&program, argc) ? exec_program(&program, argc, argv, folder, store)
                                               : EXIT_FAILED;
    options_end(&program);
    return result;
}

/* --- list, rm, fork ----------------------------------------------------------------------- */

static int is_session(const struct dirent *entry)
{
    static const char suffix[] = ".session";
    size_t length = strlen(entry->d_name), end = sizeof suffix - 1;
    return length > end && strcmp(entry->d_name + length - end, suffix) == 0;
}

static void print_session(struct store *store, const char *name)
{
    struct store_mark mark;
    struct store_error error = {0};
    if (!store_look(store, name, &mark, &error))
        message_error("session %s: %s", name, error.text);
    time_t seconds = (time_t)mark.seconds;
    struct tm when;
    char text[32] = "";
    if (localtime_r(&seconds, &when))
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &when);
    printf("%-32s %8lld KiB  %s\n", name, (long long)((mark.size + 1023) / 1024), text);
}

static int run_list(int argc, char **argv, const char *folder, struct store *store)
{
    (void)argv;
    struct dirent **entries;
    if (argc > 1)
        return message_usage("session", "list takes no arguments");
    int count = scandir(folder, &entries, is_session, alphasort);
    if (count < 0) {
        message_error("cannot read %s: %s", folder, strerror(errno));
        return EXIT_FAILED;
    }
    for (int i = 0; i < count; i++) {
        *strrchr(entries[i]->d_name, '.') = '\0';
        if (name_valid(entries[i]->d_name))
            print_session(store, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return message_flush_stdout(EXIT_OK);
}

static bool exists(struct store *store, const char *name)
{
    struct store_mark none = {0}, mark;
    struct store_error error = {0};
    if (!store_look(store, name, &mark, &error)) {
        message_error("session %s: %s", name, error.text);
        return false;
    }
    if (!store_same(&mark, &none))
        return true;
    message_error("there is no session %s; 'eryx session list' tells which there are", name);
    return false;
}

static int run_rm(int argc, char **argv, const char *folder, struct store *store)
{
    (void)folder;
    int result = argc > 1 ? EXIT_OK : message_usage("session", "rm: give NAME ...");
    for (int i = 1; i < argc && result == EXIT_OK; i++)
        result = check_name(argv[i]);
    for (int i = 1; i < argc && result == EXIT_OK; i++) {
        struct store_error error = {0};
        struct store_hold *hold = exists(store, argv[i]) ? take_session(store, argv[i]) : NULL;
        if (!hold) {
            result = EXIT_FAILED;
        } else if (!store_remove(hold, &error)) {
            message_error("cannot remove session %s: %s", argv[i], error.text);
            result = EXIT_FAILED;
        }
        store_release(hold);
    }
    return result;
}

/* Both are taken. */
static int copy_session(struct store *store, const char *from, const char *to,
                        struct store_hold *hold)
{
    struct store_mark mark, there, none = {0};
    struct store_error error = {0};
    size_t length;
    void *data = NULL;
    bool copied = store_look(store, to, &there, &error);
    if (copied && !store_same(&there, &none)) {
        message_error("there is a session %s already", to);
        return EXIT_FAILED;
    }
    if (copied)
        data = store_read(store, from, SIZE_MAX - 1, &length, &mark, &error);
    copied = data && store_write(hold, data, length, &there, &error);
    if (!copied)
        message_error("cannot copy session %s: %s", from, error.text);
    free(data);
    return copied ? EXIT_OK : EXIT_FAILED;
}

static int run_fork(int argc, char **argv, const char *folder, struct store *store)
{
    (void)folder;
    if (argc != 3)
        return message_usage("session", "fork: give NAME and NEW_NAME");
    int result = check_name(argv[1]);
    if (result == EXIT_OK)
        result = check_name(argv[2]);
    if (result != EXIT_OK || !exists(store, argv[1]))
        return result == EXIT_OK ? EXIT_FAILED : result;
    bool same = strcmp(argv[1], argv[2]) == 0;
    struct store_hold *from = take_session(store, argv[1]);
    struct store_hold *to = from && !same ? take_session(store, argv[2]) : NULL;
    if (from && same)
        message_error("there is a session %s already", argv[2]);
    result = to ? copy_session(store, argv[1], argv[2], to) : EXIT_FAILED;
    store_release(to);
    store_release(from);
    return result;
}

/* ------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    int (*run)(int argc, char **argv, const char *folder, struct store *store);
} actions[] = {{"exec", run_exec}, {"list", run_list}, {"rm", run_rm}, {"fork", run_fork}};

static int run(int argc, char **argv)
{
    char folder[PATH_MAX - SESSION_NAME_MAX - 16];
    const char *name = argc > 1 ? argv[1] : NULL;
    if (name && (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0))
        return command_help.run(2, (char *[]){"help", "session", NULL});
    for (size_t i = 0; name && i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(name, actions[i].name) != 0)
            continue;
        struct store *store = find_folder(folder, sizeof folder) ? open_store(folder) : NULL;
        if (!store)
            return EXIT_FAILED;
        int result = actions[i].run(argc - 1, argv + 1, folder, store);
        store_close(store);
        return result;
    }
    return message_usage("session",
                         name ? "unknown action '%s': exec, list, rm or fork"
                              : "no action%s: exec, list, rm or fork",
                         name ? name : "");
}

const struct command command_session = {
    .name = "session",
    .summary = "named sessions, kept on disk between commands",
    .help =
        "Usage: eryx session exec NAME [options] -c CODE | FILE | -\n"
        "       eryx session list\n"
        "       eryx session rm NAME ...\n"
        "       eryx session fork NAME NEW_NAME\n"
        "\n"
        "exec runs code in the session NAME, which begins empty: variables, functions, imports\n"
        "and files stay for the next exec, today or tomorrow. Code that is stopped by a limit or\n"
        "crashes leaves the session as it was; an exception keeps what was done before it.\n"
        "A session is used by one command at a time.\n"
        "\n"
        "Examples:\n"
        "  eryx session exec work -c 'import json; data = json.loads(\"[1, 2]\")'\n"
        "  eryx session exec work -c 'data.append(3); print(data)'\n"
        "  eryx session fork work experiment\n"
        "  eryx session exec experiment --timeout 1s -c 'while True: data.append(0)'\n"
        "  eryx session exec work --result data -c ''\n"
        "  eryx session list\n"
        "\n"
        "Options and exit codes are those of 'eryx run' (see 'eryx help run').\n"
        "Sessions are files NAME.session in $ERYX_SESSIONS, else in\n"
        "$XDG_STATE_HOME/eryx/sessions or ~/.local/state/eryx/sessions. They belong to one\n"
        "build of the runtime: after an upgrade they are refused.\n",
    .run = run,
};
