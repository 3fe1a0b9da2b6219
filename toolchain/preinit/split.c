/* The module without its data, and the data: see split.h. */
#include "preinit/split.h"

#include <inttypes.h>
#include <string.h>

#include "file.h"

#define WASM_PAGE UINT64_C(65536)

static bool check_body(const struct wasm_module *module, uint32_t index)
{
    struct wasm_reader reader = wasm_reader_of(module->functions[index].body);
    struct wasm_instruction instruction;
    wasm_skip_locals(&reader);
    while (wasm_next_instruction(&reader, &instruction)) {
        const char *name = wasm_table_or_segment_change(instruction.opcode);
        if (name) {
            step_error("function %u uses %s, whose effect an image cannot hold",
                       module->imported[WASM_FUNCTION] + index, name);
            return false;
        }
    }
    if (reader.failed)
        step_error("function %u: %s", module->imported[WASM_FUNCTION] + index, reader.error.reason);
    return !reader.failed;
}

static bool is_exported(const struct wasm_module *module, enum wasm_kind kind, uint32_t index)
{
    for (uint32_t i = 0; i < module->export_count; i++)
        if (module->exports[i].kind == kind && module->exports[i].index == index)
            return true;
    return false;
}

static bool check_state(const struct wasm_module *module)
{
    if (module->memory_count != 1 || module->imported[WASM_MEMORY] != 0 ||
        !wasm_find_export(module, WASM_MEMORY, "memory")) {
        step_error("the module must have one memory of its own, exported as 'memory'");
        return false;
    }
    if (module->has_start) {
        step_error("the module has a start function, which would run again in every sandbox");
        return false;
    }
    for (uint32_t i = 0; i < module->global_count; i++) {
        uint32_t index = module->imported[WASM_GLOBAL] + i;
        if (module->globals[i].type.mutable && !is_exported(module, WASM_GLOBAL, index)) {
            step_error("the mutable global %u is not exported, so its value cannot be kept", index);
            return false;
        }
    }
    return true;
}

bool split_check(const struct wasm_module *module)
{
    if (!check_state(module))
        return false;
    for (uint32_t i = 0; i < module->data_count; i++)
        if (module->data[i].mode != WASM_ACTIVE) {
            step_error("data segment %u is passive, which an image cannot hold", i);
            return false;
        }
    for (uint32_t i = 0; i < module->function_count; i++)
        if (!check_body(module, i))
            return false;
    return true;
}

bool split_code(const struct wasm_module *module, uint64_t memory_bytes, struct wasm_buffer *out)
{
    struct wasm_module copy = *module;
    struct wasm_limits memory = module->memories[0];
    struct wasm_custom names;
    const struct wasm_custom *found = wasm_find_custom(module, "name");
    if (found)
        names = *found;
    memory.min = memory_bytes / WASM_PAGE;
    copy.memories = &memory;
    copy.customs = &names;
    copy.custom_count = found ? 1 : 0;
    copy.data_count = 0;
    copy.has_data_count = false;
    if (!wasm_encode(&copy, out)) {
        step_error("cannot encode the module: out of memory");
        return false;
    }
    return true;
}

bool split_write_data(const struct wasm_module *module, uint8_t *memory, uint64_t memory_bytes)
{
    for (uint32_t i = 0; i < module->data_count; i++) {
        const struct wasm_data *data = &module->data[i];
        int64_t offset;
        if (!wasm_constant(data->offset, &offset)) {
            step_error("data segment %u: its address is no constant", i);
            return false;
        }
        uint64_t at = (uint32_t)offset;
        if (at > memory_bytes || data->bytes.size > memory_bytes - at) {
            step_error("data segment %u (address %" PRIu64 ", %zu bytes) is outside of memory", i,
                       at, data->bytes.size);
            return false;
        }
        memcpy(memory + at, data->bytes.data, data->bytes.size);
    }
    return true;
}
