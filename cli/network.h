/* The network of `eryx run`: --allow-net and its kin, and the log of attempts. */
#ifndef ERYX_CLI_NETWORK_H
#define ERYX_CLI_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include <eryx.h>

struct network {
    bool wanted;                         /* any option of the network was given */
    const char **allow, **deny, **names; /* of argv */
    size_t allow_count, deny_count, name_count;
    bool allow_local;
    const char *log_path; /* NULL: none */
};

/* Room for as many options as there are arguments. False when out of memory. */
bool network_init(struct network *net, int argc);
void network_free(struct network *net);

/* Take an option's value; EXIT_OK or an exit code, after a message. */
int network_add_rule(struct network *net, bool deny, const char *rule);
int network_add_name(struct network *net, const char *value);

/* Opens the log. Prints its own message and returns false on failure. */
bool network_begin(const struct network *net);
/* False, after a message, if the log could not be written. */
bool network_finish(void);
/* Fills options; net must live until the sandbox is made and as long as it. */
void network_options(const struct network *net, eryx_net_options_t *options);

#endif
