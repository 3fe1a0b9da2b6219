/* Core modules out of components.
 *
 * Of the component binary format only the frame is read: the preamble, then sections of an id and
 * a length; those with id 1 hold a core module each. The rest says how modules are wired to the
 * world outside, which liberyx knows by heart. Input is hostile, as in wasm.h. */
#ifndef TOOLCHAIN_WASM_COMPONENT_H
#define TOOLCHAIN_WASM_COMPONENT_H

#include "wasm/wasm.h"

/* Do the bytes begin as a component does? */
bool component_is(const void *data, size_t size);

/* Parses the one core module that has a linear memory of its own (the others that tools make are
 * tables of functions). False: *error tells why, and there is nothing to free. */
bool component_main_module(const void *data, size_t size, struct wasm_module *out,
                           struct wasm_error *error);

#endif
