/* Options that programs may read and set. TCP_NODELAY is always on. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "net/internal.h"

#define BUFFER_MAX (1 << 20) /* what a program may ask of the host's memory */

struct option {
    int level, name;
    int32_t least, most;
};

static const struct option *find_option(const net_socket_t *socket, net_option_t option) {
    static const struct option options[] = {
        [NET_OPTION_KEEP_ALIVE] = {SOL_SOCKET, SO_KEEPALIVE, 0, 1},
        [NET_OPTION_KEEP_IDLE] = {IPPROTO_TCP, TCP_KEEPIDLE, 1, 32767},
        [NET_OPTION_KEEP_INTERVAL] = {IPPROTO_TCP, TCP_KEEPINTVL, 1, 32767},
        [NET_OPTION_KEEP_COUNT] = {IPPROTO_TCP, TCP_KEEPCNT, 1, 127},
        [NET_OPTION_HOPS] = {IPPROTO_IP, IP_TTL, 1, 255},
        [NET_OPTION_RECEIVE_BUFFER] = {SOL_SOCKET, SO_RCVBUF, 1, BUFFER_MAX},
        [NET_OPTION_SEND_BUFFER] = {SOL_SOCKET, SO_SNDBUF, 1, BUFFER_MAX},
    };
    static const struct option hops6 = {IPPROTO_IPV6, IPV6_UNICAST_HOPS, 1, 255};
    if (option == NET_OPTION_HOPS && socket->family == 6)
        return &hops6;
    return (unsigned)option < sizeof options / sizeof *options ? &options[option] : NULL;
}

int32_t net_get_option(net_socket_t *socket, net_option_t option) {
    int value = 0;
    socklen_t length = sizeof value;
    const struct option *what = find_option(socket, option);
    if (!what || socket->kind == NET_KIND_LOOKUP)
        return -NET_INVALID_ARGUMENT;
    int error = net_ensure_descriptor(socket);
    if (error != 0)
        return error;
    if (getsockopt(socket->fd, what->level, what->name, &value, &length) != 0)
        return net_error_of(errno);
    return value;
}

int net_set_option(net_socket_t *socket, net_option_t option, int32_t value) {
    const struct option *what = find_option(socket, option);
    if (!what || socket->kind == NET_KIND_LOOKUP)
        return -NET_INVALID_ARGUMENT;
    int error = net_ensure_descriptor(socket);
    if (error != 0)
        return error;
    int number = value < what->least ? what->least : value > what->most ? what->most : value;
    if (setsockopt(socket->fd, what->level, what->name, &number, sizeof number) != 0)
        return net_error_of(errno);
    return 0;
}
