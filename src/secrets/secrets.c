/* Registration: checks, placeholders, and the two automata. */
#define _GNU_SOURCE
#include "secrets/secrets.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"
#include "base/utf8.h"
#include "base/wipe.h"
#include "secrets/encode.h"
#include "secrets/filter.h"

#define NAME_MAX_BYTES 255
#define HOSTS_MAX 256 /* of one secret */

void eryx_secret_init(eryx_secret_t *secret) {
    *secret = (eryx_secret_t){.size = sizeof *secret};
}

/* --- Checks ------------------------------------------------------------------------------- */

/* What a placeholder has random characters for: every encoding leaves them alone. */
static bool replaceable(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_' || c == '.';
}

static size_t count_replaceable(const char *value) {
    size_t count = 0;
    for (; *value; value++)
        count += replaceable(*value);
    return count;
}

static bool name_valid(const char *name) {
    if (!name || strlen(name) > NAME_MAX_BYTES || !*name || (*name >= '0' && *name <= '9'))
        return false;
    for (; *name; name++)
        if (!replaceable(*name) || *name == '-' || *name == '.')
            return false;
    return true;
}

static int check_hosts(const eryx_secret_t *secret, eryx_error_t *error) {
    if (secret->host_count == 0 || !secret->hosts || secret->host_count > HOSTS_MAX)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "secret %s: from 1 to %d hosts that it may go to are needed", secret->name,
                         HOSTS_MAX);
    for (size_t i = 0; i < secret->host_count; i++) {
        const char *host = secret->hosts[i];
        if (!host || !secret_host_valid(host))
            return error_set(
                error, ERYX_ERR_ARGUMENT,
                "secret %s: %.100s is no host: a name, *.name or an address is needed, "
                "without scheme and port",
                secret->name, host ? host : "NULL");
    }
    return ERYX_OK;
}

static int check(const secrets_t *secrets, const eryx_secret_t *secret, size_t *total,
                 eryx_error_t *error) {
    if (secret->size != sizeof *secret)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "a secret of another version: call eryx_secret_init");
    if (!name_valid(secret->name))
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "a secret's name must be that of an environment variable: letters, digits "
                         "and _, at most %d",
                         NAME_MAX_BYTES);
    for (size_t i = 0; i < secrets->count; i++)
        if (strcmp(secrets->items[i].name, secret->name) == 0)
            return error_set(error, ERYX_ERR_ARGUMENT, "there are two secrets %s", secret->name);
    size_t length = secret->value ? strlen(secret->value) : 0;
    *total += length;
    if (length > SECRET_VALUE_MAX || *total > SECRETS_VALUES_MAX)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "secret %s: a value has at most %d bytes, all together %d", secret->name,
                         SECRET_VALUE_MAX, SECRETS_VALUES_MAX);
    if (length == 0 || count_replaceable(secret->value) < SECRET_RANDOM_MIN)
        return error_set(
            error, ERYX_ERR_ARGUMENT,
            "secret %s: the value must have at least %d letters or digits, or it could "
            "not be told from ordinary text",
            secret->name, SECRET_RANDOM_MIN);
    if (!utf8_valid(secret->value, length))
        return error_set(error, ERYX_ERR_ARGUMENT, "secret %s: the value is not UTF-8",
                         secret->name);
    return check_hosts(secret, error);
}

/* --- Placeholders ------------------------------------------------------------------------- */

static bool fill_random(unsigned char *out, size_t length) {
    while (length > 0) {
        ssize_t got = getrandom(out, length, 0);
        if (got < 0 && errno != EINTR)
            return false;
        if (got > 0) {
            out += got;
            length -= (size_t)got;
        }
    }
    return true;
}

static bool begins_replaceable(const char *value, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!replaceable(value[i]))
            return false;
    return true;
}

/* Says in plain text what it is, where enough randomness is left. */
static void put_mark(char *placeholder, const char *value) {
    static const char *const marks[] = {"ERYX_SECRET_", "ERYX_"};
    size_t count = count_replaceable(value);
    for (size_t i = 0; i < 2; i++) {
        size_t length = strlen(marks[i]);
        if (count >= length + SECRET_RANDOM_MIN + 4 && begins_replaceable(value, length)) {
            memcpy(placeholder, marks[i], length);
            return;
        }
    }
}

