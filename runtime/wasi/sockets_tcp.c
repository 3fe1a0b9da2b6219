/* wasi:sockets/tcp and tcp-create-socket, on the host's sockets. What WASI splits into start and
 * finish is done by start; only connecting takes time. */
#include "sockets.h"

#define TCP "wasi:sockets/tcp@0.2.0#[method]tcp-socket."

enum { SECOND_NS = 1000000000, BACKLOG = 128, BACKLOG_MAX = 4096 };

static uint32_t number_of(uint32_t self)
{
    return socket_number(self, HANDLE_TCP);
}

WASI_EXPORT("wasi:sockets/tcp-create-socket@0.2.0#create-tcp-socket")
void tcp_create_socket(uint32_t family, struct result_word *result)
{
    int32_t number = net_open(NET_TCP, family == ADDRESS_IPV4 ? 4 : 6);
    *result = (struct result_word){.tag = number < 0};
    if (number < 0) {
        result->code = network_code(number);
        return;
    }
    result->handle = socket_handle(HANDLE_TCP, (uint32_t)number);
    if (!result->handle) {
        *result = (struct result_word){.tag = 1, .code = NETWORK_SOCKET_LIMIT};
    }
}

/* --- Connecting, listening ---------------------------------------------------------------- */

WASI_EXPORT(TCP "start-bind")
void tcp_start_bind(uint32_t self, UNUSED uint32_t network, SOCKET_ADDRESS,
                    struct result_code *result)
{
    struct net_address address;
    if (!socket_address_flat(tag, SOCKET_ADDRESS_WORDS, &address)) {
        *result = (struct result_code){1, NETWORK_INVALID_ARGUMENT};
        return;
    }
    socket_put(result, net_bind(number_of(self), &address));
}

WASI_EXPORT(TCP "finish-bind")
void tcp_finish_bind(uint32_t self, struct result_code *result)
{
    number_of(self);
    *result = (struct result_code){0};
}

/* Refusals come at once; what else happened is told by finish-connect. */
WASI_EXPORT(TCP "start-connect")
void tcp_start_connect(uint32_t self, UNUSED uint32_t network, SOCKET_ADDRESS,
                       struct result_code *result)
{
    struct net_address address;
    if (!socket_address_flat(tag, SOCKET_ADDRESS_WORDS, &address)) {
        *result = (struct result_code){1, NETWORK_INVALID_ARGUMENT};
        return;
    }
    int32_t answer = net_connect(number_of(self), &address);
    socket_put(result, answer == NET_WOULD_BLOCK ? 0 : answer);
}

/* The two streams of a connection. False when there is no room for handles. */
static bool make_streams(uint32_t number, uint32_t *handles)
{
    struct handle stream = {.kind = HANDLE_INPUT, .stream = STREAM_SOCKET, .value = number};
    handles[0] = handle_new(stream);
    stream.kind = HANDLE_OUTPUT;
    handles[1] = handles[0] ? handle_new(stream) : 0;
    if (handles[0] && !handles[1]) {
        handle_drop(handles[0]);
    }
    return handles[1];
}

/* The host has connected at once if it is not in progress: then it has an address. */
static int32_t connected(uint32_t number)
{
    struct net_address address;
    int32_t answer = net_connected(number);
    return answer < 0 && net_address_of(number, 1, &address) == 0 ? 0 : answer;
}

WASI_EXPORT(TCP "finish-connect")
void tcp_finish_connect(uint32_t self, struct result_handles *result)
{
    uint32_t number = number_of(self);
    int32_t answer = connected(number);
    *result = (struct result_handles){.tag = answer < 0};
    if (answer < 0) {
        result->code = network_code(answer);
    } else if (!make_streams(number, result->handles)) {
        *result = (struct result_handles){.tag = 1, .code = NETWORK_SOCKET_LIMIT};
    }
}

/* The upper half of the handle's value is the backlog, 0: none was set. */
WASI_EXPORT(TCP "set-listen-backlog-size")
void tcp_set_listen_backlog_size(uint32_t self, uint64_t value, struct result_code *result)
{
    struct handle *handle = handle_must(self, HANDLE_TCP);
    uint64_t backlog = value < BACKLOG_MAX ? value : BACKLOG_MAX;
    handle->value = (uint32_t)handle->value | backlog << 32;
    *result = (struct result_code){0};
}

WASI_EXPORT(TCP "start-listen")
void tcp_start_listen(uint32_t self, struct result_code *result)
{
    int32_t backlog = (int32_t)(handle_must(self, HANDLE_TCP)->value >> 32);
    socket_put(result, net_listen(number_of(self), backlog ? backlog : BACKLOG));
}

