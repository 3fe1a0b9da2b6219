/* What an extension's code imports and exports, in one piece that is kept beside the code: asking the engine for it
 * takes as long as mapping the code.
 *
 * It is numbers of imports and functions, then records: an import's kind, module, whether it is mutable, and
 * its name; a function's name. Names end in NUL. */
#define _GNU_SOURCE
#include "engine/internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

enum { HEADER_BYTES = 8 };

/* extension_prepare lets nothing else through. The first is what is none of the others. */
static const char *const modules[] = {
    "env",     EXTENSION_WEAK "env",      EXTENSION_WEAK "GOT.mem",
    "GOT.mem", EXTENSION_WEAK "GOT.func", "GOT.func"};
enum { MODULES = sizeof modules / sizeof modules[0] };

/* --- From the module ---------------------------------------------------------------------- */

static bool name_is(const wasm_name_t *name, const char *text) {
    return name->size == strlen(text) && memcmp(name->data, text, name->size) == 0;
}

static uint8_t module_of(const wasm_name_t *name) {
    for (int i = 1; i < MODULES; i++)
        if (name_is(name, modules[i]))
            return (uint8_t)i;
    return 0;
}

static code_import_kind_t global_kind(uint8_t module, const wasm_name_t *name) {
    if (strstr(modules[module], "GOT.mem"))
        return CODE_DATA_ADDRESS;
    if (strstr(modules[module], "GOT.func"))
        return CODE_FUNCTION_ADDRESS;
    if (name_is(name, "__memory_base"))
        return CODE_MEMORY_BASE;
    return name_is(name, "__table_base") ? CODE_TABLE_BASE : CODE_STACK_POINTER;
}

static bool is_weak(uint8_t module) {
    return strncmp(modules[module], EXTENSION_WEAK, strlen(EXTENSION_WEAK)) == 0;
}

static bool put_name(buffer_t *out, const wasm_name_t *name) {
    return buffer_append(out, name->data, strnlen(name->data, name->size)) &&
           buffer_append(out, "", 1);
}

static bool put_import(buffer_t *out, const wasm_importtype_t *import) {
    const wasm_name_t *name = wasm_importtype_name(import);
    const wasm_externtype_t *type = wasm_importtype_type(import);
    const uint8_t module = module_of(wasm_importtype_module(import));
    uint8_t kind = CODE_FUNCTION, is_mutable = 0;
    switch (wasm_externtype_kind(type)) {
    case WASM_EXTERN_MEMORY:
        kind = CODE_MEMORY;
        break;
    case WASM_EXTERN_TABLE:
        kind = CODE_TABLE;
        break;
    case WASM_EXTERN_GLOBAL:
        kind = global_kind(module, name);
        is_mutable =
            wasm_globaltype_mutability(wasm_externtype_as_globaltype_const(type)) == WASM_VAR;
        break;
    default:
        break;
    }
    const uint8_t record[] = {kind, module, is_mutable};
    return buffer_append(out, record, sizeof record) && put_name(out, name);
}

static bool put_exports(buffer_t *out, const wasm_exporttype_vec_t *exports, uint32_t *count) {
    bool done = true;
    for (size_t i = 0; done && i < exports->size; i++)
        if (wasm_externtype_kind(wasm_exporttype_type(exports->data[i])) == WASM_EXTERN_FUNC) {
            done = put_name(out, wasm_exporttype_name(exports->data[i]));
            ++*count;
        }
    return done;
}

bool code_facts_gather(engine_code_t *code) {
    wasm_importtype_vec_t imports;
    wasm_exporttype_vec_t exports;
    buffer_t out = {0};
    wasmtime_module_imports(code->module, &imports);
    wasmtime_module_exports(code->module, &exports);
    uint32_t counts[] = {(uint32_t)imports.size, 0};
    bool done = buffer_append(&out, counts, sizeof counts);
    for (size_t i = 0; done && i < imports.size; i++)
        done = put_import(&out, imports.data[i]);
    done = done && put_exports(&out, &exports, &counts[1]);
    wasm_importtype_vec_delete(&imports);
    wasm_exporttype_vec_delete(&exports);
    if (done)
        memcpy(out.data, counts, sizeof counts);
    else
        buffer_free(&out);
    code->facts.data = buffer_take(&out, &code->facts.length);
    return done && code_facts_read(code) && code_facts_complete(code);
}

/* --- From what was kept ------------------------------------------------------------------- */

typedef struct reader {
    const uint8_t *at;
    size_t left;
} reader_t;

/* NULL: there are not that many. */
static const uint8_t *take(reader_t *reader, size_t count) {
    const uint8_t *at = reader->at;
    if (count > reader->left)
        return NULL;
    reader->at += count;
    reader->left -= count;
    return at;
}

static const char *take_name(reader_t *reader) {
    size_t length = strnlen((const char *)reader->at, reader->left);
    return (const char *)take(reader, length + 1);
}

static bool take_import(reader_t *reader, code_import_t *out) {
    const uint8_t *record = take(reader, 3);
    if (!record || record[0] > CODE_FUNCTION || record[1] >= MODULES)
        return false;
    out->kind = record[0];
    out->module = modules[record[1]];
    out->weak = is_weak(record[1]);
    out->mutable_ = record[2];
    out->name = take_name(reader);
    return out->name;
}

/* Types of weak functions, which few extensions have, are not kept: they can be any. */
bool code_facts_complete(engine_code_t *code) {
    wasm_importtype_vec_t imports;
    if (!code->weak_functions)
        return true;
    wasmtime_module_imports(code->module, &imports);
    bool done = imports.size == code->import_count;
    for (size_t i = 0; done && i < imports.size; i++) {
        code_import_t *import = &code->imports[i];
        const wasm_externtype_t *type = wasm_importtype_type(imports.data[i]);
        if (import->kind != CODE_FUNCTION || !import->weak)
            continue;
        done = wasm_externtype_kind(type) == WASM_EXTERN_FUNC;
        if (done)
            import->type = wasm_functype_copy(wasm_externtype_as_functype_const(type));
    }
    wasm_importtype_vec_delete(&imports);
    return done;
}

bool code_facts_read(engine_code_t *code) {
    reader_t reader = {code->facts.data, code->facts.length};
    uint32_t counts[2];
    const uint8_t *header = take(&reader, HEADER_BYTES);
    if (!header)
        return false;
    memcpy(counts, header, sizeof counts);
    /* Each takes a byte at least. */
    if (counts[0] > reader.left || counts[1] > reader.left)
        return false;
    code->imports = calloc((size_t)counts[0] + 1, sizeof *code->imports);
    code->functions = calloc((size_t)counts[1] + 1, sizeof *code->functions);
    bool done = code->imports && code->functions;
    while (done && code->import_count < counts[0]) {
        code_import_t *import = &code->imports[code->import_count++];
        done = take_import(&reader, import);
        if (import->weak && import->kind == CODE_FUNCTION)
            code->weak_functions = true;
    }
    while (done && code->function_count < counts[1]) {
        code->functions[code->function_count] = take_name(&reader);
        done = code->functions[code->function_count++];
    }
    return done;
}

void code_facts_free(engine_code_t *code) {
    for (size_t i = 0; i < code->import_count; i++)
        if (code->imports[i].type)
            wasm_functype_delete(code->imports[i].type);
    free(code->imports);
    free((void *)code->functions);
    free(code->facts.data);
}
