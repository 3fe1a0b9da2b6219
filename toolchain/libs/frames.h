/* zstd frames embedded anywhere in a file. */
#ifndef LIBS_FRAMES_H
#define LIBS_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame {
    const uint8_t *compressed; /* in the file */
    size_t compressed_size;
    const uint8_t *data; /* decompressed; valid while it is visited */
    size_t size;
};

/* Visits every complete frame that decompresses to at most max_bytes, in order; what only looks
 * like a frame is skipped. False when out of memory (printed) or when visit returned false. */
bool frames_visit(const uint8_t *data, size_t size, size_t max_bytes,
                  bool (*visit)(void *context, const struct frame *frame), void *context);

#endif
