/* Modules in files: parse with a printed error, encode with temporary name and rename. */
#ifndef TOOLCHAIN_MODULE_FILE_H
#define TOOLCHAIN_MODULE_FILE_H

#include "file.h"
#include "wasm/wasm.h"

/* Of a component, its main module (wasm/component.h). The module's slices point into *bytes: free
 * the module first, then the bytes. */
bool module_file_read(const char *path, struct file_bytes *bytes, struct wasm_module *out);
bool module_file_write(const char *path, const struct wasm_module *module);

#endif
