/* Extensions in instances: places, symbols, instantiation. Docs: docs/architecture.md, "Extensions".
 *
 * The slots of a library are those it asks for, then one for each function it exports, in order. So
 * the two bases say everything, and loading it again at the same bases gives the same table. */
#define _GNU_SOURCE
#include "engine/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/symbols.h"

/* A load in progress. */
typedef struct load {
    engine_instance_t *self;
    engine_code_t *code;
    symbols_t symbols; /* the runtime's */
    engine_library_t place;
    wasmtime_extern_t *externs; /* answers to code->imports */
    wasmtime_instance_t instance;
    eryx_error_t *error;
} load_t;

static int out_of_memory(const load_t *load) {
    return error_set(load->error, ERYX_ERR_MEMORY, "out of memory");
}

static int engine_failed(const load_t *load, wasmtime_error_t *failed) {
    return engine_error_take(failed, ERYX_ERR_FORMAT, "it does not fit the runtime", load->error);
}

/* --- Places ------------------------------------------------------------------------------- */

static int find_symbols(load_t *load) {
    memory_slot_t *slot = load->self->slot;
    uint32_t address;
    if (load->self->has_table && engine_global_get(load->self, "eryx_symbols", &address) &&
        address % 4 == 0 && slot_readable(slot, address, sizeof(symbols_header_t)) &&
        symbols_open(slot->base + address, slot->size - address, &load->symbols))
        return ERYX_OK;
    return error_set(load->error, ERYX_ERR_FORMAT, "this runtime has no symbols for extensions");
}

static int check_memory(load_t *load) {
    const extension_needs_t *needs = &load->code->needs;
    uint32_t base = load->place.memory_base;
    if (needs->memory_bytes == 0 || ((base & (needs->memory_alignment - 1)) == 0 &&
                                     slot_writable(load->self->slot, base, needs->memory_bytes)))
        return ERYX_OK;
    return error_set(load->error, ERYX_ERR_LIMIT, "its data cannot lie at address %u", base);
}

/* The next slots of the room, aligned; or those it is to have. */
static int take_slots(load_t *load, const engine_library_t *at, uint32_t *end) {
    engine_instance_t *self = load->self;
    const extension_needs_t *needs = &load->code->needs;
    uint64_t next =
        self->next_slot > load->symbols.room_start ? self->next_slot : load->symbols.room_start;
    uint64_t mask = needs->table_alignment - 1;
    uint64_t base = at ? at->table_base : (next + mask) & ~mask;
    uint64_t slots = (uint64_t)needs->table_slots + load->code->function_count;
    uint64_t size = wasmtime_table_size(self->store_context, &self->table);
    if (load->symbols.room_end < size)
        size = load->symbols.room_end;
    if (base < next || base > size || slots > size - base)
        return error_set(
            load->error, ERYX_ERR_LIMIT, "it wants %llu slots of the table, of which %llu are free",
            (unsigned long long)slots, (unsigned long long)(next < size ? size - next : 0));
    load->place.table_base = (uint32_t)base;
    *end = (uint32_t)(base + slots);
    return ERYX_OK;
}

/* --- Imports ------------------------------------------------------------------------------ */

static bool find_symbol(const load_t *load, symbol_kind_t kind, const char *name, uint32_t *value) {
    return symbols_find(&load->symbols, kind, name, strlen(name), value);
}

static int missing(const load_t *load, const code_import_t *import, const char *what) {
    return error_set(load->error, ERYX_ERR_FORMAT,
                     "it needs the %s %.120s, which the runtime does "
                     "not have",
                     what, import->name);
}

static int make_global(load_t *load, const code_import_t *import, uint32_t value,
                       wasmtime_extern_t *out) {
    wasm_globaltype_t *type =
        wasm_globaltype_new(wasm_valtype_new(WASM_I32), import->mutable_ ? WASM_VAR : WASM_CONST);
    wasmtime_val_t initial = {.kind = WASMTIME_I32, .of.i32 = (int32_t)value};
    wasmtime_error_t *failed =
        wasmtime_global_new(load->self->store_context, type, &initial, &out->of.global);
    wasm_globaltype_delete(type);
    out->kind = WASMTIME_EXTERN_GLOBAL;
    return failed ? engine_failed(load, failed) : ERYX_OK;
}

/* Addresses in the library itself are not known yet: fill_addresses sets them. */
static int address_import(load_t *load, const code_import_t *import, wasmtime_extern_t *out) {
    if (!import->mutable_)
        return error_set(load->error, ERYX_ERR_FORMAT,
                         "its import of the address of %.120s is not mutable; link it with wasm-ld",
                         import->name);
    return make_global(load, import, 0, out);
}

