/* Registration, and the accounting of calls. */
#define _GNU_SOURCE
#include "abi/callbacks.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"

#define NAME_MAX_BYTES 255
#define TEXT_MAX_BYTES ((size_t)1 << 20) /* of a description or schema */
#define CALLBACKS_MAX 65536

/* What a schema begins with when its callback is declared blocking. */
static const char blocking_key[] = "{\"x-eryx-blocking\": true";

void eryx_callback_init(eryx_callback_t *callback) {
    *callback = (eryx_callback_t){.size = sizeof *callback};
}

void calls_init(calls_t *calls, const eryx_limits_t *limits, budget_t *budget) {
    *calls = (calls_t){
        .pending_max = limits->pending_calls,
        .total_max = limits->total_calls,
        .argument_max = limits->call_argument_bytes,
        .result_max = limits->call_result_bytes,
        .budget = budget,
    };
}

static void callback_release(callback_t *callback) {
    if (atomic_fetch_sub(&callback->references, 1) != 1)
        return;
    if (callback->env_finalizer)
        callback->env_finalizer(callback->env);
    free(callback->name);
    free(callback);
}

/* Shared ones belong to the sandbox that they came from, too. */
void calls_disown(calls_t *calls) {
    for (size_t i = 0; i < calls->count; i++)
        if (atomic_load(&calls->items[i]->references) == 1)
            calls->items[i]->env_finalizer = NULL;
}

void calls_free(calls_t *calls) {
    mailbox_close(calls->mailbox);
    for (size_t i = 0; i < calls->count; i++)
        callback_release(calls->items[i]);
    call_free_spare(calls->spare);
    free(calls->items);
    free(calls->table);
    *calls = (calls_t){0};
}

/* --- Finding ------------------------------------------------------------------------------ */

/* FNV-1a; names come from the host, so nobody aims at collisions. */
static uint32_t hash_of(const char *name, size_t length) {
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * 16777619u;
    return hash;
}

const callback_t *calls_find(const calls_t *calls, const char *name, size_t length) {
    if (calls->count == 0 || length > NAME_MAX_BYTES)
        return NULL;
    uint32_t hash = hash_of(name, length);
    for (uint32_t at = hash & calls->table_mask; calls->table[at] != 0;
         at = (at + 1) & calls->table_mask) {
        const callback_t *callback = calls->items[calls->table[at] - 1];
        if (callback->hash == hash && callback->name_length == length &&
            memcmp(callback->name, name, length) == 0)
            return callback;
    }
    return NULL;
}

static void place(calls_t *calls, size_t index) {
    uint32_t at = calls->items[index]->hash & calls->table_mask;
    while (calls->table[at] != 0)
        at = (at + 1) & calls->table_mask;
    calls->table[at] = (uint32_t)index + 1;
}

/* Room for one more item, the table at most half full. */
static bool reserve(calls_t *calls) {
    if (calls->count < calls->capacity)
        return true;
    size_t capacity = calls->capacity > 0 ? 2 * calls->capacity : 8;
    callback_t **items = realloc(calls->items, capacity * sizeof *items);
    if (!items)
        return false;
    calls->items = items;
    uint32_t *table = calloc(2 * capacity, sizeof *table);
    if (!table)
        return false;
    free(calls->table);
    calls->table = table;
    calls->table_mask = (uint32_t)(2 * capacity - 1);
    calls->capacity = capacity;
    for (size_t i = 0; i < calls->count; i++)
        place(calls, i);
    return true;
}

/* --- Adding ------------------------------------------------------------------------------- */

static int check_text(const char *what, const char *text, size_t max, eryx_error_t *error) {
    size_t length = strlen(text);
    if (length > max)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "the %s of a callback has %zu bytes, at most %zu", what, length, max);
    if (!utf8_valid(text, length))
        return error_set(error, ERYX_ERR_ARGUMENT, "the %s of a callback is not UTF-8", what);
    return ERYX_OK;
}

