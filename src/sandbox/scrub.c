/* Output is a stream each; the rest are whole texts. */
#define _GNU_SOURCE
#include "sandbox/scrub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/wipe.h"

void scrub_teardown(eryx_sandbox_t *sandbox) {
    if (sandbox->secrets) {
        filter_free(&sandbox->scrub[0]);
        filter_free(&sandbox->scrub[1]);
    }
    if (sandbox->scrubbed.data)
        wipe(sandbox->scrubbed.data, sandbox->scrubbed.capacity);
    buffer_free(&sandbox->scrubbed);
    secrets_free(sandbox->secrets);
    sandbox->secrets = NULL;
}

/* Whether an item of an environment is of this name. */
static bool names(const char *item, const char *name) {
    size_t length = strlen(name);
    return strncmp(item, name, length) == 0 && item[length] == '=';
}

static int check_environ(const eryx_sandbox_options_t *options, eryx_error_t *error) {
    for (size_t i = 0; i < options->secret_count; i++)
        for (size_t j = 0; j < options->environ_count; j++)
            if (names(options->environ[j], options->secrets[i].name))
                return error_set(error, ERYX_ERR_ARGUMENT,
                                 "%s is both a secret and a variable of environ",
                                 options->secrets[i].name);
    return ERYX_OK;
}

/* environ with a variable for each placeholder; texts that are to be freed are in `made`. */
static bool extend_environ(eryx_sandbox_t *sandbox, const eryx_sandbox_options_t *options) {
    const secrets_t *secrets = sandbox->secrets;
    size_t given = options->environ_count, count = given + secrets->count, made = 0;
    char **items = calloc(count, sizeof *items);
    bool done = items != NULL;
    for (size_t i = 0; done && i < given; i++)
        items[i] = (char *)options->environ[i];
    for (; done && made < secrets->count; made++) {
        const secret_t *secret = &secrets->items[made];
        done = asprintf(&items[given + made], "%s=%s", secret->name, secret->placeholder) >= 0;
    }
    text_list_t list = {NULL, 0};
    done = done && text_list_copy(&list, (const char *const *)items, count);
    for (size_t i = 0; i < made; i++)
        free(items[given + i]);
    free(items);
    if (done) {
        free(sandbox->environ.items);
        sandbox->environ = list;
    }
    return done;
}

static bool scrub_piece(const void *env, char *text, size_t length) {
    return secrets_scrub_piece(env, text, length);
}

static void start_filters(eryx_sandbox_t *sandbox) {
    filter_init(&sandbox->scrub[0], sandbox->secrets, FILTER_SCRUB, 0);
    filter_init(&sandbox->scrub[1], sandbox->secrets, FILTER_SCRUB, 0);
    sandbox->calls.secrets = sandbox->secrets;
    sandbox->mounts.scrub =
        (mounts_scrub_t){scrub_piece, sandbox->secrets, secrets_span(sandbox->secrets)};
}

int scrub_setup(eryx_sandbox_t *sandbox, const eryx_sandbox_options_t *options,
                eryx_error_t *error) {
    if (options->secret_count == 0)
        return ERYX_OK;
    int status = secrets_new(options->secrets, options->secret_count, &sandbox->secrets, error);
    if (status == ERYX_OK)
        status = check_environ(options, error);
    if (status != ERYX_OK)
        return status;
    if (!extend_environ(sandbox, options))
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for secrets");
    start_filters(sandbox);
    return ERYX_OK;
}

int scrub_share(eryx_sandbox_t *sandbox, const eryx_sandbox_t *like,
                const eryx_sandbox_options_t *options, eryx_error_t *error) {
    if (!like->secrets)
        return ERYX_OK;
    sandbox->secrets = secrets_share(like->secrets);
    if (options && !extend_environ(sandbox, options))
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for secrets");
    start_filters(sandbox);
    return ERYX_OK;
}

