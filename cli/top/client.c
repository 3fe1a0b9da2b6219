/* The server is trusted no more than needed: its answer has a limit in size and time, only http and https
 * are spoken, and redirections are not followed, since the token would go along. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../message.h"
#include "libcurl.h"

enum { ANSWER_MAX = 16 << 20, TIMEOUT_MS = 10000 };

struct client {
    const struct libcurl *lib;
    CURL *curl;
    struct curl_slist *headers;
    char *url;
    char *answer;
    size_t length;
    bool too_long;
    char error[CURL_ERROR_SIZE + 64];
    char reason[CURL_ERROR_SIZE];
};

static size_t take(char *data, size_t size, size_t count, void *env)
{
    struct client *client = env;
    size_t length = size * count;
    client->too_long = length > ANSWER_MAX - client->length;
    char *grown = client->too_long ? NULL : realloc(client->answer, client->length + length + 1);
    if (!grown)
        return 0;
    client->answer = grown;
    memcpy(grown + client->length, data, length);
    client->length += length;
    return length;
}

static bool set_up(struct client *client, const char *token)
{
    CURL *curl = client->curl;
    if (token) {
        char *header;
        if (asprintf(&header, "Authorization: Bearer %s", token) < 0)
            return false;
        client->headers = client->lib->curl_slist_append(NULL, header);
        free(header);
        if (!client->headers)
            return false;
    }
    return client->lib->curl_easy_setopt(curl, CURLOPT_URL, client->url) == CURLE_OK &&
           client->lib->curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           client->lib->curl_easy_setopt(curl, CURLOPT_HTTPHEADER, client->headers) == CURLE_OK &&
           client->lib->curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           client->lib->curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS) == CURLE_OK &&
           client->lib->curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->reason) == CURLE_OK &&
           client->lib->curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
           client->lib->curl_easy_setopt(curl, CURLOPT_WRITEDATA, client) == CURLE_OK;
}

struct client *client_new(const char *url, const char *token)
{
    struct client *client = calloc(1, sizeof *client);
    size_t length = strlen(url);
    while (length > 0 && url[length - 1] == '/')
        length--;
    if (client && !(client->lib = libcurl_load())) {
        free(client);
        return NULL;
    }
    if (client)
        client->curl = client->lib->curl_easy_init();
    if (client && client->curl && asprintf(&client->url, "%.*s/v1/top", (int)length, url) >= 0 &&
        set_up(client, token))
        return client;
    message_error("cannot make an HTTP client");
    client_free(client);
    return NULL;
}

static json_t *fail(struct client *client, const char *what)
{
    snprintf(client->error, sizeof client->error, "%s", what);
    return NULL;
}

static json_t *read_answer(struct client *client)
{
    json_t *json = json_loadb(client->answer ? client->answer : "", client->length, 0, NULL);
    if (json_is_object(json_object_get(json, "server")) &&
        json_is_array(json_object_get(json, "sandboxes")))
        return json;
    json_decref(json);
    return fail(client, "what answers there is not eryx serve");
}

json_t *client_ask(struct client *client)
{
    long status = 0;
    client->length = 0;
    client->reason[0] = 0;
    client->too_long = false;
    CURLcode code = client->lib->curl_easy_perform(client->curl);
    if (code != CURLE_OK)
        return fail(client, client->too_long  ? "its answer is longer than 16 MiB"
                            : *client->reason ? client->reason
                                              : client->lib->curl_easy_strerror(code));
    client->lib->curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 401)
        return fail(client, "the token is missing or wrong (--token-file, ERYX_TOKEN)");
    if (status == 200)
        return read_answer(client);
    char text[64];
    snprintf(text, sizeof text, "it answers with status %ld", status);
    return fail(client, text);
}

const char *client_error(const struct client *client)
{
    return client->error;
}

void client_free(struct client *client)
{
    if (!client)
        return;
    client->lib->curl_easy_cleanup(client->curl);
    client->lib->curl_slist_free_all(client->headers);
    free(client->url);
    free(client->answer);
    free(client);
}
