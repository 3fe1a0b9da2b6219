/* Bytes of connections: through filter, layer and descriptor. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/internal.h"

/* --- The descriptor ----------------------------------------------------------------------- */

static void touch(net_socket_t *socket) {
    atomic_store_explicit(&socket->activity, clock_monotonic(), memory_order_relaxed);
}

/* How much of `wanted` the limit leaves. Lingering sockets are past all limits but time. */
static size_t within(uint64_t used, uint64_t limit, size_t wanted) {
    uint64_t left = used < limit ? limit - used : 0;
    return wanted < left ? wanted : (size_t)left;
}

static int broken_by(net_socket_t *socket, int number) {
    int error = net_error_of(number);
    if (error == -NET_WOULD_BLOCK)
        return error;
    net_break(socket, (net_error_t)-error, strerror(number));
    return net_check(socket);
}

int32_t net_raw_read(net_socket_t *socket, void *buffer, size_t capacity) {
    net_sandbox_t *self = socket->sandbox;
    int error = net_check(socket);
    if (error != 0)
        return error;
    if (capacity > NET_CHUNK)
        capacity = NET_CHUNK;
    size_t room = self ? within(self->bytes_in, self->bytes_in_max, capacity) : capacity;
    if (room == 0 && capacity > 0) {
        net_break(socket, NET_RESET, "limit net_bytes_in: this sandbox has received its share");
        return net_check(socket);
    }
    ssize_t got = recv(socket->fd, buffer, room, 0);
    if (got < 0)
        return broken_by(socket, errno);
    socket->bytes_in += (uint64_t)got;
    if (self)
        self->bytes_in += (uint64_t)got;
    touch(socket);
    return (int32_t)got;
}

int32_t net_raw_write(net_socket_t *socket, const void *data, size_t length) {
    net_sandbox_t *self = socket->sandbox;
    int error = net_check(socket);
    if (error != 0)
        return error;
    if (length > NET_CHUNK)
        length = NET_CHUNK;
    size_t room = self ? within(self->bytes_out, self->bytes_out_max, length) : length;
    if (room == 0 && length > 0) {
        net_break(socket, NET_RESET, "limit net_bytes_out: this sandbox has sent its share");
        return net_check(socket);
    }
    ssize_t sent = send(socket->fd, data, room, MSG_NOSIGNAL);
    if (sent < 0)
        return broken_by(socket, errno);
    socket->bytes_out += (uint64_t)sent;
    if (self)
        self->bytes_out += (uint64_t)sent;
    touch(socket);
    return (int32_t)sent;
}

void net_set_layer(net_socket_t *socket, const net_layer_t *layer, void *env) {
    if (socket->layer && socket->layer->free)
        socket->layer->free(socket->layer_env);
    socket->layer = layer;
    socket->layer_env = env;
}

void *net_layer_env(const net_socket_t *socket, const net_layer_t *layer) {
    return socket->layer == layer ? socket->layer_env : NULL;
}

void net_set_filter(net_socket_t *socket, const net_filter_t *filter, void *env) {
    socket->filter = filter;
    socket->filter_env = env;
}

static int32_t layer_read(net_socket_t *socket, char *buffer, size_t capacity) {
    if (socket->layer)
        return socket->layer->read(socket->layer_env, socket, buffer, capacity);
    return net_raw_read(socket, buffer, capacity);
}

static int32_t layer_write(net_socket_t *socket, const char *data, size_t length) {
    if (socket->layer)
        return socket->layer->write(socket->layer_env, socket, data, length);
    return net_raw_write(socket, data, length);
}

/* --- Sending ------------------------------------------------------------------------------ */

static int filter_failed(net_socket_t *socket) {
    net_break(socket, NET_RESET, "the host broke the connection");
    return net_check(socket);
}

static int filter_out(net_socket_t *socket, const char *data, size_t length, net_flow_t flow) {
    if (socket->out_at == socket->out.length)
        socket->out.length = socket->out_at = 0;
    if (socket->filter->outgoing(socket->filter_env, data, length, flow, &socket->out))
        return 0;
    return filter_failed(socket);
}

int net_flush(net_socket_t *socket) {
    while (socket->out_at < socket->out.length) {
        int32_t sent = layer_write(socket, socket->out.data + socket->out_at,
                                   socket->out.length - socket->out_at);
        if (sent < 0)
            return sent;
        socket->out_at += (size_t)sent;
    }
    socket->out.length = socket->out_at = 0;
    return 0;
}

/* Writes what the system takes and keeps the rest. 0 or -error, which is not WOULD_BLOCK. */
static int write_or_keep(net_socket_t *socket, const char *data, size_t length) {
    int32_t sent = layer_write(socket, data, length);
    if (sent < 0 && sent != -NET_WOULD_BLOCK)
        return sent;
    size_t done = sent > 0 ? (size_t)sent : 0;
    if (done < length && !buffer_append(&socket->out, data + done, length - done))
        return filter_failed(socket);
    return 0;
}

