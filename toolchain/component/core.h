/* The core module of the component. */
#ifndef COMPONENT_CORE_H
#define COMPONENT_CORE_H

#include "file.h"
#include "image/image.h"
#include "wasm/wasm.h"

/* Gives the module the image's memory and globals, and takes out what is no part of the world.
 * The module then refers to the bytes of memory. */
bool core_from_image(struct wasm_module *module, const struct file_bytes *memory,
                     const image_footer_t *footer);

#endif
