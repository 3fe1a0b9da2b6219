/* Inserts polls and guards. Other instructions are copied as they stand. */
#include "safepoints/safepoints.h"

#include <stdio.h>
#include <string.h>

#include "safepoints/guards.h"

/* i32.const 0; i32.load align=2 offset=0; drop */
static const uint8_t poll[] = {WASM_OP_I32_CONST, 0, WASM_OP_I32_LOAD, 2, 0, WASM_OP_DROP};

struct rewrite {
    struct wasm_module *module;
    struct guards guards;
    bool polls;
    struct wasm_buffer scratch;
    struct safepoints_result *result;
};

/* Puts the rewritten body into the scratch buffer, or fails the reader. False: nothing changes. */
static bool rewrite_body(struct rewrite *rewrite, struct wasm_reader *reader)
{
    struct wasm_instruction instruction = {0};
    struct wasm_buffer *out = &rewrite->scratch;
    const uint8_t *copied = reader->begin;
    uint32_t loops = 0, guarded = 0;
    wasm_skip_locals(reader);
    while (wasm_next_instruction(reader, &instruction)) {
        uint32_t guard = guards_find(&rewrite->guards, instruction.opcode);
        if (guard) {
            wasm_put(out, copied, (size_t)(instruction.begin - copied));
            wasm_put_byte(out, WASM_OP_CALL);
            wasm_put_u(out, guard);
            guarded++;
        } else if (instruction.opcode == WASM_OP_LOOP && rewrite->polls) {
            wasm_put(out, copied, (size_t)(instruction.end - copied));
            wasm_put(out, poll, sizeof poll);
            loops++;
        } else {
            continue;
        }
        copied = instruction.end;
    }
    wasm_put(out, copied, (size_t)(reader->end - copied));
    rewrite->result->loops += loops;
    rewrite->result->guarded += guarded;
    rewrite->result->functions += loops > 0;
    return loops + guarded > 0;
}

static bool rewrite_function(struct rewrite *rewrite, struct wasm_function *function,
                             struct wasm_error *error)
{
    struct wasm_reader reader = wasm_reader_of(function->body);
    struct wasm_buffer *scratch = &rewrite->scratch;
    scratch->size = 0;
    bool changed = rewrite_body(rewrite, &reader);
    if (reader.failed) {
        snprintf(error->reason, sizeof error->reason, "byte %zu of the body: %.80s",
                 reader.error.offset, reader.error.reason);
        return false;
    }
    if (!changed)
        return true;
    uint8_t *body = scratch->failed ? NULL : wasm_alloc(rewrite->module, scratch->size, 1);
    if (!body) {
        snprintf(error->reason, sizeof error->reason, "out of memory");
        return false;
    }
    memcpy(body, scratch->data, scratch->size);
    function->body = (struct wasm_slice){body, scratch->size};
    return true;
}

bool safepoints_insert(struct wasm_module *module, bool polls, struct safepoints_result *result,
                       struct wasm_error *error)
{
    struct rewrite rewrite = {.module = module, .polls = polls, .result = result};
    uint32_t count = module->function_count;
    *result = (struct safepoints_result){0};
    *error = (struct wasm_error){0};
    if (module->imported[WASM_MEMORY] + module->memory_count == 0) {
        snprintf(error->reason, sizeof error->reason, "the module has no memory to poll");
        return false;
    }
    bool done = guards_add(module, &rewrite.guards);
    if (!done)
        snprintf(error->reason, sizeof error->reason, "out of memory");
    for (uint32_t i = 0; done && i < count; i++) {
        error->offset = module->imported[WASM_FUNCTION] + i;
        done = rewrite_function(&rewrite, &module->functions[i], error);
    }
    wasm_buffer_free(&rewrite.scratch);
    return done;
}
