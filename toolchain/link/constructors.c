/* The body of eryx_ctors: what the libraries' start sections and crt files would have done.
 *
 * First all start functions (they zero the bss), then the relocations that are left, then the
 * constructors, a library after those it needs; the runtime, which needs all, is the last. */
#include "link/link.h"

static void put_call(struct wasm_buffer *code, uint32_t function)
{
    wasm_put_byte(code, WASM_OP_CALL);
    wasm_put_u(code, function);
}

static void put_exported_call(struct wasm_buffer *code, const struct library *library,
                              const struct wasm_export *export)
{
    if (export)
        put_call(code, library->functions[export->index]);
}

static void put_constructors(struct wasm_buffer *code, const struct library *library)
{
    const struct wasm_module *module = &library->module;
    const struct wasm_export *export = wasm_find_export(module, WASM_FUNCTION, "_initialize");
    if (!export)
        export = wasm_find_export(module, WASM_FUNCTION, "__wasm_call_ctors");
    put_exported_call(code, library, export);
}

/* Depth first. done marks libraries that are finished or being visited, which ends cycles. */
static void visit(const struct link *link, uint32_t index, bool *done, struct wasm_buffer *code)
{
    const struct library *library = &link->libraries[index];
    if (done[index] || !library->included)
        return;
    done[index] = true;
    for (uint32_t i = 0; i < library->dylink.needed_count; i++)
        for (uint32_t j = 0; j < link->library_count; j++)
            if (wasm_slice_is(library->dylink.needed[i], link->libraries[j].name))
                visit(link, j, done, code);
    put_constructors(code, library);
}

/* Neither parameters nor results; anything else could not be called here. */
static bool check_signatures(const struct library *library)
{
    static const char *const names[] = {"_initialize", "__wasm_call_ctors",
                                        "__wasm_apply_data_relocs"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct wasm_export *export =
            wasm_find_export(&library->module, WASM_FUNCTION, names[i]);
        if (!export)
            continue;
        const struct wasm_type *type = wasm_function_type(&library->module, export->index);
        if (type->params.size || type->results.size) {
            step_error("cannot link library: %s: %s takes parameters or returns something",
                       library->path, names[i]);
            return false;
        }
    }
    return true;
}

static void put_starts(const struct link *link, struct wasm_buffer *code)
{
    for (uint32_t i = 0; i < link->library_count; i++) {
        const struct library *library = &link->libraries[i];
        if (library->included && library->module.has_start)
            put_call(code, library->functions[library->module.start]);
    }
}

static void put_relocations(const struct link *link, struct wasm_buffer *code)
{
    for (uint32_t i = 0; i < link->library_count; i++) {
        const struct library *library = &link->libraries[i];
        if (library->included && !library->relocated)
            put_exported_call(
                code, library,
                wasm_find_export(&library->module, WASM_FUNCTION, "__wasm_apply_data_relocs"));
    }
}

bool constructors_make(struct link *link, struct wasm_slice *body)
{
    bool *done = link_alloc(link, link->library_count, sizeof *done);
    if (!done)
        return false;
    for (uint32_t i = 0; i < link->library_count; i++)
        if (link->libraries[i].included && !check_signatures(&link->libraries[i]))
            return false;
    struct wasm_buffer code = {0};
    wasm_put_byte(&code, 0); /* no locals */
    put_starts(link, &code);
    put_relocations(link, &code);
    for (uint32_t i = 1; i < link->library_count; i++)
        visit(link, i, done, &code);
    visit(link, 0, done, &code);
    wasm_put_byte(&code, WASM_OP_END);
    bool copied = link_copy(link, &code, body);
    wasm_buffer_free(&code);
    return copied;
}
