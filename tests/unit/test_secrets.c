/* Secrets: placeholders, and replacing in streams cut anywhere. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "secrets/encode.h"
#include "secrets/filter.h"
#include "secrets/secrets.h"

static const char plain_value[] = "sk-live-4eC39HqLyjWDarjtT1zdp7dc";
static const char odd_value[] = "p/ss w+rd<\"'\\&>=\n\xc3\xa9~?1234567890abc";

static secrets_t *make(const char *value, const char *host, bool cleartext) {
    eryx_secret_t secret;
    eryx_error_t error = {0, ""};
    eryx_secret_init(&secret);
    secret.name = "API_KEY";
    secret.value = value;
    secret.hosts = &host;
    secret.host_count = 1;
    secret.cleartext = cleartext;
    secrets_t *secrets;
    if (secrets_new(&secret, 1, &secrets, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return secrets;
}

/* Puts data through a filter in pieces of `piece` bytes; at each cut, what is held is asked for if
 * `release`. */
static char *run(const secrets_t *secrets, filter_direction_t direction, const char *data,
                 size_t length, size_t piece, bool release) {
    filter_t filter;
    buffer_t out = {0};
    filter_init(&filter, secrets, direction, 1);
    for (size_t at = 0; at < length; at += piece) {
        assert_true(
            filter_push(&filter, data + at, at + piece < length ? piece : length - at, &out));
        if (release)
            assert_true(filter_release(&filter, &out));
    }
    assert_true(filter_finish(&filter, &out));
    assert_int_equal(out.length, length);
    filter_free(&filter);
    return buffer_take(&out, NULL);
}

/* How many bytes differ. */
static size_t differences(const char *a, const char *b) {
    size_t count = 0;
    for (; *a && *b; a++, b++)
        count += *a != *b;
    return count;
}

/* `format` has one %s for the secret. However it is cut, each becomes the other. `loose`: but for the
 * character of base64 before the secret, which scrubbing does not wait for. */
static void check_both(const secrets_t *secrets, const char *format, const char *value,
                       const char *placeholder, size_t loose) {
    char *with_value, *with_placeholder;
    int length = asprintf(&with_value, format, value);
    assert_int_equal(asprintf(&with_placeholder, format, placeholder), length);
    for (size_t piece = 1; piece <= (size_t)length; piece++) {
        char *inserted =
            run(secrets, FILTER_INSERT, with_placeholder, (size_t)length, piece, false);
        assert_string_equal(inserted, with_value);
        char *scrubbed = run(secrets, FILTER_SCRUB, with_value, (size_t)length, piece, false);
        if (differences(scrubbed, with_placeholder) > loose)
            assert_string_equal(scrubbed, with_placeholder);
        free(inserted);
        free(scrubbed);
    }
    free(with_value);
    free(with_placeholder);
}

static void test_placeholder_has_shape(void **state) {
    (void)state;
    secrets_t *first = make(odd_value, "a.example", false),
              *second = make(odd_value, "a.example", false);
    const char *placeholder = first->items[0].placeholder;
    assert_int_equal(strlen(placeholder), strlen(odd_value));
    assert_string_not_equal(placeholder, odd_value);
    assert_string_not_equal(placeholder, second->items[0].placeholder);
    for (size_t i = 0; odd_value[i]; i++)
        if (strchr("/ +<\"'\\&>=\n~?\xc3\xa9", odd_value[i]))
            assert_int_equal(placeholder[i], odd_value[i]);
    secrets_free(first);
    secrets_free(second);
    first = make(plain_value, "a.example", false);
    assert_memory_equal(first->items[0].placeholder, "ERYX_SECRET_", 12);
    secrets_free(first);
}

static void test_raw_at_every_cut(void **state) {
    (void)state;
    secrets_t *secrets = make(plain_value, "a.example", false);
    const secret_t *item = &secrets->items[0];
    check_both(secrets, "GET / HTTP/1.1\r\nAuthorization: Bearer %s\r\n\r\n", item->value,
               item->placeholder, 0);
    check_both(secrets, "%s", item->value, item->placeholder, 0);
    check_both(secrets, "ssk-sk-live-%s!", item->value, item->placeholder, 0);
    secrets_free(secrets);
}

