/* Base64 of RFC 4648. Decoding takes the standard alphabet with its padding, and nothing else. */
#include "base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *data, size_t length)
{
    const unsigned char *bytes = data;
    if (length > SIZE_MAX / 2)
        return NULL;
    char *text = malloc((length + 2) / 3 * 4 + 1), *out = text;
    if (!text)
        return NULL;
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t group = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        *out++ = alphabet[group >> 18];
        *out++ = alphabet[group >> 12 & 63];
        *out++ = left > 1 ? alphabet[group >> 6 & 63] : '=';
        *out++ = left > 2 ? alphabet[group & 63] : '=';
    }
    *out = '\0';
    return text;
}

static int value_of(char letter)
{
    const char *at = letter ? strchr(alphabet, letter) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

char *base64_decode(const char *text, size_t length, size_t *out_length)
{
    size_t padding = 0;
    while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
        padding++;
    if (length % 4 != 0)
        return NULL;
    char *data = malloc(length / 4 * 3 + 1);
    size_t count = 0;
    uint32_t group = 0;
    for (size_t i = 0; data && i < length; i++) {
        int value = i < length - padding ? value_of(text[i]) : 0;
        if (value < 0) {
            free(data);
            return NULL;
        }
        group = group << 6 | (uint32_t)value;
        if (i % 4 == 3) {
            data[count++] = (char)(group >> 16);
            data[count++] = (char)(group >> 8);
            data[count++] = (char)group;
        }
    }
    *out_length = count - padding;
    return data;
}