static wasm_trap_t *weak_called(void *env, wasmtime_caller_t *caller,
                                const wasmtime_val_t *arguments, size_t argument_count,
                                wasmtime_val_t *results, size_t result_count) {
    static const char message[] = "a weak function that nobody defines";
    (void)env, (void)caller, (void)arguments, (void)argument_count, (void)results;
    (void)result_count;
    return wasmtime_trap_new(message, sizeof message - 1);
}

static int function_import(load_t *load, const code_import_t *import, wasmtime_extern_t *out) {
    wasmtime_context_t *context = load->self->store_context;
    wasmtime_val_t value;
    uint32_t slot;
    out->kind = WASMTIME_EXTERN_FUNC;
    if (find_symbol(load, SYMBOL_FUNCTION, import->name, &slot)) {
        if (wasmtime_table_get(context, &load->self->table, slot, &value) &&
            value.kind == WASMTIME_FUNCREF && value.of.funcref.store_id != 0) {
            out->of.func = value.of.funcref;
            return ERYX_OK;
        }
    } else if (import->weak) {
        wasmtime_func_new(context, import->type, weak_called, NULL, NULL, &out->of.func);
        return ERYX_OK;
    }
    return missing(load, import, "function");
}

static int stack_pointer_import(load_t *load, wasmtime_extern_t *out) {
    const engine_t *engine = load->self->engine;
    for (size_t i = 0; i < engine->global_count; i++)
        if (strcmp(engine->globals[i].name, "__stack_pointer") == 0) {
            out->kind = WASMTIME_EXTERN_GLOBAL;
            out->of.global = load->self->globals[i];
            return ERYX_OK;
        }
    return error_set(load->error, ERYX_ERR_FORMAT, "this runtime has no stack pointer");
}

static int answer_import(load_t *load, const code_import_t *import, wasmtime_extern_t *out) {
    switch (import->kind) {
    case CODE_MEMORY:
        out->kind = WASMTIME_EXTERN_MEMORY;
        out->of.memory = load->self->memory;
        return ERYX_OK;
    case CODE_TABLE:
        out->kind = WASMTIME_EXTERN_TABLE;
        out->of.table = load->self->table;
        return ERYX_OK;
    case CODE_STACK_POINTER:
        return stack_pointer_import(load, out);
    case CODE_MEMORY_BASE:
        return make_global(load, import, load->place.memory_base, out);
    case CODE_TABLE_BASE:
        return make_global(load, import, load->place.table_base, out);
    case CODE_FUNCTION:
        return function_import(load, import, out);
    case CODE_DATA_ADDRESS:
    case CODE_FUNCTION_ADDRESS:
        break;
    }
    return address_import(load, import, out);
}

static int answer_imports(load_t *load) {
    const engine_code_t *code = load->code;
    load->externs = calloc(code->import_count + 1, sizeof *load->externs);
    if (!load->externs)
        return out_of_memory(load);
    int status = ERYX_OK;
    for (size_t i = 0; i < code->import_count && status == ERYX_OK; i++)
        status = answer_import(load, &code->imports[i], &load->externs[i]);
    return status;
}

/* --- Making it ---------------------------------------------------------------------------- */

/* Functions that may suspend make a store one where only the asynchronous way is allowed; and that
 * way has no form that takes a list of imports. */
static wasmtime_error_t *define_imports(load_t *load, wasmtime_linker_t *linker) {
    const engine_code_t *code = load->code;
    wasmtime_error_t *failed = NULL;
    wasmtime_linker_allow_shadowing(linker, true); /* the same import twice */
    for (size_t i = 0; i < code->import_count && !failed; i++) {
        const code_import_t *import = &code->imports[i];
        failed = wasmtime_linker_define(linker, load->self->store_context, import->module,
                                        strlen(import->module), import->name, strlen(import->name),
                                        &load->externs[i]);
    }
    return failed;
}

/* It has no start function, so that nothing runs and the future is ready at once. */
static int make_instance(load_t *load) {
    wasmtime_linker_t *linker = wasmtime_linker_new(load->self->engine->engine);
    wasm_trap_t *trap = NULL;
    bool ready = true;
    wasmtime_error_t *failed = define_imports(load, linker);
    const wasmtime_module_t *module = failed ? NULL : engine_code_module(load->code);
    if (module) {
        wasmtime_call_future_t *future = wasmtime_linker_instantiate_async(
            linker, load->self->store_context, module, &load->instance, &trap, &failed);
        ready = wasmtime_call_future_poll(future);
        wasmtime_call_future_delete(future);
    }
    wasmtime_linker_delete(linker);
    if (failed)
        return engine_failed(load, failed);
    if (!module)
        return error_set(load->error, ERYX_ERR_STATE, "its code in the cache was damaged");
    if (trap)
        wasm_trap_delete(trap);
    if (trap || !ready)
        return error_set(load->error, ERYX_ERR_FORMAT, "its segments do not fit");
    return ERYX_OK;
}

