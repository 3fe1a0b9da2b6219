/* See guards.h. */
#include "wasm/guards.h"

#include <string.h>

enum {
    OP_IF = 0x04,
    OP_BR_IF = 0x0d,
    OP_RETURN = 0x0f,
    OP_LOCAL_GET = 0x20,
    OP_LOCAL_TEE = 0x22,
    OP_I32_EQZ = 0x45,
    OP_I32_LT_U = 0x49,
    OP_I64_GT_U = 0x56,
    OP_I32_SUB = 0x6b,
    OP_I32_SHR_U = 0x76,
    OP_I64_ADD = 0x7c,
    OP_I64_EXTEND_I32_U = 0xad,
    BLOCK_EMPTY = 0x40,
    MEMORY_COPY = 0xfc << 16 | 10,
    MEMORY_FILL = 0xfc << 16 | 11
};

enum { FIRST_OBJECT = 65536 }; /* below lies the poll page */

/* Parameters of both functions. */
enum { DESTINATION, SOURCE_OR_VALUE, LENGTH, TURNS };

/* Counting code pays for the engine's work with a loop: a turn for each 64 bytes. */
enum { TURN_SHIFT = 6 };

struct range {
    int64_t start, end;
};

static void put_get(struct wasm_buffer *code, uint8_t local) {
    wasm_put_byte(code, OP_LOCAL_GET);
    wasm_put_byte(code, local);
}

static void put_get_wide(struct wasm_buffer *code, uint8_t local) {
    put_get(code, local);
    wasm_put_byte(code, OP_I64_EXTEND_I32_U);
}

static void put_less(struct wasm_buffer *code, uint8_t local, int64_t bound) {
    put_get(code, local);
    wasm_put_byte(code, WASM_OP_I32_CONST);
    wasm_put_s(code, (int32_t)bound);
    wasm_put_byte(code, OP_I32_LT_U);
}

static void put_branch(struct wasm_buffer *code, uint8_t depth) {
    wasm_put_byte(code, OP_BR_IF);
    wasm_put_byte(code, depth);
}

/* Leaves the enclosing block, `depth` levels out, if the destination meets the range. */
static void put_range_check(struct wasm_buffer *code, struct range constant, uint8_t depth) {
    put_less(code, DESTINATION, constant.end);
    wasm_put_byte(code, OP_IF);
    wasm_put_byte(code, BLOCK_EMPTY);
    put_get_wide(code, DESTINATION);
    put_get_wide(code, LENGTH);
    wasm_put_byte(code, OP_I64_ADD);
    wasm_put_byte(code, WASM_OP_I64_CONST);
    wasm_put_s(code, constant.start);
    wasm_put_byte(code, OP_I64_GT_U);
    put_branch(code, depth + 1);
    wasm_put_byte(code, WASM_OP_END);
}

/* TURNS = LENGTH / 64; while (TURNS) TURNS--; */
static void put_turns(struct wasm_buffer *code) {
    put_get(code, LENGTH);
    wasm_put_byte(code, WASM_OP_I32_CONST);
    wasm_put_s(code, TURN_SHIFT);
    wasm_put_byte(code, OP_I32_SHR_U);
    wasm_put_byte(code, OP_LOCAL_TEE);
    wasm_put_byte(code, TURNS);
    wasm_put_byte(code, OP_IF);
    wasm_put_byte(code, BLOCK_EMPTY);
    wasm_put_byte(code, WASM_OP_LOOP);
    wasm_put_byte(code, BLOCK_EMPTY);
    put_get(code, TURNS);
    wasm_put_byte(code, WASM_OP_I32_CONST);
    wasm_put_s(code, 1);
    wasm_put_byte(code, OP_I32_SUB);
    wasm_put_byte(code, OP_LOCAL_TEE);
    wasm_put_byte(code, TURNS);
    put_branch(code, 0);
    wasm_put_byte(code, WASM_OP_END);
    wasm_put_byte(code, WASM_OP_END);
}

