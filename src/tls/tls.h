/* TLS for a sandbox: handshake, records and certificates are the host's, with OpenSSL (provider.h).
 *
 * A program's connection is a pair of byte queues: it feeds what came from the network and drains what
 * is to go there, both encrypted, and reads and writes plain bytes. Keys never leave the host. Between
 * the plain bytes and TLS sit the filters of the sandbox's secrets: values are put in only after the
 * peer has proved to the host (not to the program, whose settings do not matter for it) that it is
 * one of the secret's hosts.
 *
 * Objects are numbers above 0, never used again in a sandbox. Answers below 0 are tls_status_t. Used by
 * the thread that runs the guest; nothing here waits. */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/budget.h"
#include "base/buffer.h"
#include "secrets/secrets.h"

typedef enum tls_status {
    TLS_MISSING = -1,    /* this host has no TLS: eryx-tls.so cannot be loaded */
    TLS_WANT_READ = -2,  /* feed */
    TLS_WANT_WRITE = -3, /* drain */
    TLS_CLOSED = -4,     /* the peer ended TLS */
    TLS_CUT = -5,        /* the transport ended without that */
    TLS_FAILED = -6,     /* see TLS_TEXT_ERROR */
    TLS_STALE = -7       /* no such object: never made, dropped, or from before a rollback */
} tls_status_t;

#define TLS_READ_MAX 65536u                     /* bytes of one read, write, feed or drain */
#define TLS_AUTHORITIES_MAX ((uint32_t)2 << 20) /* bytes at once */

typedef struct tls tls_t;

/* authorities_pem: certificates that the host trusts besides its system's, or NULL; checked by
 * tls_check_authorities. All arguments must outlive it. NULL when out of memory. */
tls_t *tls_new(const secrets_t *secrets, const char *authorities_pem, budget_t *budget);
void tls_free(tls_t *tls);
/* Drops all objects: the guest's numbers are stale from now on. */
void tls_reset(tls_t *tls);
/* Whether text is one or more certificates in PEM. Errors: ERYX_ERR_ARGUMENT, _IO (no TLS). */
int tls_check_authorities(const char *pem, eryx_error_t *error);

/* --- What programs set up ----------------------------------------------------------------- */

typedef enum tls_format { TLS_FORMAT_PEM = 1, TLS_FORMAT_DER = 2 } tls_format_t;
/* Certificates that a program wants to trust. */
int32_t tls_authorities_new(tls_t *tls, const char *data, size_t length, uint32_t format);

/* As in Python's SSLContext; numbers are OpenSSL's. */
typedef struct tls_settings {
    bool verify, check_hostname;
    bool system_trust; /* the host's trust store, too; its added authorities are always trusted */
    bool partial_wildcards, never_check_subject;
    uint32_t verify_flags, options, minimum, maximum; /* versions: 0x0303, 0x0304 */
    const char *ciphers;                              /* NULL: the default */
    const unsigned char *alpn;                        /* wire format */
    uint32_t alpn_length;
    const uint32_t *authorities;
    uint32_t authority_count;
} tls_settings_t;
int32_t tls_context_new(tls_t *tls, const tls_settings_t *settings);
/* hostname: NUL-terminated, of the length it says; "" for none. */
int32_t tls_open(tls_t *tls, uint32_t context, const char *hostname);
/* Any kind of object. */
int32_t tls_drop(tls_t *tls, uint32_t number);

/* --- Connections -------------------------------------------------------------------------- */

/* 0: done; 1: done, and secrets are put into what is written. */
int32_t tls_handshake(tls_t *tls, uint32_t number);
/* All of `length`, or a status. What may be the beginning of a placeholder is held (tls_count). */
int32_t tls_write(tls_t *tls, uint32_t number, const char *data, uint32_t length);
int32_t tls_read(tls_t *tls, uint32_t number, char *buffer, uint32_t capacity);
/* Lets go what is held, as when the program waits. 1: there was something to drain. */
int32_t tls_flush(tls_t *tls, uint32_t number);
/* Sends close_notify. 0: sent; 1: and the peer's has come. */
int32_t tls_shutdown(tls_t *tls, uint32_t number);
/* length 0: the end of the transport. */
int32_t tls_feed(tls_t *tls, uint32_t number, const char *data, uint32_t length);
int32_t tls_drain(tls_t *tls, uint32_t number, char *buffer, uint32_t capacity);

typedef enum tls_count_of { TLS_COUNT_PLAIN, TLS_COUNT_HELD, TLS_COUNT_DRAIN } tls_count_of_t;
int32_t tls_count(tls_t *tls, uint32_t number, uint32_t what);

/* --- Texts -------------------------------------------------------------------------------- */

typedef enum tls_text_of {
    TLS_TEXT_ERROR,   /* of the last failure: library, reason, verify code, message; NUL between */
    TLS_TEXT_VERSION, /* "TLSv1.3"; empty before the handshake */
    TLS_TEXT_CIPHER,  /* name, protocol, bits; NUL between */
    TLS_TEXT_ALPN,
    TLS_TEXT_PEER_DER,
    TLS_TEXT_PEER_JSON,      /* as getpeercert() */
    TLS_TEXT_VERIFIED,       /* a chain: each certificate with its length in front, 32 bits */
    TLS_TEXT_PRESENTED,      /* same, as the peer sent it */
    TLS_TEXT_UNIQUE,         /* channel binding tls-unique (RFC 5929) */
    TLS_TEXT_CIPHERS,        /* of a context: names, a newline after each */
    TLS_TEXT_AUTHORITY_COUNT /* of authorities: decimal */
} tls_text_of_t;
/* Appends to out. False when there is no such text or object. */
bool tls_text(tls_t *tls, uint32_t number, uint32_t what, buffer_t *out);

#endif
