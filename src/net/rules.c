/* The text of rules: [tcp:|udp:|listen:]HOST[:PORT]. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "net/policy.h"

/* A piece of the rule's text. */
struct piece {
    const char *text;
    size_t length;
};

static int bad(const char *rule, const char *why, eryx_error_t *error) {
    return error_set(error, ERYX_ERR_ARGUMENT, "network rule '%.80s': %s", rule, why);
}

static bool take_prefix(struct piece *rest, const char *word) {
    size_t length = strlen(word);
    if (rest->length < length || memcmp(rest->text, word, length) != 0)
        return false;
    rest->text += length;
    rest->length -= length;
    return true;
}

/* Decimal without sign or leading zeros, at most max. */
static bool parse_number(struct piece piece, unsigned max, unsigned *out) {
    unsigned value = 0;
    if (piece.length == 0 || piece.length > 5 || (piece.length > 1 && piece.text[0] == '0'))
        return false;
    for (size_t i = 0; i < piece.length; i++) {
        if (piece.text[i] < '0' || piece.text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(piece.text[i] - '0');
    }
    *out = value;
    return value <= max;
}

static bool parse_ports(struct piece piece, net_rule_t *out) {
    unsigned low, high;
    if (piece.length == 1 && piece.text[0] == '*')
        return true;
    const char *dash = memchr(piece.text, '-', piece.length);
    size_t first = dash ? (size_t)(dash - piece.text) : piece.length;
    if (!parse_number((struct piece){piece.text, first}, UINT16_MAX, &low))
        return false;
    high = low;
    if (dash &&
        !parse_number((struct piece){dash + 1, piece.length - first - 1}, UINT16_MAX, &high))
        return false;
    out->port_low = (uint16_t)low;
    out->port_high = (uint16_t)high;
    return low <= high;
}

/* Splits HOST[:PORT]; brackets are taken off. False: brackets that do not match. */
static bool split(struct piece all, struct piece *host, struct piece *port) {
    *host = all;
    *port = (struct piece){NULL, 0};
    if (all.length > 0 && all.text[0] == '[') {
        const char *end = memchr(all.text, ']', all.length);
        if (!end)
            return false;
        *host = (struct piece){all.text + 1, (size_t)(end - all.text) - 1};
        size_t rest = all.length - host->length - 2;
        if (rest > 0 && end[1] != ':')
            return false;
        if (rest > 0)
            *port = (struct piece){end + 2, rest - 1};
        return memchr(host->text, ':', host->length) != NULL;
    }
    const char *first = memchr(all.text, ':', all.length);
    const char *last = memrchr(all.text, ':', all.length);
    if (first && first == last) { /* two colons: an IPv6 address without a port */
        host->length = (size_t)(first - all.text);
        *port = (struct piece){first + 1, all.length - host->length - 1};
    }
    return true;
}

static int parse_range(const char *rule, struct piece host, net_rule_t *out, eryx_error_t *error) {
    char name[NET_NAME_MAX + 1];
    const char *why;
    const char *slash = memchr(host.text, '/', host.length);
    size_t length = slash ? (size_t)(slash - host.text) : host.length;
    if (net_host_parse(host.text, length, &out->base, name, &why) != NET_HOST_ADDRESS)
        return bad(rule, "what stands before '/' is not an address", error);
    unsigned bits = out->base.family == 4 ? 32 : 128;
    out->kind = NET_RULE_RANGE;
    out->prefix = bits;
    if (slash &&
        !parse_number((struct piece){slash + 1, host.length - length - 1}, bits, &out->prefix))
        return bad(rule, "the number after '/' is not the length of a prefix", error);
    for (unsigned i = out->prefix; i < bits; i++)
        if (out->base.bytes[i / 8] & (0x80u >> (i % 8)))
            return bad(rule, "the address has bits beyond its prefix", error);
    out->whole = net_prefix_range(&out->base, out->prefix, &out->range);
    return ERYX_OK;
}

static int parse_host(const char *rule, struct piece host, net_rule_t *out, eryx_error_t *error) {
    char name[NET_NAME_MAX + 1], message[160];
    const char *why;
    net_address_t address;
    if (host.length == 1 && host.text[0] == '*') {
        out->kind = NET_RULE_ANY;
        return ERYX_OK;
    }
    if (memchr(host.text, '/', host.length))
        return parse_range(rule, host, out, error);
    out->kind = take_prefix(&host, "*.") ? NET_RULE_BELOW : NET_RULE_NAME;
    switch (net_host_parse(host.text, host.length, &address, name, &why)) {
    case NET_HOST_ADDRESS:
        if (out->kind == NET_RULE_BELOW)
            return bad(rule, "'*.' stands before names only", error);
        return parse_range(rule, host, out, error);
    case NET_HOST_NAME:
        if (out->protocols == NET_LISTEN)
            return bad(rule, "listening is granted for addresses, not for names", error);
        out->name = strdup(name);
        if (!out->name)
            return error_set(error, ERYX_ERR_MEMORY, "out of memory for a network rule");
        return ERYX_OK;
    default:
        snprintf(message, sizeof message, "the host is %s%s", why,
                 strcmp(why, "not an IPv6 address") == 0
                     ? " (what may stand before HOST[:PORT] is tcp:, udp: or listen:)"
                     : "");
        return bad(rule, message, error);
    }
}

/* A grant of what is refused whatever the rules say would be a misunderstanding: [::1:80] for [::1]:80. */
static int check_use(const char *text, const net_rule_t *rule, eryx_error_t *error) {
    if (rule->kind != NET_RULE_RANGE || !rule->whole)
        return ERYX_OK;
    if (rule->range == NET_RANGE_TRANSLATED)
        return bad(text,
                   "the host is an IPv4 address inside of IPv6, which is never permitted (an "
                   "IPv6 address with a port is [ADDRESS]:PORT)",
                   error);
    if (rule->range == NET_RANGE_UNSPECIFIED && !(rule->protocols & NET_LISTEN))
        return bad(text, "connecting to this address, which means this machine, is never permitted",
                   error);
    return ERYX_OK;
}

int net_rule_parse(const char *text, bool deny, net_rule_t *out, eryx_error_t *error) {
    struct piece all = {text, strnlen(text, NET_RULE_TEXT_MAX + 1)}, host, port;
    *out = (net_rule_t){.port_high = UINT16_MAX};
    if (all.length > NET_RULE_TEXT_MAX)
        return bad(text, "it is longer than 512 bytes", error);
    out->protocols = deny ? NET_TCP | NET_UDP | NET_LISTEN : NET_TCP;
    if (take_prefix(&all, "tcp:"))
        out->protocols = NET_TCP;
    else if (take_prefix(&all, "udp:"))
        out->protocols = NET_UDP;
    else if (take_prefix(&all, "listen:"))
        out->protocols = NET_LISTEN;
    if (memchr(all.text, '@', all.length) || memmem(all.text, all.length, "//", 2))
        return bad(text, "it takes a host, not a URL", error);
    if (!split(all, &host, &port))
        return bad(text,
                   "brackets are for an IPv6 address or range: [ADDRESS]:PORT, [ADDRESS/BITS]:PORT",
                   error);
    if (port.text && !parse_ports(port, out))
        return bad(text, "the port is not a number up to 65535, a range a-b or '*'", error);
    int status = parse_host(text, host, out, error);
    return status != ERYX_OK || deny ? status : check_use(text, out, error);
}

int net_policy_add(net_policy_t *policy, bool deny, const char *const *rules, size_t count,
                   eryx_error_t *error) {
    net_rule_t **list = deny ? &policy->deny : &policy->allow;
    size_t *used = deny ? &policy->deny_count : &policy->allow_count;
    if (count == 0)
        return ERYX_OK;
    if (count > NET_RULES_MAX - *used)
        return error_set(error, ERYX_ERR_ARGUMENT, "more than %u network rules", NET_RULES_MAX);
    net_rule_t *grown = realloc(*list, (*used + count) * sizeof *grown);
    if (!grown)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for network rules");
    *list = grown;
    for (size_t i = 0; i < count; i++) {
        int status = net_rule_parse(rules[i], deny, &grown[*used], error);
        if (status != ERYX_OK)
            return status;
        ++*used;
    }
    return ERYX_OK;
}

static void free_rules(net_rule_t *rules, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(rules[i].name);
    free(rules);
}

void net_policy_free(net_policy_t *policy) {
    free_rules(policy->allow, policy->allow_count);
    free_rules(policy->deny, policy->deny_count);
    *policy = (net_policy_t){0};
}
