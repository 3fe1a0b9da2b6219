/* Authorities and contexts: what a program's SSLContext is on the host. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "tls/openssl/internal.h"

/* What of a program's options and flags has a meaning here; the guest refuses the others. */
#define OPTIONS_KNOWN                                                                              \
    (SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3 | SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF |     \
     SSL_OP_ENABLE_MIDDLEBOX_COMPAT | SSL_OP_NO_ENCRYPT_THEN_MAC)
#define VERIFY_KNOWN                                                                               \
    (X509_V_FLAG_X509_STRICT | X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN)

int32_t openssl_authorities_new(tls_provider_t *tls, const char *data, size_t length,
                                uint32_t format) {
    if (length > TLS_AUTHORITIES_MAX)
        return tls_fail(tls, "TOO_LONG", "more than 2 MiB of certificates at once");
    if (format != TLS_FORMAT_PEM && format != TLS_FORMAT_DER)
        return tls_fail(tls, "UNSUPPORTED_FORMAT", "certificates are PEM or DER");
    object_t *object = object_new(tls, OBJECT_AUTHORITIES, 2 * (uint64_t)length + 1024);
    if (!object)
        return TLS_FAILED;
    object->authorities = authorities_parse(data, length, format);
    int count = object->authorities ? sk_X509_num(object->authorities) : 0;
    if (count > CERTIFICATES_MAX) {
        object_undo(tls);
        return tls_fail(tls, "TOO_MANY_CERTIFICATES", "more than 1024 certificates");
    }
    if (!object_charge(tls, object, (uint64_t)count * CERTIFICATE_BYTES)) {
        object_undo(tls);
        return TLS_FAILED;
    }
    if (count > 0)
        return (int32_t)object->number;
    object_undo(tls);
    if (ERR_peek_last_error() != 0)
        return tls_fail_openssl(tls, NULL);
    return tls_fail(tls, "NO_CERTIFICATE", "no certificate or crl found");
}

static bool set_trust(tls_provider_t *tls, SSL_CTX *context, const tls_settings_t *settings) {
    bool shared = settings->authority_count == 0;
    X509_STORE *store =
        shared ? trust_shared(tls, settings->system_trust) : trust_new(tls, settings->system_trust);
    if (!store)
        return false;
    if (shared) {
        SSL_CTX_set1_cert_store(context, store);
        return true;
    }
    for (uint32_t i = 0; i < settings->authority_count; i++) {
        const object_t *object = object_find(tls, settings->authorities[i], OBJECT_AUTHORITIES);
        if (!object || !trust_add(store, object->authorities)) {
            X509_STORE_free(store);
            return false;
        }
    }
    SSL_CTX_set_cert_store(context, store);
    return true;
}

static bool set_versions(SSL_CTX *context, const tls_settings_t *settings) {
    int minimum = settings->minimum > TLS1_2_VERSION ? (int)settings->minimum : TLS1_2_VERSION;
    return SSL_CTX_set_min_proto_version(context, minimum) &&
           SSL_CTX_set_max_proto_version(context, (int)settings->maximum);
}

/* Whatever a program asks for: no suites without encryption or authentication, and no level at which
 * broken ones are allowed. */
static bool set_ciphers(SSL_CTX *context, const char *ciphers) {
    char list[4096];
    if (!ciphers)
        return true;
    size_t length = strlen(ciphers);
    static const char never[] = ":!aNULL:!eNULL:!PSK:!SRP";
    if (length + sizeof never > sizeof list)
        return false;
    memcpy(list, ciphers, length);
    memcpy(list + length, never, sizeof never);
    if (!SSL_CTX_set_cipher_list(context, list))
        return false;
    if (SSL_CTX_get_security_level(context) < 1)
        SSL_CTX_set_security_level(context, 1);
    return true;
}

static void set_checks(SSL_CTX *context, const tls_settings_t *settings) {
    X509_VERIFY_PARAM *parameters = SSL_CTX_get0_param(context);
    unsigned flags = 0;
    if (!settings->partial_wildcards)
        flags |= X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    if (settings->never_check_subject)
        flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    X509_VERIFY_PARAM_set_hostflags(parameters, flags);
    X509_VERIFY_PARAM_set_flags(parameters, settings->verify_flags & VERIFY_KNOWN);
    SSL_CTX_set_verify(context, settings->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
}

static bool set_up(tls_provider_t *tls, SSL_CTX *context, const tls_settings_t *settings) {
    /* Renegotiation could bring another certificate than the one that was checked. */
    SSL_CTX_clear_options(context, SSL_OP_LEGACY_SERVER_CONNECT | OPTIONS_KNOWN);
    SSL_CTX_set_options(context, (settings->options & OPTIONS_KNOWN) | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    set_checks(context, settings);
    return set_versions(context, settings) && set_ciphers(context, settings->ciphers) &&
           set_trust(tls, context, settings) &&
           (settings->alpn_length == 0 ||
            SSL_CTX_set_alpn_protos(context, settings->alpn, settings->alpn_length) == 0);
}

static context_t *make(tls_provider_t *tls, const tls_settings_t *settings) {
    context_t *context = calloc(1, sizeof *context);
    if (!context)
        return NULL;
    context->check_hostname = settings->check_hostname;
    context->ssl = SSL_CTX_new(TLS_client_method());
    context->alpn = malloc(settings->alpn_length + 1);
    if (context->ssl && context->alpn && set_up(tls, context->ssl, settings)) {
        if (settings->alpn_length > 0)
            memcpy(context->alpn, settings->alpn, settings->alpn_length);
        context->alpn_length = settings->alpn_length;
        return context;
    }
    context_free(context);
    return NULL;
}

/* How many certificates the context would trust besides the host's; -1: there is no such object. */
static int count_certificates(const tls_provider_t *tls, const tls_settings_t *settings) {
    int count = 0;
    for (uint32_t i = 0; i < settings->authority_count; i++) {
        const object_t *object = object_find(tls, settings->authorities[i], OBJECT_AUTHORITIES);
        if (!object)
            return -1;
        count += sk_X509_num(object->authorities);
    }
    return count;
}

int32_t openssl_context_new(tls_provider_t *tls, const tls_settings_t *settings) {
    int certificates = count_certificates(tls, settings);
    if (certificates < 0)
        return TLS_STALE;
    if (certificates > CERTIFICATES_MAX)
        return tls_fail(tls, "TOO_MANY_CERTIFICATES", "more than 1024 certificates in a context");
    ERR_clear_error();
    bool own = certificates > 0 && settings->system_trust;
    object_t *object = object_new(tls, OBJECT_CONTEXT, CONTEXT_BYTES + (own ? STORE_BYTES : 0));
    if (!object)
        return TLS_FAILED;
    object->context = make(tls, settings);
    if (object->context)
        return (int32_t)object->number;
    object_undo(tls);
    return tls_fail_openssl(tls, NULL);
}
