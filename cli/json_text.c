/* Writing JSON on stdout: only strings need care. */
#include "json_text.h"

#include <stdio.h>
#include <string.h>

#include "values.h"

static void print_utf8(const char *text, size_t length)
{
    size_t start = 0; /* of what needs no escape and is not written yet */
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != 0x7F && c != '"' && c != '\\')
            continue;
        fwrite(text + start, 1, i - start, stdout);
        start = i + 1;
        if (c == '\n')
            fputs("\\n", stdout);
        else if (c == '"' || c == '\\')
            printf("\\%c", c);
        else
            printf("\\u%04x", c);
    }
    fwrite(text + start, 1, length - start, stdout);
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
