/* Texts that the servers of the eryx command take from clients and programs: base64 of files, output that may not be
 * UTF-8, and the headers that say who asks. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "../cli/server/answer.h"
#include "../cli/server/base64.h"
#include "../cli/server/http_guard.h"
#include "../cli/values.h"

static void check(bool good)
{
    if (!good)
        abort();
}

/* What is decoded is what was encoded, and encodes to the same but for bits that padding leaves open. */
static void fuzz_base64(const char *text, size_t length)
{
    size_t decoded_length, again_length;
    char *encoded = base64_encode(text, length);
    check(encoded != NULL);
    char *decoded = base64_decode(encoded, strlen(encoded), &decoded_length);
    check(decoded && decoded_length == length && memcmp(decoded, text, length) == 0);
    free(encoded);
    free(decoded);
    decoded = base64_decode(text, length, &decoded_length);
    if (!decoded)
        return;
    encoded = base64_encode(decoded, decoded_length);
    check(encoded && strlen(encoded) == length);
    char *again = base64_decode(encoded, length, &again_length);
    check(again && again_length == decoded_length && memcmp(again, decoded, again_length) == 0);
    free(again);
    free(encoded);
    free(decoded);
}

static void fuzz_string(const char *data, size_t length)
{
    json_t *string = answer_string(data, length);
    check(string != NULL);
    const char *text = json_string_value(string);
    size_t text_length = json_string_length(string);
    check(value_utf8_prefix(text, text_length) == text_length);
    char *json = json_dumps(string, JSON_ENCODE_ANY);
    check(json != NULL);
    free(json);
    json_decref(string);
}

static void fuzz_headers(const char *data, size_t length)
{
    char *header = strndup(data, length);
    char *const allowed[] = {"https://good.example"};
    check(header != NULL);
    guard_host(header);
    guard_origin(header, allowed, 1);
    check(!guard_token(header, "a token that no fuzzer guesses, long as it is"));
    free(header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    fuzz_base64((const char *)data, length);
    fuzz_string((const char *)data, length);
    fuzz_headers((const char *)data, length);
    return 0;
}
