/* Inserts polls and guards. Other instructions are copied as they stand. */
#include "wasm/safepoints.h"

#include <stdio.h>
#include <string.h>

#include "wasm/guards.h"

/* i32.const 0; i32.load align=2 offset=0; drop */
static const uint8_t poll[] = {WASM_OP_I32_CONST, 0, WASM_OP_I32_LOAD, 2, 0, WASM_OP_DROP};

struct rewrite {
    struct wasm_module *module;
    const struct safepoints_options *options;
    struct guards guards;
    struct wasm_buffer scratch;
    struct safepoints_result *result;
};

static bool is_call(uint32_t opcode) {
    switch (opcode) {
    case WASM_OP_CALL:
    case WASM_OP_CALL_INDIRECT:
    case WASM_OP_RETURN_CALL:
    case WASM_OP_RETURN_CALL_INDIRECT:
    case WASM_OP_CALL_REF:
    case WASM_OP_RETURN_CALL_REF:
        return true;
    default:
        return false;
    }
}

/* The reader stands at the first instruction; it is a copy. */
static bool calls_others(struct wasm_reader reader) {
    struct wasm_instruction instruction = {0};
    while (wasm_next_instruction(&reader, &instruction))
        if (is_call(instruction.opcode))
            return true;
    return false;
}

/* Puts the rewritten body into the scratch buffer, or fails the reader. False: nothing changes. */
static bool rewrite_body(struct rewrite *rewrite, struct wasm_reader *reader) {
    struct wasm_instruction instruction = {0};
    struct wasm_buffer *out = &rewrite->scratch;
    const uint8_t *copied = reader->begin;
    uint32_t loops = 0, guarded = 0;
    wasm_skip_locals(reader);
    bool entry = rewrite->options->entries && !reader->failed && calls_others(*reader);
    if (entry) {
        wasm_put(out, copied, (size_t)(reader->next - copied));
        wasm_put(out, poll, sizeof poll);
        copied = reader->next;
    }
    while (wasm_next_instruction(reader, &instruction)) {
        uint32_t guard = guards_find(&rewrite->guards, instruction.opcode);
        if (guard) {
            wasm_put(out, copied, (size_t)(instruction.begin - copied));
            wasm_put_byte(out, WASM_OP_CALL);
            wasm_put_u(out, guard);
            guarded++;
        } else if (instruction.opcode == WASM_OP_LOOP && rewrite->options->loops) {
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
    rewrite->result->entries += entry;
    return loops + guarded > 0 || entry;
}

static bool rewrite_function(struct rewrite *rewrite, struct wasm_function *function,
                             struct wasm_error *error) {
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

static uint32_t global_constant(const struct wasm_module *module, const char *name) {
    const struct wasm_export *export = wasm_find_export(module, WASM_GLOBAL, name);
    int64_t value = 0;
    if (export && export->index >= module->imported[WASM_GLOBAL])
        wasm_constant(module->globals[export->index - module->imported[WASM_GLOBAL]].init, &value);
    return (uint32_t)value;
}

struct safepoints_options safepoints_options_of(const struct wasm_module *module) {
    return (struct safepoints_options){
        .loops = true,
        .constant_start = global_constant(module, "eryx_constant_start"),
        .constant_end = global_constant(module, "eryx_constant_end"),
    };
}

bool safepoints_insert(struct wasm_module *module, const struct safepoints_options *options,
                       struct safepoints_result *result, struct wasm_error *error) {
    struct rewrite rewrite = {.module = module, .options = options, .result = result};
    uint32_t count = module->function_count;
    *result = (struct safepoints_result){0};
    *error = (struct wasm_error){0};
    if (module->imported[WASM_MEMORY] + module->memory_count == 0) {
        snprintf(error->reason, sizeof error->reason, "the module has no memory to poll");
        return false;
    }
    bool done = guards_add(module, options->constant_start, options->constant_end, options->fuel,
                           &rewrite.guards);
    if (!done)
        snprintf(error->reason, sizeof error->reason, "out of memory");
    for (uint32_t i = 0; done && i < count; i++) {
        error->offset = module->imported[WASM_FUNCTION] + i;
        done = rewrite_function(&rewrite, &module->functions[i], error);
    }
    wasm_buffer_free(&rewrite.scratch);
    return done;
}