static bool own_data(load_t *load, const char *name, size_t length, uint32_t *address) {
    wasmtime_extern_t item;
    wasmtime_val_t value;
    wasmtime_context_t *context = load->self->store_context;
    if (!wasmtime_instance_export_get(context, &load->instance, name, length, &item))
        return false;
    bool found = item.kind == WASMTIME_EXTERN_GLOBAL;
    if (found) {
        wasmtime_global_get(context, &item.of.global, &value);
        found = value.kind == WASMTIME_I32;
        *address = load->place.memory_base + (uint32_t)value.of.i32;
    }
    wasmtime_extern_delete(&item);
    return found;
}

static bool own_function(const load_t *load, const char *name, size_t length, uint32_t *slot) {
    const engine_code_t *code = load->code;
    for (size_t i = 0; i < code->function_count; i++)
        if (strncmp(code->functions[i], name, length) == 0 && !code->functions[i][length]) {
            *slot = load->place.table_base + code->needs.table_slots + (uint32_t)i;
            return true;
        }
    return false;
}

/* The library's own symbols first: what it calls directly is its own, too. */
static int fill_address(load_t *load, const code_import_t *import,
                        const wasmtime_global_t *global) {
    bool data = import->kind == CODE_DATA_ADDRESS;
    size_t length = strlen(import->name);
    uint32_t value = 0;
    bool found = data ? own_data(load, import->name, length, &value) ||
                            find_symbol(load, SYMBOL_DATA, import->name, &value)
                      : own_function(load, import->name, length, &value) ||
                            find_symbol(load, SYMBOL_FUNCTION, import->name, &value);
    if (!found && !import->weak)
        return missing(load, import, data ? "datum" : "function");
    wasmtime_val_t address = {.kind = WASMTIME_I32, .of.i32 = (int32_t)value};
    wasmtime_error_t *failed = wasmtime_global_set(load->self->store_context, global, &address);
    return failed ? engine_failed(load, failed) : ERYX_OK;
}

static int fill_addresses(load_t *load) {
    const engine_code_t *code = load->code;
    int status = ERYX_OK;
    for (size_t i = 0; i < code->import_count && status == ERYX_OK; i++)
        if (code->imports[i].kind == CODE_DATA_ADDRESS ||
            code->imports[i].kind == CODE_FUNCTION_ADDRESS)
            status = fill_address(load, &code->imports[i], &load->externs[i].of.global);
    return status;
}

static int fill_slots(load_t *load) {
    const engine_code_t *code = load->code;
    wasmtime_context_t *context = load->self->store_context;
    for (size_t i = 0; i < code->function_count; i++) {
        wasmtime_extern_t item;
        const char *name = code->functions[i];
        if (!wasmtime_instance_export_get(context, &load->instance, name, strlen(name), &item))
            return error_set(load->error, ERYX_ERR_ENGINE, "an export vanished");
        wasmtime_val_t value = {.kind = WASMTIME_FUNCREF, .of.funcref = item.of.func};
        wasmtime_error_t *failed = wasmtime_table_set(
            context, &load->self->table,
            (uint64_t)load->place.table_base + code->needs.table_slots + i, &value);
        wasmtime_extern_delete(&item);
        if (failed)
            return engine_failed(load, failed);
    }
    return ERYX_OK;
}

static bool make_room(engine_libraries_t *libraries, size_t count) {
    engine_library_t *items = realloc(libraries->items, count * sizeof *items);
    if (items)
        libraries->items = items;
    engine_code_t **codes = realloc(libraries->codes, count * sizeof *codes);
    if (codes)
        libraries->codes = codes;
    return items && codes;
}

/* The instance itself is kept by its store; this is how to find it. */
static bool make_instance_room(engine_instance_t *self) {
    size_t count = self->libraries.count + 1;
    wasmtime_instance_t *loaded = realloc(self->loaded, count * sizeof *loaded);
    if (loaded)
        self->loaded = loaded;
    return loaded && make_room(&self->libraries, count);
}

static void add_library(load_t *load, uint32_t end) {
    engine_instance_t *self = load->self;
    engine_code_t *code = load->code;
    engine_code_retain(code);
    self->libraries.items[self->libraries.count] = load->place;
    self->libraries.codes[self->libraries.count] = code;
    self->loaded[self->libraries.count++] = load->instance;
    self->next_slot = end;
}

