/* Each encoder leaves letters, digits, - _ and . as they are (hex aside), so a value and its
 * placeholder come out with the same length. */
#include "secrets/encode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROWTH 6 /* bytes of output for one of input, at most: \u00e9 */

static bool plain(unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_' || c == '.';
}

static char *put_hex(char *out, unsigned char c, bool upper) {
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    *out++ = digits[c >> 4];
    *out++ = digits[c & 15];
    return out;
}

static char *put_percent(char *out, unsigned char c, encoding_t encoding) {
    if (c == '~' || (c == '/' && encoding == ENCODING_QUOTE_PATH)) {
        *out++ = (char)c;
    } else if (c == ' ' && encoding == ENCODING_QUOTE_PLUS) {
        *out++ = '+';
    } else {
        *out++ = '%';
        out = put_hex(out, c, encoding != ENCODING_QUOTE_LOWER);
    }
    return out;
}

/* The code point at text (valid UTF-8), and how many bytes it takes. */
static uint32_t code_point(const unsigned char *text, size_t *bytes) {
    uint32_t c = text[0];
    *bytes = c < 0x80 ? 1 : (c < 0xe0 ? 2 : (c < 0xf0 ? 3 : 4));
    if (*bytes == 1)
        return c;
    uint32_t point = c & (0xffu >> (*bytes + 1));
    for (size_t i = 1; i < *bytes; i++)
        point = point << 6 | (text[i] & 0x3fu);
    return point;
}

static char *put_escape(char *out, uint32_t point) {
    if (point >= 0x10000) {
        out += sprintf(out, "\\u%04x", 0xd800 + ((point - 0x10000) >> 10));
        point = 0xdc00 + ((point - 0x10000) & 0x3ff);
    }
    return out + sprintf(out, "\\u%04x", point);
}

static char *put_control(char *out, unsigned char c, bool json) {
    static const char letters[] = "\bb\ff\nn\rr\tt";
    const char *letter = strchr(letters, c);
    bool known = c != 0 && letter && (letter - letters) % 2 == 0 &&
                 (json || c == '\n' || c == '\r' || c == '\t');
    if (known)
        return out + sprintf(out, "\\%c", letter[1]);
    return out + sprintf(out, json ? "\\u%04x" : "\\x%02x", c);
}

static char *put_json(char *out, const unsigned char *text, size_t *bytes, encoding_t encoding) {
    unsigned char c = *text;
    *bytes = 1;
    if (c == '"' || c == '\\' || (c == '/' && encoding == ENCODING_JSON_SLASH)) {
        *out++ = '\\';
        *out++ = (char)c;
    } else if (c < 0x20) {
        out = put_control(out, c, true);
    } else if (c >= 0x7f && encoding != ENCODING_JSON_UTF8) {
        out = put_escape(out, code_point(text, bytes));
    } else {
        *out++ = (char)c;
    }
    return out;
}

static char *put_html(char *out, unsigned char c, bool decimal) {
    switch (c) {
    case '&':
        return stpcpy(out, "&amp;");
    case '<':
        return stpcpy(out, "&lt;");
    case '>':
        return stpcpy(out, "&gt;");
    case '"':
        return stpcpy(out, decimal ? "&#34;" : "&quot;");
    case '\'':
        return stpcpy(out, decimal ? "&#39;" : "&#x27;");
    default:
        *out++ = (char)c;
        return out;
    }
}

static char *put_repr(char *out, unsigned char c, bool bytes) {
    if (c == '\\' || (c == '\'' && !bytes)) {
        *out++ = '\\';
        *out++ = (char)c;
    } else if (c < 0x20 || c == 0x7f || (c >= 0x80 && bytes)) {
        out = put_control(out, c, false);
    } else {
        *out++ = (char)c;
    }
    return out;
}

char *encode(encoding_t encoding, const char *text, size_t length, size_t *out_length) {
    char *result = malloc(GROWTH * length + 1), *out = result;
    const unsigned char *in = (const unsigned char *)text;
    if (!result)
        return NULL;
    for (size_t i = 0, step; i < length; i += step) {
        step = 1;
        if (encoding == ENCODING_HEX_LOWER || encoding == ENCODING_HEX_UPPER)
            out = put_hex(out, in[i], encoding == ENCODING_HEX_UPPER);
        else if (encoding == ENCODING_RAW || plain(in[i]))
            *out++ = text[i];
        else if (encoding <= ENCODING_QUOTE_LOWER)
            out = put_percent(out, in[i], encoding);
        else if (encoding <= ENCODING_JSON_SLASH)
            out = put_json(out, in + i, &step, encoding);
        else if (encoding <= ENCODING_HTML_DECIMAL)
            out = put_html(out, in[i], encoding == ENCODING_HTML_DECIMAL);
        else
            out = put_repr(out, in[i], encoding == ENCODING_REPR_BYTES);
    }
    *out = '\0';
    *out_length = (size_t)(out - result);
    return result;
}

/* --- Base64 ------------------------------------------------------------------------------- */

char base64_character(unsigned value, bool url) {
    static const char standard[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (url && value >= 62)
        return value == 62 ? '-' : '_';
    return standard[value];
}

int base64_value(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* Six bits of text from `bit` on; bits outside of it are 0. */
static unsigned six_bits(const char *text, size_t length, ptrdiff_t bit) {
    unsigned value = 0;
    for (ptrdiff_t i = bit; i < bit + 6; i++) {
        unsigned one = 0;
        if (i >= 0 && (size_t)i < 8 * length)
            one = (unsigned char)text[i / 8] >> (7 - i % 8) & 1;
        value = value << 1 | one;
    }
    return value;
}

base64_part_t encode_base64(const char *text, size_t length, unsigned before, bool url) {
    /* Bits of text in the character before the part, which begins at the next multiple of six. */
    unsigned front_bits = (6 - before * 8 % 6) % 6;
    size_t characters = (8 * length - front_bits) / 6;
    unsigned back_bits = (unsigned)((8 * length - front_bits) % 6);
    base64_part_t part = {.text = malloc(characters + 1), .length = characters};
    if (!part.text)
        return part;
    for (size_t i = 0; i < characters; i++)
        part.text[i] =
            base64_character(six_bits(text, length, (ptrdiff_t)(front_bits + 6 * i)), url);
    part.text[characters] = '\0';
    if (front_bits > 0) {
        part.front_mask = (uint8_t)((1u << front_bits) - 1);
        part.front = six_bits(text, length, (ptrdiff_t)front_bits - 6) & part.front_mask;
    }
    if (back_bits > 0) {
        part.back_mask = (uint8_t)(0x3fu & ~((1u << (6 - back_bits)) - 1));
        part.back =
            six_bits(text, length, (ptrdiff_t)(front_bits + 6 * characters)) & part.back_mask;
    }
    return part;
}
