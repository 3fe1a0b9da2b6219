/* Fuzz target: a program's calls of TLS, with any numbers and bytes. Each call is a byte that says which,
 * one that says of what object, one for the length of the bytes that follow. Some let a real server take
 * what is drained and answer, so that handshakes succeed and secrets flow; the program may never read the
 * value. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "tls/tls.h"
#include "tls_peer.h"

enum { OBJECTS = 8 };

#define VALUE "sk-live+4eC39HqLyjWDarjtT1zdp7dc/"

static tls_authority_t *authority;
static tls_peer_t *peer;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const secrets_t *set(void)
{
    static secrets_t *secrets;
    static const char *const hosts[] = {"api.example"};
    eryx_secret_t secret;
    eryx_secret_init(&secret);
    secret.name = "KEY";
    secret.value = VALUE;
    secret.hosts = hosts;
    secret.host_count = 1;
    if (!secrets && secrets_new(&secret, 1, &secrets, NULL) != ERYX_OK)
        abort();
    return secrets;
}

/* What imports_tls.c checks before. */
static bool alpn_valid(const uint8_t *alpn, size_t length)
{
    size_t at = 0;
    while (at < length) {
        if (alpn[at] == 0 || alpn[at] >= length - at)
            return false;
        at += alpn[at] + 1u;
    }
    return true;
}

static int32_t new_context(tls_t *tls, uint32_t other, const uint8_t *bytes, size_t length)
{
    char ciphers[256];
    memcpy(ciphers, bytes, length);
    ciphers[length] = '\0';
    bool valid = alpn_valid(bytes, length);
    tls_settings_t settings = {
        .verify = length & 1,
        .check_hostname = length & 2,
        .partial_wildcards = length & 4,
        .verify_flags = (uint32_t)length << 12,
        .options = length & 128 ? other * 0x01010101u : 0,
        .minimum = (length & 24) == 24 ? 0x0304 : other,
        .maximum = length & 16 ? 0x0304 : 0x0303,
        .ciphers = length & 32 ? ciphers : NULL,
        .alpn = bytes,
        .alpn_length = valid ? (uint32_t)length : 0,
        .authorities = &other,
        .authority_count = length & 64 ? 1 : 0,
    };
    return tls_context_new(tls, &settings);
}

/* What is drained goes to the server, its answer is fed. */
static void exchange(tls_t *tls, uint32_t number)
{
    char bytes[65536];
    int32_t got = tls_drain(tls, number, bytes, sizeof bytes);
    if (got < 0)
        return;
    ERR_clear_error();
    BIO_write(peer->in, bytes, got);
    SSL_read(peer->ssl, bytes, sizeof bytes);
    got = BIO_read(peer->out, bytes, sizeof bytes);
    if (got > 0)
        tls_feed(tls, number, bytes, (uint32_t)got);
    ERR_clear_error();
}

/* The server sends bytes; 0xff stands for the value. */
static void answer(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bool whole = bytes[i] == 0xff;
        SSL_write(peer->ssl, whole ? VALUE : (const char *)&bytes[i], whole ? sizeof VALUE - 1 : 1);
    }
    ERR_clear_error();
}

static void connect_all(tls_t *tls, uint32_t number)
{
    tls_peer_accept(peer);
    for (int i = 0; i < 4 && tls_handshake(tls, number) == TLS_WANT_READ; i++)
        exchange(tls, number);
    exchange(tls, number);
}

static int32_t call(tls_t *tls, unsigned which, uint32_t number, const uint8_t *bytes,
                    size_t length)
{
    char text[512];
    buffer_t out = {0};
    switch (which) {
    case 0:
        return tls_authorities_new(tls, (const char *)bytes, length, 1 + length % 2);
    case 1:
        return new_context(tls, number, bytes, length);
    case 2:
        memcpy(text, bytes, length);
        text[length] = '\0';
        return tls_open(tls, number, length % 3 ? text : "api.example");
    case 3:
        return tls_handshake(tls, number);
    case 4:
        return tls_write(tls, number, (const char *)bytes, (uint32_t)length);
    case 5: {
        int32_t got = tls_read(tls, number, text, sizeof text);
        if (got > 0 && memmem(text, (size_t)got, VALUE, sizeof VALUE - 1))
            abort();
        return got;
    }
    case 6:
        return tls_feed(tls, number, (const char *)bytes, (uint32_t)length);
    case 7:
        return tls_drain(tls, number, text, sizeof text);
    case 8:
        return tls_shutdown(tls, number);
    case 9:
        tls_text(tls, number, (uint32_t)length % 12, &out);
        buffer_free(&out);
        return 0;
    case 10:
        return tls_count(tls, number, (uint32_t)length % 4);
    case 11:
        return tls_flush(tls, number);
    case 12:
        return tls_drop(tls, number);
    case 13:
        exchange(tls, number);
        return 0;
    case 14:
        answer(bytes, length);
        return 0;
    case 15:
        connect_all(tls, number);
        return 0;
    default:
        tls_reset(tls);
        return 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t numbers[OBJECTS] = {0};
    unsigned made = 0;
    budget_t *budget = budget_new((uint64_t)8 << 20);
    if (!peer) {
        authority = tls_authority_new("fuzz");
        peer = tls_peer_new(authority, "api.example", FLAW_NONE, 0, 0);
    }
    tls_peer_accept(peer);
    tls_t *tls = tls_new(set(), authority->pem, budget);
    if (!tls || !budget)
        abort();
    for (size_t at = 0; at + 3 <= size;) {
        unsigned which = data[at] % 17;
        uint32_t number = data[at + 1] < 250 ? numbers[data[at + 1] % OBJECTS] : data[at + 1];
        size_t length = data[at + 2];
        at += 3;
        length = length < size - at ? length : size - at;
        int32_t answer = call(tls, which, number, data + at, length);
        if (answer == TLS_MISSING)
            abort(); /* eryx-tls.so is not beside the program */
        if (which <= 2 && answer > 0)
            numbers[made++ % OBJECTS] = (uint32_t)answer;
        at += length;
    }
    tls_free(tls);
    budget_release(budget);
    return 0;
}
