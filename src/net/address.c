/* Parsing, classes and text of addresses. */
#define _GNU_SOURCE
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* --- Ranges ------------------------------------------------------------------------------- */

struct range {
    net_range_t range;
    uint8_t family, prefix;
    uint8_t bytes[16];
};

/* The first that holds an address counts. IANA's special-purpose registries, and where the large
 * clouds answer for their machines. */
static const struct range ranges[] = {
    {NET_RANGE_METADATA, 4, 32, {169, 254, 169, 254}},
    {NET_RANGE_METADATA, 4, 32, {169, 254, 170, 2}},
    {NET_RANGE_METADATA, 4, 32, {169, 254, 170, 23}},
    {NET_RANGE_METADATA, 4, 32, {169, 254, 0, 23}},
    {NET_RANGE_METADATA, 4, 32, {169, 254, 42, 42}},
    {NET_RANGE_METADATA, 4, 32, {100, 100, 100, 200}},
    {NET_RANGE_METADATA, 4, 32, {192, 0, 0, 192}},
    {NET_RANGE_METADATA, 4, 32, {168, 63, 129, 16}},
    {NET_RANGE_UNSPECIFIED, 4, 8, {0}},
    {NET_RANGE_PRIVATE, 4, 8, {10}},
    {NET_RANGE_PRIVATE, 4, 10, {100, 64}},
    {NET_RANGE_LOOPBACK, 4, 8, {127}},
    {NET_RANGE_LINK_LOCAL, 4, 16, {169, 254}},
    {NET_RANGE_PRIVATE, 4, 12, {172, 16}},
    {NET_RANGE_RESERVED, 4, 24, {192, 0, 0}},
    {NET_RANGE_RESERVED, 4, 24, {192, 0, 2}},
    {NET_RANGE_TRANSLATED, 4, 24, {192, 88, 99}},
    {NET_RANGE_PRIVATE, 4, 16, {192, 168}},
    {NET_RANGE_PRIVATE, 4, 15, {198, 18}},
    {NET_RANGE_RESERVED, 4, 24, {198, 51, 100}},
    {NET_RANGE_RESERVED, 4, 24, {203, 0, 113}},
    {NET_RANGE_MULTICAST, 4, 4, {224}},
    {NET_RANGE_BROADCAST, 4, 32, {255, 255, 255, 255}},
    {NET_RANGE_RESERVED, 4, 4, {240}},
    {NET_RANGE_METADATA, 6, 128, {0xfd, 0, 0x0e, 0xc2, [14] = 0x02, 0x54}},
    {NET_RANGE_METADATA, 6, 128, {0xfd, 0x20, 0, 0xce, [14] = 0x02, 0x54}},
    {NET_RANGE_METADATA, 6, 128, {0xfd, 0, 0x0e, 0xc2, [15] = 0x23}},
    {NET_RANGE_METADATA, 6, 128, {0xfd, 0, 0, 0xc1, [12] = 0xa9, 0xfe, 0xa9, 0xfe}},
    {NET_RANGE_METADATA, 6, 128, {0xfd, 0, 0, 0x42, [15] = 0x42}},
    {NET_RANGE_METADATA, 6, 128, {0xfe, 0x80, [12] = 0xa9, 0xfe, 0xa9, 0xfe}},
    {NET_RANGE_UNSPECIFIED, 6, 128, {0}},
    {NET_RANGE_LOOPBACK, 6, 128, {[15] = 1}},
    {NET_RANGE_TRANSLATED, 6, 96, {0}},
    {NET_RANGE_TRANSLATED, 6, 96, {[10] = 0xff, 0xff}},
    {NET_RANGE_TRANSLATED, 6, 96, {[8] = 0xff, 0xff}},
    {NET_RANGE_TRANSLATED, 6, 96, {0, 0x64, 0xff, 0x9b}},
    {NET_RANGE_TRANSLATED, 6, 48, {0, 0x64, 0xff, 0x9b, 0, 1}},
    {NET_RANGE_TRANSLATED, 6, 16, {0x20, 0x02}},
    {NET_RANGE_TRANSLATED, 6, 32, {0x20, 0x01, 0, 0}},
    {NET_RANGE_RESERVED, 6, 23, {0x20, 0x01, 0}},
    {NET_RANGE_RESERVED, 6, 32, {0x20, 0x01, 0x0d, 0xb8}},
    {NET_RANGE_RESERVED, 6, 20, {0x3f, 0xff}},
    {NET_RANGE_PUBLIC, 6, 3, {0x20}},
    {NET_RANGE_PRIVATE, 6, 7, {0xfc}},
    {NET_RANGE_LINK_LOCAL, 6, 10, {0xfe, 0x80}},
    {NET_RANGE_PRIVATE, 6, 10, {0xfe, 0xc0}},
    {NET_RANGE_MULTICAST, 6, 8, {0xff}},
    {NET_RANGE_RESERVED, 6, 0, {0}},
    {NET_RANGE_PUBLIC, 4, 0, {0}},
};

