/* Charging a function: each activation takes some bytes of the shadow stack, which is all that a
 * program sees of its stack, while its frames lie on the engine's own. So recursion through
 * functions without a shadow frame is noticed by the program too.
 *
 * The body moves to a new function at the end; what stays under the old index, which calls, table
 * and exports know, takes the bytes, calls it and gives them back. */
#include "link/link.h"

#include <string.h>

enum {
    STACK_POINTER = 0, /* the global */
    STACK_ALIGNMENT = 16,
    OP_LOCAL_GET = 0x20,
    OP_I32_SUB = 0x6b
};

static bool find_name(const struct library *library, struct wasm_slice name, uint32_t *index)
{
    uint32_t imported = library->module.imported[WASM_FUNCTION];
    for (struct name_cursor cursor = names_begin(library); names_next(&cursor);)
        if (wasm_slice_equal(cursor.name, name) && cursor.index >= imported) {
            *index = cursor.index;
            return true;
        }
    return false;
}

/* A function of an included library, by its symbol, otherwise by its name. */
static bool find_function(struct link *link, struct link_charge *charge)
{
    struct wasm_slice name = wasm_slice_of(charge->name);
    const struct link_symbol *symbol = resolve_find(link, WASM_FUNCTION, name);
    if (symbol) {
        charge->library = symbol->library;
        charge->function = symbol->index;
        const struct library *library = &link->libraries[symbol->library];
        return library->included && symbol->index >= library->module.imported[WASM_FUNCTION];
    }
    for (uint32_t i = 0; i < link->library_count; i++) {
        charge->library = i;
        if (link->libraries[i].included && find_name(&link->libraries[i], name, &charge->function))
            return true;
    }
    return false;
}

bool charge_resolve(struct link *link)
{
    for (uint32_t i = 0; i < link->options.charge_count; i++) {
        struct link_charge *charge = &link->options.charges[i];
        if (charge->bytes == 0 || charge->bytes % STACK_ALIGNMENT ||
            charge->bytes > link->options.stack_size) {
            step_error("cannot charge: %s: %u bytes are no multiple of %d within the stack",
                       charge->name, charge->bytes, STACK_ALIGNMENT);
            return false;
        }
        if (!find_function(link, charge)) {
            step_error("cannot charge: %s: no linked library defines such a function; is it an "
                       "inlined or renamed one?",
                       charge->name);
            return false;
        }
        for (uint32_t j = 0; j < i; j++) {
            const struct link_charge *other = &link->options.charges[j];
            if (other->library == charge->library && other->function == charge->function) {
                step_error("cannot charge: %s: given twice", charge->name);
                return false;
            }
        }
    }
    return true;
}

static void put(struct wasm_buffer *code, uint8_t opcode, uint32_t index)
{
    wasm_put_byte(code, opcode);
    wasm_put_u(code, index);
}

static void put_move(struct wasm_buffer *code, uint32_t bytes, uint8_t operation)
{
    put(code, WASM_OP_GLOBAL_GET, STACK_POINTER);
    wasm_put_byte(code, WASM_OP_I32_CONST);
    wasm_put_s(code, bytes);
    wasm_put_byte(code, operation);
    put(code, WASM_OP_GLOBAL_SET, STACK_POINTER);
}

/* Adding the bytes again is quicker than keeping the old pointer in a local across the call. */
static bool make_wrapper(struct link *link, const struct wasm_type *type, uint32_t bytes,
                         uint32_t target, struct wasm_slice *body)
{
    struct wasm_buffer code = {0};
    wasm_put_byte(&code, 0); /* no locals */
    put_move(&code, bytes, OP_I32_SUB);
    for (uint32_t i = 0; i < type->params.size; i++)
        put(&code, OP_LOCAL_GET, i);
    put(&code, WASM_OP_CALL, target);
    put_move(&code, bytes, WASM_OP_I32_ADD);
    wasm_put_byte(&code, WASM_OP_END);
    bool copied = link_copy(link, &code, body);
    wasm_buffer_free(&code);
    return copied;
}

bool charge_apply(struct link *link)
{
    struct wasm_module *output = &link->output;
    for (uint32_t i = 0; i < link->options.charge_count; i++) {
        const struct link_charge *charge = &link->options.charges[i];
        uint32_t index = link->libraries[charge->library].functions[charge->function];
        struct wasm_function *function = &output->functions[index - link->import_count];
        uint32_t copy = link->import_count + output->function_count;
        output->functions[output->function_count++] = *function;
        if (!make_wrapper(link, &output->types[function->type], charge->bytes, copy,
                          &function->body))
            return false;
    }
    return true;
}
