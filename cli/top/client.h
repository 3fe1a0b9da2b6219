/* Asking a server what goes on in it: GET /v1/top. */
#ifndef ERYX_CLI_TOP_CLIENT_H
#define ERYX_CLI_TOP_CLIENT_H

#include <stdbool.h>

#include <jansson.h>

struct client;

/* url: "http://127.0.0.1:8080". token NULL: none. Prints its own message and returns NULL on failure. */
struct client *client_new(const char *url, const char *token);

/* {"server": {...}, "sandboxes": [...]}, both there and of these types, for the caller to release; NULL with a
 * text why in client_error. */
json_t *client_ask(struct client *client);
const char *client_error(const struct client *client);

void client_free(struct client *client);

#endif
