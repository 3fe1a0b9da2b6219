/* Sources: life, and those that the program using the library provides. */
#define _GNU_SOURCE
#include "mount/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

eryx_source_t *source_new(const eryx_provider_t *provider, void *env) {
    eryx_source_t *source = calloc(1, sizeof *source);
    if (!source)
        return NULL;
    atomic_init(&source->references, 1);
    source->provider = *provider;
    source->env = env;
    return source;
}

void source_retain(eryx_source_t *source) {
    atomic_fetch_add_explicit(&source->references, 1, memory_order_relaxed);
}

void eryx_source_free(eryx_source_t *source) {
    if (!source || atomic_fetch_sub_explicit(&source->references, 1, memory_order_acq_rel) != 1)
        return;
    if (source->provider.finalize)
        source->provider.finalize(source->env);
    free(source);
}

void eryx_provider_init(eryx_provider_t *provider) {
    *provider = (eryx_provider_t){.size = sizeof *provider};
}

int eryx_source_new_provider(const eryx_provider_t *provider, void *env, eryx_source_t **out,
                             eryx_error_t *error) {
    if (!out)
        return error_set(error, ERYX_ERR_ARGUMENT, "out is NULL");
    *out = NULL;
    if (!provider || provider->size != sizeof *provider)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         provider ? "provider of another version: call eryx_provider_init"
                                  : "provider is NULL");
    if (!provider->stat || !provider->open || !provider->close || !provider->status ||
        !provider->read || !provider->next_entry)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "a provider needs stat, open, close, status, read and next_entry");
    *out = source_new(provider, env);
    if (!*out)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for a source");
    return ERYX_OK;
}

bool source_path_valid(const char *path, size_t length) {
    if (length >= SOURCE_PATH_MAX || memchr(path, '\0', length))
        return false;
    if (length == 0)
        return true;
    for (size_t start = 0; start <= length;) {
        const char *slash = memchr(path + start, '/', length - start);
        size_t end = slash ? (size_t)(slash - path) : length;
        const char *name = path + start;
        size_t size = end - start;
        bool dots = size <= 2 && memcmp(name, "..", size) == 0;
        if (size == 0 || size > SOURCE_NAME_MAX || dots)
            return false;
        start = end + 1;
    }
    return true;
}
