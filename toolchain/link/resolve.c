/* Symbols: which library exports what, which libraries are taken, where each function import
 * leads. A symbol belongs to the first library on the command line that exports it. */
#include "link/link.h"

#include <stdlib.h>
#include <string.h>

static int compare_names(struct wasm_slice a, struct wasm_slice b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_symbols(const void *left, const void *right)
{
    const struct link_symbol *a = left, *b = right;
    int order = compare_names(a->name, b->name);
    return order ? order : (a->library > b->library) - (a->library < b->library);
}

static uint32_t export_flags(const struct dylink *dylink, struct wasm_slice name)
{
    for (uint32_t i = 0; i < dylink->export_count; i++)
        if (wasm_slice_equal(dylink->exports[i].name, name))
            return dylink->exports[i].flags;
    return 0;
}

bool resolve_collect(struct link *link)
{
    size_t count = 0;
    for (uint32_t i = 0; i < link->library_count; i++)
        count += link->libraries[i].module.export_count;
    link->symbols = link_alloc(link, count, sizeof *link->symbols);
    if (!link->symbols)
        return false;
    for (uint32_t i = 0; i < link->library_count; i++) {
        const struct library *library = &link->libraries[i];
        for (uint32_t j = 0; j < library->module.export_count; j++) {
            const struct wasm_export *export = &library->module.exports[j];
            link->symbols[link->symbol_count++] =
                (struct link_symbol){export->name, export->kind, i, export->index,
                                     export_flags(&library->dylink, export->name)};
        }
    }
    qsort(link->symbols, link->symbol_count, sizeof *link->symbols, compare_symbols);
    return true;
}

const struct link_symbol *resolve_find(const struct link *link, enum wasm_kind kind,
                                       struct wasm_slice name)
{
    uint32_t low = 0, high = link->symbol_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_names(link->symbols[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < link->symbol_count && wasm_slice_equal(link->symbols[low].name, name); low++)
        if (link->symbols[low].kind == kind)
            return &link->symbols[low];
    return NULL;
}

/* The function that the runtime has replaced: of the first other library that exports it. */
static const struct link_symbol *find_next(const struct link *link, struct wasm_slice name)
{
    const struct link_symbol *symbol = resolve_find(link, WASM_FUNCTION, name);
    const struct link_symbol *end = link->symbols + link->symbol_count;
    while (symbol && symbol < end && wasm_slice_equal(symbol->name, name) &&
           (symbol->library == 0 || symbol->kind != WASM_FUNCTION))
        symbol++;
    return symbol && symbol < end && wasm_slice_equal(symbol->name, name) ? symbol : NULL;
}

static bool is_next(uint32_t library, const struct wasm_import *import)
{
    return library == 0 && wasm_slice_is(import->module, "next");
}

/* Function, data address (GOT.mem) and function address (GOT.func) all are symbols. */
static const struct link_symbol *find_provider(const struct link *link,
                                               const struct wasm_import *import)
{
    if (import->kind == WASM_FUNCTION && wasm_slice_is(import->module, "env"))
        return resolve_find(link, WASM_FUNCTION, import->name);
    if (import->kind == WASM_FUNCTION && wasm_slice_is(import->module, "next"))
        return find_next(link, import->name);
    if (import->kind == WASM_GLOBAL && wasm_slice_is(import->module, "GOT.func"))
        return resolve_find(link, WASM_FUNCTION, import->name);
    if (import->kind == WASM_GLOBAL && wasm_slice_is(import->module, "GOT.mem"))
        return resolve_find(link, WASM_GLOBAL, import->name);
    return NULL;
}

static bool include(struct library *library)
{
    bool first = !library->included;
    library->included = true;
    return first;
}

/* Takes what the library needs by name or by symbol. True when that added one. */
static bool include_needed(struct link *link, const struct library *library)
{
    bool added = false;
    for (uint32_t i = 0; i < library->dylink.needed_count; i++)
        for (uint32_t j = 0; j < link->library_count; j++)
            if (wasm_slice_is(library->dylink.needed[i], link->libraries[j].name))
                added |= include(&link->libraries[j]);
    for (uint32_t i = 0; i < library->module.import_count; i++) {
        const struct link_symbol *symbol = find_provider(link, &library->module.imports[i]);
        if (symbol)
            added |= include(&link->libraries[symbol->library]);
    }
    return added;
}

bool resolve_select(struct link *link)
{
    for (uint32_t i = 0; i < link->library_count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(link->libraries[i].name, link->libraries[j].name) == 0) {
                step_error("library given twice: %s and %s: both are named %s; name one of them "
                           "otherwise, NAME=FILE",
                           link->libraries[j].path, link->libraries[i].path,
                           link->libraries[i].name);
                return false;
            }
    for (uint32_t i = 0; i < link->library_count; i++)
        link->libraries[i].included = i == 0 || link->options.keep_all;
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = 0; i < link->library_count; i++)
            if (link->libraries[i].included)
                again |= include_needed(link, &link->libraries[i]);
    }
    return true;
}

