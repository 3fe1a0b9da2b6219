/* Addresses to listen on: numbers only, so that nothing is asked of a name server. */
#define _GNU_SOURCE
#include "http_address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "../message.h"
#include "http.h"

bool http_address_find(const char *listen, struct addrinfo **out)
{
    const char *colon = strrchr(listen, ':');
    char address[256];
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    if (colon && (size_t)(colon - listen) < sizeof address) {
        size_t length = (size_t)(colon - listen);
        bool bracket = length >= 2 && listen[0] == '[' && listen[length - 1] == ']';
        snprintf(address, sizeof address, "%.*s", (int)(bracket ? length - 2 : length),
                 listen + bracket);
        if (strcmp(address, "localhost") == 0)
            strcpy(address, "127.0.0.1");
        if (colon[1] && getaddrinfo(*address ? address : NULL, colon + 1, &hints, out) == 0)
            return true;
    }
    message_error("cannot listen on '%s': ADDRESS:PORT is needed, such as 127.0.0.1:8080, "
                  "[::1]:8080 or 0.0.0.0:8080",
                  listen);
    return false;
}

bool http_address_is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

bool http_is_loopback(const char *listen)
{
    struct addrinfo *address;
    if (!http_address_find(listen, &address))
        return false;
    bool loopback = http_address_is_loopback(address->ai_addr);
    freeaddrinfo(address);
    return loopback;
}
