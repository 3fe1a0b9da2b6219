/* TLS for programs (src/tls): private imports "tls-*". A wrong pointer ends the execution; a wrong number
 * is an ordinary answer. */
#include <stdlib.h>
#include <string.h>

#include "abi/imports.h"
#include "abi/lift.h"
#include "tls/tls.h"

enum {
    SETTINGS_WORDS = 15,
    CIPHERS_MAX = 4000,
    ALPN_MAX = 1024,
    AUTHORITIES_MAX = 64,
    HOSTNAME_MAX = 253,
    TEXT_MISSING = -8
};

static const char *const fault_pointer = "a pointer outside of memory";
static const char *const fault_length = "more bytes than are allowed at once";

/* Bytes of the guest; *fault says why not. */
static const char *readable(guest_t *guest, uint32_t address, uint32_t length, uint32_t max,
                            const char **fault) {
    const char *data = length > 0 ? lift_readable(guest, address, length) : "";
    *fault = length > max ? fault_length : (data ? NULL : fault_pointer);
    return data;
}

static engine_reply_t answer(engine_value_t *values, int32_t status) {
    values[0].u32 = (uint32_t)status;
    return ENGINE_RETURN;
}

static engine_reply_t import_authorities(void *context, engine_value_t *values) {
    guest_t *guest = context;
    const char *fault, *data;
    uint32_t length = values[1].u32;
    if (!guest->tls)
        return answer(values, -1);
    data = readable(guest, values[0].u32, length, TLS_AUTHORITIES_MAX, &fault);
    if (fault)
        return guest_refuse(guest, "tls-authorities", fault);
    return answer(values, tls_authorities_new(guest->tls, data, length, values[2].u32));
}

/* A list of protocols: each with its length in front. */
static bool alpn_valid(const char *alpn, uint32_t length) {
    uint32_t at = 0;
    while (at < length) {
        uint32_t entry = (uint8_t)alpn[at];
        if (entry == 0 || entry >= length - at)
            return false;
        at += entry + 1;
    }
    return true;
}

static engine_reply_t import_context(void *context, engine_value_t *values) {
    static const char name[] = "tls-context";
    guest_t *guest = context;
    uint32_t words[SETTINGS_WORDS], authorities[AUTHORITIES_MAX];
    char ciphers[CIPHERS_MAX + 1];
    const char *fault, *data = lift_readable(guest, values[0].u32, sizeof words);
    if (!guest->tls)
        return answer(values, -1);
    if (!data)
        return guest_refuse(guest, name, fault_pointer);
    memcpy(words, data, sizeof words);
    data = readable(guest, words[9], words[10], CIPHERS_MAX, &fault);
    if (!fault && memchr(data, '\0', words[10]))
        fault = "a list of ciphers with a NUL in it";
    if (fault)
        return guest_refuse(guest, name, fault);
    memcpy(ciphers, data, words[10]);
    ciphers[words[10]] = '\0';
    const char *alpn = readable(guest, words[11], words[12], ALPN_MAX, &fault);
    if (!fault && !alpn_valid(alpn, words[12]))
        fault = "no list of protocols";
    if (fault)
        return guest_refuse(guest, name, fault);
    if (words[14] > AUTHORITIES_MAX)
        return guest_refuse(guest, name, fault_length);
    data = readable(guest, words[13], 4 * words[14], 4 * AUTHORITIES_MAX, &fault);
    if (fault)
        return guest_refuse(guest, name, fault);
    memcpy(authorities, data, 4 * words[14]);
    tls_settings_t settings = {
        .verify = words[0],
        .check_hostname = words[1],
        .system_trust = words[2],
        .partial_wildcards = words[3],
        .never_check_subject = words[4],
        .verify_flags = words[5],
        .options = words[6],
        .minimum = words[7],
        .maximum = words[8],
        .ciphers = words[10] > 0 ? ciphers : NULL,
        .alpn = (const unsigned char *)alpn,
        .alpn_length = words[12],
        .authorities = authorities,
        .authority_count = words[14],
    };
    return answer(values, tls_context_new(guest->tls, &settings));
}

static engine_reply_t import_open(void *context, engine_value_t *values) {
    guest_t *guest = context;
    char hostname[HOSTNAME_MAX + 1];
    const char *fault, *data;
    uint32_t length = values[2].u32;
    if (!guest->tls)
        return answer(values, -1);
    data = readable(guest, values[1].u32, length, HOSTNAME_MAX, &fault);
    if (!fault && length > 0 && memchr(data, '\0', length))
        fault = "a host name with a NUL in it";
    if (fault)
        return guest_refuse(guest, "tls-open", fault);
    memcpy(hostname, data, length);
    hostname[length] = '\0';
    return answer(values, tls_open(guest->tls, values[0].u32, hostname));
}