bool resolve_type(struct link *link, const struct wasm_type *type, uint32_t *index)
{
    struct wasm_module *output = &link->output;
    for (*index = 0; *index < output->type_count; ++*index)
        if (wasm_type_equal(&output->types[*index], type))
            return true;
    /* Grows by doubling: at every power of two the array is full. */
    if ((output->type_count & (output->type_count - 1)) == 0) {
        struct wasm_type *types =
            link_alloc(link, output->type_count ? output->type_count * 2 : 1, sizeof *types);
        if (!types)
            return false;
        if (output->type_count)
            memcpy(types, output->types, output->type_count * sizeof *types);
        output->types = types;
    }
    output->types[output->type_count++] = *type;
    return true;
}

static bool is_weak(const struct library *library, struct wasm_slice name)
{
    for (uint32_t i = 0; i < library->dylink.import_count; i++)
        if (wasm_slice_equal(library->dylink.imports[i].name, name))
            return library->dylink.imports[i].flags & DYLINK_WEAK;
    return false;
}

static void unresolved(const struct library *library, const struct wasm_import *import,
                       const char *what)
{
    step_error("unresolved symbol: %s: %s %.*s; give the library that defines it, or define it in "
               "the runtime",
               library->path, what, (int)import->name.size, (const char *)import->name.data);
}

static bool target_symbol(struct link *link, const struct library *library,
                          const struct wasm_import *import, const struct link_symbol *symbol,
                          struct link_target *out)
{
    const struct library *provider = &link->libraries[symbol->library];
    int size = (int)import->name.size;
    const char *name = (const char *)import->name.data;
    if (symbol->index < provider->module.imported[WASM_FUNCTION]) {
        step_error("cannot link library: %s: it exports the function %.*s that it imports itself; "
                   "define it there",
                   provider->path, size, name);
        return false;
    }
    if (!wasm_type_equal(&library->module.types[import->type],
                         wasm_function_type(&provider->module, symbol->index))) {
        step_error("signatures differ: %s: the function %.*s that it imports is another one in "
                   "%s; compile both with the same headers",
                   library->path, size, name, provider->path);
        return false;
    }
    *out = (struct link_target){
        .kind = LINK_DEFINED, .library = symbol->library, .function = symbol->index};
    return true;
}

