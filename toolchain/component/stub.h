/* The adapter module that answers the imports only liberyx has.
 *
 * Functions of module "eryx" (src/abi/imports.h) are not part of the world. In the component they
 * are satisfied by a tiny module, made of the core module's own import section, whose functions
 * answer -1: "this host does not have it". wasm-tools links it in as the adapter `eryx`. */
#ifndef COMPONENT_STUB_H
#define COMPONENT_STUB_H

#include "file.h"
#include "wasm/wasm.h"

#define STUB_MODULE "eryx"

/* Whether the module imports anything from STUB_MODULE. */
bool stub_needed(const struct wasm_module *core);

/* Appends the adapter's binary to *out. False after a message: an import that is no function, or
 * that gives something else than nothing or one i32. */
bool stub_encode(const struct wasm_module *core, struct wasm_buffer *out);

#endif
