/* TOML files of the command. */
#ifndef ERYX_CLI_TOML_H
#define ERYX_CLI_TOML_H

#include <stdbool.h>
#include <stddef.h>

struct json_t;

/* Whether a file is TOML: its name says so. */
bool toml_is_name(const char *path);

/* What a TOML text says, as JSON; the caller drops it by json_decref. `path` is for messages,
 * `runtime_path` as for eryx_runtime_open. Prints its own message and returns NULL on failure. */
struct json_t *toml_read(const char *path, const char *text, size_t length,
                         const char *runtime_path);

#endif
