/* What a hostile program, or a hostile server that it talks to, can try with TLS: to make the host ask for a
 * password, hold memory, work for long, or take one object for another. Calls tls.h as the imports do. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tls/tls.h"
#include "tls_peer.h"

enum { QUEUE_LIMIT = 131072, CERTIFICATES_MOST = 1024 };

static tls_authority_t *authority;
static budget_t *budget;
static tls_t *tls;

static int set_up(void **state) {
    (void)state;
    budget = budget_new((uint64_t)64 << 20);
    tls = tls_new(NULL, authority->pem, budget);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    tls_free(tls);
    assert_int_equal(atomic_load(&budget->used), 0);
    budget_release(budget);
    return 0;
}

static void expect_error(const char *reason) {
    buffer_t text = {0};
    assert_true(tls_text(tls, 0, TLS_TEXT_ERROR, &text));
    const char *given = text.data + strlen(text.data) + 1; /* behind the library */
    if (strcmp(given, reason) != 0)
        fail_msg("%s, not %s", given, reason);
    buffer_free(&text);
}

static int32_t open_to(const char *host, const char *ciphers) {
    tls_settings_t settings = {.verify = true, .check_hostname = true, .ciphers = ciphers};
    int32_t context = tls_context_new(tls, &settings);
    assert_true(context > 0);
    int32_t number = tls_open(tls, (uint32_t)context, host);
    assert_true(number > 0);
    return number;
}

/* From the sandbox's queue to the server and back. */
static void exchange(tls_peer_t *peer, uint32_t number, bool drains) {
    char bytes[65536];
    int32_t got = drains ? tls_drain(tls, number, bytes, sizeof bytes) : 0;
    size_t back = tls_peer_exchange(peer, bytes, (size_t)got, bytes, sizeof bytes);
    if (back > 0)
        assert_int_equal(tls_feed(tls, number, bytes, (uint32_t)back), back);
}

static void connect_to(tls_peer_t *peer, uint32_t number) {
    int32_t status;
    while ((status = tls_handshake(tls, number)) == TLS_WANT_READ)
        exchange(peer, number, true);
    assert_int_equal(status, 0);
    exchange(peer, number, true);
}

/* --- What is not drained ------------------------------------------------------------------ */

/* A server that asks for an answer without end, and a program that never sends what the host answers. */
static void ask_without_end(int version) {
    char byte;
    tls_peer_t *peer = tls_peer_new(authority, "api.example.org", FLAW_NONE, version, version);
    uint32_t number = (uint32_t)open_to("api.example.org", NULL);
    connect_to(peer, number);
    int32_t got = 0;
    for (int i = 0; i < 20000 && got != TLS_WANT_WRITE; i++) {
        if (version == TLS1_2_VERSION)
            SSL_renegotiate(peer->ssl);
        else
            SSL_key_update(peer->ssl, SSL_KEY_UPDATE_REQUESTED);
        SSL_do_handshake(peer->ssl);
        tls_peer_send(peer, "x");
        exchange(peer, number, false);
        got = tls_read(tls, number, &byte, 1);
    }
    assert_int_equal(got, TLS_WANT_WRITE);
    assert_in_range(tls_count(tls, number, TLS_COUNT_DRAIN), QUEUE_LIMIT, QUEUE_LIMIT + 1000);
    assert_int_equal(tls_write(tls, number, "y", 1), TLS_WANT_WRITE);
    while (tls_count(tls, number, TLS_COUNT_DRAIN) > 0) {
        char bytes[65536];
        assert_true(tls_drain(tls, number, bytes, sizeof bytes) > 0);
    }
    assert_int_equal(tls_read(tls, number, &byte, 1), 1);
    tls_peer_free(peer);
}

static void answers_that_nobody_sends_are_bounded(void **state) {
    (void)state;
    ask_without_end(TLS1_2_VERSION);
    ask_without_end(TLS1_3_VERSION);
}

static void what_is_fed_is_bounded(void **state) {
    (void)state;
    static char bytes[TLS_READ_MAX];
    uint32_t number = (uint32_t)open_to("api.example.org", NULL);
    size_t fed = 0;
    for (int32_t got; (got = tls_feed(tls, number, bytes, sizeof bytes)) > 0;)
        fed += (size_t)got;
    assert_int_equal(fed, QUEUE_LIMIT);
}

/* --- Certificates ------------------------------------------------------------------------- */

/* OpenSSL by itself would ask for the password on the host's terminal, and read it there or from stdin. */
static void encrypted_pem_asks_nobody(void **state) {
    (void)state;
    static const char pem[] = "-----BEGIN CERTIFICATE-----\n"
                              "Proc-Type: 4,ENCRYPTED\n"
                              "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n"
                              "\n"
                              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
                              "-----END CERTIFICATE-----\n";
    int ends[2], before = dup(STDIN_FILENO);
    char left[16];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "password\n", 9), 9);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    assert_int_equal(tls_authorities_new(tls, pem, sizeof pem - 1, TLS_FORMAT_PEM), TLS_FAILED);
    expect_error("BAD_PASSWORD_READ");
    assert_int_equal(read(STDIN_FILENO, left, sizeof left), 9);
    dup2(before, STDIN_FILENO);
    close(before);
}

/* The authority's certificate so many times. */
static char *certificates(size_t count, size_t *length) {
    unsigned char *der = NULL;
    int one = i2d_X509(authority->certificate, &der);
    assert_true(one > 0);
    *length = count * (size_t)one;
    char *all = malloc(*length);
    for (size_t i = 0; i < count; i++)
        memcpy(all + i * (size_t)one, der, (size_t)one);
    OPENSSL_free(der);
    return all;
}

