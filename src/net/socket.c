/* Making, connecting, listening and closing of sockets. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/internal.h"

int net_error_of(int number) {
    switch (number) {
    case EAGAIN:
    case EINPROGRESS:
    case EALREADY:
        return -NET_WOULD_BLOCK;
    case EACCES:
    case EPERM:
        return -NET_ACCESS_DENIED;
    case EOPNOTSUPP:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
        return -NET_NOT_SUPPORTED;
    case EINVAL:
    case EDESTADDRREQ:
        return -NET_INVALID_ARGUMENT;
    case ENOMEM:
    case ENOBUFS:
        return -NET_OUT_OF_MEMORY;
    case ETIMEDOUT:
        return -NET_TIMEOUT;
    case ENOTCONN:
    case EISCONN:
        return -NET_INVALID_STATE;
    case EMFILE:
    case ENFILE:
        return -NET_SOCKET_LIMIT;
    case EADDRNOTAVAIL:
        return -NET_NOT_BINDABLE;
    case EADDRINUSE:
        return -NET_IN_USE;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
        return -NET_UNREACHABLE;
    case ECONNREFUSED:
        return -NET_REFUSED;
    case ECONNRESET:
        return -NET_RESET;
    case ECONNABORTED:
        return -NET_ABORTED;
    case EMSGSIZE:
        return -NET_TOO_LARGE;
    case EPIPE:
        return -NET_CLOSED;
    default:
        return -NET_ERROR_UNKNOWN;
    }
}

uint32_t net_number(const net_socket_t *socket) {
    return socket->number;
}

net_sandbox_t *net_sandbox_of(const net_socket_t *socket) {
    return socket->sandbox;
}

const char *net_peer_name(const net_socket_t *socket) {
    return socket->name;
}

bool net_is_stream(const net_socket_t *socket) {
    return socket->kind == NET_KIND_TCP && socket->state == NET_STATE_CONNECTED;
}

uint64_t net_bytes_in(const net_socket_t *socket) {
    return socket->bytes_in;
}

uint64_t net_bytes_out(const net_socket_t *socket) {
    return socket->bytes_out;
}

/* --- Breaking ----------------------------------------------------------------------------- */

void net_break(net_socket_t *socket, net_error_t error, const char *why) {
    if (socket->broken != 0)
        return;
    socket->broken = (int)error;
    snprintf(socket->why, sizeof socket->why, "%s", why);
    if (socket->fd >= 0)
        shutdown(socket->fd, SHUT_RDWR);
    if (socket->sandbox)
        net_set_reason(socket->sandbox, why);
}

int net_check(net_socket_t *socket) {
    int expired = atomic_load(&socket->expired);
    if (expired != 0 && socket->broken == 0)
        net_break(socket, (net_error_t)expired,
                  socket->state == NET_STATE_CONNECTING
                      ? "limit net_connect_time_ns: the peer did not answer in time"
                      : "limit net_idle_time_ns: nothing was sent or received for too long");
    if (socket->broken != 0 && socket->sandbox)
        net_set_reason(socket->sandbox, socket->why);
    return -socket->broken;
}

/* --- Making ------------------------------------------------------------------------------- */

int32_t net_open(net_sandbox_t *self, net_kind_t kind, unsigned family) {
    if ((family != 4 && family != 6) || (kind != NET_KIND_TCP && kind != NET_KIND_UDP))
        return -NET_INVALID_ARGUMENT;
    if (kind == NET_KIND_UDP && !net_policy_grants(&self->policy, NET_UDP)) {
        net_refuse(self, NET_ACCESS_DENIED,
                   "no permission for UDP: grant it with --allow-net udp:HOST[:PORT] "
                   "(eryx_net_options_t.allow)");
        net_report(self, ERYX_NET_DATAGRAM, NULL, false, "", "", self->reason);
        return -NET_ACCESS_DENIED;
    }
    net_socket_t *socket = net_socket_new(self, kind, family);
    if (!socket)
        return net_refuse(self, NET_SOCKET_LIMIT, "more than %u sockets", NET_SOCKETS_MAX);
    return (int32_t)socket->number;
}

