/* One connection: OpenSSL between two memory queues, and the secrets' filters on its plain side. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/wipe.h"
#include "tls/openssl/internal.h"

#define RECORD_BYTES 16384 /* of plain text, at most */
#define STRONG_BITS 128    /* of the cipher, before a secret is put in */

/* --- Opening ------------------------------------------------------------------------------ */

/* The list without HTTP/2, whose headers could be packed so that no filter finds anything in them. */
static bool offer_without_http2(SSL *ssl, const unsigned char *alpn, size_t length) {
    unsigned char list[1024];
    size_t kept = 0;
    for (size_t i = 0; i < length; i += alpn[i] + 1u) {
        size_t entry = alpn[i] + 1u;
        if (i + entry > length || kept + entry > sizeof list)
            return false;
        if (entry == 3 && memcmp(&alpn[i + 1], "h2", 2) == 0)
            continue;
        memcpy(list + kept, &alpn[i], entry);
        kept += entry;
    }
    return kept == length || SSL_set_alpn_protos(ssl, kept > 0 ? list : NULL, (unsigned)kept) == 0;
}

static bool set_name(SSL *ssl, const char *hostname, bool check) {
    bool address = is_address(hostname);
    if (!address && !SSL_set_tlsext_host_name(ssl, hostname))
        return false;
    if (!check)
        return true;
    X509_VERIFY_PARAM *parameters = SSL_get0_param(ssl);
    return address ? X509_VERIFY_PARAM_set1_ip_asc(parameters, hostname)
                   : X509_VERIFY_PARAM_set1_host(parameters, hostname, 0);
}

static bool set_up(tls_provider_t *tls, connection_t *connection, const context_t *context) {
    connection->ssl = SSL_new(context->ssl);
    if (!connection->ssl)
        return false;
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    if (!in || !out) {
        BIO_free(in);
        BIO_free(out);
        return false;
    }
    BIO_set_mem_eof_return(in, -1);
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(connection->ssl, in, out);
    connection->in = in;
    connection->out = out;
    SSL_set_connect_state(connection->ssl);
    SSL_set_app_data(connection->ssl, connection->hostname);
    if (*connection->hostname &&
        !set_name(connection->ssl, connection->hostname, context->check_hostname))
        return false;
    connection->allowed = secrets_allowed(tls->secrets, connection->hostname, true);
    return connection->allowed == 0 ||
           offer_without_http2(connection->ssl, context->alpn, context->alpn_length);
}

int32_t openssl_open(tls_provider_t *tls, uint32_t number, const char *hostname) {
    const object_t *found = object_find(tls, number, OBJECT_CONTEXT);
    if (!found)
        return TLS_STALE;
    const context_t *context = found->context;
    ERR_clear_error();
    object_t *object = object_new(tls, OBJECT_CONNECTION, CONNECTION_BYTES);
    if (!object)
        return TLS_FAILED;
    connection_t *connection = calloc(1, sizeof *connection);
    object->connection = connection;
    if (connection)
        connection->hostname = strdup(hostname);
    if (connection && connection->hostname && set_up(tls, connection, context))
        return (int32_t)object->number;
    object_undo(tls);
    return tls_fail_openssl(tls, NULL);
}

/* --- Handshake ---------------------------------------------------------------------------- */

static int32_t status_of(tls_provider_t *tls, connection_t *connection, int result) {
    switch (SSL_get_error(connection->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        ERR_clear_error();
        return TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        ERR_clear_error();
        return TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        ERR_clear_error();
        return TLS_CLOSED;
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        return TLS_CUT;
    default:
        if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            ERR_clear_error();
            return TLS_CUT;
        }
        return tls_fail_openssl(tls, connection->ssl);
    }
}

/* Once: what the filters are to do on this connection. */
static void decide(tls_provider_t *tls, connection_t *connection) {
    connection->done = true;
    if (!tls->secrets)
        return;
    filter_init(&connection->scrub, tls->secrets, FILTER_SCRUB, 0);
    connection->has_scrub = true;
    if (connection->allowed == 0 ||
        SSL_CIPHER_get_bits(SSL_get_current_cipher(connection->ssl), NULL) < STRONG_BITS ||
        !trust_peer(tls, connection->ssl, connection->hostname))
        return;
    filter_init(&connection->insert, tls->secrets, FILTER_INSERT, connection->allowed);
    connection->inserts = true;
}

