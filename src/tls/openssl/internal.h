/* What the files of src/tls/openssl share. */
#ifndef TLS_OPENSSL_INTERNAL_H
#define TLS_OPENSSL_INTERNAL_H

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "secrets/filter.h"
#include "tls/provider.h"

#define OBJECTS_MAX 4096u
/* What OpenSSL takes for one of them, about; charged to the sandbox's budget. */
#define CONTEXT_BYTES ((uint64_t)32 << 10)
#define STORE_BYTES ((uint64_t)1 << 20) /* the system's certificates, of a context with its own */
#define CERTIFICATE_BYTES 4096u
#define CONNECTION_BYTES ((uint64_t)384 << 10)
/* Of one object and of one context: adding them to a store takes time with the square of their number, and
 * nothing can interrupt it. Bundles of all public authorities have about 150. */
#define CERTIFICATES_MAX 1024
#define QUEUE_MAX 131072u /* bytes that are fed or to be drained, beyond which it has to wait */

typedef enum object_kind {
    OBJECT_AUTHORITIES = 1,
    OBJECT_CONTEXT,
    OBJECT_CONNECTION
} object_kind_t;

typedef struct context {
    SSL_CTX *ssl;
    bool check_hostname;
    unsigned char *alpn; /* from malloc */
    uint32_t alpn_length;
} context_t;

typedef struct connection {
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
    char *hostname;
    uint64_t allowed; /* secrets that may go to a peer of this name */
    bool done;        /* the handshake is, and what follows from it was decided */
    bool inserts;
    bool has_scrub;
    filter_t insert, scrub;
    buffer_t plain; /* scrubbed bytes that were not read yet, from `taken` on */
    size_t taken;
    buffer_t work;
    int32_t ended; /* TLS_CLOSED or TLS_CUT after the bytes in `plain`; 0: not yet */
} connection_t;

typedef struct object {
    uint32_t number;
    object_kind_t kind;
    uint64_t charged;
    union {
        STACK_OF(X509) * authorities;
        context_t *context;
        connection_t *connection;
    };
} object_t;

struct tls_provider {
    const secrets_t *secrets;
    const char *authorities_pem;
    budget_t *budget;
    STACK_OF(X509) * added; /* of authorities_pem; made at first use */
    X509_STORE *stores[2];  /* what the host added; that and the system's; made at first use */
    object_t *objects;      /* by number, ascending */
    uint32_t count, capacity, next;
    char error_library[32], error_reason[128], error_message[512];
    long error_verify;
};

/* NULL: there is none of that kind. Valid until the next object_new. */
object_t *object_find(const tls_provider_t *tls, uint32_t number, object_kind_t kind);
/* Takes `bytes` from the budget; NULL with a failure noted. */
object_t *object_new(tls_provider_t *tls, object_kind_t kind, uint64_t bytes);
/* Takes some more for it; false with a failure noted. */
bool object_charge(tls_provider_t *tls, object_t *object, uint64_t bytes);
/* Takes the object that object_new made back. */
void object_undo(tls_provider_t *tls);
void connection_free(connection_t *connection);
void context_free(context_t *context);

/* Both answer TLS_FAILED. The first takes the reason from OpenSSL's queue. */
int32_t tls_fail_openssl(tls_provider_t *tls, const SSL *ssl);
int32_t tls_fail(tls_provider_t *tls, const char *reason, const char *message);

/* Appends the certificates in data to a new stack; NULL if there is none or one is broken. */
STACK_OF(X509) * authorities_parse(const char *data, size_t length, uint32_t format);
/* A store of what the host trusts besides its system, and the system's if asked for. NULL when out of
 * memory. */
X509_STORE *trust_new(tls_provider_t *tls, bool system);
/* Same, one for all that add nothing to it; owned by the provider. */
X509_STORE *trust_shared(tls_provider_t *tls, bool system);
bool trust_add(X509_STORE *store, const STACK_OF(X509) * authorities);
/* Whether the peer's certificate is one of that host for the host's trust store. */
bool trust_peer(tls_provider_t *tls, const SSL *ssl, const char *hostname);
/* Whether the name is an address, which certificates and TLS treat differently. */
bool is_address(const char *hostname);

/* The functions of tls.h. */
tls_provider_t *openssl_new(const secrets_t *secrets, const char *authorities_pem,
                            budget_t *budget);
void openssl_free(tls_provider_t *tls);
void openssl_reset(tls_provider_t *tls);
bool openssl_check_authorities(const char *pem);
int32_t openssl_authorities_new(tls_provider_t *tls, const char *data, size_t length,
                                uint32_t format);
int32_t openssl_context_new(tls_provider_t *tls, const tls_settings_t *settings);
int32_t openssl_open(tls_provider_t *tls, uint32_t context, const char *hostname);
int32_t openssl_drop(tls_provider_t *tls, uint32_t number);
int32_t openssl_handshake(tls_provider_t *tls, uint32_t number);
int32_t openssl_write(tls_provider_t *tls, uint32_t number, const char *data, uint32_t length);
int32_t openssl_read(tls_provider_t *tls, uint32_t number, char *buffer, uint32_t capacity);
int32_t openssl_flush(tls_provider_t *tls, uint32_t number);
int32_t openssl_shutdown(tls_provider_t *tls, uint32_t number);
int32_t openssl_feed(tls_provider_t *tls, uint32_t number, const char *data, uint32_t length);
int32_t openssl_drain(tls_provider_t *tls, uint32_t number, char *buffer, uint32_t capacity);
int32_t openssl_count(tls_provider_t *tls, uint32_t number, uint32_t what);
bool openssl_text(tls_provider_t *tls, uint32_t number, uint32_t what, buffer_t *out);

bool certificate_json(X509 *certificate, buffer_t *out);

#endif