static int check(const calls_t *calls, const eryx_callback_t *callback, eryx_error_t *error) {
    const char *name = callback->name, *schema = callback->parameters_schema_json;
    size_t at;
    if (callback->size != sizeof *callback)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "a callback of another version: call eryx_callback_init");
    if (!name || !*name)
        return error_set(error, ERYX_ERR_ARGUMENT, "a callback has no name");
    int status = check_text("name", name, NAME_MAX_BYTES, error);
    if (status == ERYX_OK && callback->description)
        status = check_text("description", callback->description, TEXT_MAX_BYTES, error);
    if (status == ERYX_OK && schema)
        status = check_text("schema", schema, TEXT_MAX_BYTES, error);
    if (status != ERYX_OK)
        return status;
    if (!callback->on_call)
        return error_set(error, ERYX_ERR_ARGUMENT, "callback %s has no on_call", name);
    if (schema && !json_is_object(schema, strlen(schema), &at))
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "the schema of callback %s is not a JSON object (byte %zu)", name, at);
    if (calls_find(calls, name, strlen(name)))
        return error_set(error, ERYX_ERR_ARGUMENT, "there is a callback %s already", name);
    if (calls->count >= CALLBACKS_MAX)
        return error_set(error, ERYX_ERR_LIMIT, "more than %d callbacks", CALLBACKS_MAX);
    return ERYX_OK;
}

/* The schema with the key for blocking callbacks put in front. */
static char *write_schema(char *out, const char *schema, bool blocking) {
    if (!blocking)
        return stpcpy(out, schema);
    const char *rest = strchr(schema, '{') + 1;
    rest += strspn(rest, " \t\r\n");
    out = stpcpy(out, blocking_key);
    if (*rest != '}')
        out = stpcpy(out, ", ");
    return stpcpy(out, rest);
}

static callback_t *copy(const eryx_callback_t *from) {
    const char *description = from->description ? from->description : "";
    const char *schema = from->parameters_schema_json;
    if (!schema)
        schema = from->blocking ? "{}" : "";
    size_t bytes = strlen(from->name) + strlen(description) + strlen(schema) + 3;
    callback_t *callback = calloc(1, sizeof *callback);
    char *text = callback ? malloc(bytes + sizeof blocking_key + 2) : NULL;
    if (!text) {
        free(callback);
        return NULL;
    }
    atomic_init(&callback->references, 1);
    callback->name = text;
    callback->description = stpcpy(callback->name, from->name) + 1;
    callback->name_length = (size_t)(callback->description - callback->name) - 1;
    callback->schema = stpcpy(callback->description, description) + 1;
    callback->description_length = (size_t)(callback->schema - callback->description) - 1;
    char *end = write_schema(callback->schema, schema, from->blocking);
    callback->schema_length = (size_t)(end - callback->schema);
    callback->hash = hash_of(callback->name, callback->name_length);
    callback->on_call = from->on_call;
    callback->on_cancel = from->on_cancel;
    callback->env = from->env;
    callback->env_finalizer = from->env_finalizer;
    return callback;
}

mailbox_t *calls_mailbox(calls_t *calls, void (*wake)(void *env), void *env) {
    if (!calls->mailbox)
        calls->mailbox = mailbox_new(wake, env, calls->budget);
    return calls->mailbox;
}

void calls_wake(calls_t *calls, void (*wake)(void *env), void *env) {
    calls->wake = wake;
    calls->wake_env = env;
}

mailbox_t *calls_own_mailbox(calls_t *calls) {
    return calls_mailbox(calls, calls->wake, calls->wake_env);
}

int calls_add(calls_t *calls, const eryx_callback_t *callback, void (*wake)(void *env), void *env,
              eryx_error_t *error) {
    int status = check(calls, callback, error);
    if (status != ERYX_OK)
        return status;
    callback_t *copied = calls_mailbox(calls, wake, env) && reserve(calls) ? copy(callback) : NULL;
    if (!copied)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for callback %s", callback->name);
    calls->items[calls->count++] = copied;
    place(calls, calls->count - 1);
    return ERYX_OK;
}

