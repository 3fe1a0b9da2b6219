/* The order of linking, and its memory. */
#include "link/link.h"

#include <stdlib.h>
#include <string.h>

void *link_alloc(struct link *link, size_t count, size_t item_size)
{
    void *memory = wasm_alloc(&link->output, count, item_size);
    if (!memory)
        step_error("out of memory; close other programs and run again");
    return memory;
}

bool link_copy(struct link *link, const struct wasm_buffer *buffer, struct wasm_slice *out)
{
    uint8_t *copy = buffer->failed ? NULL : link_alloc(link, buffer->size, 1);
    if (buffer->failed)
        step_error("out of memory; close other programs and run again");
    if (!copy)
        return false;
    if (buffer->size)
        memcpy(copy, buffer->data, buffer->size);
    *out = (struct wasm_slice){copy, buffer->size};
    return true;
}

static bool alloc_maps(struct link *link, struct library *library)
{
    const struct wasm_module *module = &library->module;
    uint32_t imported = module->imported[WASM_FUNCTION];
    library->targets = link_alloc(link, imported, sizeof *library->targets);
    library->functions =
        link_alloc(link, (size_t)imported + module->function_count, sizeof *library->functions);
    library->types = link_alloc(link, module->type_count, sizeof *library->types);
    library->globals =
        link_alloc(link, (size_t)module->imported[WASM_GLOBAL] + module->global_count,
                   sizeof *library->globals);
    return library->targets && library->functions && library->types && library->globals;
}

bool link_all(struct link *link)
{
    for (uint32_t i = 0; i < link->library_count; i++)
        if (!alloc_maps(link, &link->libraries[i]))
            return false;
    if (!resolve_collect(link) || !resolve_select(link) || !charge_resolve(link) ||
        !symbols_reserve(link) || !layout_memory(link) || !layout_table(link))
        return false;
    /* Both, so that everything unresolved is told at once. */
    bool functions = resolve_functions(link);
    bool globals = resolve_globals(link);
    return functions && globals && symbols_make(link) && merge_module(link);
}

void link_free(struct link *link)
{
    for (uint32_t i = 0; i < link->library_count; i++)
        library_free(&link->libraries[i]);
    wasm_free(&link->output);
    *link = (struct link){0};
}
