/* Sockets of a sandbox without a guest: the host's side against real peers on 127.0.0.1. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <eryx.h>

#include "base/clock.h"
#include "net_rig.h"

#define SECOND UINT64_C(1000000000)

/* --- What a sandbox would bring ----------------------------------------------------------- */

static int on_resolve(void *env, const char *name, eryx_net_address_t *out, size_t capacity) {
    struct rig *rig = env;
    assert(capacity >= 2);
    __atomic_add_fetch(&rig->resolutions, 1, __ATOMIC_SEQ_CST);
    if (strcmp(name, "local.test") == 0) {
        strcpy(out[0].text, "127.0.0.1");
        strcpy(out[1].text, "169.254.169.254");
        return 2;
    }
    if (strcmp(name, "odd.test") == 0) {
        strcpy(out[0].text, "0x7f000001");
        return 1;
    }
    return strcmp(name, "slow.test") == 0 ? ERYX_NET_TRY_AGAIN : ERYX_NET_UNKNOWN;
}

static struct rig *rig_new(const char *const *allow, size_t count, bool local,
                           const eryx_limits_t *limits) {
    eryx_net_options_t options;
    eryx_net_options_init(&options);
    options.allow = allow;
    options.allow_count = count;
    options.allow_local = local;
    options.on_resolve = on_resolve;
    return rig_open(&options, limits);
}

static void await(struct rig *rig, uint32_t number, unsigned interest) {
    net_socket_t *socket = net_find(rig->sandbox, number);
    assert_non_null(socket);
    rig_await(rig, socket, interest);
}

static void expect_event(struct rig *rig, const char *text) {
    if (!strstr(rig->events, text))
        fail_msg("no event '%s' in:\n%s", text, rig->events);
}

/* --- Peers -------------------------------------------------------------------------------- */

typedef void (*peer_fn)(int fd);

struct peer {
    int listener;
    uint16_t port;
    peer_fn serve;
    pthread_t thread;
};

static void *peer_run(void *env) {
    struct peer *peer = env;
    int fd = accept(peer->listener, NULL, NULL);
    if (fd >= 0) {
        peer->serve(fd);
        close(fd);
    }
    return NULL;
}

static void peer_start(struct peer *peer, peer_fn serve) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    peer->serve = serve;
    peer->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(peer->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(peer->listener, 8), 0);
    getsockname(peer->listener, (struct sockaddr *)&address, &length);
    peer->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&peer->thread, NULL, peer_run, peer), 0);
}

static void peer_join(struct peer *peer) {
    shutdown(peer->listener, SHUT_RDWR);
    pthread_join(peer->thread, NULL);
    close(peer->listener);
}

static void echo(int fd) {
    char bytes[4096];
    ssize_t got;
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        for (ssize_t at = 0; at < got;) {
            ssize_t sent = write(fd, bytes + at, (size_t)(got - at));
            if (sent < 0)
                return;
            at += sent;
        }
}

static void silent(int fd) {
    char byte;
    while (read(fd, &byte, 1) > 0)
        ;
}