static void put_body(struct wasm_buffer *code, uint32_t opcode, bool fuel, struct range constant) {
    static const uint8_t locals[] = {1, 1, WASM_I32}; /* TURNS */
    if (fuel)
        wasm_put(code, locals, sizeof locals);
    else
        wasm_put_byte(code, 0);
    wasm_put_byte(code, WASM_OP_BLOCK);
    wasm_put_byte(code, BLOCK_EMPTY);
    put_get(code, LENGTH);
    wasm_put_byte(code, OP_I32_EQZ);
    wasm_put_byte(code, OP_IF);
    wasm_put_byte(code, BLOCK_EMPTY);
    wasm_put_byte(code, OP_RETURN);
    wasm_put_byte(code, WASM_OP_END);
    put_less(code, DESTINATION, FIRST_OBJECT);
    put_branch(code, 0);
    if (opcode == MEMORY_COPY) {
        put_less(code, SOURCE_OR_VALUE, FIRST_OBJECT);
        put_branch(code, 0);
    }
    if (constant.end > constant.start)
        put_range_check(code, constant, 0);
    if (fuel)
        put_turns(code);
    for (int local = DESTINATION; local <= LENGTH; local++)
        put_get(code, (uint8_t)local);
    wasm_put_byte(code, opcode >> 16);
    wasm_put_byte(code, opcode & 0xff);
    wasm_put_byte(code, 0); /* memory 0 */
    if (opcode == MEMORY_COPY)
        wasm_put_byte(code, 0); /* from memory 0 */
    wasm_put_byte(code, OP_RETURN);
    wasm_put_byte(code, WASM_OP_END);
    wasm_put_byte(code, WASM_OP_UNREACHABLE);
    wasm_put_byte(code, WASM_OP_END);
}

/* The index of the type (i32, i32, i32) -> (), added if it is new. */
static bool find_type(struct wasm_module *module, uint32_t *index) {
    static const uint8_t params[] = {WASM_I32, WASM_I32, WASM_I32};
    const struct wasm_type wanted = {.params = {params, sizeof params}};
    for (uint32_t i = 0; i < module->type_count; i++) {
        if (wasm_type_equal(&module->types[i], &wanted)) {
            *index = i;
            return true;
        }
    }
    struct wasm_type *types = wasm_alloc(module, module->type_count + 1, sizeof *types);
    if (!types)
        return false;
    if (module->type_count)
        memcpy(types, module->types, module->type_count * sizeof *types);
    types[module->type_count] = wanted;
    module->types = types;
    *index = module->type_count++;
    return true;
}

static bool make_function(struct wasm_module *module, struct wasm_function *out, uint32_t type,
                          uint32_t opcode, bool fuel, struct range constant) {
    struct wasm_buffer code = {0};
    put_body(&code, opcode, fuel, constant);
    uint8_t *body = code.failed ? NULL : wasm_alloc(module, code.size, 1);
    if (body) {
        memcpy(body, code.data, code.size);
        *out = (struct wasm_function){type, {body, code.size}};
    }
    wasm_buffer_free(&code);
    return body != NULL;
}

bool guards_add(struct wasm_module *module, uint32_t constant_start, uint32_t constant_end,
                bool fuel, struct guards *out) {
    struct range constant = {constant_start, constant_end};
    uint32_t count = module->function_count;
    uint32_t type;
    struct wasm_function *functions = wasm_alloc(module, count + 2, sizeof *functions);
    if (!functions || !find_type(module, &type) ||
        !make_function(module, &functions[count], type, MEMORY_COPY, fuel, constant) ||
        !make_function(module, &functions[count + 1], type, MEMORY_FILL, fuel, constant))
        return false;
    if (count)
        memcpy(functions, module->functions, count * sizeof *functions);
    module->functions = functions;
    module->function_count = count + 2;
    out->copy = module->imported[WASM_FUNCTION] + count;
    out->fill = out->copy + 1;
    return true;
}

uint32_t guards_find(const struct guards *guards, uint32_t opcode) {
    return opcode == MEMORY_COPY ? guards->copy : opcode == MEMORY_FILL ? guards->fill : 0;
}
