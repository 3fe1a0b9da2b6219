/* An image for tests of linear memory: bytes that differ from page to page, a constant range. */
#ifndef TESTS_MEMORY_IMAGE_H
#define TESTS_MEMORY_IMAGE_H

#include "memory/origin.h"

#define KIB64 ((size_t)65536)
#define IMAGE_BYTES (32 * KIB64)
#define MINIMUM (256 * KIB64)
#define CONSTANT_START (20 * KIB64)
#define CONSTANT_END (24 * KIB64)

extern memory_origin_t origin;

memory_layout_t valid_layout(void);
uint8_t image_byte(size_t address);
/* A file with the image in it; the caller closes it. */
int image_file(void);
int open_origin(void **state);
int close_origin(void **state);

#endif
