/* Fuzz target: a stream of bytes, cut and asked for as the input says, through the filters of secrets.
 * Bytes from 0xc0 on stand for the value in one of its encodings, from 0xf0 on for pieces of it, so that
 * matches happen. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "secrets/encode.h"
#include "secrets/filter.h"
#include "secrets/secrets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char value[] = "sk-live+4eC39HqLyjWDarjtT1zdp7dc/";

static const secrets_t *set(void)
{
    static secrets_t *secrets;
    static const char *const hosts[] = {"a.example"};
    eryx_secret_t secret;
    eryx_secret_init(&secret);
    secret.name = "KEY";
    secret.value = value;
    secret.hosts = hosts;
    secret.host_count = 1;
    if (!secrets && secrets_new(&secret, 1, &secrets, NULL) != ERYX_OK)
        abort();
    return secrets;
}

/* What the input stands for. */
static void expand(const uint8_t *data, size_t size, const char *text, buffer_t *out)
{
    const size_t length = sizeof value - 1;
    for (size_t i = 0; i < size; i++) {
        base64_part_t part;
        bool done = true;
        if (data[i] >= 0xc0 && data[i] < 0xc0 + ENCODING_COUNT) {
            size_t written;
            char *encoded = encode(data[i] - 0xc0u, text, length, &written);
            if (!encoded || !buffer_append(out, encoded, written))
                abort();
            free(encoded);
            continue;
        }
        switch (data[i]) {
        case 0xf0:
            done = buffer_append(out, text, length);
            break;
        case 0xf1:
            done = buffer_append(out, text, length / 2);
            break;
        case 0xf2:
            done = buffer_append(out, text + length / 2, length - length / 2);
            break;
        case 0xf3:
            done = buffer_append(out, "\r\n5\r\n", 5);
            break;
        case 0xf4:
        case 0xf5:
        case 0xf6:
            part = encode_base64(text, length, data[i] - 0xf4u, false);
            done = part.text && buffer_append(out, part.text, part.length);
            free(part.text);
            break;
        default:
            done = buffer_append(out, &data[i], 1);
        }
        if (!done)
            abort();
    }
}

/* No form of the value is left in what was scrubbed. */
static void check_scrubbed(const char *text, size_t length)
{
    static char *forms[ENCODING_COUNT];
    static size_t lengths[ENCODING_COUNT];
    for (encoding_t form = 0; form < ENCODING_COUNT; form++) {
        if (!forms[form])
            forms[form] = encode(form, value, sizeof value - 1, &lengths[form]);
        if (!forms[form] || memmem(text, length, forms[form], lengths[form]))
            abort();
    }
}

static void run(filter_direction_t direction, const char *text, size_t length, unsigned piece,
                unsigned every)
{
    filter_t filter;
    buffer_t out = {0};
    filter_init(&filter, set(), direction, 1);
    unsigned count = 0;
    for (size_t at = 0; at < length; at += piece) {
        size_t left = length - at;
        if (!filter_push(&filter, text + at, left < piece ? left : piece, &out))
            abort();
        if (every && ++count % every == 0 && !filter_release(&filter, &out))
            abort();
    }
    if (!filter_finish(&filter, &out) || out.length != length)
        abort();
    if (direction == FILTER_SCRUB)
        check_scrubbed(out.data, length);
    filter_free(&filter);
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    buffer_t text = {0};
    filter_direction_t direction = data[0] & 1 ? FILTER_INSERT : FILTER_SCRUB;
    expand(data + 3, size - 3, direction == FILTER_SCRUB ? value : set()->items[0].placeholder,
           &text);
    if (text.length > 0) {
        run(direction, text.data, text.length, data[1] + 1u, data[2] & 7);
        char *copy = malloc(text.length);
        if (!copy)
            abort();
        memcpy(copy, text.data, text.length);
        secrets_scrub(set(), copy, text.length);
        check_scrubbed(copy, text.length);
        free(copy);
    }
    buffer_free(&text);
    return 0;
}