static void test_encodings_at_every_cut(void **state) {
    (void)state;
    const char *values[] = {plain_value, odd_value};
    for (size_t v = 0; v < 2; v++) {
        secrets_t *secrets = make(values[v], "a.example", false);
        const secret_t *item = &secrets->items[0];
        for (encoding_t encoding = 0; encoding < ENCODING_COUNT; encoding++) {
            size_t length, other;
            if (encoding == ENCODING_UTF16_LITTLE || encoding == ENCODING_UTF16_BIG)
                continue; /* below: they have NULs */
            char *value = encode(encoding, item->value, item->length, &length);
            char *placeholder = encode(encoding, item->placeholder, item->length, &other);
            assert_int_equal(length, other);
            check_both(secrets, "{\"key\": \"%s\"}", value, placeholder, 0);
            free(value);
            free(placeholder);
        }
        secrets_free(secrets);
    }
}

static void test_encoders(void **state) {
    (void)state;
    static const char *const expected[ENCODING_COUNT] = {
        [ENCODING_RAW] = "a/ '\"\\\n\xc3\xa9",
        [ENCODING_HEX_LOWER] = "612f2027225c0ac3a9",
        [ENCODING_HEX_UPPER] = "612F2027225C0AC3A9",
        [ENCODING_QUOTE_PATH] = "a/%20%27%22%5C%0A%C3%A9",
        [ENCODING_QUOTE_ALL] = "a%2F%20%27%22%5C%0A%C3%A9",
        [ENCODING_QUOTE_PLUS] = "a%2F+%27%22%5C%0A%C3%A9",
        [ENCODING_QUOTE_SCRIPT] = "a%2F%20'%22%5C%0A%C3%A9",
        [ENCODING_QUOTE_FORM] = "a%2F+%27%22%5C%0A%C3%A9",
        [ENCODING_QUOTE_LOWER] = "a%2f%20%27%22%5c%0a%c3%a9",
        [ENCODING_QUOTE_PATH_LOWER] = "a/%20%27%22%5c%0a%c3%a9",
        [ENCODING_QUOTE_PLUS_LOWER] = "a%2f+%27%22%5c%0a%c3%a9",
        [ENCODING_QUOTE_SCRIPT_LOWER] = "a%2f%20'%22%5c%0a%c3%a9",
        [ENCODING_QUOTE_FORM_LOWER] = "a%2f+%27%22%5c%0a%c3%a9",
        [ENCODING_QUOTE_EVERY] = "%61%2F%20%27%22%5C%0A%C3%A9",
        [ENCODING_QUOTE_EVERY_LOWER] = "%61%2f%20%27%22%5c%0a%c3%a9",
        [ENCODING_JSON] = "a/ '\\\"\\\\\\n\\u00e9",
        [ENCODING_JSON_UTF8] = "a/ '\\\"\\\\\\n\xc3\xa9",
        [ENCODING_JSON_SLASH] = "a\\/ '\\\"\\\\\\n\\u00e9",
        [ENCODING_JSON_ANGLES] = "a/ '\\\"\\\\\\n\\u00e9",
        [ENCODING_JSON_EQUALS] = "a/ \\u0027\\\"\\\\\\n\\u00e9",
        [ENCODING_JSON_PLUS] = "a/ \\u0027\\u0022\\\\\\n\\u00E9",
        [ENCODING_JSON_TAGS] = "a/ \\u0027\\u0022\\\\\\n\\u00E9",
        [ENCODING_JSON_EVERY] = "\\u0061\\u002f\\u0020\\u0027\\u0022\\u005c\\u000a\\u00e9",
        [ENCODING_JSON_EVERY_UPPER] = "\\u0061\\u002F\\u0020\\u0027\\u0022\\u005C\\u000A\\u00E9",
        [ENCODING_HTML] = "a/ &#x27;&quot;\\\n\xc3\xa9",
        [ENCODING_HTML_DECIMAL] = "a/ &#39;&#34;\\\n\xc3\xa9",
        [ENCODING_REPR] = "a/ \\'\"\\\\\\n\xc3\xa9",
        [ENCODING_REPR_BYTES] = "a/ '\"\\\\\\n\\xc3\\xa9",
    };
    for (encoding_t encoding = 0; encoding < ENCODING_COUNT; encoding++) {
        size_t length;
        if (!expected[encoding])
            continue;
        char *text = encode(encoding, expected[0], strlen(expected[0]), &length);
        assert_string_equal(text, expected[encoding]);
        free(text);
    }
    size_t length;
    char *little = encode(ENCODING_UTF16_LITTLE, "a\xc3\xa9\xf0\x9f\x98\x80z", 8, &length);
    assert_int_equal(length, 9);
    assert_memory_equal(little, "a\0\xe9\0\x3d\xd8\x00\xdez", 9);
    free(little);
    char *big = encode(ENCODING_UTF16_BIG, "a\xc3\xa9z", 4, &length);
    assert_int_equal(length, 5);
    assert_memory_equal(big, "a\0\xe9\0z", 5);
    free(big);
}

