/* Who may ask: tokens, and the headers by which a browser's page would give itself away. */
#ifndef ERYX_CLI_SERVER_HTTP_GUARD_H
#define ERYX_CLI_SERVER_HTTP_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* Whether an Authorization header has the token. Takes the same time for all wrong ones of a
 * length. */
bool guard_token(const char *header, const char *token);

/* Whether a page of this origin may ask: one of this machine, or one of the list. NULL: no browser.
 */
bool guard_origin(const char *origin, char *const *allowed, size_t count);

/* Whether a Host header names this machine's loopback: one that does not belongs to a page that had
 * its name resolved to it. */
bool guard_host(const char *host);

/* Reads the token: from the file, else from ERYX_TOKEN. *token is for free(), NULL if there is
 * none. Prints its own message and returns false on failure. */
bool guard_read_token(const char *path, char **token);

/* A new token of 256 bits, for free(); NULL on failure. */
char *guard_new_token(void);

#endif
