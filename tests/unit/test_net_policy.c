/* Which peers rules let a sandbox talk to, and how hosts may be written. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <eryx.h>
#include <eryx/net.h>

#include "net/policy.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static net_address_t address_of(const char *text, uint16_t port) {
    net_address_t address;
    char name[NET_NAME_MAX + 1];
    const char *why;
    if (net_host_parse(text, strlen(text), &address, name, &why) != NET_HOST_ADDRESS)
        fail_msg("'%s' is not an address: %s", text, why);
    address.port = port;
    return address;
}

static void hosts_have_one_form(void **state) {
    (void)state;
    static const struct {
        const char *text;
        net_host_kind_t kind;
        const char *name;
    } cases[] = {
        {"127.0.0.1", NET_HOST_ADDRESS, "127.0.0.1"},
        {"255.255.255.255", NET_HOST_ADDRESS, "255.255.255.255"},
        {"::1", NET_HOST_ADDRESS, "::1"},
        {"2001:DB8::1", NET_HOST_ADDRESS, "2001:db8::1"},
        {"Example.ORG", NET_HOST_NAME, "example.org"},
        {"example.org.", NET_HOST_NAME, "example.org"},
        {"xn--bcher-kva.example", NET_HOST_NAME, "xn--bcher-kva.example"},
        {"a_b.example", NET_HOST_NAME, "a_b.example"},
        {"1.example", NET_HOST_NAME, "1.example"},
        {"0x7f.example", NET_HOST_NAME, "0x7f.example"},
        {"", NET_HOST_REFUSED, NULL},
        {".", NET_HOST_REFUSED, NULL},
        {"example..org", NET_HOST_REFUSED, NULL},
        {"example.org..", NET_HOST_REFUSED, NULL},
        {".example.org", NET_HOST_REFUSED, NULL},
        {"-a.example", NET_HOST_REFUSED, NULL},
        {"a b", NET_HOST_REFUSED, NULL},
        {"user@example.org", NET_HOST_REFUSED, NULL},
        {"example.org/", NET_HOST_REFUSED, NULL},
        {"example.org:80", NET_HOST_REFUSED, NULL},
        {"b\xc3\xbc"
         "cher.example",
         NET_HOST_REFUSED, NULL},
        {"example\xe3\x80\x82org", NET_HOST_REFUSED, NULL},
        {"2130706433", NET_HOST_REFUSED, NULL},
        {"0x7f000001", NET_HOST_REFUSED, NULL},
        {"0X7F.1", NET_HOST_REFUSED, NULL},
        {"127.1", NET_HOST_REFUSED, NULL},
        {"127.0.0.1.", NET_HOST_REFUSED, NULL},
        {"0177.0.0.1", NET_HOST_REFUSED, NULL},
        {"127.0.0.01", NET_HOST_REFUSED, NULL},
        {"127.0.0.256", NET_HOST_REFUSED, NULL},
        {"127.0.0.1.5", NET_HOST_REFUSED, NULL},
        {"a.0x7f", NET_HOST_REFUSED, NULL},
        {"a.123", NET_HOST_REFUSED, NULL},
        {" 127.0.0.1", NET_HOST_REFUSED, NULL},
        {"::ffff:127.0.0.1", NET_HOST_REFUSED, NULL},
        {"::127.0.0.1", NET_HOST_REFUSED, NULL},
        {"fe80::1%eth0", NET_HOST_REFUSED, NULL},
        {"fe80::1%1", NET_HOST_REFUSED, NULL},
        {"1::2::3", NET_HOST_REFUSED, NULL},
        {"[::1]", NET_HOST_REFUSED, NULL},
        {":::", NET_HOST_REFUSED, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        net_address_t address;
        char name[NET_NAME_MAX + 1], text[NET_ADDRESS_TEXT];
        const char *why;
        net_host_kind_t kind =
            net_host_parse(cases[i].text, strlen(cases[i].text), &address, name, &why);
        if (kind != cases[i].kind)
            fail_msg("'%s': kind %d, not %d", cases[i].text, kind, cases[i].kind);
        if (kind == NET_HOST_ADDRESS) {
            net_address_format(&address, false, text);
            assert_string_equal(text, cases[i].name);
        } else if (kind == NET_HOST_NAME) {
            assert_string_equal(name, cases[i].name);
        } else {
            assert_non_null(why);
        }
    }
    net_address_t address;
    char name[NET_NAME_MAX + 1];
    const char *why;
    assert_int_equal(net_host_parse("a\0b", 3, &address, name, &why), NET_HOST_REFUSED);
}

static void ranges_are_known(void **state) {
    (void)state;
    static const struct {
        const char *text;
        net_range_t range;
    } cases[] = {
        {"8.8.8.8", NET_RANGE_PUBLIC},
        {"0.0.0.0", NET_RANGE_UNSPECIFIED},
        {"0.1.2.3", NET_RANGE_UNSPECIFIED},
        {"127.255.0.1", NET_RANGE_LOOPBACK},
        {"10.1.2.3", NET_RANGE_PRIVATE},
        {"172.15.255.255", NET_RANGE_PUBLIC},
        {"172.16.0.0", NET_RANGE_PRIVATE},
        {"172.31.255.255", NET_RANGE_PRIVATE},
        {"172.32.0.0", NET_RANGE_PUBLIC},
        {"192.168.0.1", NET_RANGE_PRIVATE},
        {"100.64.0.1", NET_RANGE_PRIVATE},
        {"100.128.0.1", NET_RANGE_PUBLIC},
        {"100.100.100.200", NET_RANGE_METADATA},
        {"169.254.169.254", NET_RANGE_METADATA},
        {"169.254.1.1", NET_RANGE_LINK_LOCAL},
        {"224.0.0.1", NET_RANGE_MULTICAST},
        {"239.255.255.255", NET_RANGE_MULTICAST},
        {"255.255.255.255", NET_RANGE_BROADCAST},
        {"240.0.0.1", NET_RANGE_RESERVED},
        {"203.0.113.9", NET_RANGE_RESERVED},
        {"::", NET_RANGE_UNSPECIFIED},
        {"::1", NET_RANGE_LOOPBACK},
        {"::ffff:7f00:1", NET_RANGE_TRANSLATED},
        {"::7f00:1", NET_RANGE_TRANSLATED},
        {"64:ff9b::7f00:1", NET_RANGE_TRANSLATED},
        {"2002:7f00:1::", NET_RANGE_TRANSLATED},
        {"2001::1", NET_RANGE_TRANSLATED},
        {"2001:4860:4860::8888", NET_RANGE_PUBLIC},
        {"fd00:ec2::254", NET_RANGE_METADATA},
        {"fd00:ec2::23", NET_RANGE_METADATA},
        {"fd00:c1::a9fe:a9fe", NET_RANGE_METADATA},
        {"fd00:42::42", NET_RANGE_METADATA},
        {"fe80::a9fe:a9fe", NET_RANGE_METADATA},
        {"169.254.0.23", NET_RANGE_METADATA},
        {"169.254.42.42", NET_RANGE_METADATA},
        {"168.63.129.16", NET_RANGE_METADATA},
        {"fd12::1", NET_RANGE_PRIVATE},
        {"fe80::1", NET_RANGE_LINK_LOCAL},
        {"ff02::1", NET_RANGE_MULTICAST},
        {"2001:db8::1", NET_RANGE_RESERVED},
        {"4000::1", NET_RANGE_RESERVED},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        net_address_t address = address_of(cases[i].text, 0);
        net_range_t range = net_address_range(&address);
        if (range != cases[i].range)
            fail_msg("%s: %s, not %s", cases[i].text, net_range_name(range),
                     net_range_name(cases[i].range));
    }
}

static void rules_are_strict(void **state) {
    (void)state;
    static const char *const good[] = {
        "example.org",
        "example.org:443",
        "*.example.org:443",
        "*",
        "*:443",
        "10.0.0.0/8",
        "10.0.0.0/8:80-90",
        "[::1]:80",
        "::1",
        "fd00::/8",
        "[fd00::/8]:*",
        "udp:127.0.0.1:53",
        "listen:127.0.0.1:0",
        "tcp:example.org",
        "0.0.0.0/0",
        "EXAMPLE.org:0",
        "listen:0.0.0.0:80",
        "listen:[::]:80",
        "::/0",
    };
    static const char *const bad[] = {
        "",
        ":80",
        "example.org:",
        "example.org:http",
        "example.org:80:90",
        "example.org:65536",
        "example.org:90-80",
        "example.org:080",
        "example.org: 80",
        "https://example.org",
        "user@example.org",
        "*.*.org",
        "a*.example.org",
        "*.",
        "**",
        "*.10.0.0.1",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/08",
        "10.0/8",
        "example.org/8",
        "[::1",
        "[::1]80",
        "[127.0.0.1]:80",
        "::1/129",
        "fe80::1%lo",
        "0x7f000001",
        "2130706433:80",
        "0177.0.0.1",
        "::ffff:10.0.0.1",
        "listen:example.org:80",
        "udp:",
        "icmp:example.org",
        "a b:80",
        /* what could never be permitted */
        "::1:80",
        "::ffff:7f00:1",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "[2002:7f00:1::]:80",
        "0.0.0.0",
        "0.0.0.0/8:80",
        "::",
        "udp:0.0.0.0",
    };
    net_rule_t rule;
    eryx_error_t error;
    for (size_t i = 0; i < COUNT(good); i++) {
        net_policy_t policy = {0};
        if (net_policy_add(&policy, false, &good[i], 1, &error) != ERYX_OK)
            fail_msg("'%s': %s", good[i], error.message);
        net_policy_free(&policy);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        error.message[0] = '\0';
        if (net_rule_parse(bad[i], false, &rule, &error) != ERYX_ERR_ARGUMENT)
            fail_msg("'%s' was taken for a rule", bad[i]);
        assert_non_null(strstr(error.message, "network rule"));
    }
    /* A denial may name them. */
    static const char *const denied[] = {"::ffff:7f00:1", "0.0.0.0/8", "::", "64:ff9b::/96"};
    for (size_t i = 0; i < COUNT(denied); i++) {
        assert_int_equal(net_rule_parse(denied[i], true, &rule, &error), ERYX_OK);
        assert_int_equal(eryx_net_check_rule(denied[i], true, &error), ERYX_OK);
        assert_int_equal(eryx_net_check_rule(denied[i], false, &error), ERYX_ERR_ARGUMENT);
    }
}

