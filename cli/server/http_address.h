/* Where a server listens: "ADDRESS:PORT". */
#ifndef ERYX_CLI_SERVER_HTTP_ADDRESS_H
#define ERYX_CLI_SERVER_HTTP_ADDRESS_H

#include <netdb.h>
#include <stdbool.h>

/* For freeaddrinfo(). False after a message. */
bool http_address_find(const char *listen, struct addrinfo **out);

/* Whether only this machine reaches it. */
bool http_address_is_loopback(const struct sockaddr *address);

#endif
