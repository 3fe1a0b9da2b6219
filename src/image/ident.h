/* The file size kept in the padding of the ELF's e_ident (bytes 9 to 15, which the ELF
 * specification reserves and the engine doesn't read): see image.h. */
#ifndef IMAGE_IDENT_H
#define IMAGE_IDENT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define IDENT_BYTES 16u
#define IDENT_SIZE_MAX ((UINT64_C(1) << 56) - 1)

static inline bool ident_is_elf(const uint8_t ident[IDENT_BYTES]) {
    return memcmp(ident, "\177ELF", 4) == 0;
}

static inline uint64_t ident_file_bytes(const uint8_t ident[IDENT_BYTES]) {
    uint64_t size = 0;
    memcpy(&size, ident + 9, 7);
    return size;
}

static inline void ident_set_file_bytes(uint8_t ident[IDENT_BYTES], uint64_t size) {
    memcpy(ident + 9, &size, 7);
}

#endif