struct decision {
    const char *address;
    uint16_t port;
    const char *name; /* known for the address; NULL: none */
    bool allowed;
};

static void check(const char *const *allow, size_t allow_count, const char *const *deny,
                  size_t deny_count, bool local, net_protocol_t protocol,
                  const struct decision *decisions, size_t count) {
    net_policy_t policy = {.local = local};
    eryx_error_t error;
    assert_int_equal(net_policy_add(&policy, false, allow, allow_count, &error), ERYX_OK);
    assert_int_equal(net_policy_add(&policy, true, deny, deny_count, &error), ERYX_OK);
    for (size_t i = 0; i < count; i++) {
        char reason[NET_REASON_MAX] = "";
        net_address_t address = address_of(decisions[i].address, decisions[i].port);
        bool allowed = net_policy_address(&policy, protocol, &address, &decisions[i].name,
                                          decisions[i].name ? 1 : 0, reason);
        if (allowed != decisions[i].allowed)
            fail_msg("case %zu, %s:%u (%s): %s %s", i, decisions[i].address, decisions[i].port,
                     decisions[i].name ? decisions[i].name : "", allowed ? "allowed" : "refused",
                     reason);
        assert_int_equal(reason[0] != '\0', !allowed);
    }
    net_policy_free(&policy);
}