/* From malloc; NULL when out of memory or entropy. */
static char *placeholder_of(const char *value, size_t length) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    const unsigned usable = 256 - 256 % (sizeof alphabet - 1);
    char *placeholder = strdup(value);
    if (!placeholder)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte;
        if (!replaceable(value[i]))
            continue;
        do {
            if (!fill_random(&byte, 1)) {
                wipe(placeholder, length);
                free(placeholder);
                return NULL;
            }
        } while (byte >= usable);
        placeholder[i] = alphabet[byte % (sizeof alphabet - 1)];
    }
    put_mark(placeholder, value);
    return placeholder;
}

/* --- Automata ----------------------------------------------------------------------------- */

static bool add_encoded(matcher_t *matcher, encoding_t encoding, const char *find,
                        const char *replace, size_t length, size_t index) {
    size_t other = 0;
    pattern_t pattern = {
        .secret = (uint16_t)index, .kind = PATTERN_PLAIN, .unit = (uint8_t)encoding_unit(encoding)};
    pattern.find = encode(encoding, find, length, &other);
    pattern.length = (uint32_t)other;
    pattern.replace = encode(encoding, replace, length, &other);
    return matcher_add(matcher, pattern);
}

static bool add_base64(matcher_t *matcher, unsigned before, bool url, const char *find,
                       const char *replace, size_t length, size_t index) {
    base64_part_t from = encode_base64(find, length, before, url);
    base64_part_t to = encode_base64(replace, length, before, url);
    return matcher_add(matcher, (pattern_t){
                                    .find = from.text,
                                    .replace = to.text,
                                    .length = (uint32_t)from.length,
                                    .secret = (uint16_t)index,
                                    .kind = PATTERN_BASE64,
                                    .unit = 1,
                                    .front_mask = to.front_mask,
                                    .front_replace = to.front,
                                    .back_mask = to.back_mask,
                                    .back_replace = to.back,
                                });
}

static bool add_patterns(matcher_t *matcher, const char *find, const char *replace, size_t length,
                         size_t index) {
    for (encoding_t encoding = 0; encoding < ENCODING_COUNT; encoding++)
        if (!add_encoded(matcher, encoding, find, replace, length, index))
            return false;
    for (unsigned before = 0; before < 3; before++)
        if (!add_base64(matcher, before, false, find, replace, length, index) ||
            !add_base64(matcher, before, true, find, replace, length, index))
            return false;
    return true;
}

static bool build(secrets_t *secrets) {
    secrets->insert = matcher_new();
    secrets->scrub = matcher_new();
    if (!secrets->insert || !secrets->scrub)
        return false;
    for (size_t i = 0; i < secrets->count; i++) {
        const secret_t *item = &secrets->items[i];
        if (!add_patterns(secrets->insert, item->placeholder, item->value, item->length, i) ||
            !add_patterns(secrets->scrub, item->value, item->placeholder, item->length, i))
            return false;
    }
    return matcher_finish(secrets->insert) && matcher_finish(secrets->scrub);
}

/* --- The set ------------------------------------------------------------------------------ */

static bool copy_hosts(secret_t *item, const eryx_secret_t *secret) {
    size_t bytes = secret->host_count * sizeof(char *);
    for (size_t i = 0; i < secret->host_count; i++)
        bytes += strlen(secret->hosts[i]) + 1;
    item->hosts = malloc(bytes);
    if (!item->hosts)
        return false;
    char *next = (char *)(item->hosts + secret->host_count);
    for (size_t i = 0; i < secret->host_count; i++) {
        item->hosts[i] = next;
        for (const char *c = secret->hosts[i]; *c; c++)
            *next++ = (char)tolower((unsigned char)*c);
        *next++ = '\0';
    }
    item->host_count = secret->host_count;
    return true;
}

static bool copy_secret(secret_t *item, const eryx_secret_t *secret) {
    item->length = strlen(secret->value);
    item->cleartext = secret->cleartext;
    item->name = strdup(secret->name);
    item->value = strdup(secret->value);
    item->placeholder = placeholder_of(secret->value, item->length);
    return item->name && item->value && item->placeholder && copy_hosts(item, secret);
}

