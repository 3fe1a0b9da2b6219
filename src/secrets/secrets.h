/* The secrets of one sandbox: values the host registered, and the placeholders that Python sees.
 *
 * A placeholder has its value's shape: the same length, each letter or digit (and - _ .) replaced by
 * a random letter or digit, everything else kept. So a text and the same text with the value in it have
 * the same length, raw or encoded (base64, hex, percent, JSON, HTML, repr): nothing that counts bytes
 * (Content-Length, chunk sizes, TLS records) has to be changed when one replaces the other.
 * Immutable after secrets_new. */
#ifndef SECRETS_SECRETS_H
#define SECRETS_SECRETS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>
#include <eryx/secret.h>

#include "secrets/matcher.h"

#define SECRETS_MAX 64           /* of one sandbox */
#define SECRET_VALUE_MAX 16384   /* bytes */
#define SECRET_RANDOM_MIN 8      /* letters and digits that a value must have */
#define SECRETS_VALUES_MAX 65536 /* bytes of all values together */

typedef struct secret {
    char *name, *value, *placeholder; /* from malloc */
    size_t length;                    /* of value and placeholder */
    char **hosts;                     /* lower case; one allocation */
    size_t host_count;
    bool cleartext;
} secret_t;

typedef struct secrets {
    atomic_uint references;
    secret_t *items;
    size_t count;
    matcher_t *insert; /* placeholders, to be replaced by values */
    matcher_t *scrub;  /* values, to be replaced by placeholders */
} secrets_t;

/* Errors: ERYX_ERR_ARGUMENT (the message says which secret and why; never a value), _MEMORY. *out is
 * NULL for no secrets. */
int secrets_new(const eryx_secret_t *items, size_t count, secrets_t **out, eryx_error_t *error);
/* Gives a secret, if there is one of that name, the placeholder that it had elsewhere; secrets_rebuild is
 * to follow. Before anyone else uses the set. False: it has not the value's length and shape. */
bool secrets_take_placeholder(secrets_t *secrets, const char *name, const char *placeholder);
/* False when out of memory. */
bool secrets_rebuild(secrets_t *secrets);

/* For one more owner, who calls secrets_free, too. NULL is allowed. */
secrets_t *secrets_share(secrets_t *secrets);
/* After the last owner's call the values are wiped. NULL is allowed. */
void secrets_free(secrets_t *secrets);

/* Which secrets may go to this host (a name or an address literal, any case): bit i for items[i].
 * encrypted: the peer has proved by a certificate that it is this host. secrets may be NULL. */
uint64_t secrets_allowed(const secrets_t *secrets, const char *host, bool encrypted);

/* Replaces the values in a whole text, in place; whether there were any. secrets and text may be
 * NULL. */
bool secrets_scrub(const secrets_t *secrets, char *text, size_t length);

/* Replaces whole values in a piece of something, in place; what may belong to one that begins or ends
 * elsewhere stays. False: out of memory. */
bool secrets_scrub_piece(const secrets_t *secrets, char *text, size_t length);
/* How many bytes around a piece may belong to a value that lies partly in it. */
size_t secrets_span(const secrets_t *secrets);

/* Whether a pattern can be a host of a secret: "api.example.org", "*.example.org", an address literal. */
bool secret_host_valid(const char *pattern);
/* Whether a host is meant by the pattern; both in lower case. */
bool secret_host_matches(const char *pattern, const char *host);

#endif