static void names_grant_public_addresses(void **state) {
    (void)state;
    static const char *const allow[] = {"*.example.org:443", "api.test"};
    static const struct decision decisions[] = {
        {"8.8.8.8", 443, "a.example.org", true},
        {"8.8.8.8", 443, "a.b.example.org", true},
        {"8.8.8.8", 80, "a.example.org", false},
        {"8.8.8.8", 443, "example.org", false},
        {"8.8.8.8", 443, "aexample.org", false},
        {"8.8.8.8", 443, "a.example.org.evil.test", false},
        {"8.8.8.8", 443, NULL, false},
        {"8.8.8.8", 1, "api.test", true},
        {"127.0.0.1", 443, "a.example.org", false},
        {"10.0.0.1", 443, "a.example.org", false},
        {"169.254.169.254", 80, "api.test", false},
        {"::1", 80, "api.test", false},
        {"::ffff:7f00:1", 80, "api.test", false},
        {"0.0.0.0", 80, "api.test", false},
    };
    check(allow, COUNT(allow), NULL, 0, false, NET_TCP, decisions, COUNT(decisions));
    check(allow, COUNT(allow), NULL, 0, false, NET_UDP,
          &(struct decision){"8.8.8.8", 1, "api.test", false}, 1);
}

static void local_addresses_take_a_flag_or_their_name(void **state) {
    (void)state;
    static const char *const any[] = {"*"};
    static const struct decision flagged[] = {
        {"127.0.0.1", 80, "api.test", true},   {"10.0.0.1", 80, "api.test", true},
        {"169.254.1.1", 80, "api.test", true}, {"169.254.169.254", 80, "api.test", false},
        {"224.0.0.1", 80, "api.test", false},  {"127.0.0.1", 80, NULL, false},
        {"0.0.0.0", 80, "api.test", false},
    };
    check(any, 1, NULL, 0, true, NET_TCP, flagged, COUNT(flagged));
    static const char *const literal[] = {"127.0.0.1:80", "10.0.0.0/8", "169.254.0.0/16",
                                          "0.0.0.0/0", "[::1]:80"};
    static const struct decision literals[] = {
        {"127.0.0.1", 80, NULL, true},
        {"127.0.0.1", 81, NULL, false},
        {"127.0.0.2", 80, NULL, false},
        {"10.255.0.1", 9, NULL, true},
        {"192.168.0.1", 80, NULL, false},
        {"169.254.1.1", 80, NULL, true},
        {"169.254.169.254", 80, NULL, false},
        {"8.8.8.8", 80, NULL, true},
        {"::1", 80, NULL, true},
        {"0.0.0.0", 80, NULL, false},
        {"::ffff:7f00:1", 80, NULL, false},
        {"224.0.0.1", 80, NULL, false},
    };
    check(literal, COUNT(literal), NULL, 0, false, NET_TCP, literals, COUNT(literals));
}

