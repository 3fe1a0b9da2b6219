/* What one sandbox does to the network must not be felt by others: names that take long, sockets that
 * were closed with bytes that nobody takes, connections that do not come. */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <eryx.h>

#include "echo_peer.h"
#include "net/net.h"

enum { SLOW_NAMES = 100, CLOSED = 40, LINGER_MOST = 16, WAITS_MOST = 64, FILLERS = 4 };

/* Resolving slow.test waits until it is opened. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;
    unsigned waiting, woken;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static net_t *net;
static mailbox_t *mailbox;

static void wake(void *env) {
    (void)env;
    pthread_mutex_lock(&gate.lock);
    gate.woken++;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
}

static int on_resolve(void *env, const char *name, eryx_net_address_t *out, size_t capacity) {
    (void)env, (void)capacity;
    pthread_mutex_lock(&gate.lock);
    if (strcmp(name, "slow.test") == 0) {
        gate.waiting++;
        pthread_cond_broadcast(&gate.changed);
        while (!gate.open)
            pthread_cond_wait(&gate.changed, &gate.lock);
    }
    pthread_mutex_unlock(&gate.lock);
    strcpy(out[0].text, "127.0.0.1");
    return 1;
}

static net_sandbox_t *new_sandbox_within(uint64_t connect_time) {
    static const char *const allow[] = {"*.test", "127.0.0.1"};
    eryx_net_options_t options;
    eryx_limits_t limits;
    eryx_error_t error;
    net_sandbox_t *sandbox;
    eryx_net_options_init(&options);
    eryx_limits_init(&limits);
    if (connect_time > 0)
        limits.net_connect_time_ns = connect_time;
    options.allow = allow;
    options.allow_count = 2;
    options.allow_local = true;
    options.on_resolve = on_resolve;
    if (net_sandbox_new(net, &options, &limits, mailbox, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return sandbox;
}

static net_sandbox_t *new_sandbox(void) {
    return new_sandbox_within(0);
}

static int set_up(void **state) {
    (void)state;
    net = net_new();
    mailbox = mailbox_new(wake, NULL, NULL);
    gate.open = false;
    gate.waiting = gate.woken = 0;
    return net && mailbox ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    net_free(net);
    mailbox_close(mailbox);
    return 0;
}

static void wait_for(net_socket_t *socket, unsigned interest) {
    pending_t *pending;
    if (net_wait(socket, interest, &pending) == 0) {
        pthread_mutex_lock(&gate.lock);
        while (gate.woken == 0)
            pthread_cond_wait(&gate.changed, &gate.lock);
        gate.woken = 0;
        pthread_mutex_unlock(&gate.lock);
        pending_t *item = mailbox_collect(mailbox);
        assert_ptr_equal(item, pending);
        item->kind->release(item);
        pending->kind->done(pending);
    }
}

/* Asks for a name and waits for its address. */
static void look_up(net_sandbox_t *sandbox, const char *name) {
    net_address_t addresses[NET_ADDRESSES_MAX];
    int32_t number = net_resolve(sandbox, name, strlen(name));
    assert_true(number > 0);
    net_socket_t *lookup = net_find(sandbox, (uint32_t)number);
    wait_for(lookup, NET_READ);
    assert_int_equal(net_resolved(lookup, addresses), 1);
}

static void test_slow_names_hold_up_nobody_else(void **state) {
    (void)state;
    net_sandbox_t *slow = new_sandbox(), *other = new_sandbox();
    for (int i = 0; i < SLOW_NAMES; i++)
        assert_true(net_resolve(slow, "slow.test", 9) > 0);
    pthread_mutex_lock(&gate.lock);
    while (gate.waiting == 0)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
    for (int i = 0; i < 10; i++)
        look_up(other, "fast.test");
    pthread_mutex_lock(&gate.lock);
    unsigned waiting = gate.waiting;
    gate.open = true;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
    assert_in_range(waiting, 1, 8);
    look_up(slow, "slow.test"); /* those that waited for a thread come first */
    pthread_mutex_lock(&gate.lock);
    waiting = gate.waiting;
    pthread_mutex_unlock(&gate.lock);
    assert_in_range(waiting, SLOW_NAMES - 7, SLOW_NAMES + 1);
    net_sandbox_free(slow);
    net_sandbox_free(other);
}

