/* The events of the network tell of every attempt, once, and what a guest hands over as an address cannot
 * be made to look like another one to the rules. */
#include <arpa/inet.h>
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

#include "abi/callbacks.h"
#include "abi/guest.h"
#include "abi/imports.h"
#include "net/internal.h"
#include "net_rig.h"

#define MEMORY_BYTES (1u << 18)
#define COUNT(list) (sizeof(list) / sizeof *(list))

static int on_resolve(void *env, const char *name, eryx_net_address_t *out, size_t capacity) {
    (void)env, (void)capacity;
    static int asked;
    if (strcmp(name, "rebind.test") == 0) {
        strcpy(out[0].text, asked++ == 0 ? "8.8.8.8" : "127.0.0.1");
        return 1;
    }
    strcpy(out[0].text, "127.66.66.66");
    strcpy(out[1].text, "169.254.169.254");
    return 2;
}

static struct rig *rig_new(const char *const *allow, size_t allow_count, const char *const *deny,
                           size_t deny_count, bool local) {
    eryx_net_options_t options;
    eryx_net_options_init(&options);
    options.allow = allow;
    options.allow_count = allow_count;
    options.deny = deny;
    options.deny_count = deny_count;
    options.allow_local = local;
    options.on_resolve = on_resolve;
    return rig_open(&options, NULL);
}

static unsigned count_of(const char *text, const char *part) {
    unsigned count = 0;
    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

static void expect_events(const struct rig *rig, const char *text, unsigned count) {
    if (count_of(rig->events, text) != count)
        fail_msg("not %u events '%s' in:\n%s", count, text, rig->events);
}

static int32_t resolve(struct rig *rig, const char *name, net_address_t *out) {
    int32_t number = net_resolve(rig->sandbox, name, strlen(name)), count;
    assert_true(number > 0);
    net_socket_t *lookup = net_find(rig->sandbox, (uint32_t)number);
    while ((count = net_resolved(lookup, out)) == -NET_WOULD_BLOCK)
        rig_await(rig, lookup, NET_READ);
    assert_int_equal(net_resolved(lookup, out), count); /* asking again is no other attempt */
    net_close(lookup);
    return count;
}

/* --- Lookups ------------------------------------------------------------------------------ */

static void lookups_are_reported_once(void **state) {
    (void)state;
    static const char *const allow[] = {"*.test"};
    net_address_t found[NET_ADDRESSES_MAX];
    struct rig *rig = rig_new(allow, 1, NULL, 0, true);
    assert_int_equal(resolve(rig, "a.test", found), 1);
    expect_events(rig,
                  "resolve yes 'a.test' '127.66.66.66 169.254.169.254' 0/0 a.test resolves to "
                  "169.254.169.254, which is a cloud's metadata address",
                  1);
    expect_events(rig, "'a.test'", 1);
    rig_free(rig);
}

/* Names alone can carry data out: asking counts, whether or not the answer is waited for. */
static void lookups_that_are_left_are_reported(void **state) {
    (void)state;
    static const char *const allow[] = {"*.test"};
    struct rig *rig = rig_new(allow, 1, NULL, 0, true);
    int32_t number = net_resolve(rig->sandbox, "data.test", 9);
    assert_true(number > 0);
    net_close(net_find(rig->sandbox, (uint32_t)number));
    expect_events(rig, "resolve yes 'data.test' '' 0/0 the program did not wait", 1);
    assert_true(net_resolve(rig->sandbox, "more.test", 9) > 0);
    net_sandbox_reset(rig->sandbox);
    expect_events(rig, "resolve yes 'more.test' '' 0/0 the program did not wait", 1);
    rig_free(rig);
}

/* A name server that says another address the second time: each answer is judged, and what was granted is
 * the address that was judged. Nothing is connected: the first one is not of this machine. */
static void names_cannot_be_bound_anew(void **state) {
    (void)state;
    static const char *const allow[] = {"rebind.test:80"};
    net_address_t found[NET_ADDRESSES_MAX],
        local = {.family = 4, .port = 80, .bytes = {127, 0, 0, 1}};
    const char *name;
    struct rig *rig = rig_new(allow, 1, NULL, 0, false);
    assert_int_equal(resolve(rig, "rebind.test", found), 1);
    net_address_t first = found[0];
    first.port = 80;
    assert_true(net_permits(rig->sandbox, NET_TCP, &first, &name));
    assert_string_equal(name, "rebind.test");
    assert_int_equal(resolve(rig, "rebind.test", found), -NET_ACCESS_DENIED);
    expect_events(rig, "resolve no 'rebind.test' '127.0.0.1'", 1);
    assert_false(net_permits(rig->sandbox, NET_TCP, &local, &name));
    net_socket_t *socket =
        net_find(rig->sandbox, (uint32_t)net_open(rig->sandbox, NET_KIND_TCP, 4));
    assert_int_equal(net_connect(socket, &local), -NET_ACCESS_DENIED);
    expect_events(rig, "connect no '' '127.0.0.1:80'", 1);
    assert_true(net_permits(rig->sandbox, NET_TCP, &first, &name)); /* as it was judged */
    first.port = 81;
    assert_false(net_permits(rig->sandbox, NET_TCP, &first, &name));
    rig_free(rig);
}

/* --- Connections -------------------------------------------------------------------------- */

/* A port of 127.0.0.1 where nobody listens. */
static uint16_t closed_port(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    getsockname(fd, (struct sockaddr *)&address, &length);
    close(fd);
    return ntohs(address.sin_port);
}

static void failed_connections_end_with_an_event(void **state) {
    (void)state;
    static const char *const allow[] = {"127.0.0.1", "255.255.255.255"};
    char text[96];
    struct rig *rig = rig_new(allow, 2, NULL, 0, true);
    net_address_t address = {.family = 4, .port = closed_port(), .bytes = {127, 0, 0, 1}};
    net_socket_t *socket =
        net_find(rig->sandbox, (uint32_t)net_open(rig->sandbox, NET_KIND_TCP, 4));
    int status = net_connect(socket, &address);
    while (status == -NET_WOULD_BLOCK) {
        rig_await(rig, socket, NET_WRITE);
        status = net_connected(socket);
    }
    assert_int_equal(status, -NET_REFUSED);
    net_close(socket);
    snprintf(text, sizeof text, "close yes '' '127.0.0.1:%u' 0/0 Connection refused", address.port);
    expect_events(rig, text, 1);
    /* The system refuses TCP to a broadcast address at once. */
    address = (net_address_t){.family = 4, .port = 9, .bytes = {255, 255, 255, 255}};
    socket = net_find(rig->sandbox, (uint32_t)net_open(rig->sandbox, NET_KIND_TCP, 4));
    assert_true(net_connect(socket, &address) < 0);
    net_close(socket);
    expect_events(rig, "connect yes '' '255.255.255.255:9'", 1);
    expect_events(rig, "close yes '' '255.255.255.255:9' 0/0 ", 1);
    rig_free(rig);
}

static void upper_case(void *env, char *text, size_t length) {
    (void)env;
    for (size_t i = 0; i < length; i++)
        if (text[i] >= 'a' && text[i] <= 'z')
            text[i] = (char)(text[i] - 32);
}

static void peers_that_write_first_are_reported(void **state) {
    (void)state;
    static const char *const allow[] = {"udp:127.0.0.1", "listen:127.0.0.1"};
    char byte, text[64];
    net_address_t mine, from, any = {.family = 4, .bytes = {127, 0, 0, 1}};
    struct sockaddr_storage to;
    struct rig *rig = rig_new(allow, 2, NULL, 0, true);
    net_socket_t *receiver =
        net_find(rig->sandbox, (uint32_t)net_open(rig->sandbox, NET_KIND_UDP, 4));
    assert_int_equal(net_bind(receiver, &any), 0);
    assert_int_equal(net_address_of(receiver, false, &mine), 0);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t length = net_address_to_system(&mine, &to);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, length), 1);
        rig_await(rig, receiver, NET_READ);
        assert_int_equal(net_receive_from(receiver, &byte, 1, true, &from), 1);
        assert_int_equal(net_receive_from(receiver, &byte, 1, false, &from), 1);
        assert_int_equal(byte, i == 0 ? 'x' : 'X');
        net_on_text(rig->sandbox, upper_case, NULL); /* where secrets are taken out */
    }
    close(fd);
    net_on_text(rig->sandbox, NULL, NULL);
    snprintf(text, sizeof text, "datagram yes '' '127.0.0.1:%u'", from.port);
    expect_events(rig, text, 1);
    rig_free(rig);
}