/* The variables of the environment that hold placeholders. */
static void rename_variables(eryx_sandbox_t *sandbox) {
    for (size_t i = 0; i < sandbox->environ.count; i++)
        for (size_t k = 0; k < sandbox->secrets->count; k++) {
            const secret_t *secret = &sandbox->secrets->items[k];
            char *item = sandbox->environ.items[i];
            if (names(item, secret->name)) /* as long as it was */
                memcpy(item + strlen(secret->name) + 1, secret->placeholder, secret->length);
        }
}

int scrub_rename(eryx_sandbox_t *sandbox, const placeholder_t *items, size_t count,
                 eryx_error_t *error) {
    if (!sandbox->secrets || count == 0)
        return ERYX_OK;
    for (size_t i = 0; i < count; i++)
        if (!secrets_take_placeholder(sandbox->secrets, items[i].name, items[i].text))
            return error_set(error, ERYX_ERR_ARGUMENT,
                             "secret %.100s has not the length and shape that it had when the "
                             "session was written",
                             items[i].name);
    if (!secrets_rebuild(sandbox->secrets))
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for secrets");
    rename_variables(sandbox);
    filter_free(&sandbox->scrub[0]);
    filter_free(&sandbox->scrub[1]);
    start_filters(sandbox);
    return ERYX_OK;
}

const char *eryx_sandbox_placeholder(const eryx_sandbox_t *sandbox, const char *name) {
    const secrets_t *secrets = sandbox->secrets;
    for (size_t i = 0; secrets && i < secrets->count; i++)
        if (strcmp(secrets->items[i].name, name) == 0)
            return secrets->items[i].placeholder;
    return NULL;
}

bool scrub_output(eryx_sandbox_t *sandbox, int stream, const char **data, size_t *length) {
    if (!sandbox->secrets)
        return true;
    filter_t *filter = &sandbox->scrub[stream - 1];
    buffer_t *out = &sandbox->scrubbed;
    out->length = 0;
    if (!filter_push(filter, *data, *length, out))
        return false;
    /* A prompt must not wait for its last letter. */
    if (filter->held.length <= FILTER_SHOWN_MAX && !filter_release(filter, out))
        return false;
    *data = out->data;
    *length = out->length;
    return true;
}

bool scrub_output_end(eryx_sandbox_t *sandbox, int stream, const char **data, size_t *length) {
    *length = 0;
    if (!sandbox->secrets)
        return true;
    sandbox->scrubbed.length = 0;
    bool done = filter_finish(&sandbox->scrub[stream - 1], &sandbox->scrubbed);
    *data = sandbox->scrubbed.data;
    *length = sandbox->scrubbed.length;
    return done;
}

bool scrub_pair(eryx_sandbox_t *sandbox, const char **first, size_t first_length,
                const char **second, size_t second_length) {
    if (!sandbox->secrets)
        return true;
    buffer_t *out = &sandbox->scrubbed;
    out->length = 0;
    if (!buffer_append(out, *first, first_length) || !buffer_append(out, "", 1) ||
        !buffer_append(out, *second, second_length))
        return false;
    *first = out->data;
    *second = out->data + first_length + 1;
    secrets_scrub(sandbox->secrets, out->data, first_length);
    secrets_scrub(sandbox->secrets, out->data + first_length + 1, second_length);
    return true;
}

static void scrub_text(const eryx_sandbox_t *sandbox, char *text) {
    if (text)
        secrets_scrub(sandbox->secrets, text, strlen(text));
}

void scrub_outcome(const eryx_sandbox_t *sandbox, eryx_outcome_t *outcome) {
    if (!sandbox->secrets)
        return;
    scrub_text(sandbox, outcome->type);
    scrub_text(sandbox, outcome->message);
    scrub_text(sandbox, outcome->traceback);
    scrub_text(sandbox, outcome->result_error);
    secrets_scrub(sandbox->secrets, outcome->result, outcome->result_length);
}