int32_t net_send(net_socket_t *socket, const char *data, size_t length) {
    int error = net_check(socket);
    if (error == 0 && !net_is_stream(socket))
        error = -NET_INVALID_STATE;
    if (error == 0 && socket->shut_write)
        error = -NET_CLOSED;
    if (error == 0)
        error = net_flush(socket);
    if (error != 0)
        return error;
    if (length > NET_CHUNK)
        length = NET_CHUNK;
    if (length == 0)
        return 0;
    socket->paused = false;
    error = socket->filter ? filter_out(socket, data, length, NET_FLOW_MORE)
                           : write_or_keep(socket, data, length);
    if (error == 0)
        error = net_flush(socket);
    return error == 0 || error == -NET_WOULD_BLOCK ? (int32_t)length : error;
}

void net_pause(net_socket_t *socket) {
    if (socket->broken != 0)
        return;
    if (socket->filter && !socket->paused && !socket->ended_out) {
        socket->paused = true;
        if (filter_out(socket, NULL, 0, NET_FLOW_PAUSE) != 0)
            return;
    }
    net_flush(socket);
}

bool net_finish_writing(net_socket_t *socket) {
    if (socket->shut_done || socket->broken != 0)
        return false;
    if (!socket->ended_out) {
        socket->ended_out = true;
        if (socket->filter && filter_out(socket, NULL, 0, NET_FLOW_END) != 0)
            return false;
    }
    int error = net_flush(socket);
    if (error == 0 && socket->layer && socket->layer->shut)
        error = socket->layer->shut(socket->layer_env, socket);
    if (error == -NET_WOULD_BLOCK)
        return true;
    socket->shut_done = true;
    return false;
}

int net_shut(net_socket_t *socket, net_shutdown_t how) {
    if (!net_is_stream(socket))
        return -NET_INVALID_STATE;
    if (how != NET_SHUT_WRITE) {
        socket->shut_read = true;
        shutdown(socket->fd, SHUT_RD);
    }
    if (how != NET_SHUT_READ && !socket->shut_write) {
        socket->shut_write = true;
        if (!net_finish_writing(socket) && socket->broken == 0)
            shutdown(socket->fd, SHUT_WR);
    }
    return 0;
}

/* After shutdown with bytes left: goes on with them. */
static void go_on_shutting(net_socket_t *socket) {
    if (socket->shut_write && !socket->shut_done && !net_finish_writing(socket) &&
        socket->broken == 0)
        shutdown(socket->fd, SHUT_WR);
}

/* --- Receiving ---------------------------------------------------------------------------- */

bool net_buffered(const net_socket_t *socket) {
    if (socket->in.length > socket->in_at || (socket->in_ended && socket->filter) ||
        socket->shut_read)
        return true;
    return socket->layer && socket->layer->buffered && socket->layer->buffered(socket->layer_env);
}

static int32_t take_in(net_socket_t *socket, char *buffer, size_t capacity, bool peek) {
    size_t there = socket->in.length - socket->in_at;
    size_t count = there < capacity ? there : capacity;
    memcpy(buffer, socket->in.data + socket->in_at, count);
    if (!peek)
        socket->in_at += count;
    if (socket->in_at == socket->in.length)
        socket->in.length = socket->in_at = 0;
    return (int32_t)count;
}

/* Reads once into the buffer, through the filter if there is one. 0: there is something, or the end
 * (in_ended); else -error. */
static int fill_in(net_socket_t *socket) {
    char chunk[16384];
    int32_t got = layer_read(socket, chunk, sizeof chunk);
    net_flow_t flow = got > 0 ? NET_FLOW_MORE : got == 0 ? NET_FLOW_END : NET_FLOW_PAUSE;
    if (got < 0 && got != -NET_WOULD_BLOCK)
        return got;
    socket->in_ended = got == 0;
    size_t length = got > 0 ? (size_t)got : 0;
    if (!socket->filter) {
        if (got < 0)
            return got;
        return buffer_append(&socket->in, chunk, length) ? 0 : -NET_OUT_OF_MEMORY;
    }
    if (!socket->filter->incoming(socket->filter_env, chunk, length, flow, &socket->in))
        return filter_failed(socket);
    return got < 0 && socket->in.length == 0 ? got : 0;
}

int32_t net_receive(net_socket_t *socket, char *buffer, size_t capacity, bool peek) {
    if (!net_is_stream(socket))
        return socket->broken != 0 ? net_check(socket) : -NET_INVALID_STATE;
    if (capacity > NET_CHUNK)
        capacity = NET_CHUNK;
    if (socket->in.length > socket->in_at)
        return take_in(socket, buffer, capacity, peek);
    if (socket->shut_read || (socket->in_ended && (socket->filter || socket->layer)))
        return 0;
    int error = net_check(socket);
    if (error != 0)
        return error;
    net_pause(socket);
    go_on_shutting(socket);
    if (!socket->filter && !peek)
        return layer_read(socket, buffer, capacity);
    while (error == 0 && socket->in.length == 0 && !socket->in_ended)
        error = fill_in(socket);
    if (socket->in.length > 0)
        return take_in(socket, buffer, capacity, peek);
    return error;
}

int32_t net_available(net_socket_t *socket) {
    int count = 0;
    if (socket->in.length > socket->in_at)
        return (int32_t)(socket->in.length - socket->in_at);
    if (socket->fd < 0 || socket->layer || socket->filter ||
        ioctl(socket->fd, FIONREAD, &count) != 0)
        return 0;
    return count;
}
