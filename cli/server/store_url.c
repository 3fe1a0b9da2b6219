/* URLs of stores, taken apart by libcurl. */
#define _GNU_SOURCE
#include "store_url.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <curl/curl.h>

#include "../values.h"

static const uint64_t second = 1000000000;

void store_url_free(struct store_url *url)
{
    char **members[] = {&url->scheme, &url->user,   &url->password, &url->host,     &url->port,
                        &url->path,   &url->prefix, &url->ca,       &url->endpoint, &url->region};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        if (members[i] == &url->password && url->password)
            explicit_bzero(url->password, strlen(url->password));
        curl_free(*members[i]);
    }
    *url = (struct store_url){0};
}

static bool has(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

static bool set_duration(const char *name, const char *value, uint64_t *out,
                         struct store_error *error)
{
    if (value_duration(value, out) && *out >= second && *out <= 3600 * second)
        return true;
    return store_fail(error, STORE_FAILED,
                      "the store's URL: %s must be a duration from 1s to 1h, such as \"30s\"",
                      name);
}

/* Takes value over. */
static bool set_option(struct store_url *url, const char *const *options, const char *name,
                       char *value, struct store_error *error)
{
    struct {
        const char *name;
        char **member;
    } texts[] = {{"prefix", &url->prefix},
                 {"ca", &url->ca},
                 {"endpoint", &url->endpoint},
                 {"region", &url->region}};
    bool good = false;
    if (strcmp(name, "lease") == 0) {
        good = set_duration(name, value, &url->lease_ns, error);
    } else if (strcmp(name, "timeout") == 0) {
        good = set_duration(name, value, &url->timeout_ns, error);
    } else if (has(options, name) && *value) {
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            if (strcmp(texts[i].name, name) != 0)
                continue;
            curl_free(*texts[i].member);
            *texts[i].member = value;
            return true;
        }
    } else {
        char list[80] = "";
        for (; *options; options++) {
            strcat(list, ", ");
            strcat(list, *options);
        }
        store_fail(error, STORE_FAILED,
                   "the store's URL: unknown or empty option '%.30s'; there are "
                   "lease, timeout%s",
                   name, list);
    }
    curl_free(value);
    return good;
}

static bool read_options(struct store_url *url, const char *query, const char *const *options,
                         struct store_error *error)
{
    while (query && *query) {
        size_t length = strcspn(query, "&"), name_length = strcspn(query, "=&");
        const char *text = query + name_length + (query[name_length] == '=');
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)name_length, query);
        char *value = curl_easy_unescape(NULL, text, (int)(query + length - text), NULL);
        if (!value)
            return store_fail(error, STORE_FAILED,
                              "the store's URL: option '%s' is not encoded "
                              "well",
                              name);
        if (length > 0 && !set_option(url, options, name, value, error))
            return false;
        query += length + (query[length] == '&');
    }
    return true;
}

static char *part(CURLU *parsed, CURLUPart which, unsigned flags)
{
    char *value = NULL;
    return curl_url_get(parsed, which, &value, flags) == CURLUE_OK ? value : NULL;
}

bool store_url_parse(const char *text, const char *const *options, struct store_url *out,
                     struct store_error *error)
{
    *out = (struct store_url){.lease_ns = 30 * second, .timeout_ns = 10 * second};
    CURLU *parsed = curl_url();
    CURLUcode code = parsed ? curl_url_set(parsed, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME)
                            : CURLUE_OUT_OF_MEMORY;
    if (code != CURLUE_OK) {
        curl_url_cleanup(parsed);
        return store_fail(error, STORE_FAILED, "the store's URL is not one: %s",
                          curl_url_strerror(code));
    }
    out->scheme = part(parsed, CURLUPART_SCHEME, 0);
    out->user = part(parsed, CURLUPART_USER, CURLU_URLDECODE);
    out->password = part(parsed, CURLUPART_PASSWORD, CURLU_URLDECODE);
    out->host = part(parsed, CURLUPART_HOST, 0);
    out->port = part(parsed, CURLUPART_PORT, 0);
    out->path = part(parsed, CURLUPART_PATH, CURLU_URLDECODE);
    char *query = part(parsed, CURLUPART_QUERY, 0);
    bool good = read_options(out, query, options, error);
    curl_free(query);
    curl_url_cleanup(parsed);
    if (good && (!out->scheme || !out->host || !*out->host))
        good = store_fail(error, STORE_FAILED, "the store's URL has no host");
    if (!good)
        store_url_free(out);
    return good;
}

bool store_random_token(char out[33], struct store_error *error)
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return store_fail(error, STORE_FAILED, "no random numbers");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return true;
}

void store_printable(char *out, size_t capacity, const char *text, size_t length)
{
    size_t used = 0;
    for (size_t i = 0; i < length && used + 1 < capacity; i++) {
        if (text[i] >= ' ' && text[i] <= '~')
            out[used++] = text[i];
    }
    out[used] = '\0';
}
