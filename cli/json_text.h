/* Writing JSON on stdout. */
#ifndef ERYX_CLI_JSON_TEXT_H
#define ERYX_CLI_JSON_TEXT_H

#include <stddef.h>

/* Writes a string with its quotes. Bytes that are not UTF-8 become U+FFFD, one each. */
void json_print_string(const char *text, size_t length);

/* The same of a NUL-terminated one. */
void json_print_text(const char *text);

#endif