/* A NUL before or behind each letter. */
static char *widen(const char *text, bool big, size_t *length) {
    *length = 2 * strlen(text);
    char *out = calloc(1, *length + 1);
    for (size_t i = 0; text[i]; i++)
        out[2 * i + big] = text[i];
    return out;
}

static void test_utf16_at_every_cut(void **state) {
    (void)state;
    secrets_t *secrets = make(plain_value, "a.example", false);
    const secret_t *item = &secrets->items[0];
    char with_value[96], with_placeholder[96];
    snprintf(with_value, sizeof with_value, "{\"key\": \"%s\"}", item->value);
    snprintf(with_placeholder, sizeof with_placeholder, "{\"key\": \"%s\"}", item->placeholder);
    for (int big = 0; big < 2; big++) {
        size_t length;
        char *value = widen(with_value, big, &length);
        char *placeholder = widen(with_placeholder, big, &length);
        for (size_t piece = 1; piece <= length; piece++) {
            char *inserted = run(secrets, FILTER_INSERT, placeholder, length, piece, false);
            assert_memory_equal(inserted, value, length);
            char *scrubbed = run(secrets, FILTER_SCRUB, value, length, piece, false);
            assert_memory_equal(scrubbed, placeholder, length);
            free(inserted);
            free(scrubbed);
        }
        free(value);
        free(placeholder);
    }
    secrets_free(secrets);
}

/* Letters that take many bytes do not show more of the value, nor does ordinary text that ends like one
 * become another: three letters are shown, then the placeholder's. */
static void test_release_counts_letters(void **state) {
    (void)state;
    static const struct {
        encoding_t encoding;
        size_t unit;
    } cases[] = {{ENCODING_HEX_LOWER, 2},
                 {ENCODING_UTF16_LITTLE, 2},
                 {ENCODING_QUOTE_EVERY, 3},
                 {ENCODING_JSON_EVERY, 6}};
    secrets_t *secrets = make("9lives-4eC39HqLyjWDarjt", "a.example", false);
    const secret_t *item = &secrets->items[0];
    for (size_t i = 0; i < 4; i++) {
        size_t length, shown = 3 * cases[i].unit;
        assert_int_equal(encoding_unit(cases[i].encoding), cases[i].unit);
        char *value = encode(cases[i].encoding, item->value, item->length, &length);
        char *placeholder = encode(cases[i].encoding, item->placeholder, item->length, &length);
        char *out = run(secrets, FILTER_SCRUB, value, length, 1, true);
        assert_memory_equal(out, value, shown);
        assert_memory_equal(out + shown, placeholder + shown, length - shown);
        free(out);
        free(value);
        free(placeholder);
    }
    /* Cut behind \u003: of \u003c, not of the 9. */
    char *out = run(secrets, FILTER_SCRUB, "\"\\u003cb>\"", 11, 6, true);
    assert_string_equal(out, "\"\\u003cb>\"");
    free(out);
    secrets_free(secrets);
}

