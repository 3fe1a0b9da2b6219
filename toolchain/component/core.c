/* The core module of the component: see core.h. */
#include "component/core.h"

#include <string.h>

#define WASM_PAGE UINT64_C(65536)
#define BLOCK 4096u /* data segments begin and end at multiples of this */

static bool is_zero(const uint8_t *block)
{
    static const uint8_t zeros[BLOCK];
    return memcmp(block, zeros, BLOCK) == 0;
}

/* Counts the runs of blocks that are not zero; stores them if out is not NULL. */
static uint32_t find_runs(struct wasm_module *module, const struct file_bytes *memory,
                          struct wasm_data *out)
{
    uint32_t count = 0;
    for (size_t at = 0; at < memory->size;) {
        size_t start = at;
        while (at < memory->size && !is_zero(memory->data + at))
            at += BLOCK;
        if (at > start) {
            if (out)
                out[count] =
                    (struct wasm_data){.mode = WASM_ACTIVE,
                                       .offset = wasm_i32_const(module, (int32_t)(uint32_t)start),
                                       .bytes = {memory->data + start, at - start}};
            count++;
        } else {
            at += BLOCK;
        }
    }
    return count;
}

static bool set_data(struct wasm_module *module, const struct file_bytes *memory)
{
    uint32_t count = find_runs(module, memory, NULL);
    struct wasm_data *data = wasm_alloc(module, count + 1, sizeof *data);
    if (!data)
        return false;
    find_runs(module, memory, data);
    for (uint32_t i = 0; i < count; i++)
        if (data[i].offset.size == 0)
            return false;
    module->data = data;
    module->data_count = count;
    module->has_data_count = false;
    return true;
}

static bool set_global(struct wasm_module *module, const image_global_t *saved)
{
    const struct wasm_export *export = wasm_find_export(module, WASM_GLOBAL, saved->name);
    uint32_t imported = module->imported[WASM_GLOBAL];
    if (!export || export->index < imported) {
        step_error("the module has no global '%s', which the image has", saved->name);
        return false;
    }
    struct wasm_global *global = &module->globals[export->index - imported];
    if (!saved->mutable_)
        return true;
    if (global->type.value != WASM_I32) {
        step_error("the mutable global '%s' is not of type i32", saved->name);
        return false;
    }
    global->init = wasm_i32_const(module, (int32_t)(uint32_t)saved->value);
    return global->init.size > 0;
}

/* Names stay: precompile keeps them too, and traps show them. */
static void drop_customs(struct wasm_module *module)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < module->custom_count; i++)
        if (wasm_slice_is(module->customs[i].name, "name"))
            module->customs[kept++] = module->customs[i];
    module->custom_count = kept;
}

bool core_from_image(struct wasm_module *module, const struct file_bytes *memory,
                     const image_footer_t *footer)
{
    if (module->memory_count != 1 || module->has_start || memory->size % WASM_PAGE != 0) {
        step_error("the module must be the one that preinit was given");
        return false;
    }
    for (uint32_t i = 0; i < footer->global_count; i++)
        if (!set_global(module, &footer->globals[i]))
            return false;
    module->memories[0].min = footer->memory_min_bytes / WASM_PAGE;
    drop_customs(module);
    if (!set_data(module, memory)) {
        step_error("out of memory; close other programs and run again");
        return false;
    }
    return true;
}
