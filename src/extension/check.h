/* What an extension's segments and code may do: the half of prepare.h that reads instructions. */
#ifndef EXTENSION_CHECK_H
#define EXTENSION_CHECK_H

#include "extension/prepare.h"
#include "wasm/wasm.h"

/* Data and elements must lie in the regions that the extension asks for. */
int extension_check_segments(const struct wasm_module *module, const extension_needs_t *needs,
                             eryx_error_t *error);
/* No instruction whose effect is outside of linear memory, except on the stack pointer. */
int extension_check_code(const struct wasm_module *module, eryx_error_t *error);

#endif