static char *base64_of(const char *text, size_t length, bool url) {
    buffer_t out = {0};
    for (size_t i = 0; i < length; i += 3) {
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (i + j < length ? (unsigned char)text[i + j] : 0);
        for (size_t j = 0; j < 4; j++) {
            char c = i + j > length ? '=' : base64_character(bits >> (18 - 6 * j) & 63, url);
            buffer_append(&out, &c, 1);
        }
    }
    return buffer_take(&out, NULL);
}

static void test_base64_at_every_alignment_and_cut(void **state) {
    (void)state;
    const char *values[] = {plain_value, odd_value, "12345678", "abcdefghi", "ABCDEFGHIJ"};
    const char *before[] = {"", "u:", "me:", "user:", "\xff\xfe\xfd:"};
    for (size_t v = 0; v < 5; v++) {
        secrets_t *secrets = make(values[v], "a.example", false);
        const secret_t *item = &secrets->items[0];
        for (size_t b = 0; b < 5; b++) {
            for (size_t after = 0; after < 3; after++) {
                char *plain[2], *coded[2];
                int length =
                    asprintf(&plain[0], "%s%s%.*s", before[b], item->value, (int)after, "~z");
                asprintf(&plain[1], "%s%s%.*s", before[b], item->placeholder, (int)after, "~z");
                for (int i = 0; i < 2; i++)
                    coded[i] = base64_of(plain[i], (size_t)length, false);
                check_both(secrets, "Authorization: Basic %s\r\n", coded[0], coded[1], 1);
                for (int i = 0; i < 2; i++) {
                    free(plain[i]);
                    free(coded[i]);
                }
            }
        }
        secrets_free(secrets);
    }
}

/* A value in pieces of `size` with chunk boundaries between them. */
static char *chunked(const char *text, size_t size, const char *extension) {
    buffer_t out = {0};
    char line[64];
    for (size_t i = 0; i < strlen(text); i += size) {
        size_t piece = strlen(text + i) < size ? strlen(text + i) : size;
        int length = snprintf(line, sizeof line, "%zx%s\r\n", piece, extension);
        buffer_append(&out, line, (size_t)length);
        buffer_append(&out, text + i, piece);
        buffer_append(&out, "\r\n", 2);
    }
    buffer_append(&out, "0\r\n\r\n", 5);
    return buffer_take(&out, NULL);
}

static void test_chunk_boundaries_do_not_hide(void **state) {
    (void)state;
    secrets_t *secrets = make(plain_value, "a.example", false);
    const secret_t *item = &secrets->items[0];
    char *text[2], *basic[2];
    for (int i = 0; i < 2; i++) {
        const char *secret = i == 0 ? item->value : item->placeholder;
        char *pair;
        asprintf(&text[i], "{\"a\": \"%s\", \"b\": \"%s\"}", secret, secret);
        asprintf(&pair, "user:%s;", secret);
        basic[i] = base64_of(pair, strlen(pair), false);
        free(pair);
    }
    for (size_t size = 1; size < strlen(text[0]); size++) {
        for (int kind = 0; kind < 3; kind++) {
            const char *extension = kind == 1 ? ";name=\"a b\"" : "";
            char *value = chunked(kind == 2 ? basic[0] : text[0], size, extension);
            char *placeholder = chunked(kind == 2 ? basic[1] : text[1], size, extension);
            for (size_t piece = 1; piece < 40; piece += 3) {
                char *scrubbed = run(secrets, FILTER_SCRUB, value, strlen(value), piece, false);
                /* Of base64 with one character a chunk, the four bits before the string stay. */
                if (kind != 2)
                    assert_string_equal(scrubbed, placeholder);
                else
                    assert_null(strstr(scrubbed, basic[0]));
                free(scrubbed);
                if (kind == 2)
                    continue;
                char *inserted =
                    run(secrets, FILTER_INSERT, placeholder, strlen(placeholder), piece, false);
                assert_string_equal(inserted, value);
                free(inserted);
            }
            free(value);
            free(placeholder);
        }
    }
    for (int i = 0; i < 2; i++) {
        free(text[i]);
        free(basic[i]);
    }
    secrets_free(secrets);
}

