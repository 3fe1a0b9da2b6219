/* Between sha256.c and what a processor does better. */
#ifndef IMAGE_SHA256_BLOCKS_H
#define IMAGE_SHA256_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const uint32_t sha256_constants[64];

/* One block of 64 bytes, on any processor. */
void sha256_block(uint32_t state[8], const uint8_t *block);

/* Whether this processor has instructions for it that we use. */
bool sha256_has_instructions(void);
/* Only then: takes in whole blocks of 64 bytes. */
void sha256_blocks_fast(uint32_t state[8], const uint8_t *data, size_t count);

#endif
