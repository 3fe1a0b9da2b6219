/* Code and constant expressions of a library with the indices of the merged module. Reading a
 * global whose value is known becomes a constant. */
#include "link/link.h"

#include <string.h>

enum { EVALUATION_DEPTH = 16 };

static uint32_t index_limit(const struct library *library, enum wasm_operand_kind kind)
{
    const struct wasm_module *module = &library->module;
    switch (kind) {
    case WASM_OPERAND_FUNCTION:
        return module->imported[WASM_FUNCTION] + module->function_count;
    case WASM_OPERAND_TABLE:
        return module->imported[WASM_TABLE];
    case WASM_OPERAND_MEMORY:
        return module->imported[WASM_MEMORY];
    case WASM_OPERAND_GLOBAL:
        return module->imported[WASM_GLOBAL] + module->global_count;
    case WASM_OPERAND_TYPE:
    case WASM_OPERAND_BLOCK_TYPE:
        return module->type_count;
    case WASM_OPERAND_ELEMENT:
        return module->element_count;
    case WASM_OPERAND_DATA:
        return module->data_count;
    case WASM_OPERAND_TAG:
        return 0;
    }
    return 0;
}

static uint32_t merged_index(const struct library *library, const struct wasm_operand *operand)
{
    switch (operand->kind) {
    case WASM_OPERAND_FUNCTION:
        return library->functions[operand->value];
    case WASM_OPERAND_GLOBAL:
        return library->globals[operand->value].value;
    case WASM_OPERAND_TYPE:
    case WASM_OPERAND_BLOCK_TYPE:
        return library->types[operand->value];
    case WASM_OPERAND_ELEMENT:
        return library->first_element + operand->value;
    case WASM_OPERAND_DATA:
        return library->first_data + operand->value;
    case WASM_OPERAND_TABLE:
    case WASM_OPERAND_MEMORY:
    case WASM_OPERAND_TAG:
        break;
    }
    return operand->value;
}

static bool check_operands(const struct library *library, struct wasm_reader *reader,
                           const struct wasm_instruction *instruction)
{
    for (uint32_t i = 0; i < instruction->operand_count; i++) {
        const struct wasm_operand *operand = &instruction->operands[i];
        uint32_t limit = index_limit(library, operand->kind);
        if (operand->value >= limit) {
            reader->next = instruction->begin;
            wasm_fail(reader, "instruction 0x%x: index %u of %u", instruction->opcode,
                      operand->value, limit);
            return false;
        }
    }
    return true;
}

/* global.get of a constant: the constant. Writing one cannot be meant. */
static bool rewrite_constant(const struct library *library, struct wasm_reader *reader,
                             const struct wasm_instruction *instruction, struct wasm_buffer *out)
{
    bool get = instruction->opcode == WASM_OP_GLOBAL_GET;
    if (!get && instruction->opcode != WASM_OP_GLOBAL_SET)
        return false;
    const struct link_global *global = &library->globals[instruction->operands[0].value];
    if (!global->is_constant)
        return false;
    if (!get) {
        reader->next = instruction->begin;
        wasm_fail(reader, "global.set of an address");
    }
    wasm_put_byte(out, WASM_OP_I32_CONST);
    wasm_put_s(out, (int32_t)global->value);
    return true;
}

void rewrite_instructions(const struct library *library, struct wasm_reader *reader,
                          struct wasm_buffer *out)
{
    struct wasm_instruction instruction = {0};
    while (wasm_next_instruction(reader, &instruction)) {
        if (!check_operands(library, reader, &instruction) ||
            rewrite_constant(library, reader, &instruction, out))
            continue;
        const uint8_t *copied = instruction.begin;
        for (uint32_t i = 0; i < instruction.operand_count; i++) {
            const struct wasm_operand *operand = &instruction.operands[i];
            wasm_put(out, copied, (size_t)(operand->begin - copied));
            if (operand->kind == WASM_OPERAND_BLOCK_TYPE)
                wasm_put_s(out, merged_index(library, operand));
            else
                wasm_put_u(out, merged_index(library, operand));
            copied = operand->end;
        }
        wasm_put(out, copied, (size_t)(instruction.end - copied));
    }
}

bool rewrite_evaluate(const struct library *library, struct wasm_slice expression, uint32_t *value)
{
    struct wasm_reader reader = wasm_reader_of(expression);
    struct wasm_instruction instruction = {0};
    uint32_t stack[EVALUATION_DEPTH];
    int depth = 0;
    while (wasm_next_instruction(&reader, &instruction)) {
        if (instruction.opcode == WASM_OP_END) {
            *value = depth == 1 ? stack[0] : 0;
            return depth == 1;
        }
        if (instruction.opcode == WASM_OP_I32_CONST && depth < EVALUATION_DEPTH) {
            struct wasm_reader constant = wasm_reader_of((struct wasm_slice){
                instruction.begin + 1, (size_t)(instruction.end - instruction.begin - 1)});
            stack[depth++] = (uint32_t)wasm_get_s(&constant, 32);
        } else if (instruction.opcode == WASM_OP_GLOBAL_GET && depth < EVALUATION_DEPTH &&
                   library->globals[instruction.operands[0].value].is_constant) {
            stack[depth++] = library->globals[instruction.operands[0].value].value;
        } else if (instruction.opcode == WASM_OP_I32_ADD && depth >= 2) {
            stack[depth - 2] += stack[depth - 1];
            depth--;
        } else {
            return false;
        }
    }
    return false;
}
