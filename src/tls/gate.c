/* From tls.h to the provider, which is loaded once for the process and made for a sandbox at its
 * first use of TLS. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/object_folder.h"
#include "tls/provider.h"

struct tls {
    const secrets_t *secrets;
    const char *authorities_pem;
    budget_t *budget;
    tls_provider_t *provider; /* NULL until it is used */
};

/* Beside runtime.cwasm where that is installed, or in the build tree. */
static const char *const candidates[] = {
    "eryx/eryx-tls.so",
    "../lib/eryx/eryx-tls.so",
    "eryx-tls.so",
    "../eryx-tls.so",
};

static const tls_functions_t *functions; /* NULL after `load`: why is in load_error */
static char load_error[256];

static bool load_from(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const tls_functions_t *found = library ? dlsym(library, TLS_FUNCTIONS_SYMBOL) : NULL;
    if (!found) {
        snprintf(load_error, sizeof load_error, "%s", dlerror());
        return false;
    }
    if (found->size != sizeof *found || strcmp(found->version, ERYX_VERSION) != 0) {
        snprintf(load_error, sizeof load_error, "%s is of another version of eryx", path);
        dlclose(library);
        return false;
    }
    functions = found;
    return true;
}

static void load(void) {
    char folder[PATH_MAX], path[PATH_MAX + 32];
    if (!object_folder((void *)(uintptr_t)load, folder)) {
        snprintf(load_error, sizeof load_error, "cannot tell where liberyx is");
        return;
    }
    snprintf(load_error, sizeof load_error, "there is no eryx-tls.so near %.150s", folder);
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, candidates[i]);
        if (access(path, R_OK) == 0) {
            load_from(path);
            return;
        }
    }
}

static bool loaded(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return functions != NULL;
}

/* NULL: there is no TLS here. */
static tls_provider_t *use(tls_t *tls) {
    if (!tls->provider && loaded())
        tls->provider = functions->new(tls->secrets, tls->authorities_pem, tls->budget);
    return tls->provider;
}

tls_t *tls_new(const secrets_t *secrets, const char *authorities_pem, budget_t *budget) {
    tls_t *tls = malloc(sizeof *tls);
    if (tls)
        *tls = (tls_t){secrets, authorities_pem, budget, NULL};
    return tls;
}

void tls_free(tls_t *tls) {
    if (tls && tls->provider)
        functions->free(tls->provider);
    free(tls);
}

void tls_reset(tls_t *tls) {
    if (tls && tls->provider)
        functions->reset(tls->provider);
}

int tls_check_authorities(const char *pem, eryx_error_t *error) {
    if (!loaded())
        return error_set(error, ERYX_ERR_IO, "tls_authorities_pem: no TLS: %s", load_error);
    if (functions->check_authorities(pem))
        return ERYX_OK;
    return error_set(error, ERYX_ERR_ARGUMENT,
                     "tls_authorities_pem: not certificates in PEM, or more than %u bytes",
                     TLS_AUTHORITIES_MAX);
}

int32_t tls_authorities_new(tls_t *tls, const char *data, size_t length, uint32_t format) {
    tls_provider_t *provider = use(tls);
    return provider ? functions->authorities_new(provider, data, length, format) : TLS_MISSING;
}

int32_t tls_context_new(tls_t *tls, const tls_settings_t *settings) {
    tls_provider_t *provider = use(tls);
    return provider ? functions->context_new(provider, settings) : TLS_MISSING;
}

int32_t tls_open(tls_t *tls, uint32_t context, const char *hostname) {
    tls_provider_t *provider = use(tls);
    return provider ? functions->open(provider, context, hostname) : TLS_MISSING;
}

int32_t tls_drop(tls_t *tls, uint32_t number) {
    return tls->provider ? functions->drop(tls->provider, number) : TLS_STALE;
}

int32_t tls_handshake(tls_t *tls, uint32_t number) {
    return tls->provider ? functions->handshake(tls->provider, number) : TLS_STALE;
}

int32_t tls_write(tls_t *tls, uint32_t number, const char *data, uint32_t length) {
    return tls->provider ? functions->write(tls->provider, number, data, length) : TLS_STALE;
}

int32_t tls_read(tls_t *tls, uint32_t number, char *buffer, uint32_t capacity) {
    return tls->provider ? functions->read(tls->provider, number, buffer, capacity) : TLS_STALE;
}

int32_t tls_flush(tls_t *tls, uint32_t number) {
    return tls->provider ? functions->flush(tls->provider, number) : TLS_STALE;
}

int32_t tls_shutdown(tls_t *tls, uint32_t number) {
    return tls->provider ? functions->shutdown(tls->provider, number) : TLS_STALE;
}

int32_t tls_feed(tls_t *tls, uint32_t number, const char *data, uint32_t length) {
    return tls->provider ? functions->feed(tls->provider, number, data, length) : TLS_STALE;
}

int32_t tls_drain(tls_t *tls, uint32_t number, char *buffer, uint32_t capacity) {
    return tls->provider ? functions->drain(tls->provider, number, buffer, capacity) : TLS_STALE;
}

int32_t tls_count(tls_t *tls, uint32_t number, uint32_t what) {
    return tls->provider ? functions->count(tls->provider, number, what) : TLS_STALE;
}

bool tls_text(tls_t *tls, uint32_t number, uint32_t what, buffer_t *out) {
    return tls->provider && functions->text(tls->provider, number, what, out);
}
