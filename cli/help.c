/* `eryx help [COMMAND]`. */
#include <stdio.h>

#include "commands.h"
#include "message.h"

void help_print_overview(void)
{
    fputs("eryx runs Python you do not trust, in a sandbox.\n"
          "\n"
          "Usage: eryx COMMAND [options]\n"
          "\n"
          "Examples:\n"
          "  eryx run hello.py                          run a program\n"
          "  eryx run -c 'print(6 * 7)'                 run code from the command line\n"
          "  eryx run --stdin report.py < access.log    hand it data\n"
          "  eryx run --timeout 2s --memory 256M untrusted.py\n"
          "  eryx info                                  what is inside\n"
          "\n"
          "Commands:\n",
          stdout);
    for (const struct command *const *c = commands; *c; c++)
        printf("  %-8s %s\n", (*c)->name, (*c)->summary);
    fputs("\n"
          "Options:\n"
          "  -h, --help       this help\n"
          "  -V, --version    the version\n"
          "\n"
          "'eryx help COMMAND' tells more; 'eryx help run' also lists the exit codes.\n",
          stdout);
}

static int run(int argc, char **argv)
{
    if (argc > 2)
        return message_usage("help", "one command at a time");
    const char *name = argc == 2 ? argv[1] : NULL;
    if (!name) {
        help_print_overview();
        return message_flush_stdout(EXIT_OK);
    }
    const struct command *command = command_find(name);
    if (!command)
        return EXIT_USAGE;
    fputs(command->help, stdout);
    return message_flush_stdout(EXIT_OK);
}

const struct command command_help = {
    .name = "help",
    .summary = "explain a command",
    .help = "Usage: eryx help [COMMAND]\n"
            "\n"
            "Examples:\n"
            "  eryx help          all commands\n"
            "  eryx help run      one of them\n",
    .run = run,
};
