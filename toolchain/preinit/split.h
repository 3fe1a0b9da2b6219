/* The module without its data, and the data. */
#ifndef PREINIT_SPLIT_H
#define PREINIT_SPLIT_H

#include "wasm/wasm.h"

/* Fails (printed) when the module does what an image of its memory and globals cannot hold: a
 * start function, passive data, changing a table, a mutable global that is not exported. */
bool split_check(const struct wasm_module *module);

/* Encodes the module without data segments and with that memory minimum (in bytes); custom
 * sections other than names are dropped. The module is left unchanged. */
bool split_code(const struct wasm_module *module, uint64_t memory_bytes, struct wasm_buffer *out);

/* Writes the data segments. False (printed) if one is outside of memory. */
bool split_write_data(const struct wasm_module *module, uint8_t *memory, uint64_t memory_bytes);

#endif