/* Fills what the system takes of a connection to a peer that reads nothing. */
static void fill(net_socket_t *socket) {
    static char chunk[NET_CHUNK];
    while (net_send(socket, chunk, sizeof chunk) > 0)
        ;
}

static net_socket_t *connect_to(net_sandbox_t *sandbox, uint16_t port) {
    net_address_t address = {.family = 4, .port = port, .bytes = {127, 0, 0, 1}};
    net_socket_t *socket =
        net_find(sandbox, (uint32_t)net_open(sandbox, NET_KIND_TCP, address.family));
    assert_non_null(socket);
    int status = net_connect(socket, &address);
    while (status == -NET_WOULD_BLOCK) /* on loopback it stands as soon as it is asked for */
        status = net_connected(socket);
    assert_int_equal(status, 0);
    return socket;
}

static void test_closed_sockets_do_not_pile_up(void **state) {
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, length), 0);
    assert_int_equal(listen(listener, 2 * CLOSED), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    net_sandbox_t *sandbox = new_sandbox();
    net_socket_t *first = connect_to(sandbox, ntohs(address.sin_port));
    unsigned before = descriptors_open();
    for (int i = 0; i < CLOSED; i++) {
        net_socket_t *socket = connect_to(sandbox, ntohs(address.sin_port));
        fill(socket);
        net_close(socket);
    }
    assert_in_range(descriptors_open() - before, 1, LINGER_MOST);
    net_close(first);
    net_sandbox_free(sandbox);
    close(listener);
}

/* The list is walked under the lock of all sandboxes. */
static void test_waits_of_one_socket_are_few(void **state) {
    (void)state;
    pending_t *waits[WAITS_MOST + 1];
    net_sandbox_t *sandbox = new_sandbox();
    net_socket_t *socket = connect_to(sandbox, echo_start());
    for (int i = 0; i < WAITS_MOST; i++)
        assert_int_equal(net_wait(socket, NET_READ, &waits[i]), 0);
    assert_int_equal(net_wait(socket, NET_READ, &waits[WAITS_MOST]), -NET_SOCKET_LIMIT);
    waits[0]->kind->abandon(waits[0]);
    assert_int_equal(net_wait(socket, NET_READ, &waits[0]), 0);
    for (int i = 0; i < WAITS_MOST; i++)
        waits[i]->kind->abandon(waits[i]);
    net_sandbox_free(sandbox);
    echo_stop();
}

/* A listener whose queue is full: the system drops what asks for a connection. */
static void test_connections_that_do_not_come(void **state) {
    (void)state;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof to;
    int fillers[FILLERS], listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(listen(listener, 0), 0);
    getsockname(listener, (struct sockaddr *)&to, &length);
    for (int i = 0; i < FILLERS; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fillers[i], (struct sockaddr *)&to, sizeof to);
    }
    net_sandbox_t *sandbox = new_sandbox_within(50000000);
    net_address_t address = {.family = 4, .port = ntohs(to.sin_port), .bytes = {127, 0, 0, 1}};
    net_socket_t *socket = net_find(sandbox, (uint32_t)net_open(sandbox, NET_KIND_TCP, 4));
    int status = net_connect(socket, &address);
    while (status == -NET_WOULD_BLOCK) {
        wait_for(socket, NET_WRITE);
        status = net_connected(socket);
    }
    assert_int_equal(status, -NET_TIMEOUT);
    assert_non_null(strstr(net_reason(sandbox), "limit net_connect_time_ns"));
    net_sandbox_free(sandbox);
    for (int i = 0; i < FILLERS; i++)
        close(fillers[i]);
    close(listener);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_slow_names_hold_up_nobody_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_closed_sockets_do_not_pile_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_waits_of_one_socket_are_few, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_connections_that_do_not_come, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
