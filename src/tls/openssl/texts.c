/* What a program can learn of a connection: versions, certificates, failures. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "tls/openssl/internal.h"

static bool put(buffer_t *out, const char *text) {
    return buffer_append(out, text, strlen(text));
}

/* --- JSON --------------------------------------------------------------------------------- */

/* Bytes that are not ASCII come as Latin-1: names of certificates may have any encoding. */
static bool put_json(buffer_t *out, const unsigned char *text, size_t length) {
    bool good = put(out, "\"");
    for (size_t i = 0; i < length && good; i++) {
        char escaped[8];
        if (text[i] == '"' || text[i] == '\\' || text[i] < 0x20 || text[i] >= 0x7f)
            snprintf(escaped, sizeof escaped, "\\u%04x", text[i]);
        else
            snprintf(escaped, sizeof escaped, "%c", text[i]);
        good = put(out, escaped);
    }
    return good && put(out, "\"");
}

static bool put_json_text(buffer_t *out, const char *text) {
    return put_json(out, (const unsigned char *)text, strlen(text));
}

/* Names as UTF-8: JSON's escapes would need code points. */
static bool put_utf8(buffer_t *out, const ASN1_STRING *string) {
    unsigned char *text;
    int length = ASN1_STRING_to_UTF8(&text, string);
    if (length < 0)
        return put(out, "\"\"");
    bool good = put(out, "\"");
    for (int i = 0; i < length && good; i++) {
        char escaped[8];
        if (text[i] == '"' || text[i] == '\\' || text[i] < 0x20 || text[i] == 0x7f)
            good = put(out, (snprintf(escaped, sizeof escaped, "\\u%04x", text[i]), escaped));
        else
            good = buffer_append(out, &text[i], 1);
    }
    OPENSSL_free(text);
    return good && put(out, "\"");
}

/* [[["commonName", "x"]], ...]: a list of sets of pairs. */
static bool put_name(buffer_t *out, const X509_NAME *name) {
    bool good = put(out, "[");
    int set = -1;
    for (int i = 0; i < X509_NAME_entry_count(name) && good; i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        char id[128];
        const ASN1_OBJECT *object = X509_NAME_ENTRY_get_object(entry);
        if (OBJ_obj2txt(id, sizeof id, object, 0) <= 0)
            snprintf(id, sizeof id, "?");
        bool same = X509_NAME_ENTRY_set(entry) == set;
        set = X509_NAME_ENTRY_set(entry);
        good = put(out, i == 0 ? "[[" : (same ? ",[" : "],[[")) && put_json_text(out, id) &&
               put(out, ",") && put_utf8(out, X509_NAME_ENTRY_get_data(entry)) && put(out, "]");
    }
    return good && put(out, set >= 0 ? "]]" : "]");
}

static bool put_time(buffer_t *out, const ASN1_TIME *time) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    bool good = bio && ASN1_TIME_print(bio, time) == 1;
    long length = good ? BIO_get_mem_data(bio, &text) : 0;
    good = good && put_json(out, (unsigned char *)text, (size_t)length);
    BIO_free(bio);
    return good;
}

static bool put_address(buffer_t *out, const ASN1_OCTET_STRING *address) {
    char text[64] = "<invalid>";
    int length = ASN1_STRING_length(address);
    if (length == 4 || length == 16)
        inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text,
                  sizeof text);
    return put_json_text(out, text);
}

static bool put_alternative(buffer_t *out, const GENERAL_NAME *name) {
    int type;
    const void *value = GENERAL_NAME_get0_value(name, &type);
    const char *kind = type == GEN_DNS ? "DNS" : (type == GEN_EMAIL ? "email" : "URI");
    switch (type) {
    case GEN_DNS:
    case GEN_EMAIL:
    case GEN_URI:
        return put(out, "[") && put_json_text(out, kind) && put(out, ",") &&
               put_json(out, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)) &&
               put(out, "]");
    case GEN_IPADD:
        return put(out, "[\"IP Address\",") && put_address(out, value) && put(out, "]");
    default:
        return put(out, "[\"othername\",\"<unsupported>\"]");
    }
}

static bool put_alternatives(buffer_t *out, X509 *certificate) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool good = true;
    int count = names ? sk_GENERAL_NAME_num(names) : 0;
    if (count > 0)
        good = put(out, ",\"subjectAltName\":[");
    for (int i = 0; i < count && good; i++)
        good = put(out, i > 0 ? "," : "") && put_alternative(out, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    return good && (count == 0 || put(out, "]"));
}

static bool put_serial(buffer_t *out, X509 *certificate) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    bool good = bio && i2a_ASN1_INTEGER(bio, X509_get0_serialNumber(certificate)) > 0;
    long length = good ? BIO_get_mem_data(bio, &text) : 0;
    good = good && put_json(out, (unsigned char *)text, (size_t)length);
    BIO_free(bio);
    return good;
}

