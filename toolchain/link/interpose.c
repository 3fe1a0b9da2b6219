/* Interposing: the first library that defines a function defines it for all of them, also for
 * the calls and addresses inside the library that has a definition of its own. */
#include "link/link.h"

static bool same_type(const struct link *link, const struct link_symbol *a,
                      const struct link_symbol *b)
{
    const struct wasm_type *first =
        wasm_function_type(&link->libraries[a->library].module, a->index);
    const struct wasm_type *second =
        wasm_function_type(&link->libraries[b->library].module, b->index);
    return wasm_type_equal(first, second);
}

static bool interpose(struct link *link, const char *text)
{
    struct wasm_slice name = wasm_slice_of(text);
    const struct link_symbol *first = resolve_find(link, WASM_FUNCTION, name);
    const struct link_symbol *end = link->symbols + link->symbol_count;
    bool any = false;
    for (const struct link_symbol *other = first ? first + 1 : end;
         other < end && wasm_slice_equal(other->name, name); other++) {
        struct library *library = &link->libraries[other->library];
        if (other->kind != WASM_FUNCTION || !library->included)
            continue;
        if (!same_type(link, first, other)) {
            step_error("cannot interpose: %s: %s and %s define it with different types", text,
                       link->libraries[first->library].name, library->name);
            return false;
        }
        library->functions[other->index] = link->libraries[first->library].functions[first->index];
        any = true;
    }
    if (!any)
        step_error("cannot interpose: %s: it takes two libraries that define it", text);
    return any;
}

bool interpose_all(struct link *link)
{
    for (uint32_t i = 0; i < link->options.interposed_count; i++)
        if (!interpose(link, link->options.interposed[i]))
            return false;
    return true;
}
