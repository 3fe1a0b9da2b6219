/* A TLS server in memory for tests: its certificates, and a connection that is handed bytes. */
#ifndef TESTS_TLS_PEER_H
#define TESTS_TLS_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

typedef struct tls_authority {
    EVP_PKEY *key;
    X509 *certificate;
    char *pem; /* of the certificate */
} tls_authority_t;

/* What may be wrong with a certificate. */
typedef enum tls_flaw { FLAW_NONE, FLAW_EXPIRED, FLAW_SELF_SIGNED } tls_flaw_t;

tls_authority_t *tls_authority_new(const char *name);
void tls_authority_free(tls_authority_t *authority);

typedef struct tls_peer {
    SSL_CTX *context;
    SSL *ssl;
    BIO *in, *out;
    bool echoes;          /* sends back what it received */
    size_t echo_piece;    /* in records of so many bytes; 0: as they come */
    char received[65536]; /* plain text, NUL-terminated */
    size_t received_length;
    char hello_alpn[256]; /* the protocols that the client offered, a comma after each */
} tls_peer_t;

/* A server with a certificate for `host` (a name or an address); versions: 0 for OpenSSL's defaults. */
tls_peer_t *tls_peer_new(const tls_authority_t *authority, const char *host, tls_flaw_t flaw,
                         int minimum, int maximum);
void tls_peer_free(tls_peer_t *peer);
/* Begins a new connection. */
void tls_peer_accept(tls_peer_t *peer);
/* Takes encrypted bytes, answers what is to go back (at most capacity). */
size_t tls_peer_exchange(tls_peer_t *peer, const void *data, size_t length, void *out,
                         size_t capacity);
/* Sends plain text of its own with the next exchange. */
void tls_peer_send(tls_peer_t *peer, const char *text);

#endif
