/* Base64 of RFC 4648, with padding. */
#ifndef ERYX_CLI_SERVER_BASE64_H
#define ERYX_CLI_SERVER_BASE64_H

#include <stddef.h>

/* Both for free(); NULL without memory, or if it is not base64. */
char *base64_encode(const void *data, size_t length);
char *base64_decode(const char *text, size_t length, size_t *out_length);

#endif
