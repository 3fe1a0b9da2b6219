/* Addresses and host names of the network, as programs and rules write them.
 *
 * The parser knows one way to write an IPv4 address, four decimal numbers, and the text forms of RFC
 * 4291 for IPv6. What other parsers would also take (octal, hexadecimal, fewer parts, one number,
 * zone ids, IPv4 inside of IPv6) is refused, not read, so that nothing can mean one address to a rule
 * and another to the system. Names are ASCII: letters, digits, `-` and `_`. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define NET_NAME_MAX 253
#define NET_ADDRESS_TEXT 56 /* "[IPv6]:port" and a NUL */

typedef struct net_address {
    uint8_t family; /* 4 or 6 */
    uint8_t unused;
    uint16_t port;
    uint8_t bytes[16]; /* network order; IPv4 has 4 and zeros */
} net_address_t;

/* Parts of the address space that are not the public Internet. */
typedef enum net_range {
    NET_RANGE_PUBLIC,
    NET_RANGE_UNSPECIFIED, /* 0.0.0.0/8, :: (on Linux: this machine) */
    NET_RANGE_LOOPBACK,
    NET_RANGE_PRIVATE, /* RFC 1918, shared (RFC 6598), unique local */
    NET_RANGE_LINK_LOCAL,
    NET_RANGE_METADATA, /* where clouds tell machines their credentials */
    NET_RANGE_MULTICAST,
    NET_RANGE_BROADCAST,
    NET_RANGE_TRANSLATED, /* IPv4 inside of IPv6: mapped, NAT64, 6to4, Teredo */
    NET_RANGE_RESERVED
} net_range_t;

/* "a private address", ... */
const char *net_range_name(net_range_t range);
net_range_t net_address_range(const net_address_t *address);
/* Whether all addresses that share the first `prefix` bits lie in one part, and then which. */
bool net_prefix_range(const net_address_t *base, unsigned prefix, net_range_t *out);

typedef enum net_host_kind { NET_HOST_ADDRESS, NET_HOST_NAME, NET_HOST_REFUSED } net_host_kind_t;

/* What a host is. ADDRESS: *address (port 0). NAME: name (NET_NAME_MAX + 1 bytes), in lower case,
 * without a final dot. REFUSED: *why, a static text that continues "HOST is ...". */
net_host_kind_t net_host_parse(const char *text, size_t length, net_address_t *address, char *name,
                               const char **why);

bool net_address_equal(const net_address_t *a, const net_address_t *b); /* but for the port */
bool net_address_in(const net_address_t *address, const net_address_t *base, unsigned prefix);

/* "1.2.3.4:80", "[::1]:80"; without the port if with_port is not set. NET_ADDRESS_TEXT bytes. */
void net_address_format(const net_address_t *address, bool with_port, char *out);
socklen_t net_address_to_system(const net_address_t *address, struct sockaddr_storage *out);
/* False for other families. An IPv4-mapped address stays IPv6. */
bool net_address_from_system(const struct sockaddr_storage *from, net_address_t *out);

#endif