bool calls_share(calls_t *calls, const calls_t *from) {
    for (size_t i = 0; i < from->count; i++) {
        if (!reserve(calls))
            return false;
        atomic_fetch_add(&from->items[i]->references, 1);
        calls->items[calls->count++] = from->items[i];
        place(calls, calls->count - 1);
    }
    return true;
}

/* --- Calls -------------------------------------------------------------------------------- */

void calls_done(eryx_call_t *call) {
    calls_t *calls = call->calls;
    calls->pending--;
    call->calls = NULL;
    call->pending.subtask = NULL;
    eryx_call_t *spare = call_release_spare(call);
    if (!calls->spare)
        calls->spare = spare;
    else
        call_free_spare(spare);
}

void calls_abandon(eryx_call_t *call) {
    if (call->unannounced)
        call_release(call); /* the host never got its reference */
    else if (call_abandon(call) && call->callback->on_cancel)
        call->callback->on_cancel(call->callback->env, call);
    calls_done(call);
}

int calls_adopt(calls_t *calls, waitables_t *waitables, uint32_t subtask, uint32_t result_at,
                const text_t *name, const text_t *arguments, eryx_call_t **out,
                eryx_error_t *error) {
    const callback_t *callback = calls_find(calls, name->data, name->length);
    if (!callback)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "the session waits for a call of %.100s, which is not registered here",
                         name->data);
    uint64_t bytes = call_bytes(name->length, arguments->length);
    if (calls->pending >= calls->pending_max || !budget_take(calls->budget, bytes))
        return error_set(error, ERYX_ERR_LIMIT,
                         "the session's pending calls exceed the limits pending_calls or "
                         "host_memory_bytes");
    eryx_call_t *call = call_new(NULL, calls->mailbox, name->data, name->length, arguments->data,
                                 arguments->length);
    if (!call) {
        budget_give(calls->budget, bytes);
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for a pending call");
    }
    calls->pending++;
    call->calls = calls;
    call->callback = callback;
    call->result_max = calls->result_max;
    call->result_at = result_at;
    call->unannounced = calls->unannounced = true;
    if (waitables_own(waitables, subtask, call, &call->pending.subtask)) {
        *out = call;
        return ERYX_OK;
    }
    calls_abandon(call);
    return error_set(error, ERYX_ERR_FORMAT, "a pending call of a subtask that waits for none");
}

int calls_settle(eryx_call_t *call, waitables_t *waitables, bool failed, const text_t *result,
                 eryx_error_t *error) {
    if (failed && strlen(result->data) != result->length)
        return error_set(error, ERYX_ERR_FORMAT, "the message of a failed call has NUL bytes");
    int status = failed ? eryx_call_fail(call, result->data, error)
                        : eryx_call_complete(call, result->data, result->length, error);
    if (status == ERYX_ERR_ARGUMENT && error)
        status = error->code = ERYX_ERR_FORMAT;
    if (status != ERYX_OK)
        return status;
    call->unannounced = false;
    waitables_return(waitables, call->pending.subtask);
    call_release(call);
    return ERYX_OK;
}

void calls_announce(calls_t *calls, waitables_t *waitables) {
    if (!calls->unannounced)
        return;
    calls->unannounced = false;
    for (uint32_t i = 1; i <= waitables_last(waitables); i++) {
        pending_t *pending = waitables_owner(waitables, i);
        eryx_call_t *call = (eryx_call_t *)pending;
        if (!pending || pending->kind != &call_kind || !call->unannounced)
            continue;
        call->unannounced = false;
        call->callback->on_call(call->callback->env, call);
        if (!call_started(call))
            waitables_return(waitables, pending->subtask);
    }
}