static int32_t add_certificates(size_t count) {
    size_t length;
    char *der = certificates(count, &length);
    int32_t number = tls_authorities_new(tls, der, length, TLS_FORMAT_DER);
    free(der);
    return number;
}

static void certificates_are_few(void **state) {
    (void)state;
    uint32_t parts[2];
    assert_int_equal(add_certificates(CERTIFICATES_MOST + 1), TLS_FAILED);
    expect_error("TOO_MANY_CERTIFICATES");
    for (size_t i = 0; i < 2; i++)
        parts[i] = (uint32_t)add_certificates(CERTIFICATES_MOST / 2 + 1);
    tls_settings_t settings = {.verify = true, .authorities = parts, .authority_count = 2};
    assert_int_equal(tls_context_new(tls, &settings), TLS_FAILED);
    expect_error("TOO_MANY_CERTIFICATES");
    settings.authority_count = 1;
    assert_true(tls_context_new(tls, &settings) > 0);
    assert_int_equal(tls_authorities_new(tls, "", 0, 3), TLS_FAILED);
    expect_error("UNSUPPORTED_FORMAT");
}

static void certificates_count_as_memory(void **state) {
    (void)state;
    uint64_t before = atomic_load(&budget->used);
    int32_t number = add_certificates(100);
    assert_true(number > 0);
    assert_true(atomic_load(&budget->used) - before > 100 * 2048);
    int32_t last = number;
    for (int i = 0; i < 1000 && last > 0; i++)
        last = add_certificates(CERTIFICATES_MOST);
    assert_int_equal(last, TLS_FAILED);
    expect_error("MALLOC_FAILURE");
    assert_int_equal(tls_drop(tls, (uint32_t)number), 0);
}

/* --- Numbers ------------------------------------------------------------------------------ */

static void objects_are_of_one_kind(void **state) {
    (void)state;
    char byte;
    buffer_t text = {0};
    uint32_t certificate = (uint32_t)add_certificates(1);
    uint32_t connection = (uint32_t)open_to("api.example.org", NULL);
    tls_settings_t settings = {.authorities = &connection, .authority_count = 1};
    assert_int_equal(tls_context_new(tls, &settings), TLS_STALE);
    assert_int_equal(tls_open(tls, connection, "a.b"), TLS_STALE);
    assert_int_equal(tls_open(tls, certificate, "a.b"), TLS_STALE);
    assert_int_equal(tls_handshake(tls, certificate), TLS_STALE);
    assert_int_equal(tls_read(tls, certificate, &byte, 1), TLS_STALE);
    assert_false(tls_text(tls, certificate, TLS_TEXT_CIPHERS, &text));
    assert_false(tls_text(tls, connection, TLS_TEXT_AUTHORITY_COUNT, &text));
    assert_false(tls_text(tls, connection, TLS_TEXT_PEER_JSON, &text)); /* no handshake yet */
    assert_false(tls_text(tls, connection, 99, &text));
    static const uint32_t wrong[] = {0, 1u << 31, UINT32_MAX};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tls_handshake(tls, wrong[i]), TLS_STALE);
        assert_int_equal(tls_drop(tls, wrong[i]), TLS_STALE);
    }
    assert_int_equal(tls_drop(tls, connection), 0);
    assert_int_equal(tls_drop(tls, connection), TLS_STALE);
    assert_int_equal(tls_feed(tls, connection, "x", 1), TLS_STALE);
    tls_reset(tls);
    assert_int_equal(tls_drop(tls, certificate), TLS_STALE);
    assert_int_equal(atomic_load(&budget->used), 0);
    buffer_free(&text);
}

/* A program may ask for less than the host gives. */
static void broken_ciphers_stay_off(void **state) {
    (void)state;
    static const char *const lists[] = {"ALL:eNULL:aNULL:@SECLEVEL=0", "COMPLEMENTOFALL:ALL",
                                        "aNULL:ALL"};
    for (size_t i = 0; i < 3; i++) {
        buffer_t text = {0};
        tls_settings_t settings = {.ciphers = lists[i]};
        int32_t context = tls_context_new(tls, &settings);
        assert_true(context > 0);
        assert_true(tls_text(tls, (uint32_t)context, TLS_TEXT_CIPHERS, &text));
        assert_null(strstr(text.data, "NULL"));
        assert_null(strstr(text.data, "ADH"));
        assert_null(strstr(text.data, "AECDH"));
        assert_null(strstr(text.data, "PSK"));
        buffer_free(&text);
    }
    tls_settings_t old = {.minimum = TLS1_VERSION, .maximum = TLS1_1_VERSION};
    int32_t context = tls_context_new(tls, &old);
    if (context > 0) { /* or OpenSSL knows at once that no version is left */
        int32_t number = tls_open(tls, (uint32_t)context, "api.example.org");
        assert_int_equal(tls_handshake(tls, (uint32_t)number), TLS_FAILED);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_that_nobody_sends_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_fed_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(encrypted_pem_asks_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(certificates_are_few, set_up, tear_down),
        cmocka_unit_test_setup_teardown(certificates_count_as_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(objects_are_of_one_kind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_ciphers_stay_off, set_up, tear_down),
    };
    authority = tls_authority_new("The authority");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tls_authority_free(authority);
    return failed;
}
