/* Checks of JSON text (RFC 8259). */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the text is one JSON object, nested at most 256 deep; UTF-8 is not checked. *at, which
 * may be NULL: where it stops being one. */
bool json_is_object(const char *text, size_t length, size_t *at);

#endif