/* Who asks for every byte at once sees three bytes of the value, and no more. */
static void test_release_shows_three_bytes(void **state) {
    (void)state;
    secrets_t *secrets = make(plain_value, "a.example", false);
    const secret_t *item = &secrets->items[0];
    char *text, *expected;
    int length = asprintf(&text, "key: %s.", item->value);
    asprintf(&expected, "key: %.3s%s.", item->value, item->placeholder + 3);
    char *out = run(secrets, FILTER_SCRUB, text, (size_t)length, 1, true);
    assert_string_equal(out, expected);
    free(out);
    for (size_t piece = 2; piece < (size_t)length; piece++) {
        out = run(secrets, FILTER_SCRUB, text, (size_t)length, piece, true);
        assert_null(memmem(out, (size_t)length, item->value, 4));
        free(out);
    }
    free(text);
    free(expected);
    secrets_free(secrets);
}

static void test_ordinary_text_passes(void **state) {
    (void)state;
    secrets_t *secrets = make(plain_value, "a.example", false);
    static const char text[] = "sk-live-? s sk \r\n5\r\nsk-live-4eC39HqLyjWDarjtT1zdp7d! \r\rx sk-";
    for (size_t piece = 1; piece <= sizeof text; piece++) {
        char *out = run(secrets, FILTER_SCRUB, text, sizeof text - 1, piece, false);
        assert_string_equal(out, text);
        free(out);
        out = run(secrets, FILTER_INSERT, text, sizeof text - 1, piece, false);
        assert_string_equal(out, text);
        free(out);
    }
    secrets_free(secrets);
}

static void test_only_allowed_secrets_are_inserted(void **state) {
    (void)state;
    const char *hosts[] = {"a.example", "*.b.example"};
    eryx_secret_t items[2];
    for (int i = 0; i < 2; i++) {
        eryx_secret_init(&items[i]);
        items[i].name = i == 0 ? "FIRST" : "SECOND";
        items[i].value = i == 0 ? plain_value : "another-value-of-28-characters";
        items[i].hosts = &hosts[i];
        items[i].host_count = 1;
    }
    secrets_t *secrets;
    assert_int_equal(secrets_new(items, 2, &secrets, NULL), ERYX_OK);
    assert_int_equal(secrets_allowed(secrets, "A.Example.", true), 1);
    assert_int_equal(secrets_allowed(secrets, "x.y.b.example", true), 2);
    assert_int_equal(secrets_allowed(secrets, "b.example", true), 0);
    assert_int_equal(secrets_allowed(secrets, "a.example.evil.example", true), 0);
    assert_int_equal(secrets_allowed(secrets, "xa.example", true), 0);
    assert_int_equal(secrets_allowed(secrets, "a.example", false), 0);
    char *text, *expected;
    int length =
        asprintf(&text, "%s %s", secrets->items[0].placeholder, secrets->items[1].placeholder);
    asprintf(&expected, "%s %s", secrets->items[0].value, secrets->items[1].placeholder);
    char *out = run(secrets, FILTER_INSERT, text, (size_t)length, 7, false);
    assert_string_equal(out, expected);
    free(out);
    free(text);
    free(expected);
    secrets_free(secrets);
}

static void test_one_value_within_another(void **state) {
    (void)state;
    const char *host = "a.example";
    const char *values[] = {"inner-value-1234", "begin-inner-value-1234-end", "begin-inner"};
    eryx_secret_t items[3];
    for (int i = 0; i < 3; i++) {
        eryx_secret_init(&items[i]);
        items[i].name = i == 0 ? "A" : (i == 1 ? "B" : "C");
        items[i].value = values[i];
        items[i].hosts = &host;
        items[i].host_count = 1;
    }
    secrets_t *secrets;
    assert_int_equal(secrets_new(items, 3, &secrets, NULL), ERYX_OK);
    for (size_t piece = 1; piece < 30; piece++) {
        char *out = run(secrets, FILTER_SCRUB, values[1], strlen(values[1]), piece, false);
        assert_string_equal(out, secrets->items[1].placeholder);
        free(out);
    }
    char text[] = "begin-inner-value-1234";
    secrets_scrub(secrets, text, strlen(text));
    assert_null(strstr(text, "inner"));
    assert_null(strstr(text, "1234"));
    secrets_free(secrets);
}

