/* The prompt's own commands. A line that begins with % is never Python; `exit` and `quit` alone are
 * taken as what everyone means by them. */
#define _GNU_SOURCE
#include "magics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "../message.h"
#include "../suggest.h"

struct command {
    const char *name;
    const char *argument; /* its name; NULL: none */
    const char *help;
    enum magic (*run)(struct console *console, const char *argument);
};

static const struct command commands[];

/* --- Checkpoints -------------------------------------------------------------------------- */

static int save_file(struct console *console, void *argument, eryx_error_t *error)
{
    return eryx_sandbox_checkpoint_file(console->sandbox, NULL, argument, error);
}

static enum magic save(struct console *console, const char *path)
{
    eryx_error_t error = {0};
    struct stat info;
    if (console_call(console, save_file, (void *)path, &error) != ERYX_OK)
        message_error("not saved: %s", error.message);
    else if (stat(path, &info) == 0)
        printf("saved in %s, %.1f MiB\n", path, (double)info.st_size / (1 << 20));
    return MAGIC_DONE;
}

/* The session is replaced by another sandbox; what cannot be resumed leaves it as it was. */
static int load_file(struct console *console, void *argument, eryx_error_t *error)
{
    eryx_sandbox_t *sandbox;
    int status =
        eryx_sandbox_resume_file(console->runtime, argument, console->options, &sandbox, error);
    if (status != ERYX_OK)
        return status;
    eryx_sandbox_free(console->sandbox);
    console->sandbox = sandbox;
    /* A checkpoint of another program may have been taken in the middle of an await. */
    eryx_execution_free(eryx_sandbox_execution(sandbox));
    return ERYX_OK;
}

static enum magic load(struct console *console, const char *path)
{
    eryx_error_t error = {0};
    if (console_call(console, load_file, (void *)path, &error) != ERYX_OK)
        message_error("not loaded: %s", error.message);
    else
        printf("loaded %s\n", path);
    return MAGIC_DONE;
}

static int clear_session(struct console *console, void *argument, eryx_error_t *error)
{
    (void)argument;
    return eryx_sandbox_clear(console->sandbox, error);
}

static enum magic reset(struct console *console, const char *argument)
{
    eryx_error_t error = {0};
    (void)argument;
    if (console_call(console, clear_session, NULL, &error) != ERYX_OK)
        message_error("not cleared: %s", error.message);
    return MAGIC_DONE;
}

/* --- The others --------------------------------------------------------------------------- */

static enum magic memory(struct console *console, const char *argument)
{
    (void)argument;
    json_t *answer = console_ask(console, "memory", "", 0);
    json_t *names = json_object_get(answer, "names"), *item;
    size_t i;
    if (!answer) {
        message_error("the session gives no answer");
        return MAGIC_DONE;
    }
    printf("%" JSON_INTEGER_FORMAT " names; the largest, without what they refer to:\n",
           json_integer_value(json_object_get(answer, "count")));
    json_array_foreach(names, i, item)
    {
        const char *name = json_string_value(json_array_get(item, 0));
        const char *type = json_string_value(json_array_get(item, 1));
        printf("  %10" JSON_INTEGER_FORMAT "  %s (%s)\n",
               json_integer_value(json_array_get(item, 2)), name ? name : "?", type ? type : "?");
    }
    json_decref(answer);
    return MAGIC_DONE;
}

static enum magic help(struct console *console, const char *argument)
{
    (void)console;
    (void)argument;
    for (const struct command *c = commands; c->name; c++)
        printf("  %%%-5s %-8s %s\n", c->name, c->argument ? c->argument : "", c->help);
    fputs("  Tab completes, the arrow keys go through the history, Ctrl-R searches it.\n"
          "  Ctrl-C stops what is running, Ctrl-D ends. `await` works at the prompt.\n",
          stdout);
    return MAGIC_DONE;
}

static enum magic quit(struct console *console, const char *argument)
{
    (void)console;
    (void)argument;
    return MAGIC_QUIT;
}

static enum magic time_code(struct console *console, const char *argument)
{
    (void)console;
    (void)argument;
    return MAGIC_TIME;
}

static const struct command commands[] = {
    {"time", "CODE", "run it and say how long it took", time_code},
    {"mem", NULL, "the largest of the session's variables", memory},
    {"save", "FILE", "save the session: names, files, everything", save},
    {"load", "FILE", "replace the session by a saved one", load},
    {"reset", NULL, "forget everything", reset},
    {"help", NULL, "this list", help},
    {"quit", NULL, "end, as Ctrl-D", quit},
    {0},
};

static void unknown(const char *name, size_t length)
{
    const char *names[sizeof commands / sizeof *commands] = {0};
    char word[32];
    for (size_t i = 0; commands[i].name; i++)
        names[i] = commands[i].name;
    snprintf(word, sizeof word, "%.*s", (int)length, name);
    const char *nearest = suggest_name(word, names);
    if (nearest)
        message_error("unknown command %%%s; did you mean %%%s?", word, nearest);
    else
        message_error("unknown command %%%s; %%help lists them", word);
}

static enum magic run_command(struct console *console, const char *line, const char **code)
{
    size_t length = strcspn(line, " \t");
    const char *argument = line + length + strspn(line + length, " \t");
    for (const struct command *c = commands; c->name; c++) {
        if (strlen(c->name) != length || strncmp(c->name, line, length) != 0)
            continue;
        if (!c->argument != !*argument) {
            message_error(c->argument ? "%%%s needs %s" : "%%%s takes no argument%.0s", c->name,
                          c->argument ? c->argument : "");
            return MAGIC_DONE;
        }
        *code = argument;
        char *word = strdup(argument);
        if (!word)
            return MAGIC_DONE;
        word[strcspn(word, "\r\n")] = '\0';
        for (size_t end = strlen(word); end > 0 && strchr(" \t", word[end - 1]); end--)
            word[end - 1] = '\0';
        enum magic result = c->run(console, word);
        free(word);
        fflush(stdout);
        return result;
    }
    unknown(line, length);
    return MAGIC_DONE;
}

enum magic magic_run(struct console *console, const char *line, const char **code)
{
    static const char *const ends[] = {"exit", "quit", "exit()", "quit()", NULL};
    for (size_t i = 0; ends[i]; i++) {
        if (strcmp(line, ends[i]) == 0)
            return MAGIC_QUIT;
    }
    return *line == '%' ? run_command(console, line + 1, code) : MAGIC_NONE;
}
