/* The core module of the component. */
#ifndef COMPONENT_CORE_H
#define COMPONENT_CORE_H

#include "file.h"
#include "image/image.h"
#include "wasm/wasm.h"

/* Gives the module the image's memory and globals. All exports stay, so that precompile can make
 * the same runtime.cwasm of the component; its hosts see only those of the world. The module
 * then refers to the bytes of memory. */
bool core_from_image(struct wasm_module *module, const struct file_bytes *memory,
                     const image_footer_t *footer);

#endif
