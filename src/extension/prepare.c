/* See prepare.h: what is checked outside of code, and the rewriting. check.c looks at the code. */
#include "extension/prepare.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "extension/check.h"
#include "wasm/dylink.h"
#include "wasm/safepoints.h"

/* How much of a name from the file is shown. */
#define NAME_SHOWN 80

static int refuse(eryx_error_t *error, const char *reason) {
    return error_set(error, ERYX_ERR_FORMAT, "%s", reason);
}

static int out_of_memory(eryx_error_t *error) {
    return error_set(error, ERYX_ERR_MEMORY, "out of memory");
}

static int shown(struct wasm_slice name) {
    return name.size < NAME_SHOWN ? (int)name.size : NAME_SHOWN;
}

/* --- What it wants ------------------------------------------------------------------------ */

static int check_needs(const struct dylink *dylink, extension_needs_t *out, eryx_error_t *error) {
    if (dylink->memory_size > EXTENSION_MEMORY_MAX)
        return error_set(error, ERYX_ERR_LIMIT,
                         "it wants %u bytes of memory for data, %u are the "
                         "limit",
                         dylink->memory_size, EXTENSION_MEMORY_MAX);
    if (dylink->table_size > EXTENSION_SLOTS_MAX)
        return error_set(error, ERYX_ERR_LIMIT, "it wants %u slots of the table, %u are the limit",
                         dylink->table_size, EXTENSION_SLOTS_MAX);
    *out = (extension_needs_t){
        .memory_bytes = dylink->memory_size,
        .memory_alignment = dylink->memory_alignment,
        .table_slots = dylink->table_size,
        .table_alignment = dylink->table_alignment,
    };
    return ERYX_OK;
}

/* Every library of these names is part of the runtime. */
static int check_needed(const struct dylink *dylink, eryx_error_t *error) {
    static const char *const known[] = {"libpython3.14.so",
                                        "libc.so",
                                        "libc++.so",
                                        "libc++abi.so",
                                        "libm.so",
                                        "libwasi-emulated-signal.so",
                                        "libwasi-emulated-getpid.so",
                                        "libwasi-emulated-process-clocks.so",
                                        "libwasi-emulated-mman.so"};
    for (uint32_t i = 0; i < dylink->needed_count; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            found = found || wasm_slice_is(dylink->needed[i], known[k]);
        if (!found)
            return error_set(error, ERYX_ERR_FORMAT,
                             "it needs the library %.*s, which the runtime does not have; link it "
                             "in statically",
                             shown(dylink->needed[i]), (const char *)dylink->needed[i].data);
    }
    return ERYX_OK;
}

/* --- Imports and exports ------------------------------------------------------------------ */

static bool is_weak(const struct dylink *dylink, const struct wasm_import *import) {
    for (uint32_t i = 0; i < dylink->import_count; i++)
        if (wasm_slice_equal(dylink->imports[i].name, import->name) &&
            dylink->imports[i].flags & DYLINK_WEAK)
            return true;
    return false;
}

static const char *weak_module(struct wasm_slice module) {
    if (wasm_slice_is(module, "env"))
        return EXTENSION_WEAK "env";
    return wasm_slice_is(module, "GOT.mem") ? EXTENSION_WEAK "GOT.mem" : EXTENSION_WEAK "GOT.func";
}

/* Memory, table, addresses and functions of the runtime; nothing of the host can be named. */
static bool is_known_import(const struct wasm_import *import) {
    bool env = wasm_slice_is(import->module, "env");
    switch (import->kind) {
    case WASM_FUNCTION:
        return env;
    case WASM_MEMORY:
        return env && wasm_slice_is(import->name, "memory") && !(import->memory.flags & 6);
    case WASM_TABLE:
        return env && wasm_slice_is(import->name, "__indirect_function_table") &&
               import->table.element == WASM_FUNCREF;
    case WASM_GLOBAL:
        if (import->global.value != WASM_I32)
            return false;
        if (env)
            return wasm_slice_is(import->name, "__memory_base") ||
                   wasm_slice_is(import->name, "__table_base") ||
                   wasm_slice_is(import->name, "__stack_pointer");
        return wasm_slice_is(import->module, "GOT.mem") ||
               wasm_slice_is(import->module, "GOT.func");
    default:
        return false;
    }
}

