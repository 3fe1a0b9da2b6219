/* What of a sandbox's secrets concerns its host side: placeholders in the environment, values taken out of
 * everything that leaves. All of it does nothing for a sandbox without secrets. */
#ifndef SANDBOX_SCRUB_H
#define SANDBOX_SCRUB_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/sandbox.h"

/* The name of a secret, and what stands for it in a session. */
typedef struct placeholder {
    char *name, *text; /* from malloc */
} placeholder_t;

/* Registers options->secrets and puts the placeholders into sandbox->environ. Errors:
 * ERYX_ERR_ARGUMENT, _MEMORY. */
int scrub_setup(eryx_sandbox_t *sandbox, const eryx_sandbox_options_t *options,
                eryx_error_t *error);
/* Shares the secrets of another sandbox instead; options: whose environ gets the placeholders, NULL: the
 * sandbox's has them. Errors: ERYX_ERR_MEMORY. */
int scrub_share(eryx_sandbox_t *sandbox, const eryx_sandbox_t *like,
                const eryx_sandbox_options_t *options, eryx_error_t *error);
/* Gives the secrets the placeholders that they had in the session that this sandbox goes on with; those
 * it does not have are ignored. Before anything runs. Errors: ERYX_ERR_ARGUMENT, _MEMORY. */
int scrub_rename(eryx_sandbox_t *sandbox, const placeholder_t *items, size_t count,
                 eryx_error_t *error);
void scrub_teardown(eryx_sandbox_t *sandbox);

/* What of a piece of output may go on now, in *data and *length, valid until the next call. False when
 * out of memory. */
bool scrub_output(eryx_sandbox_t *sandbox, int stream, const char **data, size_t *length);
/* The rest, when nothing follows. */
bool scrub_output_end(eryx_sandbox_t *sandbox, int stream, const char **data, size_t *length);
/* Texts that are not to be changed where they are: copies, valid until the next call. False when out of
 * memory. */
bool scrub_pair(eryx_sandbox_t *sandbox, const char **first, size_t first_length,
                const char **second, size_t second_length);
/* Texts of an outcome, in place. */
void scrub_outcome(const eryx_sandbox_t *sandbox, eryx_outcome_t *outcome);

#endif
