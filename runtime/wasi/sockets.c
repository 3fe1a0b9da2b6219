/* Addresses, handles and options that TCP and UDP sockets have in common. */
#include "sockets.h"

#include <string.h>

/* --- Addresses ---------------------------------------------------------------------------- */

bool socket_address_flat(uint32_t tag, const uint32_t *words, struct net_address *out)
{
    *out = (struct net_address){.family = tag == ADDRESS_IPV4 ? 4 : 6, .port = (uint16_t)words[0]};
    if (tag == ADDRESS_IPV4) {
        for (int i = 0; i < 4; i++) {
            out->bytes[i] = (uint8_t)words[1 + i];
        }
        return true;
    }
    for (int i = 0; i < 8; i++) {
        out->bytes[2 * i] = (uint8_t)(words[2 + i] >> 8);
        out->bytes[2 * i + 1] = (uint8_t)words[2 + i];
    }
    return words[10] == 0;
}

bool socket_address_load(const struct socket_address *from, struct net_address *out)
{
    if (from->tag == ADDRESS_IPV4) {
        *out = (struct net_address){.family = 4, .port = from->v4.port};
        memcpy(out->bytes, from->v4.bytes, sizeof from->v4.bytes);
        return true;
    }
    *out = (struct net_address){.family = 6, .port = from->v6.port};
    for (int i = 0; i < 8; i++) {
        out->bytes[2 * i] = (uint8_t)(from->v6.words[i] >> 8);
        out->bytes[2 * i + 1] = (uint8_t)from->v6.words[i];
    }
    return from->v6.scope == 0;
}

void socket_address_store(const struct net_address *from, struct socket_address *out)
{
    *out = (struct socket_address){.tag = from->family == 4 ? ADDRESS_IPV4 : ADDRESS_IPV6};
    if (from->family == 4) {
        out->v4.port = from->port;
        memcpy(out->v4.bytes, from->bytes, sizeof out->v4.bytes);
        return;
    }
    out->v6.port = from->port;
    for (int i = 0; i < 8; i++) {
        out->v6.words[i] = (uint16_t)(from->bytes[2 * i] << 8 | from->bytes[2 * i + 1]);
    }
}

/* --- Handles ------------------------------------------------------------------------------ */

uint32_t socket_number(uint32_t handle, enum handle_kind kind)
{
    return (uint32_t)handle_must(handle, kind)->value;
}

uint32_t socket_handle(enum handle_kind kind, uint32_t number)
{
    uint32_t handle = handle_new((struct handle){.kind = kind, .value = number});
    if (!handle) {
        net_close(number);
    }
    return handle;
}

/* --- Results ------------------------------------------------------------------------------ */

void socket_put(struct result_code *result, int32_t answer)
{
    *result = (struct result_code){.tag = answer < 0};
    if (answer < 0) {
        result->value = network_code(answer);
    }
}

void socket_put_address(uint32_t number, bool remote, struct result_address *result)
{
    struct net_address address;
    int32_t answer = net_address_of(number, remote, &address);
    *result = (struct result_address){.tag = answer < 0};
    if (answer < 0) {
        result->code = network_code(answer);
    } else {
        socket_address_store(&address, &result->address);
    }
}

void socket_get_long(uint32_t number, enum net_option option, uint64_t unit,
                     struct result_long *result)
{
    int32_t answer = net_get_option(number, option);
    *result = (struct result_long){.tag = answer < 0};
    if (answer < 0) {
        result->code = network_code(answer);
    } else {
        result->value = (uint64_t)answer * unit;
    }
}

void socket_set_long(uint32_t number, enum net_option option, uint64_t value, uint64_t unit,
                     struct result_code *result)
{
    value = (value + unit - 1) / unit;
    socket_put(result,
               net_set_option(number, option, value < INT32_MAX ? (int32_t)value : INT32_MAX));
}

void socket_get_byte(uint32_t number, enum net_option option, struct result_code *result)
{
    int32_t answer = net_get_option(number, option);
    *result = (struct result_code){.tag = answer < 0};
    result->value = answer < 0 ? network_code(answer) : (uint8_t)answer;
}
