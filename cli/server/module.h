/* The module eryx-stores.so: what of the command needs libcurl and hiredis. It is loaded by what uses
 * it, so that every other command starts without these libraries. */
#ifndef ERYX_CLI_SERVER_MODULE_H
#define ERYX_CLI_SERVER_MODULE_H

#include "../top/fetch.h"
#include "store_types.h"

/* What the module exports, by the name MODULE_SYMBOL. */
struct module {
    size_t size; /* of this */
    const char *version;
    store_open_t *open_store;
    const struct fetch_functions *fetch;
};
#define MODULE_SYMBOL "eryx_module"

/* It is never unloaded. NULL with a text why. */
const struct module *module_load(char *why, size_t capacity);

#endif
