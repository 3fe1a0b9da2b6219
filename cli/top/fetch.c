/* The server is trusted no more than needed: its answer has a limit in size and time, only http and
 * https are spoken, and redirections are not followed, since the token would go along. */
#include "fetch.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

enum { ANSWER_MAX = 16 << 20, TIMEOUT_MS = 10000 };

struct fetch {
    CURL *curl;
    struct curl_slist *headers;
    char *answer;
    size_t length;
    bool too_long;
    char reason[CURL_ERROR_SIZE];
};

static size_t take(char *data, size_t size, size_t count, void *env)
{
    struct fetch *fetch = env;
    size_t length = size * count;
    fetch->too_long = length > ANSWER_MAX - fetch->length;
    char *grown = fetch->too_long ? NULL : realloc(fetch->answer, fetch->length + length + 1);
    if (!grown)
        return 0;
    fetch->answer = grown;
    memcpy(grown + fetch->length, data, length);
    fetch->length += length;
    return length;
}

static bool set_up(struct fetch *fetch, const char *url, const char *token)
{
    CURL *curl = fetch->curl;
    if (token) {
        char *header;
        if (asprintf(&header, "Authorization: Bearer %s", token) < 0)
            return false;
        fetch->headers = curl_slist_append(NULL, header);
        free(header);
        if (!fetch->headers)
            return false;
    }
    return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fetch->headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, fetch->reason) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetch) == CURLE_OK;
}

static void close_fetch(struct fetch *fetch)
{
    if (!fetch)
        return;
    curl_easy_cleanup(fetch->curl);
    curl_slist_free_all(fetch->headers);
    free(fetch->answer);
    free(fetch);
}

static struct fetch *open_fetch(const char *url, const char *token)
{
    bool started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    struct fetch *fetch = started ? calloc(1, sizeof *fetch) : NULL;
    if (fetch && (fetch->curl = curl_easy_init()) && set_up(fetch, url, token))
        return fetch;
    close_fetch(fetch);
    return NULL;
}

static long get(struct fetch *fetch, const char **text, size_t *length)
{
    long status = 0;
    fetch->length = 0;
    fetch->reason[0] = 0;
    fetch->too_long = false;
    CURLcode code = curl_easy_perform(fetch->curl);
    if (code != CURLE_OK) {
        *text = fetch->too_long  ? "its answer is longer than 16 MiB"
                : *fetch->reason ? fetch->reason
                                 : curl_easy_strerror(code);
        return 0;
    }
    curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &status);
    *text = fetch->answer ? fetch->answer : "";
    *length = fetch->length;
    return status;
}

const struct fetch_functions fetch_functions = {open_fetch, get, close_fetch};