bool certificate_json(X509 *certificate, buffer_t *out) {
    char version[32];
    snprintf(version, sizeof version, ",\"version\":%ld", X509_get_version(certificate) + 1);
    return put(out, "{\"subject\":") && put_name(out, X509_get_subject_name(certificate)) &&
           put(out, ",\"issuer\":") && put_name(out, X509_get_issuer_name(certificate)) &&
           put(out, version) && put(out, ",\"serialNumber\":") && put_serial(out, certificate) &&
           put(out, ",\"notBefore\":") && put_time(out, X509_get0_notBefore(certificate)) &&
           put(out, ",\"notAfter\":") && put_time(out, X509_get0_notAfter(certificate)) &&
           put_alternatives(out, certificate) && put(out, "}");
}

/* --- Texts -------------------------------------------------------------------------------- */

static bool put_der(buffer_t *out, X509 *certificate, bool with_length) {
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);
    if (length <= 0)
        return false;
    uint32_t bytes = (uint32_t)length;
    bool good = (!with_length || buffer_append(out, &bytes, sizeof bytes)) &&
                buffer_append(out, der, bytes);
    OPENSSL_free(der);
    return good;
}

static bool put_chain(buffer_t *out, const STACK_OF(X509) * chain) {
    for (int i = 0; chain && i < sk_X509_num(chain); i++)
        if (!put_der(out, sk_X509_value(chain, i), true))
            return false;
    return chain != NULL;
}

static bool error_text(const tls_provider_t *tls, buffer_t *out) {
    char code[24];
    snprintf(code, sizeof code, "%ld", tls->error_verify);
    return buffer_append(out, tls->error_library, strlen(tls->error_library) + 1) &&
           buffer_append(out, tls->error_reason, strlen(tls->error_reason) + 1) &&
           buffer_append(out, code, strlen(code) + 1) && put(out, tls->error_message);
}

static bool cipher_text(const SSL *ssl, buffer_t *out) {
    char bits[16];
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    if (!cipher)
        return false;
    const char *name = SSL_CIPHER_get_name(cipher), *version = SSL_CIPHER_get_version(cipher);
    snprintf(bits, sizeof bits, "%d", SSL_CIPHER_get_bits(cipher, NULL));
    return buffer_append(out, name, strlen(name) + 1) &&
           buffer_append(out, version, strlen(version) + 1) && put(out, bits);
}

/* The first Finished message of the handshake. */
static bool unique_text(const SSL *ssl, buffer_t *out) {
    char finished[128];
    size_t length = SSL_get_finished(ssl, finished, sizeof finished);
    return length > 0 && buffer_append(out, finished, length);
}

static bool connection_text(const connection_t *connection, uint32_t what, buffer_t *out) {
    const SSL *ssl = connection->ssl;
    X509 *peer = SSL_get0_peer_certificate(ssl);
    const unsigned char *protocol;
    unsigned length;
    if (!connection->done)
        return false;
    switch (what) {
    case TLS_TEXT_VERSION:
        return put(out, SSL_get_version(ssl));
    case TLS_TEXT_CIPHER:
        return cipher_text(ssl, out);
    case TLS_TEXT_ALPN:
        SSL_get0_alpn_selected(ssl, &protocol, &length);
        return length > 0 && buffer_append(out, protocol, length);
    case TLS_TEXT_PEER_DER:
        return peer && put_der(out, peer, false);
    case TLS_TEXT_PEER_JSON:
        return peer && certificate_json(peer, out);
    case TLS_TEXT_VERIFIED:
        return put_chain(out, SSL_get0_verified_chain(ssl));
    case TLS_TEXT_PRESENTED:
        return put_chain(out, SSL_get_peer_cert_chain(ssl));
    case TLS_TEXT_UNIQUE:
        return unique_text(ssl, out);
    default:
        return false;
    }
}

static bool context_text(const context_t *context, buffer_t *out) {
    const STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(context->ssl);
    for (int i = 0; ciphers && i < sk_SSL_CIPHER_num(ciphers); i++)
        if (!put(out, SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i))) || !put(out, "\n"))
            return false;
    return true;
}

bool openssl_text(tls_provider_t *tls, uint32_t number, uint32_t what, buffer_t *out) {
    const object_t *object;
    char count[16];
    bool good = false;
    switch (what) {
    case TLS_TEXT_ERROR:
        return error_text(tls, out);
    case TLS_TEXT_CIPHERS:
        object = object_find(tls, number, OBJECT_CONTEXT);
        good = object && context_text(object->context, out);
        break;
    case TLS_TEXT_AUTHORITY_COUNT:
        object = object_find(tls, number, OBJECT_AUTHORITIES);
        snprintf(count, sizeof count, "%d", object ? sk_X509_num(object->authorities) : 0);
        good = object && put(out, count);
        break;
    default:
        object = object_find(tls, number, OBJECT_CONNECTION);
        good = object && connection_text(object->connection, what, out);
    }
    ERR_clear_error();
    return good;
}
