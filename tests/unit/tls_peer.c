/* See tls_peer.h. */
#define _GNU_SOURCE
#include "tls_peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static void must(bool good, const char *what) {
    if (good)
        return;
    fprintf(stderr, "tls_peer: %s\n", what);
    ERR_print_errors_fp(stderr);
    abort();
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    must(extension && X509_add_ext(certificate, extension, -1), "extension");
    X509_EXTENSION_free(extension);
}

/* A certificate that is not signed yet. */
static X509 *blank(EVP_PKEY *key, const char *name, long from, long until) {
    static long serial = 1000;
    X509 *certificate = X509_new();
    must(certificate && X509_set_version(certificate, 2), "certificate");
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from);
    X509_gmtime_adj(X509_getm_notAfter(certificate), until);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                               (const unsigned char *)name, -1, -1, 0);
    return certificate;
}

tls_authority_t *tls_authority_new(const char *name) {
    tls_authority_t *authority = calloc(1, sizeof *authority);
    must(authority, "memory");
    authority->key = EVP_EC_gen("P-256");
    must(authority->key, "key");
    X509 *certificate = authority->certificate = blank(authority->key, name, -86400, 86400);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
    must(X509_sign(certificate, authority->key, EVP_sha256()) > 0, "signature");
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    must(PEM_write_bio_X509(bio, certificate), "PEM");
    long length = BIO_get_mem_data(bio, &text);
    authority->pem = strndup(text, (size_t)length);
    BIO_free(bio);
    return authority;
}

void tls_authority_free(tls_authority_t *authority) {
    EVP_PKEY_free(authority->key);
    X509_free(authority->certificate);
    free(authority->pem);
    free(authority);
}

static void note_offer(tls_peer_t *peer, const unsigned char *list, unsigned length) {
    size_t used = 0;
    for (unsigned i = 0; i < length; i += list[i] + 1u)
        used += (size_t)snprintf(peer->hello_alpn + used, sizeof peer->hello_alpn - used, "%.*s,",
                                 list[i], (const char *)&list[i + 1]);
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                           const unsigned char *in, unsigned in_length, void *env) {
    (void)ssl;
    note_offer(env, in, in_length);
    *out = in + 1;
    *out_length = in[0];
    return SSL_TLSEXT_ERR_OK;
}

tls_peer_t *tls_peer_new(const tls_authority_t *authority, const char *host, tls_flaw_t flaw,
                         int minimum, int maximum) {
    unsigned char address[16];
    char alternative[300];
    tls_peer_t *peer = calloc(1, sizeof *peer);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    bool expired = flaw == FLAW_EXPIRED, alone = flaw == FLAW_SELF_SIGNED;
    X509 *certificate = blank(key, host, expired ? -2000 : -1000, expired ? -1000 : 86400);
    X509 *issuer = alone ? certificate : authority->certificate;
    bool literal =
        inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    snprintf(alternative, sizeof alternative, "%s:%s", literal ? "IP" : "DNS", host);
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    add_extension(certificate, issuer, NID_subject_alt_name, alternative);
    if (!alone)
        add_extension(certificate, issuer, NID_authority_key_identifier, "keyid");
    must(X509_sign(certificate, alone ? key : authority->key, EVP_sha256()) > 0, "signature");
    peer->context = SSL_CTX_new(TLS_server_method());
    must(peer->context && SSL_CTX_use_certificate(peer->context, certificate) &&
             SSL_CTX_use_PrivateKey(peer->context, key),
         "context");
    if (minimum > 0 && minimum < TLS1_2_VERSION) {
        SSL_CTX_set_security_level(peer->context, 0);
        must(SSL_CTX_set_cipher_list(peer->context, "DEFAULT@SECLEVEL=0"), "ciphers");
    }
    must(SSL_CTX_set_min_proto_version(peer->context, minimum) &&
             SSL_CTX_set_max_proto_version(peer->context, maximum),
         "versions");
    SSL_CTX_set_alpn_select_cb(peer->context, choose_protocol, peer);
    X509_free(certificate);
    EVP_PKEY_free(key);
    tls_peer_accept(peer);
    return peer;
}

void tls_peer_free(tls_peer_t *peer) {
    SSL_free(peer->ssl);
    SSL_CTX_free(peer->context);
    free(peer);
}

void tls_peer_accept(tls_peer_t *peer) {
    SSL_free(peer->ssl);
    peer->ssl = SSL_new(peer->context);
    peer->in = BIO_new(BIO_s_mem());
    peer->out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(peer->in, -1);
    BIO_set_mem_eof_return(peer->out, -1);
    SSL_set_bio(peer->ssl, peer->in, peer->out);
    SSL_set_accept_state(peer->ssl);
    peer->received_length = 0;
    peer->received[0] = peer->hello_alpn[0] = '\0';
}

static void send_back(tls_peer_t *peer, const char *data, size_t length) {
    size_t piece = peer->echo_piece > 0 ? peer->echo_piece : length;
    for (size_t at = 0; at < length; at += piece)
        must(SSL_write(peer->ssl, data + at, (int)(at + piece < length ? piece : length - at)) > 0,
             "write");
}

size_t tls_peer_exchange(tls_peer_t *peer, const void *data, size_t length, void *out,
                         size_t capacity) {
    char plain[16384];
    int got;
    if (length > 0)
        must(BIO_write(peer->in, data, (int)length) == (int)length, "queue");
    ERR_clear_error();
    while ((got = SSL_read(peer->ssl, plain, sizeof plain)) > 0) {
        must(peer->received_length + (size_t)got < sizeof peer->received, "room");
        memcpy(peer->received + peer->received_length, plain, (size_t)got);
        peer->received_length += (size_t)got;
        peer->received[peer->received_length] = '\0';
        if (peer->echoes)
            send_back(peer, plain, (size_t)got);
    }
    if (SSL_get_shutdown(peer->ssl) & SSL_RECEIVED_SHUTDOWN)
        SSL_shutdown(peer->ssl);
    ERR_clear_error();
    got = BIO_read(peer->out, out, (int)capacity);
    return got > 0 ? (size_t)got : 0;
}

void tls_peer_send(tls_peer_t *peer, const char *text) {
    send_back(peer, text, strlen(text));
}