/* OpenSSL answers some messages (renegotiation, keys) by itself: what is not drained must not grow. */
static bool clogged(const connection_t *connection) {
    return BIO_ctrl_pending(connection->out) > QUEUE_MAX;
}

static int32_t handshake(tls_provider_t *tls, connection_t *connection) {
    if (!connection->done) {
        if (clogged(connection))
            return TLS_WANT_WRITE;
        ERR_clear_error();
        int result = SSL_do_handshake(connection->ssl);
        if (result != 1)
            return status_of(tls, connection, result);
        decide(tls, connection);
    }
    return connection->inserts;
}

int32_t openssl_handshake(tls_provider_t *tls, uint32_t number) {
    object_t *object = object_find(tls, number, OBJECT_CONNECTION);
    return object ? handshake(tls, object->connection) : TLS_STALE;
}

/* --- Writing ------------------------------------------------------------------------------ */

/* All of it: the queue to be drained grows as it must. */
static int32_t encrypt(tls_provider_t *tls, connection_t *connection, const char *data,
                       size_t length) {
    while (length > 0) {
        size_t written;
        ERR_clear_error();
        int result = SSL_write_ex(connection->ssl, data, length, &written);
        if (result != 1)
            return status_of(tls, connection, result);
        data += written;
        length -= written;
    }
    return 0;
}

/* Encrypts what a filter has let go, and wipes it. */
static int32_t encrypt_work(tls_provider_t *tls, connection_t *connection) {
    buffer_t *work = &connection->work;
    int32_t status = encrypt(tls, connection, work->data, work->length);
    if (work->data)
        wipe(work->data, work->length);
    work->length = 0;
    return status;
}

int32_t openssl_write(tls_provider_t *tls, uint32_t number, const char *data, uint32_t length) {
    object_t *object = object_find(tls, number, OBJECT_CONNECTION);
    if (!object)
        return TLS_STALE;
    connection_t *connection = object->connection;
    int32_t status = handshake(tls, connection);
    if (status < 0)
        return status;
    if (clogged(connection))
        return TLS_WANT_WRITE;
    if (connection->inserts) {
        if (!filter_push(&connection->insert, data, length, &connection->work))
            return tls_fail(tls, "MALLOC_FAILURE", "the host is out of memory");
        status = encrypt_work(tls, connection);
    } else {
        status = encrypt(tls, connection, data, length);
    }
    return status < 0 ? status : (int32_t)length;
}

/* 1: something was let go. */
static int32_t flush(tls_provider_t *tls, connection_t *connection) {
    if (!connection->inserts || connection->insert.held.length == 0)
        return 0;
    if (!filter_release(&connection->insert, &connection->work))
        return tls_fail(tls, "MALLOC_FAILURE", "the host is out of memory");
    int32_t status = encrypt_work(tls, connection);
    return status < 0 ? status : 1;
}

int32_t openssl_flush(tls_provider_t *tls, uint32_t number) {
    object_t *object = object_find(tls, number, OBJECT_CONNECTION);
    return object ? flush(tls, object->connection) : TLS_STALE;
}

int32_t openssl_shutdown(tls_provider_t *tls, uint32_t number) {
    object_t *object = object_find(tls, number, OBJECT_CONNECTION);
    if (!object)
        return TLS_STALE;
    connection_t *connection = object->connection;
    int32_t status = flush(tls, connection);
    if (status < 0)
        return status;
    ERR_clear_error();
    int result = SSL_shutdown(connection->ssl);
    return result >= 0 ? result : status_of(tls, connection, result);
}

/* --- Reading ------------------------------------------------------------------------------ */

static int32_t take_plain(connection_t *connection, char *buffer, uint32_t capacity) {
    buffer_t *plain = &connection->plain;
    size_t left = plain->length - connection->taken;
    size_t count = left < capacity ? left : capacity;
    memcpy(buffer, plain->data + connection->taken, count);
    connection->taken += count;
    if (connection->taken == plain->length)
        plain->length = connection->taken = 0;
    return (int32_t)count;
}