static int check_imports(struct wasm_module *module, const struct dylink *dylink,
                         eryx_error_t *error) {
    for (uint32_t i = 0; i < module->import_count; i++) {
        struct wasm_import *import = &module->imports[i];
        if (!is_known_import(import))
            return error_set(error, ERYX_ERR_FORMAT,
                             "it imports %.*s from %.*s, which extensions cannot have",
                             shown(import->name), (const char *)import->name.data,
                             shown(import->module), (const char *)import->module.data);
        bool address = import->kind == WASM_GLOBAL && !wasm_slice_is(import->module, "env");
        if ((import->kind == WASM_FUNCTION || address) && is_weak(dylink, import))
            import->module = wasm_slice_of(weak_module(import->module));
    }
    if (module->imported[WASM_MEMORY] != 1 || module->memory_count > 0)
        return refuse(error, "it must import its one memory");
    if (module->imported[WASM_TABLE] > 1 || module->table_count > 0)
        return refuse(error, "it has a table of its own");
    if (module->tag_count > 0 || module->imported[WASM_TAG] > 0)
        return refuse(error, "it uses exceptions; compile it with -fno-exceptions");
    for (uint32_t i = 0; i < module->global_count; i++)
        if (module->globals[i].type.mutable)
            return refuse(error, "it has a mutable global, which checkpoints would not hold; "
                                 "compile it with -mextended-const");
    return ERYX_OK;
}

static bool begins_with(struct wasm_slice name, const char *prefix) {
    size_t size = strlen(prefix);
    return name.size >= size && memcmp(name.data, prefix, size) == 0;
}

/* What is called without the caller being able to look at its type. */
static int check_exports(const struct wasm_module *module, eryx_error_t *error) {
    static const char *const procedures[] = {"__wasm_apply_data_relocs", "__wasm_call_ctors",
                                             "_initialize"};
    for (uint32_t i = 0; i < module->export_count; i++) {
        const struct wasm_export *export = &module->exports[i];
        if (begins_with(export->name, "eryx:"))
            return refuse(error, "it exports a name of the loader's");
        if (export->kind != WASM_FUNCTION)
            continue;
        const struct wasm_type *type = wasm_function_type(module, export->index);
        size_t results = 0;
        bool called = begins_with(export->name, "PyInit_");
        if (called)
            results = 1;
        for (size_t k = 0; k < sizeof procedures / sizeof procedures[0]; k++)
            called = called || wasm_slice_is(export->name, procedures[k]);
        if (called && (type->params.size > 0 || type->results.size != results ||
                       (results && type->results.data[0] != WASM_I32)))
            return error_set(error, ERYX_ERR_FORMAT,
                             "its function %.*s has parameters or results "
                             "that it should not have",
                             shown(export->name), (const char *)export->name.data);
    }
    return ERYX_OK;
}

/* --- Rewriting ---------------------------------------------------------------------------- */

static int add_export(struct wasm_module *module, const char *name, uint32_t function,
                      eryx_error_t *error) {
    struct wasm_export *exports = wasm_alloc(module, module->export_count + 1, sizeof *exports);
    if (!exports)
        return out_of_memory(error);
    if (module->export_count > 0)
        memcpy(exports, module->exports, module->export_count * sizeof *exports);
    exports[module->export_count++] =
        (struct wasm_export){wasm_slice_of(name), WASM_FUNCTION, function};
    module->exports = exports;
    return ERYX_OK;
}

/* The engine would run it inside of an import, where nothing can run. */
static int export_start(struct wasm_module *module, eryx_error_t *error) {
    if (!module->has_start)
        return ERYX_OK;
    const struct wasm_type *type = wasm_function_type(module, module->start);
    if (!type || type->params.size > 0 || type->results.size > 0)
        return refuse(error, "its start function has parameters or results");
    module->has_start = false;
    return add_export(module, EXTENSION_START, module->start, error);
}

/* The index of the type () -> (). */
static bool find_void_type(struct wasm_module *module, uint32_t *index) {
    for (*index = 0; *index < module->type_count; ++*index)
        if (module->types[*index].params.size == 0 && module->types[*index].results.size == 0)
            return true;
    struct wasm_type *types = wasm_alloc(module, module->type_count + 1, sizeof *types);
    if (!types)
        return false;
    if (module->type_count > 0)
        memcpy(types, module->types, module->type_count * sizeof *types);
    module->types = types;
    module->type_count++;
    return true;
}

/* The memory is zero already, and wasm-ld writes out what is to be. */
static struct wasm_slice without_zeros(struct wasm_slice bytes) {
    while (bytes.size > 0 && bytes.data[bytes.size - 1] == 0)
        bytes.size--;
    return bytes;
}

/* memory.init of every segment at its place, which was checked. */
static void put_segments(struct wasm_module *module, struct wasm_buffer *code) {
    wasm_put_byte(code, 0); /* no locals */
    for (uint32_t i = 0; i < module->data_count; i++) {
        struct wasm_data *data = &module->data[i];
        /* With others it could lie over one of them. */
        if (module->data_count == 1)
            data->bytes = without_zeros(data->bytes);
        wasm_put(code, data->offset.data, data->offset.size - 1); /* without its end */
        wasm_put_byte(code, WASM_OP_I32_CONST);
        wasm_put_s(code, 0);
        wasm_put_byte(code, WASM_OP_I32_CONST);
        wasm_put_s(code, (int32_t)data->bytes.size);
        wasm_put_byte(code, WASM_OP_MEMORY_INIT >> 16);
        wasm_put_u(code, WASM_OP_MEMORY_INIT & 0xffff);
        wasm_put_u(code, i);
        wasm_put_byte(code, 0); /* the memory */
        *data = (struct wasm_data){.mode = WASM_PASSIVE, .bytes = data->bytes};
    }
    wasm_put_byte(code, WASM_OP_END);
}

