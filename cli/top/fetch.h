/* One GET over HTTP, again and again: in the module that has libcurl. */
#ifndef ERYX_CLI_TOP_FETCH_H
#define ERYX_CLI_TOP_FETCH_H

#include <stddef.h>

struct fetch;

struct fetch_functions {
    /* token NULL: none. NULL on failure. */
    struct fetch *(*open)(const char *url, const char *token);
    /* The status, and *text until the next one; 0 with *text why there is no answer. */
    long (*get)(struct fetch *fetch, const char **text, size_t *length);
    void (*close)(struct fetch *fetch);
};

extern const struct fetch_functions fetch_functions;

#endif