static engine_reply_t import_drop(void *context, engine_value_t *values) {
    guest_t *guest = context;
    return answer(values, guest->tls ? tls_drop(guest->tls, values[0].u32) : -1);
}

static engine_reply_t import_handshake(void *context, engine_value_t *values) {
    guest_t *guest = context;
    return answer(values, guest->tls ? tls_handshake(guest->tls, values[0].u32) : -1);
}

static engine_reply_t import_shutdown(void *context, engine_value_t *values) {
    guest_t *guest = context;
    return answer(values, guest->tls ? tls_shutdown(guest->tls, values[0].u32) : -1);
}

static engine_reply_t import_flush(void *context, engine_value_t *values) {
    guest_t *guest = context;
    return answer(values, guest->tls ? tls_flush(guest->tls, values[0].u32) : -1);
}

static engine_reply_t import_count(void *context, engine_value_t *values) {
    guest_t *guest = context;
    return answer(values, guest->tls ? tls_count(guest->tls, values[0].u32, values[1].u32) : -1);
}

/* Bytes into the host; a function that takes them. */
static engine_reply_t take(guest_t *guest, engine_value_t *values, const char *name,
                           int32_t (*function)(tls_t *, uint32_t, const char *, uint32_t)) {
    const char *fault, *data;
    if (!guest->tls)
        return answer(values, -1);
    data = readable(guest, values[1].u32, values[2].u32, TLS_READ_MAX, &fault);
    if (fault)
        return guest_refuse(guest, name, fault);
    return answer(values, function(guest->tls, values[0].u32, data, values[2].u32));
}

/* Bytes out of it. */
static engine_reply_t give(guest_t *guest, engine_value_t *values, const char *name,
                           int32_t (*function)(tls_t *, uint32_t, char *, uint32_t)) {
    uint32_t capacity = values[2].u32;
    if (!guest->tls)
        return answer(values, -1);
    char *buffer = lift_writable(guest, values[1].u32, capacity);
    if (!buffer && capacity > 0)
        return guest_refuse(guest, name, fault_pointer);
    if (capacity > TLS_READ_MAX)
        capacity = TLS_READ_MAX;
    return answer(values, function(guest->tls, values[0].u32, buffer, capacity));
}

static engine_reply_t import_write(void *context, engine_value_t *values) {
    return take(context, values, "tls-write", tls_write);
}

static engine_reply_t import_feed(void *context, engine_value_t *values) {
    return take(context, values, "tls-feed", tls_feed);
}

static engine_reply_t import_read(void *context, engine_value_t *values) {
    return give(context, values, "tls-read", tls_read);
}

static engine_reply_t import_drain(void *context, engine_value_t *values) {
    return give(context, values, "tls-drain", tls_drain);
}

/* The length of the text, of which as much is given as fits. */
static engine_reply_t import_text(void *context, engine_value_t *values) {
    guest_t *guest = context;
    uint32_t capacity = values[3].u32;
    if (!guest->tls)
        return answer(values, -1);
    char *buffer = lift_writable(guest, values[2].u32, capacity);
    if (!buffer && capacity > 0)
        return guest_refuse(guest, "tls-text", fault_pointer);
    buffer_t text = {0};
    bool found = tls_text(guest->tls, values[0].u32, values[1].u32, &text);
    size_t shown = text.length < capacity ? text.length : capacity;
    if (found && shown > 0)
        memcpy(buffer, text.data, shown);
    int32_t length = found && text.length <= INT32_MAX ? (int32_t)text.length : TEXT_MISSING;
    buffer_free(&text);
    return answer(values, length);
}

static const engine_import_t items[] = {
    {IMPORTS_PRIVATE, "tls-authorities", "iii", "i", false, import_authorities},
    {IMPORTS_PRIVATE, "tls-context", "i", "i", false, import_context},
    {IMPORTS_PRIVATE, "tls-open", "iii", "i", false, import_open},
    {IMPORTS_PRIVATE, "tls-drop", "i", "i", false, import_drop},
    {IMPORTS_PRIVATE, "tls-handshake", "i", "i", false, import_handshake},
    {IMPORTS_PRIVATE, "tls-write", "iii", "i", false, import_write},
    {IMPORTS_PRIVATE, "tls-read", "iii", "i", false, import_read},
    {IMPORTS_PRIVATE, "tls-flush", "i", "i", false, import_flush},
    {IMPORTS_PRIVATE, "tls-shutdown", "i", "i", false, import_shutdown},
    {IMPORTS_PRIVATE, "tls-feed", "iii", "i", false, import_feed},
    {IMPORTS_PRIVATE, "tls-drain", "iii", "i", false, import_drain},
    {IMPORTS_PRIVATE, "tls-count", "ii", "i", false, import_count},
    {IMPORTS_PRIVATE, "tls-text", "iiii", "i", false, import_text},
};
const engine_import_table_t imports_tls = {items, sizeof items / sizeof items[0]};
