#include "libcurl.h"

#include <dlfcn.h>
#include <string.h>

#include "../message.h"

#define LIBRARY "libcurl.so.4"

const struct libcurl *libcurl_load(void)
{
    static struct libcurl functions;
    void *symbol, *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        message_error("libcurl is needed (on Debian: apt-get install libcurl4): %s", dlerror());
        return NULL;
    }
#define LIBCURL_FIND(name)                                                                         \
    symbol = dlsym(library, #name);                                                                \
    if (!symbol) {                                                                                 \
        message_error(LIBRARY " has no " #name);                                                   \
        return NULL;                                                                               \
    }                                                                                              \
    memcpy(&functions.name, &symbol, sizeof symbol);
    LIBCURL_FUNCTIONS(LIBCURL_FIND)
#undef LIBCURL_FIND
    if (functions.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        return &functions;
    message_error("libcurl cannot be initialized");
    return NULL;
}
