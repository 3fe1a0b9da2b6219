/* wasi:sockets/instance-network and ip-name-lookup: names are resolved by the host. */
#include "sockets.h"

#include <stdlib.h>
#include <string.h>

#define STREAM "wasi:sockets/ip-name-lookup@0.2.0#[method]resolve-address-stream."

struct lookup {
    uint32_t number;
    int32_t count; /* of addresses; 0: not there yet */
    int32_t next;
    struct net_address addresses[NET_ADDRESSES_MAX];
};

WASI_EXPORT("wasi:sockets/instance-network@0.2.0#instance-network")
uint32_t network_instance(void)
{
    return HANDLE_THE_NETWORK;
}

static struct lookup *lookup_of(uint32_t self)
{
    return (struct lookup *)(uintptr_t)handle_must(self, HANDLE_LOOKUP)->value;
}

uint32_t lookup_number(uint32_t self)
{
    return lookup_of(self)->number;
}

WASI_EXPORT("wasi:sockets/ip-name-lookup@0.2.0#resolve-addresses")
void lookup_resolve_addresses(UNUSED uint32_t network, const char *name, uint32_t length,
                              struct result_word *result)
{
    int32_t number = net_resolve(name, length);
    *result = (struct result_word){.tag = 1};
    if (number < 0) {
        /* The machine's own name has no address; smtplib and others ask for it before anything else. */
        result->code =
            network_is_own_name(name, length) ? NETWORK_NAME_UNKNOWN : network_code(number);
        return;
    }
    struct lookup *lookup = calloc(1, sizeof *lookup);
    uint32_t handle = 0;
    if (lookup) {
        lookup->number = (uint32_t)number;
        handle = handle_new((struct handle){.kind = HANDLE_LOOKUP, .value = (uintptr_t)lookup});
    }
    if (!handle) {
        free(lookup);
        net_close((uint32_t)number);
        result->code = NETWORK_OUT_OF_MEMORY;
        return;
    }
    *result = (struct result_word){.handle = handle};
}

struct result_next { /* result<option<ip-address>, error-code> */
    uint8_t tag;
    union {
        uint16_t alignment;
        uint8_t code;
        struct {
            uint8_t some, unused;
            struct {
                uint8_t tag;
                union {
                    uint8_t v4[4];
                    uint16_t v6[8];
                };
            } address;
        };
    };
};
_Static_assert(sizeof(struct result_next) == 22, "result<option<ip-address>, error-code>");

WASI_EXPORT(STREAM "resolve-next-address")
void lookup_next_address(uint32_t self, struct result_next *result)
{
    struct lookup *lookup = lookup_of(self);
    *result = (struct result_next){0};
    if (!lookup->count) {
        lookup->count = net_resolved(lookup->number, lookup->addresses);
    }
    if (lookup->count < 0) {
        result->tag = 1;
        result->code = network_code(lookup->count);
        lookup->count = lookup->count == NET_WOULD_BLOCK ? 0 : lookup->count;
        return;
    }
    if (lookup->next == lookup->count) {
        return;
    }
    const struct net_address *address = &lookup->addresses[lookup->next++];
    result->some = 1;
    result->address.tag = address->family == 4 ? ADDRESS_IPV4 : ADDRESS_IPV6;
    if (address->family == 4) {
        memcpy(result->address.v4, address->bytes, sizeof result->address.v4);
        return;
    }
    for (int i = 0; i < 8; i++) {
        result->address.v6[i] = (uint16_t)(address->bytes[2 * i] << 8 | address->bytes[2 * i + 1]);
    }
}

WASI_EXPORT("wasi:sockets/ip-name-lookup@0.2.0#[resource-drop]resolve-address-stream")
void lookup_drop(uint32_t self)
{
    struct lookup *lookup = lookup_of(self);
    net_close(lookup->number);
    free(lookup);
    handle_drop(self);
}
