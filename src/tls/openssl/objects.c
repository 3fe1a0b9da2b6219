/* The table of objects, and failures. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "base/wipe.h"
#include "tls/openssl/internal.h"

#define FIRST_NUMBER_MAX ((uint32_t)1 << 30)

tls_provider_t *openssl_new(const secrets_t *secrets, const char *authorities_pem,
                            budget_t *budget) {
    tls_provider_t *tls = calloc(1, sizeof *tls);
    if (tls) {
        tls->secrets = secrets;
        tls->authorities_pem = authorities_pem;
        tls->budget = budget;
    }
    return tls;
}

void connection_free(connection_t *connection) {
    if (!connection)
        return;
    if (connection->inserts)
        filter_free(&connection->insert);
    if (connection->has_scrub)
        filter_free(&connection->scrub);
    if (connection->work.data)
        wipe(connection->work.data, connection->work.capacity);
    buffer_free(&connection->work);
    buffer_free(&connection->plain);
    SSL_free(connection->ssl);
    free(connection->hostname);
    free(connection);
}

void context_free(context_t *context) {
    if (!context)
        return;
    SSL_CTX_free(context->ssl);
    free(context->alpn);
    free(context);
}

static void release(tls_provider_t *tls, object_t *object) {
    switch (object->kind) {
    case OBJECT_AUTHORITIES:
        sk_X509_pop_free(object->authorities, X509_free);
        break;
    case OBJECT_CONTEXT:
        context_free(object->context);
        break;
    case OBJECT_CONNECTION:
        connection_free(object->connection);
        break;
    }
    budget_give(tls->budget, object->charged);
}

void openssl_reset(tls_provider_t *tls) {
    if (!tls)
        return;
    for (uint32_t i = 0; i < tls->count; i++)
        release(tls, &tls->objects[i]);
    tls->count = 0;
}

void openssl_free(tls_provider_t *tls) {
    if (!tls)
        return;
    openssl_reset(tls);
    sk_X509_pop_free(tls->added, X509_free);
    X509_STORE_free(tls->stores[0]);
    X509_STORE_free(tls->stores[1]);
    free(tls->objects);
    free(tls);
}

/* Where the object is, or would be. */
static uint32_t place_of(const tls_provider_t *tls, uint32_t number) {
    uint32_t low = 0, high = tls->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (tls->objects[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

object_t *object_find(const tls_provider_t *tls, uint32_t number, object_kind_t kind) {
    uint32_t at = place_of(tls, number);
    if (at == tls->count || tls->objects[at].number != number || tls->objects[at].kind != kind)
        return NULL;
    return &tls->objects[at];
}

/* A fork or a resumed session may still use numbers that were given elsewhere. */
static uint32_t first_number(void) {
    uint32_t number = 0;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        number = (uint32_t)clock_monotonic();
    return number % FIRST_NUMBER_MAX + 1;
}

static void fail_memory(tls_provider_t *tls) {
    tls_fail(tls, "MALLOC_FAILURE",
             "limit host_memory_bytes: the host may not hold more for this sandbox");
}

bool object_charge(tls_provider_t *tls, object_t *object, uint64_t bytes) {
    bool taken = budget_take(tls->budget, bytes);
    if (taken)
        object->charged += bytes;
    else
        fail_memory(tls);
    return taken;
}

object_t *object_new(tls_provider_t *tls, object_kind_t kind, uint64_t bytes) {
    if (tls->next == 0)
        tls->next = first_number();
    if (tls->count >= OBJECTS_MAX || tls->next > INT32_MAX) {
        tls_fail(tls, "TOO_MANY_OBJECTS", "the sandbox has too many TLS objects");
        return NULL;
    }
    if (tls->count == tls->capacity) {
        uint32_t capacity = tls->capacity > 0 ? 2 * tls->capacity : 8;
        object_t *objects = realloc(tls->objects, capacity * sizeof *objects);
        if (objects) {
            tls->objects = objects;
            tls->capacity = capacity;
        }
    }
    if (tls->count == tls->capacity || !budget_take(tls->budget, bytes)) {
        fail_memory(tls);
        return NULL;
    }
    object_t *object = &tls->objects[tls->count++];
    *object = (object_t){.number = tls->next++, .kind = kind, .charged = bytes};
    return object;
}

void object_undo(tls_provider_t *tls) {
    release(tls, &tls->objects[--tls->count]);
}

int32_t openssl_drop(tls_provider_t *tls, uint32_t number) {
    uint32_t at = place_of(tls, number);
    if (at == tls->count || tls->objects[at].number != number)
        return TLS_STALE;
    release(tls, &tls->objects[at]);
    memmove(&tls->objects[at], &tls->objects[at + 1], (tls->count - at - 1) * sizeof *tls->objects);
    tls->count--;
    return 0;
}

/* --- Failures ----------------------------------------------------------------------------- */

int32_t tls_fail(tls_provider_t *tls, const char *reason, const char *message) {
    snprintf(tls->error_library, sizeof tls->error_library, "SSL");
    snprintf(tls->error_reason, sizeof tls->error_reason, "%s", reason);
    snprintf(tls->error_message, sizeof tls->error_message, "%s", message);
    tls->error_verify = 0;
    return TLS_FAILED;
}

/* "certificate verify failed" as Python writes it: CERTIFICATE_VERIFY_FAILED. */
static void to_constant(char *out, size_t size, const char *text) {
    size_t i = 0;
    for (; text[i] && i + 1 < size; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        out[i] = letter ? (char)(c >= 'a' && c <= 'z' ? c - 32 : c) : '_';
    }
    out[i] = '\0';
}

/* What Python says of a certificate that was not accepted. */
static void verify_message(char *out, size_t size, long code, const char *hostname) {
    const char *text = X509_verify_cert_error_string(code);
    if (code == X509_V_ERR_HOSTNAME_MISMATCH)
        snprintf(out, size, "Hostname mismatch, certificate is not valid for '%s'.", hostname);
    else if (code == X509_V_ERR_IP_ADDRESS_MISMATCH)
        snprintf(out, size, "IP address mismatch, certificate is not valid for '%s'.", hostname);
    else
        snprintf(out, size, "%s", text);
}

int32_t tls_fail_openssl(tls_provider_t *tls, const SSL *ssl) {
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code), *library = ERR_lib_error_string(code);
    tls->error_verify = 0;
    to_constant(tls->error_reason, sizeof tls->error_reason, reason ? reason : "unknown error");
    snprintf(tls->error_message, sizeof tls->error_message, "%s",
             reason ? reason : "unknown error");
    bool of_ssl = ERR_GET_LIB(code) == ERR_LIB_SSL;
    to_constant(tls->error_library, sizeof tls->error_library,
                of_ssl ? "SSL" : (library ? library : "unknown"));
    if (ssl && of_ssl && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        const char *hostname = SSL_get_app_data(ssl);
        tls->error_verify = SSL_get_verify_result(ssl);
        verify_message(tls->error_message, sizeof tls->error_message, tls->error_verify,
                       hostname ? hostname : "");
    }
    ERR_clear_error();
    return TLS_FAILED;
}
