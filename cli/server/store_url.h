/* The place of a store on the network, as a URL gives it. */
#ifndef ERYX_CLI_SERVER_STORE_URL_H
#define ERYX_CLI_SERVER_STORE_URL_H

#include "store_types.h"

struct store_url {
    char *scheme, *user, *password, *host, *port, *path; /* decoded; NULL: not given */
    char *prefix, *ca, *endpoint, *region;               /* options; NULL: not given */
    uint64_t lease_ns, timeout_ns;
};

/* options: names that may be given besides lease and timeout, ended by NULL. False with an error
 * that never has the password. */
bool store_url_parse(const char *text, const char *const *options, struct store_url *out,
                     struct store_error *error);
void store_url_free(struct store_url *url);

/* A random name, that nobody else will have. */
bool store_random_token(char out[33], struct store_error *error);
/* Copies printable ASCII: what a server says is not to be trusted with a terminal. */
void store_printable(char *out, size_t capacity, const char *text, size_t length);

store_open_t store_open_redis, store_open_s3;

#endif
