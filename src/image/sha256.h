/* SHA-256 (FIPS 180-4).
 *
 * Our own because opening a runtime file must hash its footer, and loading libcrypto for
 * that costs 2 ms of process start, a tenth of what the whole start may take. */
#ifndef IMAGE_SHA256_H
#define IMAGE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32u

typedef struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t block[64];
} sha256_t;

void sha256_init(sha256_t *hash);
void sha256_update(sha256_t *hash, const void *data, size_t length);
/* The struct must be initialised again before the next use. */
void sha256_final(sha256_t *hash, uint8_t out[SHA256_BYTES]);

/* All three in one. */
void sha256_digest(const void *data, size_t length, uint8_t out[SHA256_BYTES]);
/* 64 lower-case digits and a NUL. */
void sha256_hex(const uint8_t digest[SHA256_BYTES], char out[2 * SHA256_BYTES + 1]);

#endif