WASI_EXPORT(TCP "finish-listen")
void tcp_finish_listen(uint32_t self, struct result_code *result)
{
    number_of(self);
    *result = (struct result_code){0};
}

WASI_EXPORT(TCP "accept")
void tcp_accept(uint32_t self, struct result_handles *result)
{
    int32_t number = net_accept(number_of(self));
    *result = (struct result_handles){.tag = number < 0};
    if (number < 0) {
        result->code = network_code(number);
        return;
    }
    uint32_t socket = socket_handle(HANDLE_TCP, (uint32_t)number);
    result->handles[0] = socket;
    if (!socket || !make_streams((uint32_t)number, result->handles + 1)) {
        if (socket) {
            net_close((uint32_t)number);
            handle_drop(socket);
        }
        *result = (struct result_handles){.tag = 1, .code = NETWORK_SOCKET_LIMIT};
    }
}

WASI_EXPORT(TCP "is-listening")
uint32_t tcp_is_listening(uint32_t self)
{
    struct net_address address;
    uint32_t number = number_of(self);
    return net_address_of(number, 0, &address) == 0 && net_address_of(number, 1, &address) != 0;
}

WASI_EXPORT(TCP "shutdown")
void tcp_shutdown(uint32_t self, uint32_t how, struct result_code *result)
{
    socket_put(result, net_shut(number_of(self), how));
}

WASI_EXPORT("wasi:sockets/tcp@0.2.0#[resource-drop]tcp-socket")
void tcp_drop(uint32_t self)
{
    net_close(number_of(self));
    handle_drop(self);
}

/* --- Addresses and options ---------------------------------------------------------------- */

WASI_EXPORT(TCP "local-address")
void tcp_local_address(uint32_t self, struct result_address *result)
{
    socket_put_address(number_of(self), false, result);
}

WASI_EXPORT(TCP "remote-address")
void tcp_remote_address(uint32_t self, struct result_address *result)
{
    socket_put_address(number_of(self), true, result);
}

#define TCP_LONG(name, function, option, unit)                                                     \
    WASI_EXPORT(TCP name) void tcp_##function(uint32_t self, struct result_long *result)           \
    {                                                                                              \
        socket_get_long(number_of(self), option, unit, result);                                    \
    }                                                                                              \
    WASI_EXPORT(TCP "set-" name)                                                                   \
    void tcp_set_##function(uint32_t self, uint64_t value, struct result_code *result)             \
    {                                                                                              \
        socket_set_long(number_of(self), option, value, unit, result);                             \
    }

TCP_LONG("keep-alive-idle-time", keep_alive_idle_time, NET_KEEP_IDLE, SECOND_NS)
TCP_LONG("keep-alive-interval", keep_alive_interval, NET_KEEP_INTERVAL, SECOND_NS)
TCP_LONG("receive-buffer-size", receive_buffer_size, NET_RECEIVE_BUFFER, 1)
TCP_LONG("send-buffer-size", send_buffer_size, NET_SEND_BUFFER, 1)

#define TCP_SET(name, function, option)                                                            \
    WASI_EXPORT(TCP "set-" name)                                                                   \
    void tcp_set_##function(uint32_t self, uint32_t value, struct result_code *result)             \
    {                                                                                              \
        socket_put(result, net_set_option(number_of(self), option, (int32_t)value));               \
    }

TCP_SET("keep-alive-enabled", keep_alive_enabled, NET_KEEP_ALIVE)
TCP_SET("keep-alive-count", keep_alive_count, NET_KEEP_COUNT)
TCP_SET("hop-limit", hop_limit, NET_HOPS)

WASI_EXPORT(TCP "keep-alive-enabled")
void tcp_keep_alive_enabled(uint32_t self, struct result_code *result)
{
    socket_get_byte(number_of(self), NET_KEEP_ALIVE, result);
}

WASI_EXPORT(TCP "hop-limit")
void tcp_hop_limit(uint32_t self, struct result_code *result)
{
    socket_get_byte(number_of(self), NET_HOPS, result);
}

WASI_EXPORT(TCP "keep-alive-count")
void tcp_keep_alive_count(uint32_t self, struct result_word *result)
{
    int32_t answer = net_get_option(number_of(self), NET_KEEP_COUNT);
    *result = (struct result_word){.tag = answer < 0};
    if (answer < 0) {
        result->code = network_code(answer);
    } else {
        result->handle = (uint32_t)answer;
    }
}
