/* Loading: engine, code, what it imports and exports. */
#define _GNU_SOURCE
#include "engine/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/config.h"

_Static_assert(sizeof(engine_value_t) == sizeof(wasmtime_val_raw_t), "same layout");

/* The engine writes causes in lines of their own; ours are one line. */
static void fold_lines(wasm_name_t *message) {
    size_t kept = 0;
    for (size_t i = 0; i < message->size; i++) {
        bool space = message->data[i] == '\n' || message->data[i] == ' ';
        if (!space)
            message->data[kept++] = message->data[i];
        else if (kept > 0 && message->data[kept - 1] != ' ')
            message->data[kept++] = ' ';
    }
    message->size = kept;
}

int engine_error_take(wasmtime_error_t *taken, int code, const char *what, eryx_error_t *error) {
    wasm_name_t message;
    wasmtime_error_message(taken, &message);
    fold_lines(&message);
    error_set(error, code, "%s: %.*s", what, (int)message.size, message.data);
    wasm_name_delete(&message);
    wasmtime_error_delete(taken);
    return code;
}

static bool name_is(const wasm_name_t *name, const char *text) {
    return name->size == strlen(text) && memcmp(name->data, text, name->size) == 0;
}

static bool types_are(const wasm_valtype_vec_t *types, const char *signature) {
    if (types->size != strlen(signature))
        return false;
    for (size_t i = 0; i < types->size; i++)
        if (wasm_valtype_kind(types->data[i]) != (signature[i] == 'I' ? WASM_I64 : WASM_I32))
            return false;
    return true;
}

static const wasm_externtype_t *find_export(const wasm_exporttype_vec_t *exports,
                                            const char *name) {
    for (size_t i = 0; i < exports->size; i++)
        if (name_is(wasm_exporttype_name(exports->data[i]), name))
            return wasm_exporttype_type(exports->data[i]);
    return NULL;
}

static int check_exports(engine_t *engine, const wasm_exporttype_vec_t *exports,
                         eryx_error_t *error) {
    const wasm_externtype_t *memory = find_export(exports, "memory");
    if (!memory || wasm_externtype_kind(memory) != WASM_EXTERN_MEMORY)
        return error_set(error, ERYX_ERR_FORMAT, "the runtime does not export its memory");
    for (size_t i = 0; i < engine->description.export_count; i++) {
        const engine_export_t *wanted = &engine->description.exports[i];
        const wasm_externtype_t *type = find_export(exports, wanted->name);
        if (!type && wanted->optional)
            continue;
        if (!type)
            return error_set(error, ERYX_ERR_FORMAT, "the runtime does not export %s",
                             wanted->name);
        const wasm_functype_t *function = wasm_externtype_kind(type) == WASM_EXTERN_FUNC
                                              ? wasm_externtype_as_functype_const(type)
                                              : NULL;
        if (!function || !types_are(wasm_functype_params(function), wanted->parameters) ||
            !types_are(wasm_functype_results(function), wanted->results))
            return error_set(error, ERYX_ERR_FORMAT,
                             "the runtime exports %s with another type than this library calls",
                             wanted->name);
        engine->has_export[i] = true;
    }
    return ERYX_OK;
}

static int note_global(engine_t *engine, const wasm_name_t *name, eryx_error_t *error) {
    if (engine->global_count == ENGINE_MAX_GLOBALS)
        return error_set(error, ERYX_ERR_FORMAT, "the runtime exports more than %d mutable globals",
                         ENGINE_MAX_GLOBALS);
    fresh_global_t *global = &engine->globals[engine->global_count];
    global->name = strndup(name->data, name->size);
    if (!global->name)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory opening a runtime");
    engine->global_count++;
    for (size_t i = 0; i < engine->description.global_count; i++) {
        if (strcmp(engine->description.globals[i].name, global->name) != 0)
            continue;
        global->given = true;
        global->value = engine->description.globals[i].value;
    }
    return ERYX_OK;
}

static int note_globals(engine_t *engine, const wasm_exporttype_vec_t *exports,
                        eryx_error_t *error) {
    int status = ERYX_OK;
    for (size_t i = 0; i < exports->size && status == ERYX_OK; i++) {
        const wasm_externtype_t *type = wasm_exporttype_type(exports->data[i]);
        if (wasm_externtype_kind(type) == WASM_EXTERN_GLOBAL &&
            wasm_globaltype_mutability(wasm_externtype_as_globaltype_const(type)) == WASM_VAR)
            status = note_global(engine, wasm_exporttype_name(exports->data[i]), error);
    }
    return status;
}

static int examine_exports(engine_t *engine, eryx_error_t *error) {
    wasm_exporttype_vec_t exports;
    wasmtime_module_exports(engine->module, &exports);
    int status = check_exports(engine, &exports, error);
    if (status == ERYX_OK)
        status = note_globals(engine, &exports, error);
    wasm_exporttype_vec_delete(&exports);
    return status;
}

static bool is_offered(const engine_description_t *description, const wasm_name_t *module,
                       const wasm_name_t *name) {
    for (size_t i = 0; i < description->import_tables; i++) {
        const engine_import_table_t *table = description->imports[i];
        for (size_t k = 0; k < table->count; k++)
            if (name_is(module, table->items[k].module) && name_is(name, table->items[k].name))
                return true;
    }
    return false;
}

static int check_imports(const engine_t *engine, eryx_error_t *error) {
    wasm_importtype_vec_t imports;
    wasmtime_module_imports(engine->module, &imports);
    int status = ERYX_OK;
    for (size_t i = 0; i < imports.size && status == ERYX_OK; i++) {
        const wasm_name_t *module = wasm_importtype_module(imports.data[i]);
        const wasm_name_t *name = wasm_importtype_name(imports.data[i]);
        if (!is_offered(&engine->description, module, name))
            status = error_set(error, ERYX_ERR_FORMAT,
                               "the runtime imports %.*s from %.*s, which this library does not "
                               "provide; use the library it was built with",
                               (int)name->size, name->data, (int)module->size, module->data);
    }
    wasm_importtype_vec_delete(&imports);
    return status;
}

