/* What of GET /v1/top is for eryx top: the request is made by the module, the answer is read here. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../message.h"
#include "../server/module.h"

struct client {
    const struct fetch_functions *functions;
    struct fetch *fetch;
    char error[400];
};

struct client *client_new(const char *url, const char *token)
{
    char why[400], *path = NULL;
    const struct module *module = module_load(why, sizeof why);
    if (!module) {
        message_error("%s", why);
        return NULL;
    }
    size_t length = strlen(url);
    while (length > 0 && url[length - 1] == '/')
        length--;
    struct client *client = calloc(1, sizeof *client);
    if (client && asprintf(&path, "%.*s/v1/top", (int)length, url) >= 0) {
        client->functions = module->fetch;
        client->fetch = module->fetch->open(path, token);
        free(path);
    }
    if (client && client->fetch)
        return client;
    message_error("cannot make an HTTP client");
    free(client);
    return NULL;
}

static json_t *fail(struct client *client, const char *what)
{
    snprintf(client->error, sizeof client->error, "%s", what);
    return NULL;
}

static json_t *read_answer(struct client *client, const char *text, size_t length)
{
    json_t *json = json_loadb(text, length, 0, NULL);
    if (json_is_object(json_object_get(json, "server")) &&
        json_is_array(json_object_get(json, "sandboxes")))
        return json;
    json_decref(json);
    return fail(client, "what answers there is not eryx serve");
}

json_t *client_ask(struct client *client)
{
    char said[64];
    const char *text;
    size_t length;
    long status = client->functions->get(client->fetch, &text, &length);
    if (status == 0)
        return fail(client, text);
    if (status == 401)
        return fail(client, "the token is missing or wrong (--token-file, ERYX_TOKEN)");
    if (status == 200)
        return read_answer(client, text, length);
    snprintf(said, sizeof said, "it answers with status %ld", status);
    return fail(client, said);
}

const char *client_error(const struct client *client)
{
    return client->error;
}

void client_free(struct client *client)
{
    if (!client)
        return;
    client->functions->close(client->fetch);
    free(client);
}
