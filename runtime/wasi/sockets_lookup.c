/* wasi:sockets/instance-network and ip-name-lookup: names are not resolved (PermissionError). */
#include "sockets.h"

WASI_EXPORT("wasi:sockets/instance-network@0.2.0#instance-network")
uint32_t network_instance(void)
{
    return HANDLE_THE_NETWORK;
}

WASI_EXPORT("wasi:sockets/ip-name-lookup@0.2.0#resolve-addresses")
void lookup_resolve_addresses(uint32_t network, const char *name, uint32_t length,
                              struct result_word *result)
{
    (void)network, (void)name, (void)length;
    *result = (struct result_word){.tag = 1, .code = NETWORK_ACCESS_DENIED};
}

struct address_result { /* result<option<ip-address>, error-code>: aligned as an IPv6 address */
    uint8_t tag;
    union {
        uint16_t alignment;
        uint8_t code;
    };
};

SOCKET_REFUSE("wasi:sockets/ip-name-lookup@0.2.0#"
              "[method]resolve-address-stream.resolve-next-address",
              lookup_next_address, struct address_result, code)

WASI_EXPORT("wasi:sockets/ip-name-lookup@0.2.0#[resource-drop]resolve-address-stream")
void lookup_drop(uint32_t self)
{
    (void)self;
}