/* --- Addresses of the guest --------------------------------------------------------------- */

static int32_t call(guest_t *guest, const char *name, uint32_t first, uint32_t second) {
    engine_value_t values[ENGINE_MAX_ARGUMENTS] = {{0}};
    for (size_t i = 0; i < imports_net.count; i++) {
        if (strcmp(imports_net.items[i].name, name) != 0)
            continue;
        values[0].u32 = first;
        values[1].u32 = second;
        assert_int_equal(imports_net.items[i].call(guest, values), ENGINE_RETURN);
        return values[0].i32;
    }
    fail_msg("no import %s", name);
    return 0;
}

/* An IPv4 address has four bytes; what a guest puts behind them must not hide the name that is denied. */
static void bytes_behind_an_address_do_not_count(void **state) {
    (void)state;
    static const char *const allow[] = {"*", "127.66.66.66"}, *const deny[] = {"a.test:9"};
    static uint8_t memory[MEMORY_BYTES];
    net_address_t found[NET_ADDRESSES_MAX];
    struct rig *rig = rig_new(allow, 2, deny, 1, true);
    memory_origin_t origin = {0};
    memory_slot_t slot = {.origin = &origin, .base = memory, .size = MEMORY_BYTES};
    calls_t calls = {.mailbox = rig->mailbox};
    guest_t guest = {.slot = &slot, .calls = &calls, .net = rig->sandbox};
    assert_int_equal(resolve(rig, "a.test", found), 1);
    for (int with = 0; with < 2; with++) {
        net_address_t address = {.family = 4, .port = 9, .bytes = {127, 66, 66, 66}};
        address.bytes[15] = (uint8_t)with;
        memcpy(memory + MEMORY_POLL_BYTES, &address, sizeof address);
        int32_t number = call(&guest, "net-open", NET_KIND_TCP, 4);
        assert_true(number > 0);
        assert_int_equal(call(&guest, "net-connect", (uint32_t)number, MEMORY_POLL_BYTES),
                         -NET_ACCESS_DENIED);
    }
    expect_events(rig, "connect no 'a.test' '127.66.66.66:9' 0/0 127.66.66.66:9 is denied", 2);
    rig_free(rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookups_are_reported_once),
        cmocka_unit_test(lookups_that_are_left_are_reported),
        cmocka_unit_test(names_cannot_be_bound_anew),
        cmocka_unit_test(failed_connections_end_with_an_event),
        cmocka_unit_test(peers_that_write_first_are_reported),
        cmocka_unit_test(bytes_behind_an_address_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
