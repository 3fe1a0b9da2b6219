/* Loading libarchive: see libarchive.h. It is never unloaded. */
#define _GNU_SOURCE
#include "mount/libarchive.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define LIBRARY "libarchive.so.13"

static libarchive_t functions;
static char problem[160];

static bool find(void *library, const char *name, void *out) {
    void *symbol = dlsym(library, name);
    if (!symbol)
        snprintf(problem, sizeof problem, LIBRARY " has no %s", name);
    memcpy(out, &symbol, sizeof symbol);
    return symbol;
}

static void load(void) {
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(problem, sizeof problem, "%s", dlerror());
        return;
    }
#define FIND(name) (void)(problem[0] || find(library, #name, &functions.name));
    LIBARCHIVE_FUNCTIONS(FIND)
#undef FIND
}

const libarchive_t *libarchive_load(eryx_error_t *error) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    if (problem[0] == '\0')
        return &functions;
    error_set(error, ERYX_ERR_IO,
              "archives need libarchive, which cannot be loaded (on Debian: apt-get install "
              "libarchive13): %s",
              problem);
    return NULL;
}
