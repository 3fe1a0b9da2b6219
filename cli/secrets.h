/* --secret NAME[=VALUE|@FILE]:HOST[,HOST], --secret-cleartext NAME, --tls-ca FILE. */
#ifndef ERYX_CLI_SECRETS_H
#define ERYX_CLI_SECRETS_H

#include <stddef.h>

#include <eryx.h>

struct secret_options {
    eryx_secret_t *list; /* each owns its strings */
    size_t count;
    char *authorities; /* PEM; NULL: none */
};

/* Add what an option says; `option` is wiped where it has a value in it, since anyone may read the
 * command line. EXIT_OK, or another exit code after a message. */
int secret_options_add(struct secret_options *secrets, char *option);
int secret_options_cleartext(struct secret_options *secrets, const char *name);
int secret_options_authorities(struct secret_options *secrets, const char *path);
/* Wipes the values. */
void secret_options_free(struct secret_options *secrets);

#endif
