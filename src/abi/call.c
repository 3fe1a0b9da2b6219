/* Completion is claimed first, so that only one thread writes the result, and published by the
 * exchange of `state`. */
#define _GNU_SOURCE
#include "abi/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

static char *room(char *inline_bytes, size_t length) {
    return length <= CALL_INLINE_BYTES ? inline_bytes : malloc(length);
}

uint64_t call_bytes(size_t name_length, size_t arguments_length) {
    size_t text = name_length + arguments_length + 2;
    return sizeof(eryx_call_t) + (text <= CALL_INLINE_BYTES ? 0 : text);
}

eryx_call_t *call_new(eryx_call_t *spare, mailbox_t *mailbox, const char *name, size_t name_length,
                      const char *arguments, size_t arguments_length) {
    eryx_call_t *call = spare ? spare : malloc(sizeof *call);
    if (!call)
        return NULL;
    call->text = room(call->inline_text, name_length + arguments_length + 2);
    if (!call->text) {
        if (!spare)
            free(call);
        return NULL;
    }
    memcpy(call->text, name, name_length);
    call->text[name_length] = '\0';
    if (arguments_length > 0)
        memcpy(call->text + name_length + 1, arguments, arguments_length);
    call->text[name_length + 1 + arguments_length] = '\0';
    call->name_length = name_length;
    call->arguments_length = arguments_length;
    atomic_init(&call->references, 2);
    atomic_init(&call->state, CALL_STARTING);
    atomic_init(&call->claimed, false);
    atomic_init(&call->cancelled, false);
    mailbox_retain(mailbox);
    atomic_fetch_add_explicit(&mailbox->calls, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&mailbox->argument_bytes, arguments_length, memory_order_relaxed);
    call->mailbox = mailbox;
    call->pending = (pending_t){.kind = &call_kind};
    call->charged = call_bytes(name_length, arguments_length);
    call->unannounced = false;
    call->failed = false;
    call->result = NULL;
    call->result_length = 0;
    return call;
}

static void empty(eryx_call_t *call) {
    mailbox_t *mailbox = call->mailbox;
    if (call->text != call->inline_text)
        free(call->text);
    if (call->result != call->inline_result)
        free(call->result);
    budget_give(mailbox->budget, call->charged);
    atomic_fetch_sub_explicit(&mailbox->calls, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&mailbox->argument_bytes, call->arguments_length,
                              memory_order_relaxed);
    mailbox_release(mailbox);
}

void call_retain(eryx_call_t *call) {
    atomic_fetch_add_explicit(&call->references, 1, memory_order_relaxed);
}

void call_release(eryx_call_t *call) {
    if (atomic_fetch_sub(&call->references, 1) != 1)
        return;
    empty(call);
    free(call);
}

eryx_call_t *call_release_spare(eryx_call_t *call) {
    if (atomic_fetch_sub(&call->references, 1) != 1)
        return NULL;
    empty(call);
    return call;
}

void call_free_spare(eryx_call_t *spare) {
    free(spare);
}

bool call_started(eryx_call_t *call) {
    unsigned expected = CALL_STARTING;
    return atomic_compare_exchange_strong(&call->state, &expected, CALL_PENDING);
}

bool call_abandon(eryx_call_t *call) {
    atomic_store(&call->cancelled, true);
    return atomic_exchange(&call->state, CALL_OVER) == CALL_PENDING;
}

/* --- Completing --------------------------------------------------------------------------- */

static bool store(eryx_call_t *call, bool failed, const char *text, size_t length) {
    call->failed = failed;
    call->result = room(call->inline_result, length);
    if (!call->result)
        return false;
    if (length > 0)
        memcpy(call->result, text, length);
    call->result_length = length;
    return true;
}

/* True if the guest will get what was stored. */
static bool publish(eryx_call_t *call) {
    switch (atomic_exchange(&call->state, CALL_READY)) {
    case CALL_STARTING:
        return true;
    case CALL_PENDING:
        return mailbox_post(call->mailbox, &call->pending);
    default:
        return false;
    }
}

static int too_late(eryx_error_t *error) {
    return error_set(error, ERYX_ERR_STATE,
                     "too late: the program cancelled the call, or its execution is over");
}

/* The program gets an exception instead of the result. */
static int over_limit(eryx_call_t *call, size_t length, const char *limit, uint64_t max,
                      eryx_error_t *error) {
    char message[192];
    int written = snprintf(message, sizeof message,
                           "the result of %.64s() has %zu bytes, more than the limit %s of %llu",
                           call->text, length, limit, (unsigned long long)max);
    size_t whole = utf8_cut(message, (size_t)written, (size_t)written);
    store(call, true, message, utf8_valid(message, whole) ? whole : 0);
    publish(call);
    return error_set(error, ERYX_ERR_LIMIT, "%s", message);
}

/* Takes a result of that size from the budget. */
static bool charge(eryx_call_t *call, size_t length) {
    uint64_t bytes = length <= CALL_INLINE_BYTES ? 0 : length;
    if (!budget_take(call->mailbox->budget, bytes))
        return false;
    call->charged += bytes;
    return true;
}

static int finish(eryx_call_t *call, bool failed, const char *text, size_t length,
                  eryx_error_t *error) {
    static const char no_memory[] = "the host is out of memory for the result";
    if (atomic_exchange(&call->claimed, true)) {
        if (atomic_load(&call->cancelled))
            return too_late(error);
        return error_set(error, ERYX_ERR_STATE, "the call of %s is completed already", call->text);
    }
    if (atomic_load(&call->cancelled))
        return too_late(error);
    if (length > call->result_max)
        return over_limit(call, length, "call_result_bytes", call->result_max, error);
    if (!charge(call, length))
        return over_limit(call, length, "host_memory_bytes (all that the host holds for it)",
                          call->mailbox->budget->max, error);
    if (store(call, failed, text, length))
        return publish(call) ? ERYX_OK : too_late(error);
    store(call, true, no_memory, sizeof no_memory - 1);
    publish(call);
    return error_set(error, ERYX_ERR_MEMORY, no_memory);
}

int eryx_call_complete(eryx_call_t *call, const char *json, size_t length, eryx_error_t *error) {
    if (!call || (!json && length > 0))
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", call ? "json" : "call");
    if (!utf8_valid(json, length))
        return error_set(error, ERYX_ERR_ARGUMENT, "the result of %s is not UTF-8", call->text);
    return finish(call, false, json, length, error);
}

int eryx_call_fail(eryx_call_t *call, const char *message, eryx_error_t *error) {
    if (!call || !message)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", call ? "message" : "call");
    size_t length = strlen(message);
    if (!utf8_valid(message, length))
        return error_set(error, ERYX_ERR_ARGUMENT, "the message for %s is not UTF-8", call->text);
    return finish(call, true, message, length, error);
}

bool eryx_call_cancelled(const eryx_call_t *call) {
    return call && atomic_load(&call->cancelled);
}

const char *eryx_call_name(const eryx_call_t *call) {
    return call->text;
}

const char *eryx_call_arguments(const eryx_call_t *call, size_t *length) {
    if (length)
        *length = call->arguments_length;
    return call->text + call->name_length + 1;
}

void eryx_call_free(eryx_call_t *call) {
    static const char dropped[] = "the host dropped the call";
    if (!call)
        return;
    if (!atomic_load(&call->claimed))
        finish(call, true, dropped, sizeof dropped - 1, NULL);
    call_release(call);
}
