/* wasi:sockets/tcp and tcp-create-socket: creating a socket is denied (PermissionError). */
#include "sockets.h"

#define TCP "wasi:sockets/tcp@0.2.0#[method]tcp-socket."

WASI_EXPORT("wasi:sockets/tcp-create-socket@0.2.0#create-tcp-socket")
void tcp_create_socket(uint32_t family, struct result_word *result)
{
    (void)family;
    *result = (struct result_word){.tag = 1, .code = NETWORK_ACCESS_DENIED};
}

SOCKET_REFUSE(TCP "start-bind", tcp_start_bind, struct result_code, value,
              UNUSED uint32_t network, SOCKET_ADDRESS)
SOCKET_REFUSE(TCP "start-connect", tcp_start_connect, struct result_code, value,
              UNUSED uint32_t network, SOCKET_ADDRESS)
SOCKET_UNIT(TCP "finish-bind", tcp_finish_bind)
SOCKET_WORD(TCP "finish-connect", tcp_finish_connect)
SOCKET_UNIT(TCP "start-listen", tcp_start_listen)
SOCKET_UNIT(TCP "finish-listen", tcp_finish_listen)
SOCKET_WORD(TCP "accept", tcp_accept)
SOCKET_WORD(TCP "local-address", tcp_local_address)
SOCKET_WORD(TCP "remote-address", tcp_remote_address)
SOCKET_SET_LONG(TCP "set-listen-backlog-size", tcp_set_listen_backlog_size)
SOCKET_UNIT(TCP "keep-alive-enabled", tcp_keep_alive_enabled)
SOCKET_SET_WORD(TCP "set-keep-alive-enabled", tcp_set_keep_alive_enabled)
SOCKET_LONG(TCP "keep-alive-idle-time", tcp_keep_alive_idle_time)
SOCKET_SET_LONG(TCP "set-keep-alive-idle-time", tcp_set_keep_alive_idle_time)
SOCKET_LONG(TCP "keep-alive-interval", tcp_keep_alive_interval)
SOCKET_SET_LONG(TCP "set-keep-alive-interval", tcp_set_keep_alive_interval)
SOCKET_WORD(TCP "keep-alive-count", tcp_keep_alive_count)
SOCKET_SET_WORD(TCP "set-keep-alive-count", tcp_set_keep_alive_count)
SOCKET_UNIT(TCP "hop-limit", tcp_hop_limit)
SOCKET_SET_WORD(TCP "set-hop-limit", tcp_set_hop_limit)
SOCKET_LONG(TCP "receive-buffer-size", tcp_receive_buffer_size)
SOCKET_SET_LONG(TCP "set-receive-buffer-size", tcp_set_receive_buffer_size)
SOCKET_LONG(TCP "send-buffer-size", tcp_send_buffer_size)
SOCKET_SET_LONG(TCP "set-send-buffer-size", tcp_set_send_buffer_size)
SOCKET_SET_WORD(TCP "shutdown", tcp_shutdown)

WASI_EXPORT(TCP "is-listening")
uint32_t tcp_is_listening(uint32_t self)
{
    (void)self;
    return 0;
}

WASI_EXPORT("wasi:sockets/tcp@0.2.0#[resource-drop]tcp-socket")
void tcp_drop(uint32_t self)
{
    (void)self;
}
