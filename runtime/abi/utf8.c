/* See utf8.h. */
#include "utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char REPLACEMENT[] = "\xef\xbf\xbd";

/* Bytes of the well-formed UTF-8 sequence at `at` (Unicode, table 3-7), 0 if there is none. */
static size_t sequence(const unsigned char *at, size_t left)
{
    unsigned char first = at[0], low = 0x80, high = 0xbf;
    size_t length = first < 0x80   ? 1
                    : first < 0xc2 ? 0
                    : first < 0xe0 ? 2
                    : first < 0xf0 ? 3
                    : first < 0xf5 ? 4
                                   : 0;
    if (length == 0 || length > left) {
        return 0;
    }
    if (first == 0xe0) {
        low = 0xa0;
    } else if (first == 0xed) {
        high = 0x9f;
    } else if (first == 0xf0) {
        low = 0x90;
    } else if (first == 0xf4) {
        high = 0x8f;
    }
    for (size_t i = 1; i < length; i++) {
        if (at[i] < low || at[i] > high) {
            return 0;
        }
        low = 0x80;
        high = 0xbf;
    }
    return length;
}

static size_t valid_prefix(const char *data, size_t length)
{
    size_t at = 0, step;
    while (at < length && (step = sequence((const unsigned char *)data + at, length - at)) != 0) {
        at += step;
    }
    return at;
}

bool utf8_repair(char **text, size_t *length)
{
    size_t at = valid_prefix(*text, *length), used = 0;
    char *repaired;
    if (at == *length) {
        return true;
    }
    if (*length > SIZE_MAX / 3) {
        return false;
    }
    repaired = malloc(*length * 3); /* every byte may become three */
    if (repaired == NULL) {
        return false;
    }
    for (at = 0; at < *length; at++) {
        size_t good = valid_prefix(*text + at, *length - at);
        memcpy(repaired + used, *text + at, good);
        used += good;
        at += good;
        if (at < *length) {
            memcpy(repaired + used, REPLACEMENT, 3);
            used += 3;
        }
    }
    free(*text);
    *text = repaired;
    *length = used;
    return true;
}
