/* The program to run: read from a file, stdin or the command line, and checked. */
#ifndef ERYX_CLI_SOURCE_H
#define ERYX_CLI_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

struct source {
    const char *name; /* for tracebacks: the path, "<string>" or "<stdin>" */
    const char *text; /* UTF-8 without byte order mark */
    size_t length;
    char *memory; /* what source_free frees; NULL if nothing */
};

/* Each prints its own message and returns false on failure. */
bool source_from_file(const char *path, struct source *out);
bool source_from_stdin(struct source *out);
/* code is borrowed. */
bool source_from_argument(const char *code, struct source *out);

void source_free(struct source *source);

#endif