static void valtypes_new(wasm_valtype_vec_t *out, const char *signature) {
    wasm_valtype_t *types[ENGINE_MAX_ARGUMENTS];
    size_t count = strlen(signature);
    for (size_t i = 0; i < count; i++)
        types[i] = wasm_valtype_new(signature[i] == 'I' ? WASM_I64 : WASM_I32);
    wasm_valtype_vec_new(out, count, types);
}

static int define_import(engine_t *engine, const engine_import_t *import, eryx_error_t *error) {
    wasm_valtype_vec_t parameters, results;
    valtypes_new(&parameters, import->parameters);
    valtypes_new(&results, import->results);
    wasm_functype_t *type = wasm_functype_new(&parameters, &results);
    size_t module_length = strlen(import->module), name_length = strlen(import->name);
    wasmtime_error_t *failed =
        import->suspends
            ? wasmtime_linker_define_async_func(engine->linker, import->module, module_length,
                                                import->name, name_length, type,
                                                engine_import_suspending, (void *)import, NULL)
            : wasmtime_linker_define_func_unchecked(engine->linker, import->module, module_length,
                                                    import->name, name_length, type,
                                                    engine_import_called, (void *)import, NULL);
    wasm_functype_delete(type);
    if (failed)
        return engine_error_take(failed, ERYX_ERR_ENGINE, import->name, error);
    return ERYX_OK;
}

static int define_imports(engine_t *engine, eryx_error_t *error) {
    int status = ERYX_OK;
    for (size_t i = 0; i < engine->description.import_tables; i++) {
        const engine_import_table_t *table = engine->description.imports[i];
        for (size_t k = 0; k < table->count && status == ERYX_OK; k++)
            status = define_import(engine, &table->items[k], error);
    }
    return status;
}

static int link_imports(engine_t *engine, eryx_error_t *error) {
    int status = check_imports(engine, error);
    if (status != ERYX_OK)
        return status;
    engine->linker = wasmtime_linker_new(engine->engine);
    status = define_imports(engine, error);
    if (status != ERYX_OK)
        return status;
    wasmtime_error_t *failed =
        wasmtime_linker_instantiate_pre(engine->linker, engine->module, &engine->pre);
    if (failed)
        return engine_error_take(failed, ERYX_ERR_FORMAT, "the runtime does not fit this library",
                                 error);
    return ERYX_OK;
}

static int start_engine(engine_t *engine, eryx_error_t *error) {
    wasm_config_t *config = engine_config_new(engine->description.fuel);
    if (!config)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory opening a runtime");
    wasmtime_memory_creator_t memories = {.env = engine, .new_memory = engine_memory_new};
    wasmtime_config_host_memory_creator_set(config, &memories);
    wasmtime_stack_creator_t stacks = {.env = engine, .new_stack = engine_stack_new};
    wasmtime_config_host_stack_creator_set(config, &stacks);
    engine->engine = wasm_engine_new_with_config(config);
    if (!engine->engine)
        return error_set(error, ERYX_ERR_ENGINE, "the WebAssembly engine refused to start");
    return ERYX_OK;
}

static int load_code(engine_t *engine, int fd, eryx_error_t *error) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    wasmtime_error_t *failed =
        wasmtime_module_deserialize_file(engine->engine, path, &engine->module);
    if (failed)
        return engine_error_take(failed, ERYX_ERR_VERSION,
                                 "the runtime's code is not for this engine (" ENGINE_VERSION
                                 ") and machine; rebuild it",
                                 error);
    return ERYX_OK;
}

int engine_open(int fd, const engine_description_t *description, engine_t **out,
                eryx_error_t *error) {
    engine_t *engine = calloc(1, sizeof *engine);
    if (!engine || !stack_cache_init(&engine->stacks)) {
        free(engine);
        return error_set(error, ERYX_ERR_MEMORY, "out of memory opening a runtime");
    }
    engine->description = *description;
    if (!engine_codes_init(engine, description->cache_folder)) {
        stack_cache_destroy(&engine->stacks);
        free(engine);
        return error_set(error, ERYX_ERR_MEMORY, "out of memory opening a runtime");
    }
    int status = start_engine(engine, error);
    if (status == ERYX_OK)
        status = load_code(engine, fd, error);
    if (status == ERYX_OK)
        status = examine_exports(engine, error);
    if (status == ERYX_OK)
        status = link_imports(engine, error);
    if (status != ERYX_OK) {
        engine_close(engine);
        return status;
    }
    *out = engine;
    return ERYX_OK;
}

void engine_close(engine_t *engine) {
    if (!engine)
        return;
    engine_codes_destroy(engine);
    if (engine->pre)
        wasmtime_instance_pre_delete(engine->pre);
    if (engine->linker)
        wasmtime_linker_delete(engine->linker);
    if (engine->module)
        wasmtime_module_delete(engine->module);
    if (engine->engine)
        wasm_engine_delete(engine->engine);
    for (size_t i = 0; i < engine->global_count; i++)
        free(engine->globals[i].name);
    stack_cache_destroy(&engine->stacks);
    free(engine);
}

uint64_t engine_code_bytes(const engine_t *engine) {
    void *start = NULL, *end = NULL;
    wasmtime_module_image_range(engine->module, &start, &end);
    return (uint64_t)((uintptr_t)end - (uintptr_t)start);
}