/* Takes the descriptor over, also when it fails. */
static int adopt(net_socket_t *socket, int fd) {
    if (fd < 0 || !reactor_add(&socket->net->reactor, &socket->watch, fd, net_socket_ready)) {
        int error = fd < 0 ? net_error_of(errno) : -NET_OUT_OF_MEMORY;
        if (fd >= 0)
            close(fd);
        socket->sandbox->open--;
        return error;
    }
    socket->fd = fd;
    return 0;
}

/* The descriptor, when it is first needed: a socket that is only made costs the host nothing. */
int net_ensure_descriptor(net_socket_t *self) {
    if (self->fd >= 0)
        return 0;
    if (!net_count_open(self->sandbox))
        return -NET_SOCKET_LIMIT;
    int on = 1, type = self->kind == NET_KIND_UDP ? SOCK_DGRAM : SOCK_STREAM;
    int fd = socket(self->family == 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && self->family == 6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    return adopt(self, fd);
}

static int read_local(net_socket_t *socket) {
    struct sockaddr_storage storage;
    socklen_t length = sizeof storage;
    if (getsockname(socket->fd, (struct sockaddr *)&storage, &length) != 0 ||
        !net_address_from_system(&storage, &socket->local))
        return -NET_ERROR_UNKNOWN;
    return 0;
}

/* --- Binding and listening ---------------------------------------------------------------- */

static bool is_any(const net_address_t *address) {
    static const net_address_t any4 = {.family = 4}, any6 = {.family = 6};
    return net_address_equal(address, address->family == 4 ? &any4 : &any6);
}

/* A UDP socket may have any port of its own; everything else is listening. */
static int permit_bind(net_socket_t *socket, const net_address_t *address) {
    const char *name;
    char text[NET_ADDRESS_TEXT];
    net_sandbox_t *self = socket->sandbox;
    if (socket->kind == NET_KIND_UDP && is_any(address) && address->port == 0)
        return 0;
    net_address_format(address, true, text);
    bool allowed = net_permits(self, NET_LISTEN, address, &name);
    if (allowed)
        return 0;
    net_report(self, ERYX_NET_LISTEN, socket, false, "", text, self->reason);
    return -NET_ACCESS_DENIED;
}

int net_bind(net_socket_t *socket, const net_address_t *address) {
    struct sockaddr_storage storage;
    int on = 1;
    if (socket->kind == NET_KIND_LOOKUP || socket->state != NET_STATE_NEW)
        return -NET_INVALID_STATE;
    if (address->family != socket->family)
        return -NET_INVALID_ARGUMENT;
    int error = permit_bind(socket, address);
    if (error == 0)
        error = net_ensure_descriptor(socket);
    if (error != 0)
        return error;
    if (socket->kind == NET_KIND_TCP)
        setsockopt(socket->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(socket->fd, (struct sockaddr *)&storage, net_address_to_system(address, &storage)) !=
        0)
        return net_error_of(errno);
    socket->state = NET_STATE_BOUND;
    return read_local(socket);
}

int net_listen(net_socket_t *socket, int backlog) {
    char text[NET_ADDRESS_TEXT];
    if (socket->kind != NET_KIND_TCP || socket->state != NET_STATE_BOUND)
        return -NET_INVALID_STATE;
    if (listen(socket->fd, backlog < 1 ? 1 : backlog) != 0)
        return net_error_of(errno);
    socket->state = NET_STATE_LISTENING;
    net_address_format(&socket->local, true, text);
    net_report(socket->sandbox, ERYX_NET_LISTEN, socket, true, "", text, "");
    return 0;
}

int32_t net_accept(net_socket_t *listener) {
    struct sockaddr_storage storage = {0};
    socklen_t length = sizeof storage;
    char text[NET_ADDRESS_TEXT];
    net_sandbox_t *self = listener->sandbox;
    if (listener->kind != NET_KIND_TCP || listener->state != NET_STATE_LISTENING)
        return -NET_INVALID_STATE;
    int fd =
        accept4(listener->fd, (struct sockaddr *)&storage, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return net_error_of(errno);
    net_address_t peer = {.family = (uint8_t)listener->family};
    net_address_from_system(&storage, &peer);
    net_address_format(&peer, true, text);
    bool counted = net_count_open(self);
    net_socket_t *socket = counted ? net_socket_new(self, NET_KIND_TCP, peer.family) : NULL;
    if (counted && !socket) {
        self->open--;
        net_refuse(self, NET_SOCKET_LIMIT, "more than %u sockets", NET_SOCKETS_MAX);
    }
    if (!socket) {
        close(fd);
        net_report(self, ERYX_NET_ACCEPT, listener, false, "", text, self->reason);
        return -NET_SOCKET_LIMIT;
    }
    socket->peer = peer;
    int error = adopt(socket, fd);
    if (error == 0)
        error = read_local(socket);
    if (error != 0) {
        net_close(socket);
        return error;
    }
    net_report(self, ERYX_NET_ACCEPT, socket, true, "", text, "");
    error = net_established(socket);
    if (error != 0)
        net_close(socket);
    return error != 0 ? error : (int32_t)socket->number;
}

/* --- Connecting --------------------------------------------------------------------------- */

int net_established(net_socket_t *socket) {
    int on = 1;
    net_sandbox_t *self = socket->sandbox;
    setsockopt(socket->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    socket->state = NET_STATE_CONNECTED;
    atomic_store(&socket->activity, clock_monotonic());
    net_set_deadline(socket, CLOCK_NEVER, self->idle_ns);
    if (self->on_connected)
        self->on_connected(self->on_connected_env, socket);
    return net_check(socket);
}

static int connect_udp(net_socket_t *socket, const struct sockaddr_storage *storage,
                       socklen_t length) {
    if (connect(socket->fd, (const struct sockaddr *)storage, length) != 0)
        return net_error_of(errno);
    socket->state = NET_STATE_CONNECTED;
    return read_local(socket);
}

static int start_connect(net_socket_t *socket) {
    struct sockaddr_storage storage;
    socklen_t length = net_address_to_system(&socket->peer, &storage);
    if (socket->kind == NET_KIND_UDP)
        return connect_udp(socket, &storage, length);
    uint64_t limit = socket->sandbox->connect_ns;
    int status = connect(socket->fd, (struct sockaddr *)&storage, length);
    socket->state = NET_STATE_CONNECTING; /* also if it failed: closing reports that */
    if (status != 0 && errno != EINPROGRESS) {
        net_break(socket, (net_error_t)-net_error_of(errno), strerror(errno));
        return net_check(socket);
    }
    if (status == 0)
        return net_connected(socket);
    net_set_deadline(socket, limit > 0 ? clock_add(clock_monotonic(), limit) : CLOCK_NEVER, 0);
    return -NET_WOULD_BLOCK;
}

int net_connect(net_socket_t *socket, const net_address_t *address) {
    const char *name;
    char text[NET_ADDRESS_TEXT];
    net_sandbox_t *self = socket->sandbox;
    bool udp = socket->kind == NET_KIND_UDP;
    if (socket->kind == NET_KIND_LOOKUP || socket->state == NET_STATE_CONNECTING ||
        socket->state == NET_STATE_LISTENING || (!udp && socket->state == NET_STATE_CONNECTED))
        return -NET_INVALID_STATE;
    if (address->family != socket->family)
        return -NET_INVALID_ARGUMENT;
    if (net_check(socket) != 0)
        return net_check(socket);
    bool allowed = net_permits(self, udp ? NET_UDP : NET_TCP, address, &name);
    int error = allowed ? net_ensure_descriptor(socket) : -NET_ACCESS_DENIED;
    net_address_format(address, true, text);
    net_report(self, udp ? ERYX_NET_DATAGRAM : ERYX_NET_CONNECT, socket, error == 0, name, text,
               error == 0 ? "" : self->reason);
    if (error != 0)
        return error;
    socket->peer = *address;
    snprintf(socket->name, sizeof socket->name, "%s", name);
    return start_connect(socket);
}

int net_connected(net_socket_t *socket) {
    int number = 0;
    socklen_t length = sizeof number;
    struct sockaddr_storage storage;
    if (socket->state != NET_STATE_CONNECTING)
        return -NET_NOT_IN_PROGRESS;
    if (net_check(socket) != 0)
        return net_check(socket);
    getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &number, &length);
    if (number != 0) {
        net_break(socket, (net_error_t)-net_error_of(number), strerror(number));
        return net_check(socket);
    }
    length = sizeof storage;
    if (getpeername(socket->fd, (struct sockaddr *)&storage, &length) != 0)
        return -NET_WOULD_BLOCK;
    int error = read_local(socket);
    return error != 0 ? error : net_established(socket);
}

int net_address_of(const net_socket_t *socket, bool remote, net_address_t *out) {
    if (remote && socket->state != NET_STATE_CONNECTED)
        return -NET_INVALID_STATE;
    if (!remote && socket->local.family == 0)
        return -NET_INVALID_STATE;
    *out = remote ? socket->peer : socket->local;
    return 0;
}

/* --- Closing ------------------------------------------------------------------------------ */

void net_socket_free(net_socket_t *socket) {
    if (socket->layer && socket->layer->free)
        socket->layer->free(socket->layer_env);
    if (socket->filter && socket->filter->free)
        socket->filter->free(socket->filter_env);
    if (socket->fd >= 0)
        close(socket->fd);
    buffer_free(&socket->out);
    buffer_free(&socket->in);
    free(socket);
}

/* The job goes on without us; whoever is last frees it. */
static void leave_job(net_socket_t *socket) {
    pthread_mutex_lock(&socket->net->reactor.lock);
    resolver_job_t *job = socket->job;
    bool done = job && job->done;
    if (job)
        job->asker = NULL;
    net_wait_fire_all(socket);
    pthread_mutex_unlock(&socket->net->reactor.lock);
    if (done)
        net_job_free(job);
}

static void report_close(net_socket_t *socket) {
    char text[NET_ADDRESS_TEXT];
    bool listens = socket->state == NET_STATE_LISTENING || socket->state == NET_STATE_BOUND;
    const net_address_t *address = listens ? &socket->local : &socket->peer;
    if (socket->fd < 0 || socket->state == NET_STATE_NEW)
        return;
    net_address_format(address, true, text);
    net_report(socket->sandbox, ERYX_NET_CLOSE, socket, true, socket->name, text, socket->why);
}

/* Whether the socket, which is to linger, may: descriptors that programs close must not pile up where peers
 * take nothing. Lock held. */
static bool may_linger(const net_t *net, const net_socket_t *socket) {
    unsigned all = 0, own = 0;
    for (const net_socket_t *other = net->lingering; other; other = other->next) {
        all++;
        own += other->owner == socket->owner;
    }
    return all < LINGERING_MAX && own < LINGERING_OF_ONE;
}

void net_close(net_socket_t *socket) {
    net_t *net = socket->net;
    bool linger = net_is_stream(socket) && socket->broken == 0 && net_finish_writing(socket);
    report_close(socket);
    if (socket->kind == NET_KIND_LOOKUP) {
        net_report_unanswered(socket);
        leave_job(socket);
    }
    net_forget(socket);
    pthread_mutex_lock(&net->reactor.lock);
    net_wait_fire_all(socket);
    socket->mailbox = NULL;
    linger = linger && may_linger(net, socket);
    if (linger) {
        socket->next = net->lingering;
        net->lingering = socket;
        socket->idle = 0;
        socket->deadline = clock_add(clock_monotonic(), LINGER_NS);
        reactor_set_deadline(&net->reactor, &socket->watch, socket->deadline);
        reactor_arm(&net->reactor, &socket->watch, NET_WRITE);
    } else {
        reactor_remove(&net->reactor, &socket->watch);
    }
    pthread_mutex_unlock(&net->reactor.lock);
    if (!linger)
        net_socket_free(socket);
}

void net_linger_step(net_socket_t *socket, bool expired) {
    net_t *net = socket->net;
    if (!expired && net_finish_writing(socket)) {
        reactor_arm(&net->reactor, &socket->watch, NET_WRITE);
        return;
    }
    net_socket_t **at = &net->lingering;
    while (*at != socket)
        at = &(*at)->next;
    *at = socket->next;
    reactor_remove(&net->reactor, &socket->watch);
    net_socket_free(socket);
}