static bool target_import(struct link *link, uint32_t library, const struct wasm_import *import,
                          struct link_target *out)
{
    const struct library *libraries = link->libraries;
    for (uint32_t i = 0; i < link->import_count; i++) {
        const struct link_import *other = &link->imports[i];
        if (!wasm_slice_equal(other->import->module, import->module) ||
            !wasm_slice_equal(other->import->name, import->name))
            continue;
        *out = (struct link_target){.kind = LINK_IMPORTED, .number = i};
        if (wasm_type_equal(&libraries[other->library].module.types[other->import->type],
                            &libraries[library].module.types[import->type]))
            return true;
        step_error("signatures differ: %s: its import %.*s %.*s is another one in %s; compile "
                   "both with the same headers",
                   libraries[library].path, (int)import->module.size,
                   (const char *)import->module.data, (int)import->name.size,
                   (const char *)import->name.data, libraries[other->library].path);
        return false;
    }
    *out = (struct link_target){.kind = LINK_IMPORTED, .number = link->import_count};
    link->imports[link->import_count++] = (struct link_import){library, import};
    return true;
}

/* The runtime answers other libraries' imports from (module, name) as the export "module#name". */
static bool target_foreign(struct link *link, uint32_t library, const struct wasm_import *import,
                           struct link_target *out)
{
    if (library == 0)
        return target_import(link, library, import, out);
    size_t size = import->module.size + 1 + import->name.size;
    uint8_t *name = malloc(size);
    if (!name) {
        step_error("out of memory; close other programs and run again");
        return false;
    }
    memcpy(name, import->module.data, import->module.size);
    name[import->module.size] = '#';
    memcpy(name + import->module.size + 1, import->name.data, import->name.size);
    const struct link_symbol *symbol =
        resolve_find(link, WASM_FUNCTION, (struct wasm_slice){name, size});
    free(name);
    return symbol && symbol->library == 0
               ? target_symbol(link, &link->libraries[library], import, symbol, out)
               : target_import(link, library, import, out);
}

static bool target_stub(struct link *link, const struct library *library,
                        const struct wasm_import *import, struct link_target *out)
{
    uint32_t type;
    if (!resolve_type(link, &library->module.types[import->type], &type))
        return false;
    *out = (struct link_target){.kind = LINK_STUB, .number = link->stub_count};
    link->stubs[link->stub_count++] = (struct link_stub){type, import->name};
    return true;
}

static bool resolve_function(struct link *link, uint32_t library, const struct wasm_import *import,
                             struct link_target *out)
{
    const struct library *importer = &link->libraries[library];
    bool next = is_next(library, import);
    if (!next && !wasm_slice_is(import->module, "env"))
        return target_foreign(link, library, import, out);
    const struct link_symbol *symbol =
        next ? find_next(link, import->name) : resolve_find(link, WASM_FUNCTION, import->name);
    if (symbol)
        return target_symbol(link, importer, import, symbol, out);
    if (is_weak(importer, import->name))
        return target_stub(link, importer, import, out);
    unresolved(importer, import, "function");
    return false;
}

/* Goes on after an error, so that all unresolved symbols are told at once. */
bool resolve_functions(struct link *link)
{
    size_t count = 0;
    for (uint32_t i = 0; i < link->library_count; i++)
        count += link->libraries[i].module.imported[WASM_FUNCTION];
    link->imports = link_alloc(link, count, sizeof *link->imports);
    link->stubs = link_alloc(link, count, sizeof *link->stubs);
    if (!link->imports || !link->stubs)
        return false;
    bool done = true;
    for (uint32_t i = 0; i < link->library_count; i++) {
        struct library *library = &link->libraries[i];
        uint32_t index = 0;
        if (!library->included)
            continue;
        for (uint32_t j = 0; j < library->module.import_count; j++) {
            const struct wasm_import *import = &library->module.imports[j];
            if (import->kind == WASM_FUNCTION)
                done &= resolve_function(link, i, import, &library->targets[index++]);
        }
    }
    return done;
}

