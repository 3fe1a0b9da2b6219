/* What a file is, told from its content. */
#ifndef LIBS_IDENTIFY_H
#define LIBS_IDENTIFY_H

#include <stddef.h>
#include <stdint.h>

/* A name as in pinned.h (which need not be what it is pinned to), or NULL: none of ours. */
const char *identify(const uint8_t *data, size_t size);

#endif
