/* A subcommand of eryx-build. Each lives in a folder of its own and is listed in the table in
 * main.c. */
#ifndef TOOLCHAIN_COMMAND_H
#define TOOLCHAIN_COMMAND_H

/* What main returns, and every run function. */
enum command_result {
    COMMAND_OK = 0,
    COMMAND_FAILED = 1, /* the step could not do its work; the error has been printed */
    COMMAND_USAGE = 2   /* wrong arguments; the error has been printed */
};

struct command {
    const char *name;
    const char *summary; /* one line for eryx-build --help */
    /* argv[0] is the command's name, so that getopt_long can be used as in main. */
    int (*run)(int argc, char **argv);
};

#endif