static bool data_address(struct link *link, const struct library *library,
                         const struct wasm_import *import, uint32_t *address)
{
    const struct link_symbol *symbol = resolve_find(link, WASM_GLOBAL, import->name);
    if (layout_symbol(link, import->name, address))
        return true;
    *address = 0;
    if (!symbol && is_weak(library, import->name))
        return true;
    if (!symbol) {
        unresolved(library, import, "data");
        return false;
    }
    const struct library *provider = &link->libraries[symbol->library];
    uint32_t imported = provider->module.imported[WASM_GLOBAL];
    if (symbol->index < imported || symbol->flags & DYLINK_TLS ||
        !rewrite_evaluate(provider, provider->module.globals[symbol->index - imported].init,
                          address)) {
        step_error("cannot link library: %s: the exported symbol %.*s is no address in its data; "
                   "thread-local data is not supported",
                   provider->path, (int)import->name.size, (const char *)import->name.data);
        return false;
    }
    if (!(symbol->flags & DYLINK_ABSOLUTE))
        *address += provider->memory_base;
    return true;
}

uint32_t resolve_slot(struct link *link, const struct link_symbol *symbol)
{
    uint32_t *known = &link->libraries[symbol->library].slots[symbol->index];
    if (!*known) {
        *known = link->layout.table_size++;
        link->extra_slots[link->extra_slot_count++] =
            (struct link_slot){symbol->library, symbol->index};
    }
    return *known;
}

/* The slot of a function whose address is taken in another library. */
static bool function_address(struct link *link, const struct library *library,
                             const struct wasm_import *import, uint32_t *slot)
{
    const struct link_symbol *symbol = resolve_find(link, WASM_FUNCTION, import->name);
    *slot = 0;
    if (!symbol && is_weak(library, import->name))
        return true;
    if (!symbol) {
        unresolved(library, import, "function");
        return false;
    }
    *slot = resolve_slot(link, symbol);
    return true;
}

static bool resolve_global(struct link *link, const struct library *library,
                           const struct wasm_import *import, struct link_global *out)
{
    uint32_t value = 0;
    bool done = true;
    if (wasm_slice_is(import->module, "GOT.mem"))
        done = data_address(link, library, import, &value);
    else if (wasm_slice_is(import->module, "GOT.func"))
        done = function_address(link, library, import, &value);
    else if (!wasm_slice_is(import->module, "env"))
        done = false;
    else if (wasm_slice_is(import->name, "__memory_base"))
        value = library->memory_base;
    else if (wasm_slice_is(import->name, "__table_base"))
        value = library->table_base;
    else if (wasm_slice_is(import->name, "__stack_pointer")) {
        *out = (struct link_global){.is_constant = false, .value = 0};
        return true;
    } else {
        unresolved(library, import, "global");
        return false;
    }
    *out = (struct link_global){true, value};
    return done;
}

static bool resolve_library_globals(struct link *link, struct library *library)
{
    uint32_t index = 0;
    bool done = true;
    for (uint32_t i = 0; i < library->module.import_count; i++) {
        const struct wasm_import *import = &library->module.imports[i];
        if (import->kind != WASM_GLOBAL)
            continue;
        if (import->global.value != WASM_I32) {
            step_error("cannot link library: %s: its imported global %.*s is no i32", library->path,
                       (int)import->name.size, (const char *)import->name.data);
            return false;
        }
        done &= resolve_global(link, library, import, &library->globals[index++]);
    }
    for (uint32_t i = 0; done && i < library->module.global_count; i++) {
        uint32_t value;
        if (!rewrite_evaluate(library, library->module.globals[i].init, &value)) {
            step_error("cannot link library: %s: its global %u is not made of i32 constants",
                       library->path, index);
            return false;
        }
        library->globals[index++] = (struct link_global){true, value};
    }
    return done;
}

bool resolve_globals(struct link *link)
{
    size_t count = link->table.count;
    for (uint32_t i = 0; i < link->library_count; i++)
        count += link->libraries[i].module.imported[WASM_GLOBAL];
    link->extra_slots = link_alloc(link, count, sizeof *link->extra_slots);
    bool done = link->extra_slots;
    for (uint32_t i = 0; i < link->library_count && link->extra_slots; i++)
        if (link->libraries[i].included)
            done &= resolve_library_globals(link, &link->libraries[i]);
    return done;
}
