/* "Did you mean": the nearest of some names. */
#ifndef ERYX_CLI_SUGGEST_H
#define ERYX_CLI_SUGGEST_H

#include <getopt.h>

/* The one of names (ended by NULL) nearest to word, NULL if none is near. */
const char *suggest_name(const char *word, const char *const *names);

/* Reports what getopt_long refused: result is '?' or ':', argv as given to it.
 * Returns EXIT_USAGE. */
int suggest_option(const char *command, int result, char **argv, const struct option *options);

#endif
