/* Modules in files: see module_file.h. */
#include "module_file.h"

#include "wasm/component.h"

bool module_file_read(const char *path, struct file_bytes *bytes, struct wasm_module *out)
{
    struct wasm_error error;
    if (!file_read(path, bytes))
        return false;
    bool is_component = component_is(bytes->data, bytes->size);
    if (is_component ? component_main_module(bytes->data, bytes->size, out, &error)
                     : wasm_parse(bytes->data, bytes->size, out, &error))
        return true;
    step_error("malformed %s: %s: byte %zu: %s; make the file again",
               is_component ? "component" : "module", path, error.offset, error.reason);
    file_bytes_free(bytes);
    return false;
}

bool module_file_write(const char *path, const struct wasm_module *module)
{
    struct wasm_buffer binary = {0};
    bool done = wasm_encode(module, &binary);
    if (done)
        done = file_write(path, binary.data, binary.size);
    else
        step_error("cannot encode: %s: out of memory or over 4 GiB; close other programs", path);
    wasm_buffer_free(&binary);
    return done;
}
