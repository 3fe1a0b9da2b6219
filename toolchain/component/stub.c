/* The adapter module: see stub.h. */
#include "component/stub.h"

/* No locals; then `i32.const -1; end`, or just `end`. */
static const uint8_t answer_body[] = {0, WASM_OP_I32_CONST, 0x7f, WASM_OP_END};
static const uint8_t empty_body[] = {0, WASM_OP_END};

static bool is_private(const struct wasm_import *import)
{
    return wasm_slice_is(import->module, STUB_MODULE);
}

bool stub_needed(const struct wasm_module *core)
{
    for (uint32_t i = 0; i < core->import_count; i++)
        if (is_private(&core->imports[i]))
            return true;
    return false;
}

static bool check_import(const struct wasm_module *core, const struct wasm_import *import)
{
    int length = (int)import->name.size;
    if (import->kind != WASM_FUNCTION) {
        step_error("the module imports %.*s from " STUB_MODULE ", which may offer only functions",
                   length, (const char *)import->name.data);
        return false;
    }
    struct wasm_slice results = core->types[import->type].results;
    if (results.size > 1 || (results.size == 1 && results.data[0] != WASM_I32)) {
        step_error("the import %.*s from " STUB_MODULE " may give nothing or one i32: there must "
                   "be a way to answer -1",
                   length, (const char *)import->name.data);
        return false;
    }
    return true;
}

/* Imported twice, it is still exported once. */
static bool is_known(const struct wasm_module *stub, struct wasm_slice name)
{
    for (uint32_t i = 0; i < stub->function_count; i++)
        if (wasm_slice_equal(stub->exports[i].name, name))
            return true;
    return false;
}

/* The types are those of the core module, so that their numbers stay. */
static bool fill(const struct wasm_module *core, struct wasm_module *stub)
{
    stub->types = core->types;
    stub->type_count = core->type_count;
    stub->functions = wasm_alloc(stub, core->import_count, sizeof *stub->functions);
    stub->exports = wasm_alloc(stub, core->import_count, sizeof *stub->exports);
    if (!stub->functions || !stub->exports) {
        step_error("out of memory; close other programs and run again");
        return false;
    }
    for (uint32_t i = 0; i < core->import_count; i++) {
        const struct wasm_import *import = &core->imports[i];
        if (!is_private(import) || is_known(stub, import->name))
            continue;
        if (!check_import(core, import))
            return false;
        bool answers = core->types[import->type].results.size == 1;
        uint32_t index = stub->function_count++;
        stub->functions[index] = (struct wasm_function){
            .type = import->type,
            .body = answers ? (struct wasm_slice){answer_body, sizeof answer_body}
                            : (struct wasm_slice){empty_body, sizeof empty_body}};
        stub->exports[index] =
            (struct wasm_export){.name = import->name, .kind = WASM_FUNCTION, .index = index};
    }
    stub->export_count = stub->function_count;
    return true;
}

bool stub_encode(const struct wasm_module *core, struct wasm_buffer *out)
{
    struct wasm_module stub = {0};
    bool done = fill(core, &stub);
    if (done && !wasm_encode(&stub, out)) {
        step_error("out of memory; close other programs and run again");
        done = false;
    }
    wasm_free(&stub);
    return done;
}
