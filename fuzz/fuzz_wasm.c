/* Fuzz target: any bytes as a wasm module, or as a component with one. What is accepted must be
 * written and read again to the same bytes, walked instruction by instruction, and take polls. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wasm/safepoints.h"
#include "wasm/component.h"
#include "wasm/wasm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct wasm_module *module)
{
    for (uint32_t i = 0; i < module->function_count; i++) {
        struct wasm_reader reader = wasm_reader_of(module->functions[i].body);
        struct wasm_instruction instruction = {0};
        const uint8_t *next;
        wasm_skip_locals(&reader);
        for (next = reader.next; wasm_next_instruction(&reader, &instruction);
             next = instruction.end)
            if (instruction.begin != next || instruction.end <= next)
                abort();
        if (!reader.failed && next != reader.end)
            abort();
    }
}

static void encode(const struct wasm_module *module, struct wasm_buffer *out)
{
    if (!wasm_encode(module, out))
        abort();
}

/* The first writing makes numbers short and forms canonical; after that nothing may change. */
static void round_trip(const struct wasm_module *module)
{
    struct wasm_buffer first = {0}, second = {0};
    struct wasm_module again;
    struct wasm_error error;
    encode(module, &first);
    if (!wasm_parse(first.data, first.size, &again, &error))
        abort();
    encode(&again, &second);
    if (first.size != second.size || memcmp(first.data, second.data, first.size) != 0)
        abort();
    wasm_free(&again);
    wasm_buffer_free(&first);
    wasm_buffer_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wasm_module module;
    struct wasm_error error;
    struct safepoints_result result;
    if (component_is(data, size) ? !component_main_module(data, size, &module, &error)
                                 : !wasm_parse(data, size, &module, &error)) {
        if (!error.reason[0] || error.offset > size)
            abort();
        return 0;
    }
    walk(&module);
    round_trip(&module);
    struct safepoints_options options = safepoints_options_of(&module);
    options.entries = true;
    if (safepoints_insert(&module, &options, &result, &error))
        walk(&module);
    wasm_free(&module);
    return 0;
}
