/* wasi:sockets/udp and udp-create-socket: creating a socket is denied (PermissionError). */
#include "sockets.h"

#define UDP "wasi:sockets/udp@0.2.0#[method]udp-socket."
#define INCOMING "wasi:sockets/udp@0.2.0#[method]incoming-datagram-stream."
#define OUTGOING "wasi:sockets/udp@0.2.0#[method]outgoing-datagram-stream."

WASI_EXPORT("wasi:sockets/udp-create-socket@0.2.0#create-udp-socket")
void udp_create_socket(uint32_t family, struct result_word *result)
{
    (void)family;
    *result = (struct result_word){.tag = 1, .code = NETWORK_ACCESS_DENIED};
}

SOCKET_REFUSE(UDP "start-bind", udp_start_bind, struct result_code, value,
              UNUSED uint32_t network, SOCKET_ADDRESS)
SOCKET_REFUSE(UDP "stream", udp_stream, struct result_word, code, UNUSED uint32_t has_address,
              SOCKET_ADDRESS)
SOCKET_UNIT(UDP "finish-bind", udp_finish_bind)
SOCKET_WORD(UDP "local-address", udp_local_address)
SOCKET_WORD(UDP "remote-address", udp_remote_address)
SOCKET_UNIT(UDP "unicast-hop-limit", udp_unicast_hop_limit)
SOCKET_SET_WORD(UDP "set-unicast-hop-limit", udp_set_unicast_hop_limit)
SOCKET_LONG(UDP "receive-buffer-size", udp_receive_buffer_size)
SOCKET_SET_LONG(UDP "set-receive-buffer-size", udp_set_receive_buffer_size)
SOCKET_LONG(UDP "send-buffer-size", udp_send_buffer_size)
SOCKET_SET_LONG(UDP "set-send-buffer-size", udp_set_send_buffer_size)

SOCKET_REFUSE(INCOMING "receive", udp_receive, struct result_word, code, UNUSED uint64_t most)
SOCKET_LONG(OUTGOING "check-send", udp_check_send)
SOCKET_REFUSE(OUTGOING "send", udp_send, struct result_long, code, UNUSED const void *datagrams,
              UNUSED uint32_t count)

WASI_EXPORT("wasi:sockets/udp@0.2.0#[resource-drop]udp-socket")
void udp_drop(uint32_t self)
{
    (void)self;
}

WASI_EXPORT("wasi:sockets/udp@0.2.0#[resource-drop]incoming-datagram-stream")
void udp_drop_incoming(uint32_t self)
{
    (void)self;
}

WASI_EXPORT("wasi:sockets/udp@0.2.0#[resource-drop]outgoing-datagram-stream")
void udp_drop_outgoing(uint32_t self)
{
    (void)self;
}
