/* Fuzz target: hosts and rules of the network as text.
 *
 * The input is read as a host and as a rule. What is taken for an address must come back the same from
 * its text, the system's own parser must read it the same, and be a name only if that parser would not
 * take it for an address: nothing may mean one thing to a rule and another to the system. */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_address(const net_address_t *address, const char *text)
{
    char shown[NET_ADDRESS_TEXT], name[NET_NAME_MAX + 1];
    uint8_t bytes[16] = {0};
    const char *why;
    net_address_t again;
    if (inet_pton(address->family == 4 ? AF_INET : AF_INET6, text, bytes) != 1 ||
        memcmp(bytes, address->bytes, sizeof bytes) != 0)
        abort();
    if (net_address_range(address) == NET_RANGE_TRANSLATED)
        return; /* its text has an IPv4 address in it, which is refused */
    net_address_format(address, false, shown);
    if (net_host_parse(shown, strlen(shown), &again, name, &why) != NET_HOST_ADDRESS ||
        !net_address_equal(address, &again))
        abort();
}

static void check_name(const char *name)
{
    struct in_addr v4;
    char again[NET_NAME_MAX + 1];
    const char *why;
    net_address_t address;
    if (inet_aton(name, &v4) || strlen(name) > NET_NAME_MAX || strpbrk(name, ":%@/\\ "))
        abort();
    if (net_host_parse(name, strlen(name), &address, again, &why) != NET_HOST_NAME ||
        strcmp(name, again) != 0)
        abort();
}

/* A grant of names and of everything reaches public addresses only. */
static void check_rule(const char *text)
{
    char reason[NET_REASON_MAX];
    net_policy_t policy = {0};
    const char *name = "some.name";
    static const net_address_t guarded[] = {
        {.family = 4, .port = 80, .bytes = {127, 0, 0, 1}},
        {.family = 4, .port = 80, .bytes = {169, 254, 169, 254}},
        {.family = 4, .port = 80, .bytes = {10, 0, 0, 1}},
        {.family = 6, .port = 80, .bytes = {[10] = 0xff, 0xff, 127, 0, 0, 1}},
        {.family = 4, .port = 80, .bytes = {0}},
    };
    if (net_policy_add(&policy, false, &text, 1, NULL) == ERYX_OK) {
        const net_rule_t *rule = &policy.allow[0];
        for (size_t i = 0; i < sizeof guarded / sizeof *guarded; i++)
            if (net_policy_address(&policy, NET_TCP, &guarded[i], &name, 1, reason) &&
                (rule->kind != NET_RULE_RANGE || !rule->whole || i >= 3))
                abort();
    }
    net_policy_free(&policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[600], name[NET_NAME_MAX + 1];
    net_address_t address;
    const char *why = NULL;
    size_t length = size < sizeof text ? size : sizeof text - 1;
    memcpy(text, data, length);
    text[length] = '\0';
    switch (net_host_parse((const char *)data, length, &address, name, &why)) {
    case NET_HOST_ADDRESS:
        check_address(&address, text);
        break;
    case NET_HOST_NAME:
        check_name(name);
        break;
    default:
        if (!why)
            abort();
    }
    check_rule(text);
    return 0;
}