const char *net_range_name(net_range_t range) {
    static const char *const names[] = {
        "a public address",    "an unspecified address", "a loopback address",
        "a private address",   "a link-local address",   "a cloud's metadata address",
        "a multicast address", "a broadcast address",    "an IPv4 address inside of IPv6",
        "a reserved address",
    };
    return names[range];
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits) {
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool net_address_in(const net_address_t *address, const net_address_t *base, unsigned prefix) {
    return address->family == base->family && same_bits(address->bytes, base->bytes, prefix);
}

net_range_t net_address_range(const net_address_t *address) {
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (ranges[i].family == address->family &&
            same_bits(address->bytes, ranges[i].bytes, ranges[i].prefix))
            return ranges[i].range;
    return NET_RANGE_RESERVED;
}

bool net_prefix_range(const net_address_t *base, unsigned prefix, net_range_t *out) {
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        const struct range *range = &ranges[i];
        if (range->family != base->family)
            continue;
        if (range->prefix <= prefix && same_bits(base->bytes, range->bytes, range->prefix)) {
            *out = range->range;
            return true;
        }
        /* A smaller part within: the prefix is not all of one kind. */
        if (range->prefix > prefix && range->range != NET_RANGE_METADATA &&
            same_bits(base->bytes, range->bytes, prefix))
            return false;
    }
    return false;
}

/* --- Parsing ------------------------------------------------------------------------------ */

/* Four numbers without leading zeros. */
static bool parse_v4(const char *text, size_t length, net_address_t *out) {
    *out = (net_address_t){.family = 4};
    size_t at = 0;
    for (int part = 0; part < 4; part++) {
        unsigned value = 0, digits = 0;
        if (part > 0 && (at >= length || text[at++] != '.'))
            return false;
        while (at < length && text[at] >= '0' && text[at] <= '9' && digits < 4) {
            if (digits == 1 && value == 0)
                return false;
            value = value * 10 + (unsigned)(text[at++] - '0');
            digits++;
        }
        if (digits == 0 || value > 255)
            return false;
        out->bytes[part] = (uint8_t)value;
    }
    return at == length;
}

