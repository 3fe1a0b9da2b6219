/* A filter of the network for each TCP connection: values are taken out of what comes in, and put into
 * what goes to hosts that may have them without TLS.
 *
 * A connection that begins with a TLS handshake, to a host that may have none, is left alone: filters
 * find nothing in encrypted bytes, and TLS has filters of its own. */
#include "secrets/wire.h"

#include <stdlib.h>

#include "secrets/filter.h"

/* First bytes of a connection that is TLS; no text begins with them. */
#define TLS_ALERT 0x15
#define TLS_HANDSHAKE 0x16

typedef struct wire {
    secrets_t *secrets; /* a reference: the last bytes are written after the sandbox is gone */
    uint64_t allowed;
    bool begun, answered, tls; /* tls: both sides began like it */
    filter_t out, in;
} wire_t;

static bool pass(filter_t *filter, const char *data, size_t length, net_flow_t flow,
                 buffer_t *out) {
    if (length > 0 && !filter_push(filter, data, length, out))
        return false;
    if (flow == NET_FLOW_END)
        return filter_finish(filter, out);
    return flow == NET_FLOW_MORE || filter_release(filter, out);
}

static bool outgoing(void *env, const char *data, size_t length, net_flow_t flow, buffer_t *out) {
    wire_t *wire = env;
    if (!wire->begun && length > 0) {
        wire->begun = true;
        wire->tls = wire->allowed == 0 && data[0] == TLS_HANDSHAKE;
    }
    if (wire->allowed == 0)
        return length == 0 || buffer_append(out, data, length);
    return pass(&wire->out, data, length, flow, out);
}

static bool incoming(void *env, const char *data, size_t length, net_flow_t flow, buffer_t *out) {
    wire_t *wire = env;
    if (!wire->answered && length > 0) {
        wire->answered = true;
        wire->tls = wire->tls && (data[0] == TLS_HANDSHAKE || data[0] == TLS_ALERT);
    }
    if (wire->tls)
        return length == 0 || buffer_append(out, data, length);
    return pass(&wire->in, data, length, flow, out);
}

static void free_wire(void *env) {
    wire_t *wire = env;
    filter_free(&wire->out);
    filter_free(&wire->in);
    secrets_free(wire->secrets);
    free(wire);
}

static const net_filter_t wire_filter = {outgoing, incoming, free_wire};

static void connected(void *env, net_socket_t *socket) {
    secrets_t *secrets = env;
    char address[NET_ADDRESS_TEXT] = "";
    net_address_t remote;
    wire_t *wire = calloc(1, sizeof *wire);
    if (!wire) {
        net_break(socket, NET_OUT_OF_MEMORY, "out of memory for the filter of secrets");
        return;
    }
    if (net_address_of(socket, true, &remote) == 0)
        net_address_format(&remote, false, address);
    wire->secrets = secrets_share(secrets);
    wire->allowed = secrets_allowed(secrets, net_peer_name(socket), false) |
                    secrets_allowed(secrets, address, false);
    filter_init(&wire->out, secrets, FILTER_INSERT, wire->allowed);
    filter_init(&wire->in, secrets, FILTER_SCRUB, 0);
    net_set_filter(socket, &wire_filter, wire);
}

static void scrub_text(void *env, char *text, size_t length) {
    secrets_scrub(env, text, length);
}

void wire_secrets(net_sandbox_t *net, secrets_t *secrets) {
    if (!net || !secrets)
        return;
    net_on_connected(net, connected, secrets);
    net_on_text(net, scrub_text, secrets);
}
