/* What `eryx run`, `resume` and `session exec` are told on the command line. */
#ifndef ERYX_CLI_OPTIONS_H
#define ERYX_CLI_OPTIONS_H

#include <stdbool.h>

#include "program.h"

/* Defaults; argc bounds how many values there can be. Afterwards options_end, also if it fails. */
bool options_begin(struct program *program, int argc);
void options_end(struct program *program);

/* Reads options up to what is none, at optind. *code is the CODE of -c, NULL without. Returns
 * EXIT_OK, an exit code, or -1 for --help. argv[0] is ignored. */
int options_parse(const char *command, struct program *program, int argc, char **argv,
                  const char **code);

/* Reads the program that follows the options (FILE, CODE or stdin) and its arguments. EXIT_OK, then
 * source_free is to follow, or an exit code. */
int options_program(const char *command, struct program *program, int argc, char **argv,
                    const char *code);

#endif
