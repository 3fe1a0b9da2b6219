/* The encodings in which a secret is looked for. */
#ifndef SECRETS_ENCODE_H
#define SECRETS_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum encoding {
    ENCODING_RAW,
    ENCODING_HEX_LOWER,
    ENCODING_HEX_UPPER,
    ENCODING_UTF16_LITTLE, /* without the NUL at an end, so that both are the same for ASCII */
    ENCODING_UTF16_BIG,
    ENCODING_QUOTE_PATH,   /* urllib.parse.quote: / stays */
    ENCODING_QUOTE_ALL,    /* quote(safe='') */
    ENCODING_QUOTE_PLUS,   /* a space is + */
    ENCODING_QUOTE_SCRIPT, /* JavaScript's encodeURIComponent: !*'() stay */
    ENCODING_QUOTE_FORM,   /* forms of browsers, Java's URLEncoder: * stays, ~ is %7E */
    ENCODING_QUOTE_LOWER,  /* %2f, and so on: the same in lower case */
    ENCODING_QUOTE_PATH_LOWER,
    ENCODING_QUOTE_PLUS_LOWER,
    ENCODING_QUOTE_SCRIPT_LOWER,
    ENCODING_QUOTE_FORM_LOWER,
    ENCODING_QUOTE_EVERY, /* every byte */
    ENCODING_QUOTE_EVERY_LOWER,
    ENCODING_JSON,        /* json.dumps: \u00e9 */
    ENCODING_JSON_UTF8,   /* ensure_ascii=False */
    ENCODING_JSON_SLASH,  /* \/ */
    ENCODING_JSON_ANGLES, /* Go, Rails: <>& are \u003c... */
    ENCODING_JSON_EQUALS, /* Gson: =' too */
    ENCODING_JSON_PLUS,   /* .NET: "&'+<>` are \u002B... */
    ENCODING_JSON_TAGS,   /* PHP's JSON_HEX_*: <>&'" are \u003C... */
    ENCODING_JSON_EVERY,  /* every character */
    ENCODING_JSON_EVERY_UPPER,
    ENCODING_HTML,         /* html.escape: &#x27; */
    ENCODING_HTML_DECIMAL, /* &#34; &#39; */
    ENCODING_REPR,         /* \' */
    ENCODING_REPR_BYTES,   /* \xc3\xa9 */
    ENCODING_COUNT
} encoding_t;

/* Bytes of a letter in the encoding. */
unsigned encoding_unit(encoding_t encoding);

/* From malloc, NUL-terminated; NULL when out of memory. */
char *encode(encoding_t encoding, const char *text, size_t length, size_t *out_length);

/* The characters of base64 that text alone decides when `before` bytes (modulo 3) precede it, and its
 * bits in the characters beside them: low ones of that before, high ones of that after. */
typedef struct base64_part {
    char *text; /* from malloc; NULL when out of memory */
    size_t length;
    uint8_t front, front_mask, back, back_mask;
} base64_part_t;
base64_part_t encode_base64(const char *text, size_t length, unsigned before, bool url);

/* The six bits of a character of either alphabet, -1 for others; and back. */
int base64_value(char character);
char base64_character(unsigned value, bool url);

#endif