static void test_accept_encoding_is_blanked(void **state) {
    (void)state;
    secrets_t *secrets = make(plain_value, "a.example", false);
    static const char text[] = "GET /Accept-Encoding: HTTP/1.1\r\naccept-ENCODING : gzip, br\r\n"
                               "Accept: gzip\r\nAccept-Encodings: gzip\r\n\r\n";
    static const char expected[] = "GET /Accept-Encoding: HTTP/1.1\r\naccept-ENCODING :        "
                                   " \r\nAccept: gzip\r\nAccept-Encodings: gzip\r\n\r\n";
    for (size_t piece = 1; piece <= sizeof text; piece++) {
        char *out = run(secrets, FILTER_INSERT, text, sizeof text - 1, piece, false);
        assert_string_equal(out, expected);
        free(out);
    }
    secrets_free(secrets);
}

static void refused(const char *name, const char *value, const char *host, const char *why) {
    eryx_secret_t secret;
    eryx_error_t error = {0, ""};
    secrets_t *secrets;
    eryx_secret_init(&secret);
    secret.name = name;
    secret.value = value;
    secret.hosts = &host;
    secret.host_count = host ? 1 : 0;
    assert_int_equal(secrets_new(&secret, 1, &secrets, &error), ERYX_ERR_ARGUMENT);
    assert_null(secrets);
    if (!strstr(error.message, why))
        fail_msg("%s: no \"%s\" in it", error.message, why);
    assert_null(value && *value ? strstr(error.message, value) : NULL);
}

static void test_what_is_refused(void **state) {
    (void)state;
    char *huge = malloc(SECRET_VALUE_MAX + 2);
    memset(huge, 'x', SECRET_VALUE_MAX + 1);
    huge[SECRET_VALUE_MAX + 1] = '\0';
    refused("", plain_value, "a.example", "name");
    refused("1A", plain_value, "a.example", "name");
    refused("A=B", plain_value, "a.example", "name");
    refused("A", "short-1", "a.example", "at least 8");
    refused("A", "////////////////", "a.example", "at least 8");
    refused("A", "", "a.example", "at least 8");
    refused("A", NULL, "a.example", "at least 8");
    refused("A", "12345678\xff", "a.example", "UTF-8");
    refused("A", huge, "a.example", "at most 16384");
    refused("A", plain_value, NULL, "hosts");
    static const char *const no_hosts[] = {"",
                                           "*",
                                           "*.",
                                           "*.com",
                                           "a..b",
                                           ".a",
                                           "a.",
                                           "a.example:443",
                                           "https://a.example",
                                           "a/b",
                                           "2130706433",
                                           "127.1",
                                           "0x7f.1",
                                           "a.example@b",
                                           "*.*.example",
                                           "a b"};
    for (size_t i = 0; i < sizeof no_hosts / sizeof *no_hosts; i++)
        refused("A", plain_value, no_hosts[i], "is no host");
    free(huge);
}

static void test_addresses(void **state) {
    (void)state;
    assert_true(secret_host_valid("127.0.0.1"));
    assert_true(secret_host_valid("::1"));
    assert_true(secret_host_matches("127.0.0.1", "127.0.0.1"));
    assert_true(secret_host_matches("::1", "0:0::1"));
    assert_false(secret_host_matches("127.0.0.1", "127.0.0.2"));
    assert_false(secret_host_matches("127.0.0.1", "::1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placeholder_has_shape),
        cmocka_unit_test(test_raw_at_every_cut),
        cmocka_unit_test(test_encoders),
        cmocka_unit_test(test_utf16_at_every_cut),
        cmocka_unit_test(test_release_counts_letters),
        cmocka_unit_test(test_encodings_at_every_cut),
        cmocka_unit_test(test_base64_at_every_alignment_and_cut),
        cmocka_unit_test(test_chunk_boundaries_do_not_hide),
        cmocka_unit_test(test_release_shows_three_bytes),
        cmocka_unit_test(test_ordinary_text_passes),
        cmocka_unit_test(test_only_allowed_secrets_are_inserted),
        cmocka_unit_test(test_one_value_within_another),
        cmocka_unit_test(test_accept_encoding_is_blanked),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