static net_host_kind_t parse_v6(const char *text, size_t length, net_address_t *out,
                                const char **why) {
    char copy[INET6_ADDRSTRLEN];
    *why = "not an IPv6 address";
    if (memchr(text, '%', length)) {
        *why = "an address with a zone id, which sandboxes have no use for";
        return NET_HOST_REFUSED;
    }
    if (length >= sizeof copy || memchr(text, '\0', length))
        return NET_HOST_REFUSED;
    memcpy(copy, text, length);
    copy[length] = '\0';
    *out = (net_address_t){.family = 6};
    if (inet_pton(AF_INET6, copy, out->bytes) != 1)
        return NET_HOST_REFUSED;
    if (memchr(text, '.', length)) {
        *why = "an IPv4 address inside of IPv6: write the IPv4 address itself";
        return NET_HOST_REFUSED;
    }
    return NET_HOST_ADDRESS;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* The WHATWG's "ends in a number": what some resolvers would take for an IPv4 address. */
static bool ends_in_number(const char *label, size_t length) {
    bool digits = length > 0;
    for (size_t i = 0; i < length; i++)
        digits = digits && is_digit(label[i]);
    return digits || (length >= 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X'));
}

static const char *check_label(const char *label, size_t length) {
    if (length == 0)
        return "not a host name: a label of it is empty";
    if (length > 63)
        return "not a host name: a label has more than 63 characters";
    if (label[0] == '-' || label[length - 1] == '-')
        return "not a host name: a label begins or ends with a hyphen";
    for (size_t i = 0; i < length; i++) {
        char c = label[i];
        if ((unsigned char)c >= 0x80)
            return "not ASCII: write the name in its xn-- form (IDNA)";
        if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '_')
            return "not a host name: it has characters other than letters, digits, '-', '_', '.'";
    }
    return NULL;
}

/* Checks the labels of a name that is in lower case; *last: the last one. */
static const char *check_name(const char *name, const char **last) {
    for (;;) {
        size_t length = strcspn(name, ".");
        const char *why = check_label(name, length);
        *last = name;
        if (why || name[length] == '\0')
            return why;
        name += length + 1;
    }
}

net_host_kind_t net_host_parse(const char *text, size_t length, net_address_t *address, char *name,
                               const char **why) {
    const char *last;
    *why = "empty";
    if (length == 0)
        return NET_HOST_REFUSED;
    if (memchr(text, ':', length))
        return parse_v6(text, length, address, why);
    if (parse_v4(text, length, address))
        return NET_HOST_ADDRESS;
    if (length > 1 && text[length - 1] == '.')
        length--;
    *why = "not a host name: it has more than 253 characters";
    if (length > NET_NAME_MAX)
        return NET_HOST_REFUSED;
    for (size_t i = 0; i < length; i++) {
        name[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
        if (text[i] == '\0') {
            *why = "not a host name: it holds a NUL";
            return NET_HOST_REFUSED;
        }
    }
    name[length] = '\0';
    *why = check_name(name, &last);
    if (!*why && ends_in_number(last, strlen(last)))
        *why = "an ambiguous form of an IPv4 address: write four decimal numbers";
    return *why ? NET_HOST_REFUSED : NET_HOST_NAME;
}

/* --- Text and system ---------------------------------------------------------------------- */

bool net_address_equal(const net_address_t *a, const net_address_t *b) {
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void net_address_format(const net_address_t *address, bool with_port, char *out) {
    char text[INET6_ADDRSTRLEN] = "?";
    inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, text, sizeof text);
    if (!with_port)
        snprintf(out, NET_ADDRESS_TEXT, "%s", text);
    else if (address->family == 4)
        snprintf(out, NET_ADDRESS_TEXT, "%s:%u", text, address->port);
    else
        snprintf(out, NET_ADDRESS_TEXT, "[%s]:%u", text, address->port);
}

socklen_t net_address_to_system(const net_address_t *address, struct sockaddr_storage *out) {
    memset(out, 0, sizeof *out);
    if (address->family == 4) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)out;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(address->port);
        memcpy(&v4->sin_addr, address->bytes, 4);
        return sizeof *v4;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address->port);
    memcpy(&v6->sin6_addr, address->bytes, 16);
    return sizeof *v6;
}

bool net_address_from_system(const struct sockaddr_storage *from, net_address_t *out) {
    *out = (net_address_t){0};
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
        out->family = 4;
        out->port = ntohs(v4->sin_port);
        memcpy(out->bytes, &v4->sin_addr, 4);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
        out->family = 6;
        out->port = ntohs(v6->sin6_port);
        memcpy(out->bytes, &v6->sin6_addr, 16);
    } else {
        return false;
    }
    return true;
}
