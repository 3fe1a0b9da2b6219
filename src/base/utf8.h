/* Well-formed UTF-8 (Unicode, table 3-7), as strings of the canonical ABI have to be. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

bool utf8_valid(const char *text, size_t length);
/* The longest prefix of at most max bytes that splits no sequence of a valid text. */
size_t utf8_cut(const char *text, size_t length, size_t max);

#endif
