/* runtime.cwasm in one go, of a component's module, whose memory is in its data segments. */
#ifndef PRECOMPILE_WHOLE_H
#define PRECOMPILE_WHOLE_H

#include "file.h"
#include "image/image.h"
#include "wasm/wasm.h"

/* All of the file but the code. */
struct whole {
    image_footer_t footer;
    uint8_t *memory; /* footer.memory.length bytes */
};

/* Fails (printed) if the module is none of a component that eryx-build made. */
bool whole_prepare(const struct wasm_module *module, uint64_t memory_min_bytes, struct whole *out);
/* elf: the module's code, compiled with that memory minimum. */
bool whole_write(struct whole *whole, const struct file_bytes *elf, const char *path);
void whole_free(struct whole *whole);

#endif
