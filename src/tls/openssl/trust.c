/* Certificates that are trusted: the host's store, what the host added, what a program brings. */
#include <arpa/inet.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "tls/openssl/internal.h"

bool is_address(const char *hostname) {
    unsigned char address[16];
    return inet_pton(AF_INET, hostname, address) == 1 ||
           inet_pton(AF_INET6, hostname, address) == 1;
}

/* PEM may say that it is encrypted. Without this OpenSSL asks for the password on the host's terminal. */
static int no_password(char *buffer, int size, int writing, void *env) {
    (void)buffer, (void)size, (void)writing, (void)env;
    return -1;
}

/* The certificates of PEM text; anything between them is ignored, as OpenSSL does. */
static bool parse_pem(STACK_OF(X509) * out, const char *data, size_t length) {
    BIO *bio = BIO_new_mem_buf(data, (int)length);
    if (!bio)
        return false;
    bool good = true;
    while (good && sk_X509_num(out) <= CERTIFICATES_MAX) {
        X509 *certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL);
        if (!certificate) {
            unsigned long code = ERR_peek_last_error();
            good = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
            break;
        }
        if (!sk_X509_push(out, certificate)) {
            X509_free(certificate);
            good = false;
        }
    }
    BIO_free(bio);
    return good;
}

static bool parse_der(STACK_OF(X509) * out, const char *data, size_t length) {
    const unsigned char *at = (const unsigned char *)data, *end = at + length;
    while (at < end && sk_X509_num(out) <= CERTIFICATES_MAX) {
        X509 *certificate = d2i_X509(NULL, &at, (long)(end - at));
        if (!certificate)
            return false;
        if (!sk_X509_push(out, certificate)) {
            X509_free(certificate);
            return false;
        }
    }
    return true;
}

STACK_OF(X509) * authorities_parse(const char *data, size_t length, uint32_t format) {
    STACK_OF(X509) *out = sk_X509_new_null();
    if (!out)
        return NULL;
    ERR_clear_error();
    bool good =
        format == TLS_FORMAT_DER ? parse_der(out, data, length) : parse_pem(out, data, length);
    if (good && sk_X509_num(out) > 0)
        return out;
    sk_X509_pop_free(out, X509_free);
    return NULL;
}

bool openssl_check_authorities(const char *pem) {
    size_t length = strlen(pem);
    STACK_OF(X509) *stack =
        length <= TLS_AUTHORITIES_MAX ? authorities_parse(pem, length, TLS_FORMAT_PEM) : NULL;
    ERR_clear_error();
    bool good = stack && sk_X509_num(stack) <= CERTIFICATES_MAX;
    sk_X509_pop_free(stack, X509_free);
    return good;
}

bool trust_add(X509_STORE *store, const STACK_OF(X509) * authorities) {
    for (int i = 0; authorities && i < sk_X509_num(authorities); i++)
        if (!X509_STORE_add_cert(store, sk_X509_value(authorities, i)))
            return false;
    return true;
}

X509_STORE *trust_shared(tls_provider_t *tls, bool system) {
    if (!tls->stores[system])
        tls->stores[system] = trust_new(tls, system);
    return tls->stores[system];
}

X509_STORE *trust_new(tls_provider_t *tls, bool system) {
    X509_STORE *store = X509_STORE_new();
    if (store && !tls->added && tls->authorities_pem)
        tls->added =
            authorities_parse(tls->authorities_pem, strlen(tls->authorities_pem), TLS_FORMAT_PEM);
    bool good = store && (!tls->authorities_pem || tls->added) && trust_add(store, tls->added) &&
                (!system || X509_STORE_set_default_paths(store));
    /* A system without a store is no error: then nothing of it is trusted. */
    ERR_clear_error();
    if (good)
        return store;
    X509_STORE_free(store);
    return NULL;
}

static bool expect_host(X509_VERIFY_PARAM *parameters, const char *hostname) {
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
    if (is_address(hostname))
        return X509_VERIFY_PARAM_set1_ip_asc(parameters, hostname);
    return X509_VERIFY_PARAM_set1_host(parameters, hostname, 0);
}

bool trust_peer(tls_provider_t *tls, const SSL *ssl, const char *hostname) {
    X509 *leaf = SSL_get0_peer_certificate(ssl);
    X509_STORE *trust = trust_shared(tls, true);
    X509_STORE_CTX *check = leaf && trust ? X509_STORE_CTX_new() : NULL;
    bool good = check && X509_STORE_CTX_init(check, trust, leaf, SSL_get_peer_cert_chain(ssl)) &&
                X509_STORE_CTX_set_default(check, "ssl_server") &&
                expect_host(X509_STORE_CTX_get0_param(check), hostname) &&
                X509_verify_cert(check) == 1;
    X509_STORE_CTX_free(check);
    ERR_clear_error();
    return good;
}