static int export_data(struct wasm_module *module, eryx_error_t *error) {
    uint32_t count = module->function_count;
    struct wasm_buffer code = {0};
    if (module->data_count == 0)
        return ERYX_OK;
    put_segments(module, &code);
    struct wasm_function *functions = wasm_alloc(module, count + 1, sizeof *functions);
    uint8_t *body = code.failed ? NULL : wasm_alloc(module, code.size, 1);
    bool done = functions && body && find_void_type(module, &functions[count].type);
    if (done) {
        if (count > 0)
            memcpy(functions, module->functions, count * sizeof *functions);
        memcpy(body, code.data, code.size);
        functions[count].body = (struct wasm_slice){body, code.size};
        module->functions = functions;
        module->function_count++;
        module->has_data_count = true;
    }
    wasm_buffer_free(&code);
    return done ? add_export(module, EXTENSION_DATA, module->imported[WASM_FUNCTION] + count, error)
                : out_of_memory(error);
}

static int insert_safepoints(struct wasm_module *module, uint32_t constant_start,
                             uint32_t constant_end, bool fuel, eryx_error_t *error) {
    const struct safepoints_options options = {.loops = true,
                                               .entries = true,
                                               .fuel = fuel,
                                               .constant_start = constant_start,
                                               .constant_end = constant_end};
    struct safepoints_result result;
    struct wasm_error failure;
    if (safepoints_insert(module, &options, &result, &failure))
        return ERYX_OK;
    return error_set(error, ERYX_ERR_FORMAT, "malformed: function %zu: %s", failure.offset,
                     failure.reason);
}

/* Names of functions stay, for backtraces; the rest is of no use here. */
static void drop_customs(struct wasm_module *module) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < module->custom_count; i++)
        if (wasm_slice_is(module->customs[i].name, "name"))
            module->customs[kept++] = module->customs[i];
    module->custom_count = kept;
}

static int encode(const struct wasm_module *module, extension_module_t *out, eryx_error_t *error) {
    struct wasm_buffer buffer = {0};
    if (!wasm_encode(module, &buffer)) {
        wasm_buffer_free(&buffer);
        return out_of_memory(error);
    }
    out->data = buffer.data;
    out->length = buffer.size;
    return ERYX_OK;
}

static int prepare(struct wasm_module *module, uint32_t constant_start, uint32_t constant_end,
                   bool fuel, extension_module_t *out, eryx_error_t *error) {
    struct wasm_error failure;
    struct dylink dylink;
    if (!dylink_parse(module, &dylink, &failure))
        return error_set(error, ERYX_ERR_FORMAT,
                         "no shared library: section dylink.0, byte %zu: %s; link it with "
                         "`eryx sdk cc -shared`",
                         failure.offset, failure.reason);
    int status = check_needs(&dylink, &out->needs, error);
    if (status == ERYX_OK)
        status = check_needed(&dylink, error);
    if (status == ERYX_OK)
        status = check_imports(module, &dylink, error);
    if (status == ERYX_OK)
        status = check_exports(module, error);
    if (status == ERYX_OK)
        status = extension_check_segments(module, &out->needs, error);
    if (status == ERYX_OK)
        status = extension_check_code(module, error);
    if (status == ERYX_OK)
        status = export_start(module, error);
    if (status == ERYX_OK)
        status = export_data(module, error);
    if (status == ERYX_OK)
        status = insert_safepoints(module, constant_start, constant_end, fuel, error);
    if (status != ERYX_OK)
        return status;
    drop_customs(module);
    return encode(module, out, error);
}

int extension_prepare(const void *data, size_t length, uint32_t constant_start,
                      uint32_t constant_end, bool fuel, extension_module_t *out,
                      eryx_error_t *error) {
    struct wasm_module module;
    struct wasm_error failure;
    *out = (extension_module_t){0};
    if (length > EXTENSION_BYTES_MAX)
        return error_set(error, ERYX_ERR_LIMIT, "it has %zu bytes, %zu are the limit", length,
                         EXTENSION_BYTES_MAX);
    if (!wasm_parse(data, length, &module, &failure))
        return error_set(error, ERYX_ERR_FORMAT, "malformed: byte %zu of %zu: %s", failure.offset,
                         length, failure.reason);
    int status = prepare(&module, constant_start, constant_end, fuel, out, error);
    wasm_free(&module);
    return status;
}

void extension_module_free(extension_module_t *module) {
    free(module->data);
    module->data = NULL;
}
