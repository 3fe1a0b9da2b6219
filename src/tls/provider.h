/* What does the work of tls.h: the functions of eryx-tls.so (src/tls/openssl), which is loaded when a
 * program first uses TLS. Programs that do not, which are most, do not pay for loading OpenSSL: it
 * would be a third of the time that the eryx command takes. */
#ifndef TLS_PROVIDER_H
#define TLS_PROVIDER_H

#include "tls/tls.h"

typedef struct tls_provider tls_provider_t;

/* As the functions of tls.h of the same names. */
typedef struct tls_functions {
    size_t size;         /* sizeof(tls_functions_t) */
    const char *version; /* of eryx */
    tls_provider_t *(*new)(const secrets_t *secrets, const char *authorities_pem, budget_t *budget);
    void (*free)(tls_provider_t *tls);
    void (*reset)(tls_provider_t *tls);
    bool (*check_authorities)(const char *pem);
    int32_t (*authorities_new)(tls_provider_t *tls, const char *data, size_t length,
                               uint32_t format);
    int32_t (*context_new)(tls_provider_t *tls, const tls_settings_t *settings);
    int32_t (*open)(tls_provider_t *tls, uint32_t context, const char *hostname);
    int32_t (*drop)(tls_provider_t *tls, uint32_t number);
    int32_t (*handshake)(tls_provider_t *tls, uint32_t number);
    int32_t (*write)(tls_provider_t *tls, uint32_t number, const char *data, uint32_t length);
    int32_t (*read)(tls_provider_t *tls, uint32_t number, char *buffer, uint32_t capacity);
    int32_t (*flush)(tls_provider_t *tls, uint32_t number);
    int32_t (*shutdown)(tls_provider_t *tls, uint32_t number);
    int32_t (*feed)(tls_provider_t *tls, uint32_t number, const char *data, uint32_t length);
    int32_t (*drain)(tls_provider_t *tls, uint32_t number, char *buffer, uint32_t capacity);
    int32_t (*count)(tls_provider_t *tls, uint32_t number, uint32_t what);
    bool (*text)(tls_provider_t *tls, uint32_t number, uint32_t what, buffer_t *out);
} tls_functions_t;

/* Of eryx-tls.so, the only symbol that is looked up. */
#define TLS_FUNCTIONS_SYMBOL "eryx_tls_functions"

#endif
