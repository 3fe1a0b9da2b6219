/* The eryx command: its subcommands and exit codes.
 *
 * A subcommand is one file with one `struct command`; main.c holds the table.
 * The exit codes are public (eryx help exit-codes) and tested in tests/cli. */
#ifndef ERYX_CLI_COMMANDS_H
#define ERYX_CLI_COMMANDS_H

enum exit_code {
    EXIT_OK = 0,
    EXIT_EXCEPTION = 1,  /* uncaught Python exception */
    EXIT_USAGE = 2,      /* wrong options, or a program that cannot be read */
    EXIT_WAITING = 75,   /* it waits, and was written to a file: EX_TEMPFAIL of sysexits.h */
    EXIT_LIMIT = 124,    /* a limit, as timeout(1) does */
    EXIT_FAILED = 125,   /* eryx itself failed */
    EXIT_CRASHED = 126,  /* the interpreter crashed or aborted */
    EXIT_INTERRUPT = 130 /* Ctrl-C: 128 + SIGINT */
};

struct command {
    const char *name;
    const char *summary; /* one line of `eryx --help` */
    const char *help;    /* all of `eryx help NAME` */
    /* argv[0] is the subcommand's name. Returns the exit code of the process. */
    int (*run)(int argc, char **argv);
};

extern const struct command command_run;
extern const struct command command_resume;
extern const struct command command_session;
extern const struct command command_repl;
extern const struct command command_mcp;
extern const struct command command_serve;
extern const struct command command_top;
extern const struct command command_image;
extern const struct command command_info;
extern const struct command command_sdk;
extern const struct command command_help;

/* All subcommands in the order of the help, ended by NULL. */
extern const struct command *const commands[];

/* NULL if there is none of that name. */
const struct command *command_find(const char *name);

/* The text of `eryx --help`. */
void help_print_overview(void);

#endif
