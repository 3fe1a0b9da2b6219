/* See check.h. Types and nesting are the engine's business, which validates the module later. */
#include "extension/check.h"

#include "base/error.h"

/* --- Segments ----------------------------------------------------------------------------- */

/* The name of an imported global; empty if it is none. */
static struct wasm_slice global_name(const struct wasm_module *module, uint32_t index) {
    for (uint32_t i = 0; i < module->import_count; i++)
        if (module->imports[i].kind == WASM_GLOBAL && index-- == 0)
            return wasm_slice_is(module->imports[i].module, "env") ? module->imports[i].name
                                                                   : (struct wasm_slice){0};
    return (struct wasm_slice){0};
}

/* `global.get base`, or that `+ constant`, in either order: where in the region it is. */
static bool find_offset(const struct wasm_module *module, struct wasm_slice expression,
                        const char *base, uint32_t *offset) {
    struct wasm_reader reader = wasm_reader_of(expression);
    struct wasm_instruction instruction = {0};
    bool based = false;
    int values = 0;
    *offset = 0;
    while (wasm_next_instruction(&reader, &instruction)) {
        if (instruction.opcode == WASM_OP_END)
            return based && values == 1 && reader.next == reader.end;
        if (instruction.opcode == WASM_OP_GLOBAL_GET && !based) {
            based = wasm_slice_is(global_name(module, instruction.operands[0].value), base);
            values++;
        } else if (instruction.opcode == WASM_OP_I32_CONST && *offset == 0) {
            struct wasm_reader constant = wasm_reader_of((struct wasm_slice){
                instruction.begin + 1, (size_t)(instruction.end - instruction.begin - 1)});
            *offset = (uint32_t)wasm_get_s(&constant, 32);
            values++;
        } else if (instruction.opcode == WASM_OP_I32_ADD && values == 2) {
            values = 1;
        } else {
            return false;
        }
    }
    return false;
}

static int check_data(const struct wasm_module *module, uint32_t index,
                      const extension_needs_t *needs, eryx_error_t *error) {
    const struct wasm_data *data = &module->data[index];
    uint32_t offset;
    if (data->mode != WASM_ACTIVE)
        return error_set(error, ERYX_ERR_FORMAT,
                         "data segment %u is passive; link without --shared-memory", index);
    if (!find_offset(module, data->offset, "__memory_base", &offset))
        return error_set(error, ERYX_ERR_FORMAT,
                         "the address of data segment %u is not relative to __memory_base", index);
    if (offset > needs->memory_bytes || data->bytes.size > needs->memory_bytes - offset)
        return error_set(error, ERYX_ERR_FORMAT,
                         "data segment %u (offset %u, %zu bytes) is outside of its %u bytes", index,
                         offset, data->bytes.size, needs->memory_bytes);
    return ERYX_OK;
}

static int check_element(const struct wasm_module *module, uint32_t index,
                         const extension_needs_t *needs, eryx_error_t *error) {
    const struct wasm_element *element = &module->elements[index];
    uint32_t offset;
    if (element->mode == WASM_DECLARED)
        return ERYX_OK;
    if (element->mode != WASM_ACTIVE || !element->functions || element->type != WASM_FUNCREF)
        return error_set(error, ERYX_ERR_FORMAT,
                         "element segment %u is not a list of functions in the table", index);
    if (!find_offset(module, element->offset, "__table_base", &offset))
        return error_set(error, ERYX_ERR_FORMAT,
                         "the place of element segment %u is not relative to __table_base", index);
    if (offset > needs->table_slots || element->count > needs->table_slots - offset)
        return error_set(error, ERYX_ERR_FORMAT,
                         "element segment %u (slot %u, %u functions) is outside of its %u slots",
                         index, offset, element->count, needs->table_slots);
    return ERYX_OK;
}

int extension_check_segments(const struct wasm_module *module, const extension_needs_t *needs,
                             eryx_error_t *error) {
    int status = ERYX_OK;
    for (uint32_t i = 0; i < module->data_count && status == ERYX_OK; i++)
        status = check_data(module, i, needs, error);
    for (uint32_t i = 0; i < module->element_count && status == ERYX_OK; i++)
        status = check_element(module, i, needs, error);
    return status;
}

/* --- Code --------------------------------------------------------------------------------- */

static int check_instruction(const struct wasm_module *module, uint32_t function,
                             const struct wasm_instruction *instruction, eryx_error_t *error) {
    /* What a checkpoint does not hold, or memory guards do not cover. */
    const char *name = wasm_table_or_segment_change(instruction->opcode);
    if (name)
        return error_set(error, ERYX_ERR_FORMAT, "function %u uses %s", function, name);
    if (instruction->opcode >> 16 == 0xfe)
        return error_set(error, ERYX_ERR_FORMAT,
                         "function %u uses threads; compile without "
                         "-pthread",
                         function);
    if (instruction->opcode == WASM_OP_GLOBAL_SET &&
        !wasm_slice_is(global_name(module, instruction->operands[0].value), "__stack_pointer"))
        return error_set(error, ERYX_ERR_FORMAT,
                         "function %u sets a global other than __stack_pointer", function);
    return ERYX_OK;
}

static int check_body(const struct wasm_module *module, uint32_t function, struct wasm_slice body,
                      eryx_error_t *error) {
    struct wasm_reader reader = wasm_reader_of(body);
    struct wasm_instruction instruction = {0};
    int status = ERYX_OK;
    if (body.size > EXTENSION_BODY_MAX)
        return error_set(error, ERYX_ERR_LIMIT, "function %u has %zu bytes, %zu are the limit",
                         function, body.size, EXTENSION_BODY_MAX);
    wasm_skip_locals(&reader);
    while (status == ERYX_OK && wasm_next_instruction(&reader, &instruction))
        status = check_instruction(module, function, &instruction, error);
    if (status == ERYX_OK && reader.failed)
        status = error_set(error, ERYX_ERR_FORMAT, "malformed: function %u, byte %zu: %s", function,
                           reader.error.offset, reader.error.reason);
    return status;
}

int extension_check_code(const struct wasm_module *module, eryx_error_t *error) {
    int status = ERYX_OK;
    for (uint32_t i = 0; i < module->function_count && status == ERYX_OK; i++)
        status = check_body(module, module->imported[WASM_FUNCTION] + i, module->functions[i].body,
                            error);
    return status;
}
