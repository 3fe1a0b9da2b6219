/* See codes.h. A list is enough: it holds a few programs, or they are long. */
#include "sandbox/codes.h"

#include <stdlib.h>
#include <string.h>

#include "sandbox/sandbox.h"

enum {
    UNKNOWN = -2,
    WANTED_PLAIN = -3,
    KEPT_MAX = 128, /* programs */
    SHARE = 8       /* the part of all bytes that one program may take */
};

struct kept_code {
    struct kept_code *next;
    uint64_t hash;
    uint32_t variant;
    size_t source_length, filename_length, code_length;
    char bytes[]; /* source, filename, code */
};

static uint64_t mix(uint64_t hash, uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

static uint64_t mix_text(uint64_t hash, const char *text, size_t length) {
    uint64_t word;
    for (; length >= sizeof word; text += sizeof word, length -= sizeof word) {
        memcpy(&word, text, sizeof word);
        hash = mix(hash, word);
    }
    word = length;
    memcpy((char *)&word + 1, text, length);
    return mix(hash, word);
}

/* Equal hashes of different programs cost time only. */
static uint64_t key_hash(const code_key_t *key) {
    uint64_t hash = mix(key->variant, key->length);
    hash = mix_text(hash, key->filename, strlen(key->filename));
    return mix_text(hash, key->source, key->length) | 1;
}

static size_t kept_bytes(const struct kept_code *kept) {
    return sizeof *kept + kept->source_length + kept->filename_length + kept->code_length;
}

static bool is_of(const struct kept_code *kept, const code_key_t *key, uint64_t hash) {
    return kept->hash == hash && kept->variant == key->variant &&
           kept->source_length == key->length && kept->filename_length == strlen(key->filename) &&
           memcmp(kept->bytes, key->source, key->length) == 0 &&
           memcmp(kept->bytes + key->length, key->filename, kept->filename_length) == 0;
}

bool codes_init(codes_t *codes, size_t max_bytes) {
    *codes = (codes_t){.max_bytes = max_bytes};
    return pthread_mutex_init(&codes->lock, NULL) == 0;
}

void codes_destroy(codes_t *codes) {
    while (codes->kept) {
        struct kept_code *kept = codes->kept;
        codes->kept = kept->next;
        free(kept);
    }
    pthread_mutex_destroy(&codes->lock);
}

/* Makes it the first. */
static struct kept_code *look_up(codes_t *codes, const code_key_t *key, uint64_t hash) {
    for (struct kept_code **at = &codes->kept; *at; at = &(*at)->next) {
        struct kept_code *kept = *at;
        if (!is_of(kept, key, hash))
            continue;
        *at = kept->next;
        kept->next = codes->kept;
        codes->kept = kept;
        return kept;
    }
    return NULL;
}

/* Drops those not used for the longest time. */
static void make_room(codes_t *codes) {
    size_t count = 0, bytes = 0;
    struct kept_code **at = &codes->kept;
    for (; *at; at = &(*at)->next) {
        bytes += kept_bytes(*at);
        if (++count > KEPT_MAX || bytes > codes->max_bytes)
            break;
    }
    while (*at) {
        struct kept_code *kept = *at;
        *at = kept->next;
        free(kept);
    }
}

int32_t codes_find(codes_t *codes, const code_key_t *key, char *buffer, size_t capacity) {
    if (key->length >= codes->max_bytes / SHARE)
        return UNKNOWN;
    uint64_t hash = key_hash(key);
    int32_t answer = UNKNOWN;
    pthread_mutex_lock(&codes->lock);
    const struct kept_code *kept = look_up(codes, key, hash);
    uint64_t *seen = &codes->seen[hash / 2 % (sizeof codes->seen / sizeof codes->seen[0])];
    if (kept && kept->code_length > 0) {
        answer = (int32_t)kept->code_length;
        if (kept->code_length <= capacity)
            memcpy(buffer, kept->bytes + kept->source_length + kept->filename_length,
                   kept->code_length);
    } else if (!kept && *seen == hash) {
        answer = 0;
    }
    *seen = hash;
    pthread_mutex_unlock(&codes->lock);
    return answer;
}

void codes_keep(codes_t *codes, const code_key_t *key, const char *code, size_t length) {
    size_t filename_length = strlen(key->filename);
    struct kept_code *kept = NULL;
    if (length < codes->max_bytes / SHARE && length < INT32_MAX)
        kept = malloc(sizeof *kept + key->length + filename_length + length);
    if (!kept)
        return;
    *kept = (struct kept_code){.hash = key_hash(key),
                               .variant = key->variant,
                               .source_length = key->length,
                               .filename_length = filename_length,
                               .code_length = length};
    memcpy(kept->bytes, key->source, key->length);
    memcpy(kept->bytes + key->length, key->filename, filename_length);
    if (length > 0)
        memcpy(kept->bytes + key->length + filename_length, code, length);
    pthread_mutex_lock(&codes->lock);
    if (look_up(codes, key, kept->hash)) {
        free(kept); /* another sandbox was faster */
    } else {
        kept->next = codes->kept;
        codes->kept = kept;
        make_room(codes);
    }
    pthread_mutex_unlock(&codes->lock);
}

void codes_open(eryx_sandbox_t *sandbox, const char *source, size_t length) {
    const eryx_runtime_t *runtime = sandbox->runtime;
    sandbox->code = (code_query_t){.state = CODE_CLOSED};
    /* What is counted must not depend on what others have run; and machine code of extensions that are in the image
     * could have changed anything in the guest. */
    if (!sandbox->instance->guest.untouched || runtime->codes.max_bytes == 0 ||
        runtime->footer.features & IMAGE_FUEL || runtime->footer.libraries.length > 0)
        return;
    sandbox->code = (code_query_t){
        .state = CODE_OPEN,
        .key = {.source = source,
                .length = length,
                .filename = execution_filename(sandbox),
                .variant = (uint32_t)sandbox->display << 1 | (uint32_t)sandbox->last_value}};
}

int32_t codes_answer_find(void *env, char *buffer, size_t capacity) {
    eryx_sandbox_t *sandbox = env;
    if (sandbox->code.state != CODE_OPEN)
        return UNKNOWN;
    int32_t found = codes_find(&sandbox->runtime->codes, &sandbox->code.key, buffer, capacity);
    if (found != 0)
        return found;
    sandbox->code.state = CODE_WANTED;
    return sandbox->runtime->footer.features & IMAGE_OWN ? WANTED_PLAIN : 0;
}

void codes_answer_keep(void *env, const char *code, size_t length) {
    eryx_sandbox_t *sandbox = env;
    if (sandbox->code.state == CODE_WANTED)
        codes_keep(&sandbox->runtime->codes, &sandbox->code.key, code, length);
    sandbox->code.state = CODE_CLOSED;
}
