/* Looking things up in a module, and small edits. */
#include <string.h>

#include "wasm.h"

struct wasm_slice wasm_slice_of(const char *string) {
    return (struct wasm_slice){(const uint8_t *)string, strlen(string)};
}

bool wasm_slice_equal(struct wasm_slice a, struct wasm_slice b) {
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool wasm_slice_is(struct wasm_slice slice, const char *string) {
    return wasm_slice_equal(slice, wasm_slice_of(string));
}

const struct wasm_export *wasm_find_export(const struct wasm_module *module, enum wasm_kind kind,
                                           const char *name) {
    for (uint32_t i = 0; i < module->export_count; i++)
        if (module->exports[i].kind == kind && wasm_slice_is(module->exports[i].name, name))
            return &module->exports[i];
    return NULL;
}

const struct wasm_custom *wasm_find_custom(const struct wasm_module *module, const char *name) {
    for (uint32_t i = 0; i < module->custom_count; i++)
        if (wasm_slice_is(module->customs[i].name, name))
            return &module->customs[i];
    return NULL;
}

const struct wasm_type *wasm_function_type(const struct wasm_module *module, uint32_t function) {
    uint32_t imported = module->imported[WASM_FUNCTION];
    if (function >= imported)
        return function - imported < module->function_count
                   ? &module->types[module->functions[function - imported].type]
                   : NULL;
    for (uint32_t i = 0; i < module->import_count; i++)
        if (module->imports[i].kind == WASM_FUNCTION && function-- == 0)
            return &module->types[module->imports[i].type];
    return NULL;
}

bool wasm_type_equal(const struct wasm_type *a, const struct wasm_type *b) {
    return wasm_slice_equal(a->params, b->params) && wasm_slice_equal(a->results, b->results);
}

bool wasm_constant(struct wasm_slice expression, int64_t *value) {
    struct wasm_reader reader = wasm_reader_of(expression);
    uint8_t opcode = wasm_get_byte(&reader);
    if (opcode != WASM_OP_I32_CONST && opcode != WASM_OP_I64_CONST)
        return false;
    *value = wasm_get_s(&reader, opcode == WASM_OP_I32_CONST ? 32 : 64);
    return wasm_get_byte(&reader) == WASM_OP_END && !reader.failed && reader.next == reader.end;
}

struct wasm_slice wasm_i32_const(struct wasm_module *module, int32_t value) {
    struct wasm_buffer buffer = {0};
    wasm_put_byte(&buffer, WASM_OP_I32_CONST);
    wasm_put_s(&buffer, value);
    wasm_put_byte(&buffer, WASM_OP_END);
    uint8_t *copy = buffer.failed ? NULL : wasm_alloc(module, buffer.size, 1);
    struct wasm_slice slice = {copy, copy ? buffer.size : 0};
    if (copy)
        memcpy(copy, buffer.data, buffer.size);
    wasm_buffer_free(&buffer);
    return slice;
}

void wasm_drop_customs(struct wasm_module *module, const char *name) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < module->custom_count; i++)
        if (name && !wasm_slice_is(module->customs[i].name, name))
            module->customs[kept++] = module->customs[i];
    module->custom_count = kept;
}
