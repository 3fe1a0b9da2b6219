/* The public options of the network. */
#define _GNU_SOURCE
#include <eryx/net.h>

#include "base/error.h"
#include "net/policy.h"

void eryx_net_options_init(eryx_net_options_t *options) {
    *options = (eryx_net_options_t){.size = sizeof *options};
}

int eryx_net_check_rule(const char *rule, bool deny, eryx_error_t *error) {
    net_policy_t policy = {0};
    if (!rule)
        return error_set(error, ERYX_ERR_ARGUMENT, "rule is NULL");
    int status = net_policy_add(&policy, deny, &rule, 1, error);
    net_policy_free(&policy);
    return status;
}