int secrets_new(const eryx_secret_t *items, size_t count, secrets_t **out, eryx_error_t *error) {
    *out = NULL;
    if (count == 0)
        return ERYX_OK;
    if (!items || count > SECRETS_MAX)
        return error_set(error, ERYX_ERR_ARGUMENT, "secrets is NULL, or more than %d", SECRETS_MAX);
    secrets_t *secrets = calloc(1, sizeof *secrets);
    if (secrets) {
        atomic_init(&secrets->references, 1);
        secrets->items = calloc(count, sizeof *secrets->items);
    }
    int status = secrets && secrets->items ? ERYX_OK : ERYX_ERR_MEMORY;
    size_t total = 0;
    for (size_t i = 0; i < count && status == ERYX_OK; i++) {
        status = check(secrets, &items[i], &total, error);
        if (status != ERYX_OK)
            break;
        secrets->count++;
        if (!copy_secret(&secrets->items[i], &items[i]))
            status = ERYX_ERR_MEMORY;
    }
    if (status == ERYX_OK && !build(secrets))
        status = ERYX_ERR_MEMORY;
    if (status != ERYX_OK) {
        secrets_free(secrets);
        return status == ERYX_ERR_MEMORY ? error_set(error, status, "out of memory for secrets")
                                         : status;
    }
    *out = secrets;
    return ERYX_OK;
}

/* Whether text could be the placeholder of the value: what stays of the value is the same. */
static bool has_shape(const char *text, const char *value) {
    if (strlen(text) != strlen(value))
        return false;
    for (size_t i = 0; value[i]; i++)
        if (replaceable(value[i]) ? !replaceable(text[i]) : text[i] != value[i])
            return false;
    return true;
}

bool secrets_take_placeholder(secrets_t *secrets, const char *name, const char *placeholder) {
    for (size_t i = 0; i < secrets->count; i++) {
        secret_t *item = &secrets->items[i];
        if (strcmp(item->name, name) != 0)
            continue;
        if (!has_shape(placeholder, item->value))
            return false;
        memcpy(item->placeholder, placeholder, item->length);
    }
    return true;
}

bool secrets_rebuild(secrets_t *secrets) {
    matcher_free(secrets->insert);
    matcher_free(secrets->scrub);
    secrets->insert = secrets->scrub = NULL;
    return build(secrets);
}

secrets_t *secrets_share(secrets_t *secrets) {
    if (secrets)
        atomic_fetch_add(&secrets->references, 1);
    return secrets;
}

void secrets_free(secrets_t *secrets) {
    if (!secrets || atomic_fetch_sub(&secrets->references, 1) != 1)
        return;
    for (size_t i = 0; i < secrets->count; i++) {
        secret_t *item = &secrets->items[i];
        if (item->value)
            wipe(item->value, item->length);
        free(item->name);
        free(item->value);
        free(item->placeholder);
        free(item->hosts);
    }
    matcher_free(secrets->insert);
    matcher_free(secrets->scrub);
    free(secrets->items);
    free(secrets);
}

uint64_t secrets_allowed(const secrets_t *secrets, const char *host, bool encrypted) {
    char lower[256];
    size_t length = host ? strlen(host) : 0;
    if (!secrets || length == 0 || length >= sizeof lower)
        return 0;
    for (size_t i = 0; i <= length; i++)
        lower[i] = (char)tolower((unsigned char)host[i]);
    uint64_t allowed = 0;
    for (size_t i = 0; i < secrets->count; i++) {
        const secret_t *item = &secrets->items[i];
        for (size_t j = 0; j < item->host_count && (encrypted || item->cleartext); j++)
            if (secret_host_matches(item->hosts[j], lower))
                allowed |= UINT64_C(1) << i;
    }
    return allowed;
}

bool secrets_scrub(const secrets_t *secrets, char *text, size_t length) {
    if (!secrets || !text)
        return false;
    filter_t filter;
    filter_init(&filter, secrets, FILTER_SCRUB, 0);
    filter_text(&filter, text, length);
    filter_free(&filter);
    return filter.replaced;
}

bool secrets_scrub_piece(const secrets_t *secrets, char *text, size_t length) {
    filter_t filter;
    filter_init(&filter, secrets, FILTER_SCRUB, 0);
    bool done = filter_piece(&filter, text, length);
    filter_free(&filter);
    return done;
}

/* Besides the longest form a character of base64, and a boundary of chunks within. */
size_t secrets_span(const secrets_t *secrets) {
    size_t longest = 0;
    for (uint32_t i = 0; i < secrets->scrub->pattern_count; i++)
        if (secrets->scrub->patterns[i].length > longest)
            longest = secrets->scrub->patterns[i].length;
    return longest + 64;
}
