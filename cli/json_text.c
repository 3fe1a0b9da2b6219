/* Writing JSON on stdout: only strings need care. */
#include "json_text.h"

#include <stdio.h>
#include <string.h>

#include "values.h"

static void print_utf8(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c == '\n')
            fputs("\\n", stdout);
        else if (c < 0x20 || c == 0x7F)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
}

void json_print_string(const char *text, size_t length)
{
    putchar('"');
    while (length > 0) {
        size_t good = value_utf8_prefix(text, length);
        print_utf8(text, good);
        if (good < length) {
            fputs("\\ufffd", stdout);
            good++;
        }
        text += good;
        length -= good;
    }
    putchar('"');
}

void json_print_text(const char *text)
{
    json_print_string(text, strlen(text));
}