/* at: NULL, or the slots it is to have. */
static int load_library(load_t *load, const engine_library_t *at) {
    uint32_t end = 0;
    if (load->self->libraries.count == ENGINE_MAX_LIBRARIES)
        return error_set(load->error, ERYX_ERR_LIMIT,
                         "%u extensions are loaded, which is the limit", ENGINE_MAX_LIBRARIES);
    memcpy(load->place.hash, load->code->hash, sizeof load->place.hash);
    int status = find_symbols(load);
    if (status == ERYX_OK)
        status = check_memory(load);
    if (status == ERYX_OK)
        status = take_slots(load, at, &end);
    if (status == ERYX_OK)
        status = answer_imports(load);
    if (status == ERYX_OK)
        status = make_instance_room(load->self) ? ERYX_OK : out_of_memory(load);
    if (status == ERYX_OK)
        status = make_instance(load);
    if (status == ERYX_OK)
        status = fill_addresses(load);
    if (status == ERYX_OK)
        status = fill_slots(load);
    if (status == ERYX_OK)
        add_library(load, end);
    free(load->externs);
    return status;
}

int engine_library_load(engine_instance_t *instance, engine_code_t *code, uint32_t memory_base,
                        uint32_t *number, eryx_error_t *error) {
    load_t load = {
        .self = instance, .code = code, .place.memory_base = memory_base, .error = error};
    *number = (uint32_t)instance->libraries.count;
    return load_library(&load, NULL);
}

bool engine_library_symbol(engine_instance_t *instance, uint32_t number, const char *name,
                           size_t length, uint32_t *out) {
    if (number >= instance->libraries.count)
        return false;
    load_t load = {.self = instance,
                   .code = instance->libraries.codes[number],
                   .place = instance->libraries.items[number],
                   .instance = instance->loaded[number]};
    return own_function(&load, name, length, out) || own_data(&load, name, length, out);
}

/* --- All of an instance ------------------------------------------------------------------- */

bool engine_libraries_fresh(const engine_instance_t *instance) {
    return instance->libraries.count == instance->engine->preloaded.count;
}

void engine_preload(engine_t *engine, engine_libraries_t *libraries) {
    engine_libraries_free(&engine->preloaded);
    engine->preloaded = *libraries;
    *libraries = (engine_libraries_t){0};
}

static void release_codes(engine_libraries_t *libraries) {
    for (size_t i = 0; i < libraries->count; i++)
        engine_code_release(libraries->codes[i]);
    libraries->count = 0;
}

void engine_libraries_free(engine_libraries_t *libraries) {
    release_codes(libraries);
    free(libraries->items);
    free(libraries->codes);
    *libraries = (engine_libraries_t){0};
}

bool engine_libraries_copy(const engine_libraries_t *from, engine_libraries_t *out) {
    size_t bytes = from->count * sizeof *from->items;
    if (out->count == from->count && (bytes == 0 || memcmp(out->items, from->items, bytes) == 0))
        return true;
    release_codes(out);
    if (from->count > 0 && !make_room(out, from->count))
        return false;
    for (size_t i = 0; i < from->count; i++) {
        out->items[i] = from->items[i];
        out->codes[i] = from->codes[i];
        if (out->codes[i])
            engine_code_retain(out->codes[i]);
    }
    out->count = from->count;
    return true;
}

bool engine_libraries_save(const engine_instance_t *instance, engine_libraries_t *out) {
    return engine_libraries_copy(&instance->libraries, out);
}

bool engine_libraries_add(engine_libraries_t *libraries, const engine_library_t *place) {
    if (!make_room(libraries, libraries->count + 1))
        return false;
    libraries->items[libraries->count] = *place;
    libraries->codes[libraries->count++] = NULL;
    return true;
}

static int restore_one(engine_instance_t *instance, const engine_library_t *place,
                       engine_code_t *known, eryx_error_t *error) {
    engine_code_t *code = known;
    int status = ERYX_OK;
    if (known)
        engine_code_retain(code);
    else
        status = engine_code_find(instance->engine, place->hash, &code, error);
    if (status != ERYX_OK)
        return status;
    load_t load = {
        .self = instance, .code = code, .place.memory_base = place->memory_base, .error = error};
    status = load_library(&load, place);
    engine_code_release(code);
    return status;
}

int engine_libraries_restore(engine_instance_t *instance, const engine_libraries_t *libraries,
                             eryx_error_t *error) {
    int status = ERYX_OK;
    size_t there = instance->libraries.count;
    if (there > libraries->count ||
        (there > 0 && memcmp(instance->libraries.items, libraries->items,
                             there * sizeof *libraries->items) != 0))
        return error_set(error, ERYX_ERR_FORMAT, "it has other extensions than the image");
    for (size_t i = there; i < libraries->count && status == ERYX_OK; i++)
        status = restore_one(instance, &libraries->items[i],
                             libraries->codes ? libraries->codes[i] : NULL, error);
    return status;
}
