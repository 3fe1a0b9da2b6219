/* What the merged module exports: see "Linking contract" in docs/architecture.md. */
#include "link/link.h"

#include <string.h>

static bool begins_with(struct wasm_slice name, const char *prefix)
{
    size_t size = strlen(prefix);
    return name.size >= size && memcmp(name.data, prefix, size) == 0;
}

/* Names of the world: "[async-lift]execute", "eryx:sandbox/control#wake", "clear-state",
 * "cabi_realloc". Names with '#' are otherwise the runtime's answers to other libraries, and a '-'
 * is in no C function's name. */
static bool is_public(struct wasm_slice name)
{
    if (begins_with(name, "eryx:") || begins_with(name, "eryx_") || begins_with(name, "[") ||
        begins_with(name, "cabi_"))
        return true;
    return !memchr(name.data, '#', name.size) && memchr(name.data, '-', name.size);
}

static bool add_export(struct link *link, struct wasm_slice name, enum wasm_kind kind,
                       uint32_t index)
{
    struct wasm_module *output = &link->output;
    for (uint32_t i = 0; i < output->export_count; i++)
        if (wasm_slice_equal(output->exports[i].name, name)) {
            if (output->exports[i].kind == kind && output->exports[i].index == index)
                return true;
            step_error("cannot link library: %s: the linker itself makes its export %.*s; rename "
                       "it there",
                       link->libraries[0].path, (int)name.size, (const char *)name.data);
            return false;
        }
    output->exports[output->export_count++] = (struct wasm_export){name, kind, index};
    return true;
}

static bool add_global(struct link *link, bool mutable, uint32_t value)
{
    struct wasm_global *global = &link->output.globals[link->output.global_count++];
    global->type = (struct wasm_global_type){WASM_I32, mutable};
    global->init = wasm_i32_const(&link->output, (int32_t)value);
    return global->init.size;
}

static bool add_address(struct link *link, struct wasm_slice name, uint32_t address)
{
    uint32_t index = link->output.global_count;
    return add_global(link, false, address) && add_export(link, name, WASM_GLOBAL, index);
}

static bool add_symbol(struct link *link, const struct link_symbol *symbol)
{
    const struct library *library = &link->libraries[symbol->library];
    uint32_t imported = library->module.imported[WASM_GLOBAL], address;
    if (symbol->kind == WASM_FUNCTION)
        return add_export(link, symbol->name, WASM_FUNCTION, library->functions[symbol->index]);
    if (symbol->kind != WASM_GLOBAL || symbol->index < imported ||
        !rewrite_evaluate(library, library->module.globals[symbol->index - imported].init,
                          &address)) {
        step_error("cannot link library: %s: its export %.*s is neither function nor data",
                   library->path, (int)symbol->name.size, (const char *)symbol->name.data);
        return false;
    }
    address += symbol->flags & DYLINK_ABSOLUTE ? 0 : library->memory_base;
    return add_address(link, symbol->name, address);
}

static bool add_requested(struct link *link)
{
    for (uint32_t i = 0; i < link->options.export_count; i++) {
        struct wasm_slice name = wasm_slice_of(link->options.exports[i]);
        const struct link_symbol *symbol = resolve_find(link, WASM_FUNCTION, name);
        if (!symbol)
            symbol = resolve_find(link, WASM_GLOBAL, name);
        if (!symbol || !link->libraries[symbol->library].included) {
            step_error("cannot export: %s: no linked library has such a symbol; see --keep-all",
                       link->options.exports[i]);
            return false;
        }
        if (!add_symbol(link, symbol))
            return false;
    }
    return true;
}

bool exports_add(struct link *link)
{
    struct wasm_module *output = &link->output;
    const struct link_layout *layout = &link->layout;
    size_t most = 7 + link->libraries[0].module.export_count + link->options.export_count;
    output->exports = link_alloc(link, most, sizeof *output->exports);
    output->globals = link_alloc(link, most, sizeof *output->globals);
    bool done = output->exports && output->globals && add_global(link, true, layout->stack_high) &&
                add_export(link, wasm_slice_of("memory"), WASM_MEMORY, 0) &&
                add_export(link, wasm_slice_of("__indirect_function_table"), WASM_TABLE, 0) &&
                add_export(link, wasm_slice_of("__stack_pointer"), WASM_GLOBAL, 0) &&
                add_export(link, wasm_slice_of("eryx_ctors"), WASM_FUNCTION,
                           merge_constructors_index(link)) &&
                add_address(link, wasm_slice_of("eryx_constant_start"), layout->constant_start) &&
                add_address(link, wasm_slice_of("eryx_constant_end"), layout->constant_end);
    if (done && link->options.symbols)
        done = add_address(link, wasm_slice_of("eryx_symbols"), layout->symbols);
    for (uint32_t i = 0; done && i < link->symbol_count; i++)
        if (link->symbols[i].library == 0 && is_public(link->symbols[i].name))
            done = add_symbol(link, &link->symbols[i]);
    return done && add_requested(link);
}
