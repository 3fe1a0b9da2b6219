/* Inserts the polls. An instruction is copied as it stands, so only bodies with loops change. */
#include "safepoints/safepoints.h"

#include <stdio.h>
#include <string.h>

/* i32.const 0; i32.load align=2 offset=0; drop */
static const uint8_t poll[] = {WASM_OP_I32_CONST, 0, WASM_OP_I32_LOAD, 2, 0, WASM_OP_DROP};

/* Appends the body with polls to out, or fails the reader. */
static uint32_t rewrite_body(struct wasm_reader *reader, struct wasm_buffer *out)
{
    struct wasm_instruction instruction = {0};
    const uint8_t *copied = reader->begin;
    uint32_t loops = 0;
    wasm_skip_locals(reader);
    while (wasm_next_instruction(reader, &instruction)) {
        if (instruction.opcode != WASM_OP_LOOP)
            continue;
        wasm_put(out, copied, (size_t)(instruction.end - copied));
        wasm_put(out, poll, sizeof poll);
        copied = instruction.end;
        loops++;
    }
    wasm_put(out, copied, (size_t)(reader->end - copied));
    return loops;
}

static bool rewrite_function(struct wasm_module *module, struct wasm_function *function,
                             struct wasm_buffer *scratch, struct safepoints_result *result,
                             struct wasm_error *error)
{
    struct wasm_reader reader = wasm_reader_of(function->body);
    scratch->size = 0;
    uint32_t loops = rewrite_body(&reader, scratch);
    if (reader.failed) {
        snprintf(error->reason, sizeof error->reason, "byte %zu of the body: %.80s",
                 reader.error.offset, reader.error.reason);
        return false;
    }
    if (loops == 0)
        return true;
    uint8_t *body = scratch->failed ? NULL : wasm_alloc(module, scratch->size, 1);
    if (!body) {
        snprintf(error->reason, sizeof error->reason, "out of memory");
        return false;
    }
    memcpy(body, scratch->data, scratch->size);
    function->body = (struct wasm_slice){body, scratch->size};
    result->loops += loops;
    result->functions++;
    return true;
}

bool safepoints_insert(struct wasm_module *module, struct safepoints_result *result,
                       struct wasm_error *error)
{
    *result = (struct safepoints_result){0};
    *error = (struct wasm_error){0};
    if (module->imported[WASM_MEMORY] + module->memory_count == 0) {
        snprintf(error->reason, sizeof error->reason, "the module has no memory to poll");
        return false;
    }
    struct wasm_buffer scratch = {0};
    bool done = true;
    for (uint32_t i = 0; done && i < module->function_count; i++) {
        error->offset = module->imported[WASM_FUNCTION] + i;
        done = rewrite_function(module, &module->functions[i], &scratch, result, error);
    }
    wasm_buffer_free(&scratch);
    return done;
}
