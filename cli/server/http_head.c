/* The library takes heads that mean different things to different servers: two lengths, a length and
 * chunks, a coding it does not know. They are refused here. */
#include "http_head.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Those of which there may be one: RFC 9110, 5.3, and 9112, 3.2. */
static const char *const single[] = {"Host", "Content-Length", "Transfer-Encoding", "Authorization",
                                     "Origin"};
enum { HOST, LENGTH, CODING, AUTHORIZATION, ORIGIN, SINGLE_COUNT };

struct reading {
    const char *wrong;
    const char *values[SINGLE_COUNT];
};

static bool is_name(const char *name, size_t length)
{
    static const char marks[] = "!#$%&'*+-.^_`|~0123456789"
                                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return length > 0 && strspn(name, marks) == length;
}

static enum MHD_Result read_header(void *env, enum MHD_ValueKind kind, const char *name,
                                   size_t name_length, const char *value, size_t length)
{
    struct reading *reading = env;
    (void)kind;
    if (!is_name(name, name_length) || (value && strlen(value) != length)) {
        reading->wrong = "a header's name or value has characters that it may not have";
        return MHD_NO;
    }
    for (size_t i = 0; i < SINGLE_COUNT; i++) {
        if (strcasecmp(name, single[i]) != 0)
            continue;
        if (reading->values[i])
            reading->wrong = "there are two headers of which there may be one: Host, "
                             "Content-Length, Transfer-Encoding, Authorization, Origin";
        reading->values[i] = value ? value : "";
    }
    return reading->wrong ? MHD_NO : MHD_YES;
}

const char *http_head_read(struct MHD_Connection *connection, struct http_head *head)
{
    struct reading reading = {0};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, read_header, &reading);
    const char *length = reading.values[LENGTH], *coding = reading.values[CODING];
    const char *expect = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Expect");
    head->length = length ? strtoull(length, NULL, 10) : 0; /* the library has checked it */
    head->expects = expect && strcasecmp(expect, "100-continue") == 0;
    if (reading.wrong)
        return reading.wrong;
    if (length && coding)
        return "Content-Length and Transfer-Encoding exclude each other";
    if (coding && strcasecmp(coding, "chunked") != 0)
        return "the only Transfer-Encoding is chunked";
    return NULL;
}

size_t http_head_decode(void *env, struct MHD_Connection *connection, char *text)
{
    (void)env;
    (void)connection;
    for (char *at = text; (at = strstr(at, "%00")); at += 3)
        memcpy(at, "%FF", 3);
    return MHD_http_unescape(text);
}