static void denials_win(void **state) {
    (void)state;
    static const char *const allow[] = {"*", "10.0.0.0/8", "udp:*"};
    static const char *const deny[] = {"evil.test", "10.1.0.0/16", "*:25", "udp:8.8.8.8"};
    static const struct decision decisions[] = {
        {"8.8.4.4", 80, "good.test", true}, {"8.8.4.4", 80, "evil.test", false},
        {"10.2.0.1", 80, NULL, true},       {"10.1.0.1", 80, NULL, false},
        {"8.8.4.4", 25, NULL, false},       {"8.8.8.8", 53, NULL, true},
    };
    check(allow, COUNT(allow), deny, COUNT(deny), false, NET_TCP, decisions, COUNT(decisions));
    static const struct decision datagrams[] = {{"8.8.8.8", 53, NULL, false},
                                                {"8.8.4.4", 53, NULL, true}};
    check(allow, COUNT(allow), deny, COUNT(deny), false, NET_UDP, datagrams, COUNT(datagrams));
}

static void answers_of_name_servers_are_checked(void **state) {
    (void)state;
    static const char *const allow[] = {"api.test", "10.0.0.5"};
    static const char *const deny[] = {"9.9.9.9"};
    char reason[NET_REASON_MAX];
    net_policy_t policy = {0};
    eryx_error_t error;
    assert_int_equal(net_policy_add(&policy, false, allow, 2, &error), ERYX_OK);
    assert_int_equal(net_policy_add(&policy, true, deny, 1, &error), ERYX_OK);
    assert_true(net_policy_name(&policy, "api.test", reason));
    assert_false(net_policy_name(&policy, "other.test", reason));
    assert_non_null(strstr(reason, "--allow-net other.test"));
    static const struct decision decisions[] = {
        {"8.8.8.8", 0, NULL, true},          {"127.0.0.1", 0, NULL, false},
        {"10.0.0.5", 0, NULL, true},         {"10.0.0.6", 0, NULL, false},
        {"9.9.9.9", 0, NULL, false},         {"::1", 0, NULL, false},
        {"169.254.169.254", 0, NULL, false},
    };
    for (size_t i = 0; i < COUNT(decisions); i++) {
        net_address_t address = address_of(decisions[i].address, 0);
        if (net_policy_resolved(&policy, "api.test", &address, reason) != decisions[i].allowed)
            fail_msg("api.test at %s: %s", decisions[i].address, reason);
    }
    net_policy_free(&policy);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_have_one_form),
        cmocka_unit_test(ranges_are_known),
        cmocka_unit_test(rules_are_strict),
        cmocka_unit_test(names_grant_public_addresses),
        cmocka_unit_test(local_addresses_take_a_flag_or_their_name),
        cmocka_unit_test(denials_win),
        cmocka_unit_test(answers_of_name_servers_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
