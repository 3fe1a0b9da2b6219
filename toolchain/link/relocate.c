/* Relocations of data, applied when linking instead of when starting: all addresses are known.
 *
 * wasm-ld writes __wasm_apply_data_relocs as a long run of "address, value, i32.store", both made
 * of constants, globals and additions. Such a function is carried out here and emptied, which takes
 * hundreds of kilobytes of code out of the module. Anything else in it, or a store outside of the
 * data, leaves the library as it is. */
#include "link/link.h"

#include <string.h>

enum { STACK_DEPTH = 16 };

static uint8_t *locate(const struct library *library, uint32_t address)
{
    for (uint32_t i = 0; i < library->module.data_count; i++) {
        const struct link_segment *segment = &library->segments[i];
        if (segment->bytes && address >= segment->address && segment->size >= 4 &&
            address - segment->address <= segment->size - 4)
            return segment->bytes + (address - segment->address);
    }
    return NULL;
}

static bool store(const struct library *library, const struct wasm_instruction *instruction,
                  uint32_t address, uint32_t value, bool apply)
{
    struct wasm_reader immediates = wasm_reader_of((struct wasm_slice){
        instruction->begin + 1, (size_t)(instruction->end - instruction->begin - 1)});
    uint32_t flags = wasm_get_u32(&immediates);
    uint64_t offset = wasm_get_u64(&immediates);
    if (flags & 0x40 || offset > UINT32_MAX - address)
        return false;
    uint8_t *place = locate(library, address + (uint32_t)offset);
    if (place && apply) {
        const uint8_t bytes[4] = {value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff, value >> 24};
        memcpy(place, bytes, sizeof bytes);
    }
    return place;
}

static bool push_constant(const struct library *library, const struct wasm_instruction *instruction,
                          uint32_t *value)
{
    if (instruction->opcode == WASM_OP_I32_CONST) {
        struct wasm_reader immediate = wasm_reader_of((struct wasm_slice){
            instruction->begin + 1, (size_t)(instruction->end - instruction->begin - 1)});
        *value = (uint32_t)wasm_get_s(&immediate, 32);
        return true;
    }
    uint32_t global_count = library->module.imported[WASM_GLOBAL] + library->module.global_count;
    if (instruction->opcode != WASM_OP_GLOBAL_GET ||
        instruction->operands[0].value >= global_count ||
        !library->globals[instruction->operands[0].value].is_constant)
        return false;
    *value = library->globals[instruction->operands[0].value].value;
    return true;
}

/* False when the function does something else than storing constants into the data. */
static bool run(const struct library *library, struct wasm_slice body, bool apply)
{
    struct wasm_reader reader = wasm_reader_of(body);
    struct wasm_instruction instruction = {0};
    uint32_t stack[STACK_DEPTH];
    int depth = 0;
    wasm_skip_locals(&reader);
    while (wasm_next_instruction(&reader, &instruction)) {
        if (instruction.opcode == WASM_OP_END)
            return depth == 0 && reader.next == reader.end;
        if (instruction.opcode == WASM_OP_I32_ADD && depth >= 2) {
            stack[depth - 2] += stack[depth - 1];
            depth--;
        } else if (instruction.opcode == WASM_OP_I32_STORE && depth >= 2) {
            depth -= 2;
            if (!store(library, &instruction, stack[depth], stack[depth + 1], apply))
                return false;
        } else if (depth < STACK_DEPTH && push_constant(library, &instruction, &stack[depth])) {
            depth++;
        } else {
            return false;
        }
    }
    return false;
}

void relocate_data(struct library *library)
{
    static const uint8_t empty_body[] = {0, WASM_OP_END};
    struct wasm_module *module = &library->module;
    const struct wasm_export *export =
        wasm_find_export(module, WASM_FUNCTION, "__wasm_apply_data_relocs");
    uint32_t imported = module->imported[WASM_FUNCTION];
    if (!export) {
        library->relocated = true;
        return;
    }
    if (export->index < imported)
        return;
    struct wasm_function *function = &module->functions[export->index - imported];
    if (!run(library, function->body, false))
        return;
    run(library, function->body, true);
    function->body = (struct wasm_slice){empty_body, sizeof empty_body};
    library->relocated = true;
}
