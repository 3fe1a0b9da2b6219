/* Fuzz target: any bytes as an extension module. What is accepted is a module again, and accepted only
 * once: the names of the loader are taken. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "extension/prepare.h"
#include "wasm/wasm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    extension_module_t module;
    struct wasm_module parsed;
    struct wasm_error failure;
    eryx_error_t error = {0};
    if (extension_prepare(data, size, 1 << 20, 32 << 20, size & 1, &module, &error) != ERYX_OK) {
        if (!error.message[0] || module.data)
            abort();
        return 0;
    }
    if (module.needs.memory_bytes > EXTENSION_MEMORY_MAX ||
        module.needs.table_slots > EXTENSION_SLOTS_MAX || module.needs.memory_alignment == 0 ||
        !wasm_parse(module.data, module.length, &parsed, &failure) || parsed.has_start)
        abort();
    wasm_free(&parsed);
    extension_module_free(&module);
    return 0;
}
