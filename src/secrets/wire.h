/* Secrets on the plain bytes of a sandbox's TCP connections. */
#ifndef SECRETS_WIRE_H
#define SECRETS_WIRE_H

#include "net/net.h"
#include "secrets/secrets.h"

/* Filters all connections that the sandbox makes from now on, datagrams that it receives, and what its events
 * say. */
void wire_secrets(net_sandbox_t *net, secrets_t *secrets);

#endif
