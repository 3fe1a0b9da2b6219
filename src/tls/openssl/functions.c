/* The door of eryx-tls.so. */
#include "tls/openssl/internal.h"

__attribute__((visibility("default"))) extern const tls_functions_t eryx_tls_functions;

const tls_functions_t eryx_tls_functions = {
    .size = sizeof(tls_functions_t),
    .version = ERYX_VERSION,
    .new = openssl_new,
    .free = openssl_free,
    .reset = openssl_reset,
    .check_authorities = openssl_check_authorities,
    .authorities_new = openssl_authorities_new,
    .context_new = openssl_context_new,
    .open = openssl_open,
    .drop = openssl_drop,
    .handshake = openssl_handshake,
    .write = openssl_write,
    .read = openssl_read,
    .flush = openssl_flush,
    .shutdown = openssl_shutdown,
    .feed = openssl_feed,
    .drain = openssl_drain,
    .count = openssl_count,
    .text = openssl_text,
};
