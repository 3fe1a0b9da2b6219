/* Datagrams. Each peer is decided on each time; the first use of one is reported. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "net/internal.h"

#define DROPS_AT_ONCE 64 /* datagrams of others that one call reads past */

/* Reports a peer that the socket has not met; what does not fit is reported every time. */
static void report_peer(net_socket_t *socket, const net_address_t *peer, const char *name) {
    char text[NET_ADDRESS_TEXT];
    for (unsigned i = 0; i < socket->peer_count; i++)
        if (net_address_equal(&socket->peers[i], peer) && socket->peers[i].port == peer->port)
            return;
    if (socket->peer_count < PEERS_MAX)
        socket->peers[socket->peer_count++] = *peer;
    net_address_format(peer, true, text);
    net_report(socket->sandbox, ERYX_NET_DATAGRAM, socket, true, name, text, "");
}

static int permit_peer(net_socket_t *socket, const net_address_t *peer) {
    const char *name;
    char text[NET_ADDRESS_TEXT];
    net_sandbox_t *self = socket->sandbox;
    if (peer->family != socket->family)
        return -NET_INVALID_ARGUMENT;
    if (net_permits(self, NET_UDP, peer, &name)) {
        report_peer(socket, peer, name);
        return 0;
    }
    net_address_format(peer, true, text);
    net_report(self, ERYX_NET_DATAGRAM, socket, false, name, text, self->reason);
    return -NET_ACCESS_DENIED;
}

/* A socket that sends without having been bound gets a port of its own. */
static int ensure_bound(net_socket_t *socket) {
    net_address_t any = {.family = (uint8_t)socket->family};
    if (socket->kind != NET_KIND_UDP)
        return -NET_INVALID_STATE;
    return socket->state == NET_STATE_NEW ? net_bind(socket, &any) : 0;
}

int32_t net_send_to(net_socket_t *socket, const char *data, size_t length,
                    const net_address_t *to) {
    struct sockaddr_storage storage;
    net_sandbox_t *self = socket->sandbox;
    if (length > NET_CHUNK)
        return -NET_TOO_LARGE;
    bool connected = socket->state == NET_STATE_CONNECTED;
    if (!to && !connected)
        return -NET_INVALID_STATE;
    int error = to ? permit_peer(socket, to) : 0;
    if (error == 0)
        error = ensure_bound(socket);
    if (error != 0)
        return error;
    if (self->bytes_out_max - self->bytes_out < length || self->bytes_out > self->bytes_out_max)
        return net_refuse(self, NET_RESET, "limit net_bytes_out: this sandbox has sent its share");
    socklen_t size = to ? net_address_to_system(to, &storage) : 0;
    ssize_t sent = sendto(socket->fd, data, length, MSG_NOSIGNAL,
                          to ? (struct sockaddr *)&storage : NULL, size);
    if (sent < 0)
        return net_error_of(errno);
    socket->bytes_out += (uint64_t)sent;
    self->bytes_out += (uint64_t)sent;
    return (int32_t)sent;
}

int32_t net_receive_from(net_socket_t *socket, char *buffer, size_t capacity, bool peek,
                         net_address_t *from) {
    const char *name;
    net_sandbox_t *self = socket->sandbox;
    if (socket->kind != NET_KIND_UDP || socket->fd < 0)
        return -NET_INVALID_STATE;
    for (int i = 0; i < DROPS_AT_ONCE; i++) {
        struct sockaddr_storage storage = {0};
        socklen_t size = sizeof storage;
        ssize_t got = recvfrom(socket->fd, buffer, capacity > NET_CHUNK ? NET_CHUNK : capacity,
                               peek ? MSG_PEEK : 0, (struct sockaddr *)&storage, &size);
        if (got < 0)
            return net_error_of(errno);
        bool known =
            net_address_from_system(&storage, from) && net_permits(self, NET_UDP, from, &name);
        if (!known && peek) { /* take the stranger's out of the way */
            recvfrom(socket->fd, buffer, 0, 0, NULL, NULL);
            continue;
        }
        if (!known)
            continue;
        report_peer(socket, from, name);
        if (self->bytes_in + (uint64_t)got > self->bytes_in_max)
            return net_refuse(self, NET_RESET,
                              "limit net_bytes_in: this sandbox has received its share");
        if (self->on_text)
            self->on_text(self->on_text_env, buffer, (size_t)got);
        if (!peek) {
            socket->bytes_in += (uint64_t)got;
            self->bytes_in += (uint64_t)got;
        }
        return (int32_t)got;
    }
    return -NET_WOULD_BLOCK;
}
