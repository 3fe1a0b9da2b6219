/* The eryx command: finds the subcommand and hands over. Uses only <eryx.h>. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <eryx.h>

#include "commands.h"
#include "message.h"
#include "suggest.h"

const struct command *const commands[] = {
    &command_run, &command_resume, &command_session, &command_repl, &command_mcp,  &command_serve,
    &command_top, &command_image,  &command_info,    &command_sdk,  &command_help, NULL};

static const char *nearest_command(const char *name)
{
    const char *names[sizeof commands / sizeof *commands] = {0};
    for (size_t i = 0; commands[i]; i++)
        names[i] = commands[i]->name;
    return suggest_name(name, names);
}

const struct command *command_find(const char *name)
{
    for (const struct command *const *c = commands; *c; c++) {
        if (strcmp((*c)->name, name) == 0)
            return *c;
    }
    const char *nearest = nearest_command(name);
    size_t length = strlen(name);
    if (length > 3 && strcmp(name + length - 3, ".py") == 0)
        message_error("unknown command '%s'; did you mean 'eryx run %s'?", name, name);
    else if (nearest)
        message_error("unknown command '%s'; did you mean '%s'?", name, nearest);
    else
        message_error("unknown command '%s'; 'eryx --help' lists the commands", name);
    return NULL;
}

/* Without this, the first file opened would become stdin, stdout or stderr if the
 * caller closed one of them. */
static void fill_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
            /* The wrong direction on purpose: using the stream stays an error. */
            if (open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
                _exit(EXIT_FAILED);
        }
    }
}

static int unknown_option(const char *option)
{
    static const char *const names[] = {"--help", "--version", NULL};
    const char *nearest = suggest_name(option, names);
    if (nearest)
        message_error("unknown option '%s'; did you mean '%s'?", option, nearest);
    else
        message_error("unknown option '%s' before the command; options of a command follow it, "
                      "as in 'eryx run --timeout 1s FILE'",
                      option);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    fill_standard_streams();
    const char *first = argc > 1 ? argv[1] : NULL;
    if (!first) {
        message_error("no command; 'eryx --help' lists the commands");
        return EXIT_USAGE;
    }
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) {
        help_print_overview();
        return message_flush_stdout(EXIT_OK);
    }
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0) {
        printf("eryx %s\n", eryx_version());
        return message_flush_stdout(EXIT_OK);
    }
    if (first[0] == '-')
        return unknown_option(first);
    const struct command *command = command_find(first);
    return command ? command->run(argc - 1, argv + 1) : EXIT_USAGE;
}
