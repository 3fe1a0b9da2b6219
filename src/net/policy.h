/* Which peers a sandbox may talk to.
 *
 * Rules: [tcp:|udp:|listen:]HOST[:PORT]. HOST is a name, `*.name` (any name below it), an address,
 * an address range (CIDR), or `*`; PORT a number, a range a-b, or `*`. Denials win over grants.
 * A grant of names or of `*` holds for public addresses only; other parts of the address space
 * need a rule that names the address, or a range that lies in the part as a whole. */
#ifndef NET_POLICY_H
#define NET_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>

#include "net/address.h"

#define NET_RULES_MAX 4096u
#define NET_RULE_TEXT_MAX 512u
#define NET_REASON_MAX 384 /* bytes of a reason, with its NUL */

typedef enum net_protocol { NET_TCP = 1, NET_UDP = 2, NET_LISTEN = 4 } net_protocol_t;

typedef enum net_rule_kind {
    NET_RULE_ANY,
    NET_RULE_NAME,
    NET_RULE_BELOW, /* *.name */
    NET_RULE_RANGE
} net_rule_kind_t;

typedef struct net_rule {
    net_rule_kind_t kind;
    unsigned protocols; /* of net_protocol_t */
    uint16_t port_low, port_high;
    char *name;         /* NAME, BELOW */
    net_address_t base; /* RANGE */
    unsigned prefix;
    bool whole;        /* RANGE: it lies in one part of the address space: */
    net_range_t range; /* which */
} net_rule_t;

/* All zero allows nothing. */
typedef struct net_policy {
    net_rule_t *allow, *deny;
    size_t allow_count, deny_count;
    bool local; /* names may also resolve to loopback, private and link-local addresses */
} net_policy_t;

/* `deny`: a rule without protocol is of all three, else of TCP. Errors: ERYX_ERR_ARGUMENT (says
 * what is wrong with the rule), _MEMORY. */
int net_rule_parse(const char *text, bool deny, net_rule_t *out, eryx_error_t *error);
/* Adds rules. Errors: as above. */
int net_policy_add(net_policy_t *policy, bool deny, const char *const *rules, size_t count,
                   eryx_error_t *error);
void net_policy_free(net_policy_t *policy);

/* Whether something is allowed; if not, why: NET_REASON_MAX bytes. Names are those of
 * net_host_parse. */

/* Asking for the addresses of a name. */
bool net_policy_name(const net_policy_t *policy, const char *name, char *reason);
/* One of these addresses. */
bool net_policy_resolved(const net_policy_t *policy, const char *name, const net_address_t *address,
                         char *reason);
/* Talking to an address and port. names: those known to have resolved to it. */
bool net_policy_address(const net_policy_t *policy, net_protocol_t protocol,
                        const net_address_t *address, const char *const *names, size_t count,
                        char *reason);
/* Whether anything is granted for the protocol. */
bool net_policy_grants(const net_policy_t *policy, net_protocol_t protocol);

#endif
