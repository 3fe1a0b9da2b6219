/* The file of `eryx run --callbacks`. */
#ifndef ERYX_CLI_CALLBACKS_H
#define ERYX_CLI_CALLBACKS_H

#include <stdbool.h>
#include <stddef.h>

#include <eryx.h>

#include "processes.h"

struct callbacks {
    eryx_callback_t *list; /* for eryx_sandbox_options_t */
    size_t count;
    struct process_command *commands;
    struct json_t *json; /* what the two point into */
};

/* `runtime_path` as for eryx_runtime_open: TOML is read in a sandbox. Prints its own message and
 * returns false on failure. */
bool callbacks_read(const char *path, const char *runtime_path, struct callbacks *out);

void callbacks_free(struct callbacks *callbacks);

#endif
