/* Strings of the canonical ABI are UTF-8; what a program writes may be anything. */
#ifndef ERYX_ABI_UTF8_H
#define ERYX_ABI_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Replaces every byte of *text (malloc) that is not part of well-formed UTF-8 by U+FFFD.
 * False when out of memory; *text is then as it was. */
bool utf8_repair(char **text, size_t *length);

#endif
