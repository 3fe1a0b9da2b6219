/* Core modules out of components: see component.h. */
#include "wasm/component.h"

#include <stdio.h>
#include <string.h>

enum { SECTION_CORE_MODULE = 1 };

static const uint8_t preamble[8] = {0, 'a', 's', 'm', 0x0d, 0, 1, 0};

bool component_is(const void *data, size_t size)
{
    return size >= sizeof preamble && memcmp(data, preamble, sizeof preamble) == 0;
}

static bool set_error(struct wasm_error *error, size_t offset, const char *reason)
{
    error->offset = offset;
    snprintf(error->reason, sizeof error->reason, "%s", reason);
    return false;
}

/* Parses a core module; keeps it if it is the first with a memory. */
static bool take_module(const uint8_t *begin, struct wasm_slice bytes, struct wasm_module *out,
                        bool *found, struct wasm_error *error)
{
    struct wasm_module module;
    size_t offset = (size_t)(bytes.data - begin);
    if (!wasm_parse(bytes.data, bytes.size, &module, error)) {
        error->offset += offset;
        return false;
    }
    bool has_memory = module.memory_count > 0;
    if (has_memory && !*found) {
        *out = module;
        *found = true;
        return true;
    }
    wasm_free(&module);
    return !has_memory || set_error(error, offset, "a second core module with a memory");
}

bool component_main_module(const void *data, size_t size, struct wasm_module *out,
                           struct wasm_error *error)
{
    struct wasm_reader reader = wasm_reader_of((struct wasm_slice){data, size});
    bool found = false, good = true;
    if (!component_is(data, size))
        return set_error(error, 0, "no component");
    wasm_get_bytes(&reader, sizeof preamble);
    while (good && reader.next < reader.end) {
        uint8_t id = wasm_get_byte(&reader);
        struct wasm_slice content = wasm_get_slice(&reader);
        if (reader.failed) {
            *error = reader.error;
            good = false;
        } else if (id == SECTION_CORE_MODULE) {
            good = take_module(data, content, out, &found, error);
        }
    }
    if (good && found)
        return true;
    if (found)
        wasm_free(out);
    return good ? set_error(error, size, "no core module with a memory") : false;
}