/* The network has nothing more for now, or for good: what is held is given. */
static int32_t read_end(tls_provider_t *tls, connection_t *connection, int32_t status) {
    bool final = status == TLS_CLOSED || status == TLS_CUT;
    if (status == TLS_WANT_READ) {
        int32_t flushed = flush(tls, connection);
        if (flushed < 0)
            return flushed;
    }
    if (!final && status != TLS_WANT_READ)
        return status;
    bool done = final ? filter_finish(&connection->scrub, &connection->plain)
                      : filter_release(&connection->scrub, &connection->plain);
    if (!done)
        return tls_fail(tls, "MALLOC_FAILURE", "the host is out of memory");
    if (final)
        connection->ended = status;
    return connection->plain.length > 0 ? 0 : status;
}

/* Fills `plain`; 0, or why it is still empty. */
static int32_t read_scrubbed(tls_provider_t *tls, connection_t *connection) {
    char record[RECORD_BYTES];
    int32_t status = 0;
    while (status == 0 && connection->plain.length == 0) {
        size_t got;
        if (connection->ended != 0)
            return connection->ended;
        ERR_clear_error();
        int result = SSL_read_ex(connection->ssl, record, sizeof record, &got);
        if (result != 1)
            status = read_end(tls, connection, status_of(tls, connection, result));
        else if (!filter_push(&connection->scrub, record, got, &connection->plain))
            status = tls_fail(tls, "MALLOC_FAILURE", "the host is out of memory");
    }
    wipe(record, sizeof record);
    return status;
}

int32_t openssl_read(tls_provider_t *tls, uint32_t number, char *buffer, uint32_t capacity) {
    object_t *object = object_find(tls, number, OBJECT_CONNECTION);
    if (!object)
        return TLS_STALE;
    connection_t *connection = object->connection;
    int32_t status = handshake(tls, connection);
    if (status < 0)
        return status;
    if (capacity == 0)
        return 0;
    if (clogged(connection))
        return TLS_WANT_WRITE;
    if (connection->has_scrub) {
        if (connection->plain.length == 0)
            status = read_scrubbed(tls, connection);
        return status < 0 ? status : take_plain(connection, buffer, capacity);
    }
    size_t got;
    ERR_clear_error();
    int result = SSL_read_ex(connection->ssl, buffer, capacity, &got);
    return result == 1 ? (int32_t)got : status_of(tls, connection, result);
}

/* --- The network's side ------------------------------------------------------------------- */

int32_t openssl_feed(tls_provider_t *tls, uint32_t number, const char *data, uint32_t length) {
    object_t *object = object_find(tls, number, OBJECT_CONNECTION);
    if (!object)
        return TLS_STALE;
    BIO *in = object->connection->in;
    if (length == 0) {
        BIO_set_mem_eof_return(in, 0);
        return 0;
    }
    size_t pending = BIO_ctrl_pending(in);
    if (pending >= QUEUE_MAX)
        return 0;
    if (length > QUEUE_MAX - pending)
        length = (uint32_t)(QUEUE_MAX - pending);
    int written = BIO_write(in, data, (int)length);
    return written > 0 ? written : tls_fail_openssl(tls, NULL);
}

int32_t openssl_drain(tls_provider_t *tls, uint32_t number, char *buffer, uint32_t capacity) {
    object_t *object = object_find(tls, number, OBJECT_CONNECTION);
    if (!object)
        return TLS_STALE;
    int got = capacity > 0 ? BIO_read(object->connection->out, buffer, (int)capacity) : 0;
    return got > 0 ? got : 0;
}

int32_t openssl_count(tls_provider_t *tls, uint32_t number, uint32_t what) {
    object_t *object = object_find(tls, number, OBJECT_CONNECTION);
    if (!object)
        return TLS_STALE;
    const connection_t *connection = object->connection;
    switch (what) {
    case TLS_COUNT_PLAIN:
        return (int32_t)(connection->plain.length - connection->taken) +
               SSL_pending(connection->ssl);
    case TLS_COUNT_HELD:
        return connection->inserts ? (int32_t)connection->insert.held.length : 0;
    default:
        return (int32_t)BIO_ctrl_pending(connection->out);
    }
}
