/* Decisions. Rules are few, so each decision walks them all. */
#define _GNU_SOURCE
#include "net/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static const char *const options_of[] = {
    [NET_TCP] = "",
    [NET_UDP] = "udp:",
    [NET_LISTEN] = "listen:",
};

__attribute__((format(printf, 2, 3))) static bool refuse(char *reason, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, NET_REASON_MAX, format, arguments);
    va_end(arguments);
    return false;
}

/* --- Matching ----------------------------------------------------------------------------- */

static bool matches_port(const net_rule_t *rule, uint16_t port) {
    return rule->port_low <= port && port <= rule->port_high;
}

static bool matches_name(const net_rule_t *rule, const char *name) {
    if (rule->kind == NET_RULE_NAME)
        return strcmp(rule->name, name) == 0;
    if (rule->kind != NET_RULE_BELOW)
        return false;
    size_t length = strlen(name), tail = strlen(rule->name);
    return length > tail + 1 && name[length - tail - 1] == '.' &&
           strcmp(name + length - tail, rule->name) == 0;
}

static bool matches_any_name(const net_rule_t *rule, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (matches_name(rule, names[i]))
            return true;
    return false;
}

static bool is_local(net_range_t range) {
    return range == NET_RANGE_LOOPBACK || range == NET_RANGE_PRIVATE ||
           range == NET_RANGE_LINK_LOCAL;
}

/* Whether a rule that names the address grants it, its part of the address space included. */
static bool grants_literally(const net_rule_t *rule, const net_address_t *address,
                             net_range_t range) {
    if (rule->kind != NET_RULE_RANGE || !net_address_in(address, &rule->base, rule->prefix))
        return false;
    return range == NET_RANGE_PUBLIC || (rule->whole && rule->range == range);
}

bool net_policy_grants(const net_policy_t *policy, net_protocol_t protocol) {
    for (size_t i = 0; i < policy->allow_count; i++)
        if (policy->allow[i].protocols & protocol)
            return true;
    return false;
}

/* --- Names -------------------------------------------------------------------------------- */

bool net_policy_name(const net_policy_t *policy, const char *name, char *reason) {
    for (size_t i = 0; i < policy->deny_count; i++) {
        const net_rule_t *rule = &policy->deny[i];
        bool all = rule->port_low == 0 && rule->port_high == UINT16_MAX &&
                   (rule->protocols & NET_TCP) && (rule->protocols & NET_UDP);
        if (all && (rule->kind == NET_RULE_ANY || matches_name(rule, name)))
            return refuse(reason, "the name %s is denied (--deny-net, eryx_net_options_t.deny)",
                          name);
    }
    for (size_t i = 0; i < policy->allow_count; i++) {
        const net_rule_t *rule = &policy->allow[i];
        if ((rule->protocols & (NET_TCP | NET_UDP)) &&
            (rule->kind == NET_RULE_ANY || matches_name(rule, name)))
            return true;
    }
    return refuse(reason,
                  "no permission for the host %s: grant it with --allow-net %s "
                  "(eryx_net_options_t.allow)",
                  name, name);
}

static bool denied(const net_policy_t *policy, unsigned protocols, const net_address_t *address,
                   bool any_port, const char *const *names, size_t count, char *reason) {
    char text[NET_ADDRESS_TEXT];
    for (size_t i = 0; i < policy->deny_count; i++) {
        const net_rule_t *rule = &policy->deny[i];
        if ((rule->protocols & protocols) != protocols)
            continue;
        if (any_port ? rule->port_low != 0 || rule->port_high != UINT16_MAX
                     : !matches_port(rule, address->port))
            continue;
        if (rule->kind == NET_RULE_ANY || matches_any_name(rule, names, count) ||
            (rule->kind == NET_RULE_RANGE && net_address_in(address, &rule->base, rule->prefix))) {
            net_address_format(address, !any_port, text);
            refuse(reason, "%s is denied (--deny-net, eryx_net_options_t.deny)", text);
            return true;
        }
    }
    return false;
}

bool net_policy_resolved(const net_policy_t *policy, const char *name, const net_address_t *address,
                         char *reason) {
    char text[NET_ADDRESS_TEXT];
    net_range_t range = net_address_range(address);
    net_address_format(address, false, text);
    if (denied(policy, NET_TCP | NET_UDP, address, true, NULL, 0, reason))
        return false;
    if (range == NET_RANGE_PUBLIC || (policy->local && is_local(range)))
        return true;
    for (size_t i = 0; i < policy->allow_count; i++)
        if (grants_literally(&policy->allow[i], address, range))
            return true;
    return refuse(reason,
                  "%s resolves to %s, which is %s: it takes --allow-net %s%s "
                  "(eryx_net_options_t.allow%s)",
                  name, text, net_range_name(range), text,
                  is_local(range) ? " or --allow-net-local" : "",
                  is_local(range) ? " or .allow_local" : "");
}

/* --- Addresses ---------------------------------------------------------------------------- */

static const char *verb_of(net_protocol_t protocol) {
    switch (protocol) {
    case NET_UDP:
        return "UDP to";
    case NET_LISTEN:
        return "listening on";
    default:
        return "connecting to";
    }
}

static bool grants(const net_policy_t *policy, const net_rule_t *rule, const net_address_t *address,
                   net_range_t range, const char *const *names, size_t count) {
    if (grants_literally(rule, address, range))
        return true;
    if (rule->kind == NET_RULE_ANY && range == NET_RANGE_PUBLIC)
        return true;
    if (range != NET_RANGE_PUBLIC && !(policy->local && is_local(range)))
        return false;
    /* `*` and a name that resolved here: local addresses only through a name. */
    return (rule->kind == NET_RULE_ANY && count > 0) || matches_any_name(rule, names, count);
}

bool net_policy_address(const net_policy_t *policy, net_protocol_t protocol,
                        const net_address_t *address, const char *const *names, size_t count,
                        char *reason) {
    char text[NET_ADDRESS_TEXT];
    net_range_t range = net_address_range(address);
    net_address_format(address, true, text);
    if (protocol != NET_LISTEN && range == NET_RANGE_UNSPECIFIED)
        return refuse(reason, "%s %s is never permitted: %s means this machine", verb_of(protocol),
                      text, net_range_name(range));
    if (range == NET_RANGE_TRANSLATED)
        return refuse(reason, "%s %s is never permitted: %s hides where it goes", verb_of(protocol),
                      text, net_range_name(range));
    if (denied(policy, protocol, address, false, names, count, reason))
        return false;
    for (size_t i = 0; i < policy->allow_count; i++) {
        const net_rule_t *rule = &policy->allow[i];
        if ((rule->protocols & protocol) && matches_port(rule, address->port) &&
            grants(policy, rule, address, range, names, count))
            return true;
    }
    const char *option = options_of[protocol];
    if (range != NET_RANGE_PUBLIC)
        return refuse(reason,
                      "no permission for %s %s, %s: grant it with --allow-net %s%s "
                      "(eryx_net_options_t.allow)",
                      verb_of(protocol), text, net_range_name(range), option, text);
    return refuse(reason,
                  "no permission for %s %s: grant it with --allow-net %s%s "
                  "(eryx_net_options_t.allow)",
                  verb_of(protocol), text, option, text);
}
