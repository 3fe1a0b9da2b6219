/* Each encoder leaves letters, digits, - _ and . as they are, or makes the same number of bytes of each,
 * so a value and its placeholder come out with the same length. */
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

static bool quotes_in_lower_case(encoding_t encoding) {
    return (encoding >= ENCODING_QUOTE_LOWER && encoding <= ENCODING_QUOTE_FORM_LOWER) ||
           encoding == ENCODING_QUOTE_EVERY_LOWER;
}

/* What the encoding leaves alone besides letters and their like. */
static const char *quote_safe(encoding_t encoding) {
    switch (encoding) {
    case ENCODING_QUOTE_PATH:
    case ENCODING_QUOTE_PATH_LOWER:
        return "~/";
    case ENCODING_QUOTE_SCRIPT:
    case ENCODING_QUOTE_SCRIPT_LOWER:
        return "~!*'()";
    case ENCODING_QUOTE_FORM:
    case ENCODING_QUOTE_FORM_LOWER:
        return "*";
    case ENCODING_QUOTE_EVERY:
    case ENCODING_QUOTE_EVERY_LOWER:
        return "";
    default:
        return "~";
    }
}

static bool quote_space_is_plus(encoding_t encoding) {
    return encoding == ENCODING_QUOTE_PLUS || encoding == ENCODING_QUOTE_PLUS_LOWER ||
           encoding == ENCODING_QUOTE_FORM || encoding == ENCODING_QUOTE_FORM_LOWER;
}

static char *put_percent(char *out, unsigned char c, encoding_t encoding) {
    if (c != 0 && strchr(quote_safe(encoding), c)) {
        *out++ = (char)c;
    } else if (c == ' ' && quote_space_is_plus(encoding)) {
        *out++ = '+';
    } else {
        *out++ = '%';
        out = put_hex(out, c, !quotes_in_lower_case(encoding));
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

static char *put_unit(char *out, uint32_t unit, bool upper) {
    return out + sprintf(out, upper ? "\\u%04X" : "\\u%04x", unit);
}

static char *put_escape(char *out, uint32_t point, bool upper) {
    if (point >= 0x10000) {
        out = put_unit(out, 0xd800 + ((point - 0x10000) >> 10), upper);
        point = 0xdc00 + ((point - 0x10000) & 0x3ff);
    }
    return put_unit(out, point, upper);
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

/* What the encoding writes as \u besides what is not ASCII. */
static const char *json_escaped(encoding_t encoding) {
    switch (encoding) {
    case ENCODING_JSON_ANGLES:
        return "<>&";
    case ENCODING_JSON_EQUALS:
        return "<>&='";
    case ENCODING_JSON_PLUS:
        return "\"&'+<>`";
    case ENCODING_JSON_TAGS:
        return "<>&'\"";
    default:
        return "";
    }
}

static char *put_json(char *out, const unsigned char *text, size_t *bytes, encoding_t encoding) {
    unsigned char c = *text;
    bool upper = encoding == ENCODING_JSON_PLUS || encoding == ENCODING_JSON_TAGS ||
                 encoding == ENCODING_JSON_EVERY_UPPER;
    *bytes = 1;
    if (encoding == ENCODING_JSON_EVERY || encoding == ENCODING_JSON_EVERY_UPPER) {
        out = put_escape(out, code_point(text, bytes), upper);
    } else if (c != 0 && strchr(json_escaped(encoding), c)) {
        out = put_unit(out, c, upper);
    } else if (c == '"' || c == '\\' || (c == '/' && encoding == ENCODING_JSON_SLASH)) {
        *out++ = '\\';
        *out++ = (char)c;
    } else if (c < 0x20) {
        out = put_control(out, c, true);
    } else if (c >= 0x7f && encoding != ENCODING_JSON_UTF8) {
        out = put_escape(out, code_point(text, bytes), upper);
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

static char *put_utf16(char *out, const unsigned char *text, size_t *bytes, bool big) {
    uint32_t point = code_point(text, bytes), units[2] = {point};
    size_t count = 1;
    if (point >= 0x10000) {
        units[0] = 0xd800 + ((point - 0x10000) >> 10);
        units[1] = 0xdc00 + ((point - 0x10000) & 0x3ff);
        count = 2;
    }
    for (size_t i = 0; i < count; i++) {
        *out++ = (char)(big ? units[i] >> 8 : units[i] & 0xff);
        *out++ = (char)(big ? units[i] & 0xff : units[i] >> 8);
    }
    return out;
}

/* The character at `in` and how many bytes of text it was. */
static char *put_character(char *out, const unsigned char *in, size_t *step, encoding_t encoding) {
    *step = 1;
    if (encoding == ENCODING_HEX_LOWER || encoding == ENCODING_HEX_UPPER)
        return put_hex(out, *in, encoding == ENCODING_HEX_UPPER);
    if (encoding == ENCODING_UTF16_LITTLE || encoding == ENCODING_UTF16_BIG)
        return put_utf16(out, in, step, encoding == ENCODING_UTF16_BIG);
    if (encoding == ENCODING_RAW || (plain(*in) && encoding_unit(encoding) == 1)) {
        *out++ = (char)*in;
        return out;
    }
    if (encoding <= ENCODING_QUOTE_EVERY_LOWER)
        return put_percent(out, *in, encoding);
    if (encoding <= ENCODING_JSON_EVERY_UPPER)
        return put_json(out, in, step, encoding);
    if (encoding <= ENCODING_HTML_DECIMAL)
        return put_html(out, *in, encoding == ENCODING_HTML_DECIMAL);
    return put_repr(out, *in, encoding == ENCODING_REPR_BYTES);
}

unsigned encoding_unit(encoding_t encoding) {
    switch (encoding) {
    case ENCODING_HEX_LOWER:
    case ENCODING_HEX_UPPER:
    case ENCODING_UTF16_LITTLE:
    case ENCODING_UTF16_BIG:
        return 2;
    case ENCODING_QUOTE_EVERY:
    case ENCODING_QUOTE_EVERY_LOWER:
        return 3;
    case ENCODING_JSON_EVERY:
    case ENCODING_JSON_EVERY_UPPER:
        return 6;
    default:
        return 1;
    }
}

char *encode(encoding_t encoding, const char *text, size_t length, size_t *out_length) {
    char *result = malloc(GROWTH * length + 1), *out = result;
    const unsigned char *in = (const unsigned char *)text;
    if (!result)
        return NULL;
    for (size_t i = 0, step; i < length; i += step)
        out = put_character(out, in + i, &step, encoding);
    if (encoding == ENCODING_UTF16_LITTLE && length > 0 && out[-1] == '\0')
        out--;
    if (encoding == ENCODING_UTF16_BIG && length > 0 && *result == '\0')
        memmove(result, result + 1, (size_t)(--out - result));
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