static void reset(int fd) {
    struct linger linger = {1, 0};
    char byte;
    if (read(fd, &byte, 1) == 1)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static size_t drained;
static pthread_barrier_t closed;

static void drain_when_closed(int fd) {
    char bytes[65536];
    ssize_t got;
    pthread_barrier_wait(&closed);
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        drained += (size_t)got;
}

static void flood(int fd) {
    char bytes[65536];
    memset(bytes, 'x', sizeof bytes);
    while (send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
        ;
}

static net_address_t local(uint16_t port) {
    return (net_address_t){.family = 4, .port = port, .bytes = {127, 0, 0, 1}};
}

static const char *const loopback[] = {"127.0.0.1", "udp:127.0.0.1", "listen:127.0.0.1"};

static uint32_t connect_to(struct rig *rig, uint16_t port) {
    net_address_t address = local(port);
    int32_t number = net_open(rig->sandbox, NET_KIND_TCP, 4);
    assert_true(number > 0);
    net_socket_t *socket = net_find(rig->sandbox, (uint32_t)number);
    int status = net_connect(socket, &address);
    while (status == -NET_WOULD_BLOCK) {
        await(rig, (uint32_t)number, NET_WRITE);
        status = net_connected(socket);
    }
    if (status != 0)
        fail_msg("connecting: %d %s", status, net_reason(rig->sandbox));
    return (uint32_t)number;
}

static int32_t receive(struct rig *rig, uint32_t number, char *out, size_t capacity) {
    int32_t got;
    while ((got = net_receive(net_find(rig->sandbox, number), out, capacity, false)) ==
           -NET_WOULD_BLOCK)
        await(rig, number, NET_READ);
    return got;
}

/* --- Tests -------------------------------------------------------------------------------- */

static void bytes_go_both_ways(void **state) {
    (void)state;
    struct rig *rig = rig_new(loopback, 1, false, NULL);
    struct peer peer;
    char out[64] = "", expected[96];
    peer_start(&peer, echo);
    uint32_t number = connect_to(rig, peer.port);
    net_socket_t *socket = net_find(rig->sandbox, number);
    assert_int_equal(net_send(socket, "hello", 5), 5);
    await(rig, number, NET_READ);
    assert_int_equal(net_receive(socket, out, 2, true), 2);
    assert_int_equal(receive(rig, number, out, sizeof out), 5);
    assert_memory_equal(out, "hello", 5);
    assert_int_equal(net_shut(socket, NET_SHUT_WRITE), 0);
    assert_int_equal(net_send(socket, "x", 1), -NET_CLOSED);
    assert_int_equal(receive(rig, number, out, sizeof out), 0);
    net_close(socket);
    assert_null(net_find(rig->sandbox, number));
    peer_join(&peer);
    snprintf(expected, sizeof expected, "connect yes '' '127.0.0.1:%u' 0/0 \n", peer.port);
    expect_event(rig, expected);
    snprintf(expected, sizeof expected, "close yes '' '127.0.0.1:%u' 5/5 \n", peer.port);
    expect_event(rig, expected);
    rig_free(rig);
}

static void what_is_not_granted_is_refused(void **state) {
    (void)state;
    struct rig *rig = rig_new(NULL, 0, false, NULL);
    net_address_t address = local(80);
    int32_t number = net_open(rig->sandbox, NET_KIND_TCP, 4);
    net_socket_t *socket = net_find(rig->sandbox, (uint32_t)number);
    assert_int_equal(net_connect(socket, &address), -NET_ACCESS_DENIED);
    assert_non_null(strstr(net_reason(rig->sandbox), "--allow-net 127.0.0.1:80"));
    expect_event(rig, "connect no '' '127.0.0.1:80' 0/0 no permission");
    assert_int_equal(net_bind(socket, &address), -NET_ACCESS_DENIED);
    expect_event(rig, "listen no '' '127.0.0.1:80'");
    assert_int_equal(net_open(rig->sandbox, NET_KIND_UDP, 4), -NET_ACCESS_DENIED);
    expect_event(rig, "datagram no '' '' 0/0 no permission for UDP");
    assert_int_equal(net_resolve(rig->sandbox, "local.test", 10), -NET_ACCESS_DENIED);
    expect_event(rig, "resolve no 'local.test' ''");
    assert_int_equal(net_resolve(rig->sandbox, "0x7f.1", 6), -NET_ACCESS_DENIED);
    expect_event(rig, "resolve no '0x7f.1' '' 0/0 the host '0x7f.1' is refused");
    assert_int_equal(rig->resolutions, 0);
    rig_free(rig);
}

static int32_t resolve(struct rig *rig, const char *name, net_address_t *out) {
    int32_t number = net_resolve(rig->sandbox, name, strlen(name)), count;
    if (number < 0)
        return number;
    net_socket_t *lookup = net_find(rig->sandbox, (uint32_t)number);
    while ((count = net_resolved(lookup, out)) == -NET_WOULD_BLOCK)
        await(rig, (uint32_t)number, NET_READ);
    net_close(lookup);
    return count;
}

static void names_lead_only_where_they_may(void **state) {
    (void)state;
    static const char *const names[] = {"local.test", "slow.test", "odd.test", "none.test"};
    net_address_t found[NET_ADDRESSES_MAX];
    struct peer peer;
    struct rig *rig = rig_new(names, 4, false, NULL);
    assert_int_equal(resolve(rig, "LOCAL.test.", found), -NET_ACCESS_DENIED);
    expect_event(rig,
                 "resolve no 'local.test' '127.0.0.1 169.254.169.254' 0/0 local.test resolves");
    assert_int_equal(resolve(rig, "slow.test", found), -NET_NAME_AGAIN);
    assert_int_equal(resolve(rig, "none.test", found), -NET_NAME_UNKNOWN);
    assert_int_equal(resolve(rig, "odd.test", found), -NET_NAME_FAILED);
    rig_free(rig);

    rig = rig_new(names, 1, true, NULL);
    peer_start(&peer, echo);
    int32_t number = net_open(rig->sandbox, NET_KIND_TCP, 4);
    net_socket_t *socket = net_find(rig->sandbox, (uint32_t)number);
    net_address_t address = local(peer.port);
    assert_int_equal(net_connect(socket, &address), -NET_ACCESS_DENIED); /* not through the name */
    assert_int_equal(resolve(rig, "local.test", found), 1);
    assert_true(net_address_equal(&found[0], &address));
    uint32_t connected = connect_to(rig, peer.port);
    assert_string_equal(net_peer_name(net_find(rig->sandbox, connected)), "local.test");
    net_close(net_find(rig->sandbox, connected));
    peer_join(&peer);
    rig_free(rig);
}

static void limits_hold(void **state) {
    (void)state;
    eryx_limits_t limits;
    struct peer peer, second;
    char *bytes = malloc(NET_CHUNK);
    eryx_limits_init(&limits);
    limits.net_connections = 1;
    limits.net_connections_total = 2;
    limits.net_bytes_in = 100000;
    limits.net_bytes_out = 10;
    struct rig *rig = rig_new(loopback, 1, false, &limits);
    peer_start(&peer, flood);
    uint32_t number = connect_to(rig, peer.port);
    int32_t extra = net_open(rig->sandbox, NET_KIND_TCP, 4);
    net_address_t address = local(peer.port);
    assert_int_equal(net_connect(net_find(rig->sandbox, (uint32_t)extra), &address),
                     -NET_SOCKET_LIMIT);
    assert_non_null(strstr(net_reason(rig->sandbox), "limit net_connections: 1"));
    size_t total = 0;
    int32_t got;
    while ((got = receive(rig, number, bytes, NET_CHUNK)) > 0)
        total += (size_t)got;
    assert_int_equal(got, -NET_RESET);
    assert_int_equal(total, 100000);
    assert_non_null(strstr(net_reason(rig->sandbox), "limit net_bytes_in"));
    net_close(net_find(rig->sandbox, number));
    expect_event(rig, "100000/0 limit net_bytes_in");
    peer_join(&peer);
    peer_start(&second, silent);
    number = connect_to(rig, second.port);
    assert_int_equal(net_send(net_find(rig->sandbox, number), "0123456789", 10), 10);
    assert_int_equal(net_send(net_find(rig->sandbox, number), "ab", 2), -NET_RESET);
    net_close(net_find(rig->sandbox, number));
    assert_int_equal(net_connect(net_find(rig->sandbox, (uint32_t)extra), &address),
                     -NET_SOCKET_LIMIT);
    assert_non_null(strstr(net_reason(rig->sandbox), "limit net_connections_total: "));
    peer_join(&second);
    free(bytes);
    rig_free(rig);
}

static void idle_connections_time_out(void **state) {
    (void)state;
    eryx_limits_t limits;
    struct peer peer;
    char byte;
    eryx_limits_init(&limits);
    limits.net_idle_time_ns = SECOND / 20;
    struct rig *rig = rig_new(loopback, 1, false, &limits);
    peer_start(&peer, silent);
    uint64_t before = clock_monotonic();
    uint32_t number = connect_to(rig, peer.port);
    assert_int_equal(receive(rig, number, &byte, 1), -NET_TIMEOUT);
    assert_true(clock_monotonic() - before >= SECOND / 20);
    assert_int_equal(net_send(net_find(rig->sandbox, number), "x", 1), -NET_TIMEOUT);
    net_close(net_find(rig->sandbox, number));
    expect_event(rig, "limit net_idle_time_ns");
    peer_join(&peer);
    rig_free(rig);
}

static void resets_and_refusals_are_told(void **state) {
    (void)state;
    struct peer peer;
    char byte;
    struct rig *rig = rig_new(loopback, 1, false, NULL);
    peer_start(&peer, reset);
    uint32_t number = connect_to(rig, peer.port);
    assert_int_equal(net_send(net_find(rig->sandbox, number), "x", 1), 1);
    assert_int_equal(receive(rig, number, &byte, 1), -NET_RESET);
    peer_join(&peer);
    net_address_t address = local(peer.port); /* nobody listens any more */
    int32_t other = net_open(rig->sandbox, NET_KIND_TCP, 4);
    net_socket_t *socket = net_find(rig->sandbox, (uint32_t)other);
    int status = net_connect(socket, &address);
    while (status == -NET_WOULD_BLOCK) {
        await(rig, (uint32_t)other, NET_WRITE);
        status = net_connected(socket);
    }
    assert_int_equal(status, -NET_REFUSED);
    rig_free(rig);
}

static void waits_end_with_their_socket(void **state) {
    (void)state;
    struct peer peer;
    pending_t *pending;
    struct rig *rig = rig_new(loopback, 1, false, NULL);
    peer_start(&peer, silent);
    uint32_t number = connect_to(rig, peer.port);
    assert_int_equal(net_wait(net_find(rig->sandbox, number), NET_READ, &pending), 0);
    net_sandbox_reset(rig->sandbox);
    assert_null(net_find(rig->sandbox, number));
    pending_t *posted = mailbox_collect(rig->mailbox);
    assert_ptr_equal(posted, pending);
    posted->kind->release(posted);
    pending->kind->done(pending);
    for (int i = 0; i < 100; i++)
        assert_int_not_equal(net_open(rig->sandbox, NET_KIND_TCP, 4), (int32_t)number);
    uint32_t again = connect_to(rig, peer.port);
    assert_int_equal(net_wait(net_find(rig->sandbox, again), NET_READ, &pending), 0);
    pending->kind->abandon(pending); /* the guest does not want it any more */
    assert_null(mailbox_collect(rig->mailbox));
    peer_join(&peer);
    rig_free(rig);
}

static void servers_and_datagrams(void **state) {
    (void)state;
    char out[16];
    net_address_t address = local(0), mine, from;
    struct rig *rig = rig_new(loopback, 3, false, NULL);
    int32_t listener = net_open(rig->sandbox, NET_KIND_TCP, 4);
    net_socket_t *socket = net_find(rig->sandbox, (uint32_t)listener);
    assert_int_equal(net_bind(socket, &address), 0);
    assert_int_equal(net_listen(socket, 5), 0);
    assert_int_equal(net_address_of(socket, false, &mine), 0);
    assert_int_equal(net_accept(socket), -NET_WOULD_BLOCK);
    uint32_t client = connect_to(rig, mine.port);
    await(rig, (uint32_t)listener, NET_READ);
    int32_t accepted = net_accept(socket);
    assert_true(accepted > 0);
    assert_int_equal(net_send(net_find(rig->sandbox, client), "hi", 2), 2);
    assert_int_equal(receive(rig, (uint32_t)accepted, out, sizeof out), 2);
    expect_event(rig, "accept yes");

    int32_t a = net_open(rig->sandbox, NET_KIND_UDP, 4),
            b = net_open(rig->sandbox, NET_KIND_UDP, 4);
    net_socket_t *sender = net_find(rig->sandbox, (uint32_t)a);
    net_socket_t *receiver = net_find(rig->sandbox, (uint32_t)b);
    assert_int_equal(net_bind(receiver, &address), 0);
    assert_int_equal(net_address_of(receiver, false, &mine), 0);
    assert_int_equal(net_send_to(sender, "datagram", 8, &mine), 8);
    await(rig, (uint32_t)b, NET_READ);
    assert_int_equal(net_receive_from(receiver, out, sizeof out, false, &from), 8);
    net_address_t other = {.family = 4, .port = 9, .bytes = {10, 0, 0, 1}};
    assert_int_equal(net_send_to(sender, "x", 1, &other), -NET_ACCESS_DENIED);
    expect_event(rig, "datagram no '' '10.0.0.1:9'");
    rig_free(rig);
}

/* A filter that doubles what goes out and holds back the last byte until a pause. */
struct holder {
    char held;
    bool holds, freed;
};

static bool double_out(void *env, const char *data, size_t length, net_flow_t flow, buffer_t *out) {
    struct holder *holder = env;
    for (size_t i = 0; i < length; i++) {
        if (holder->holds &&
            (!buffer_append(out, &holder->held, 1) || !buffer_append(out, &holder->held, 1)))
            return false;
        holder->held = data[i];
        holder->holds = true;
    }
    if (flow != NET_FLOW_MORE && holder->holds) {
        holder->holds = false;
        return buffer_append(out, &holder->held, 1) && buffer_append(out, &holder->held, 1);
    }
    return true;
}

static bool upper_in(void *env, const char *data, size_t length, net_flow_t flow, buffer_t *out) {
    (void)env, (void)flow;
    for (size_t i = 0; i < length; i++) {
        char c = data[i] >= 'a' && data[i] <= 'z' ? (char)(data[i] - 32) : data[i];
        if (!buffer_append(out, &c, 1))
            return false;
    }
    return true;
}

static void free_holder(void *env) {
    ((struct holder *)env)->freed = true;
}

static const net_filter_t doubling = {double_out, upper_in, free_holder};

static void filters_see_every_byte(void **state) {
    (void)state;
    struct holder holder = {0};
    struct peer peer;
    char out[16];
    struct rig *rig = rig_new(loopback, 1, false, NULL);
    peer_start(&peer, echo);
    uint32_t number = connect_to(rig, peer.port);
    net_socket_t *socket = net_find(rig->sandbox, number);
    net_set_filter(socket, &doubling, &holder);
    assert_int_equal(net_send(socket, "abc", 3), 3);
    size_t total = 0;
    while (total < 6) {
        int32_t got = receive(rig, number, out + total, sizeof out - total);
        assert_true(got > 0);
        total += (size_t)got;
    }
    assert_memory_equal(out, "AABBCC", 6);
    net_close(socket);
    assert_true(holder.freed);
    peer_join(&peer);
    rig_free(rig);
}

/* What was sent before closing arrives, though the peer was not reading yet. */
static void closing_loses_nothing(void **state) {
    (void)state;
    struct holder holder = {0};
    struct peer peer;
    char *bytes = malloc(NET_CHUNK);
    size_t sent = 0;
    memset(bytes, 'x', NET_CHUNK);
    drained = 0;
    struct rig *rig = rig_new(loopback, 1, false, NULL);
    pthread_barrier_init(&closed, NULL, 2);
    peer_start(&peer, drain_when_closed);
    uint32_t number = connect_to(rig, peer.port);
    net_socket_t *socket = net_find(rig->sandbox, number);
    net_set_filter(socket, &doubling, &holder);
    for (int32_t got; (got = net_send(socket, bytes, NET_CHUNK)) > 0;)
        sent += (size_t)got;
    net_close(socket);
    pthread_barrier_wait(&closed);
    pthread_join(peer.thread, NULL);
    close(peer.listener);
    assert_int_equal(drained, 2 * sent);
    pthread_barrier_destroy(&closed);
    free(bytes);
    rig_free(rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_both_ways),
        cmocka_unit_test(what_is_not_granted_is_refused),
        cmocka_unit_test(names_lead_only_where_they_may),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(idle_connections_time_out),
        cmocka_unit_test(resets_and_refusals_are_told),
        cmocka_unit_test(waits_end_with_their_socket),
        cmocka_unit_test(servers_and_datagrams),
        cmocka_unit_test(filters_see_every_byte),
        cmocka_unit_test(closing_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
