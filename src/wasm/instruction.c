/* Walks over instructions: knows the immediates of every opcode and which of them are indices. */
#include "wasm.h"

static void add_operand(struct wasm_instruction *out, struct wasm_reader *reader,
                        enum wasm_operand_kind kind, const uint8_t *begin, uint32_t value) {
    if (out->operand_count == WASM_OPERANDS_MAX)
        wasm_fail(reader, "more than %d indices in one instruction", WASM_OPERANDS_MAX);
    else
        out->operands[out->operand_count++] =
            (struct wasm_operand){kind, value, begin, reader->next};
}

static void get_index(struct wasm_reader *reader, struct wasm_instruction *out,
                      enum wasm_operand_kind kind) {
    const uint8_t *begin = reader->next;
    uint32_t value = wasm_get_u32(reader);
    add_operand(out, reader, kind, begin, value);
}

/* A heap type, or the type of a block: negative numbers are value types in one byte. */
static void get_signed_type(struct wasm_reader *reader, struct wasm_instruction *out) {
    const uint8_t *begin = reader->next;
    int64_t value = wasm_get_s(reader, 33);
    if (value >= 0)
        add_operand(out, reader, WASM_OPERAND_BLOCK_TYPE, begin, (uint32_t)value);
    else if (value < -64)
        wasm_fail(reader, "unknown type %lld", (long long)value);
}

static void get_block_type(struct wasm_reader *reader, struct wasm_instruction *out) {
    uint8_t first = reader->next < reader->end ? *reader->next : 0;
    if (first == 0x63 || first == 0x64) /* (ref null ht), (ref ht) */
        wasm_get_byte(reader);
    get_signed_type(reader, out);
}

static void get_memory_argument(struct wasm_reader *reader, struct wasm_instruction *out) {
    uint32_t flags = wasm_get_u32(reader);
    if (flags >= 0x80)
        wasm_fail(reader, "malformed alignment %u", flags);
    if (flags & 0x40)
        get_index(reader, out, WASM_OPERAND_MEMORY);
    wasm_get_u64(reader);
}

static void get_branch_table(struct wasm_reader *reader) {
    uint32_t count = wasm_get_u32(reader);
    if (count > (size_t)(reader->end - reader->next))
        wasm_fail(reader, "br_table of %u labels does not fit", count);
    for (uint32_t i = 0; i <= count && !reader->failed; i++)
        wasm_get_u32(reader);
}

static void get_catches(struct wasm_reader *reader, struct wasm_instruction *out) {
    uint32_t count = wasm_get_u32(reader);
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        uint8_t kind = wasm_get_byte(reader);
        if (kind > 3)
            wasm_fail(reader, "unknown catch clause %u", kind);
        if (kind < 2)
            get_index(reader, out, WASM_OPERAND_TAG);
        wasm_get_u32(reader);
    }
}

static void get_select_types(struct wasm_reader *reader, struct wasm_instruction *out) {
    uint32_t count = wasm_get_u32(reader);
    for (uint32_t i = 0; i < count && !reader->failed; i++)
        get_block_type(reader, out);
}

static void get_bulk(struct wasm_reader *reader, struct wasm_instruction *out, uint32_t number) {
    switch (number) {
    case 8: /* memory.init */
        get_index(reader, out, WASM_OPERAND_DATA);
        get_index(reader, out, WASM_OPERAND_MEMORY);
        break;
    case 9: /* data.drop */
        get_index(reader, out, WASM_OPERAND_DATA);
        break;
    case 10: /* memory.copy */
        get_index(reader, out, WASM_OPERAND_MEMORY);
        get_index(reader, out, WASM_OPERAND_MEMORY);
        break;
    case 11: /* memory.fill */
        get_index(reader, out, WASM_OPERAND_MEMORY);
        break;
    case 12: /* table.init */
        get_index(reader, out, WASM_OPERAND_ELEMENT);
        get_index(reader, out, WASM_OPERAND_TABLE);
        break;
    case 13: /* elem.drop */
        get_index(reader, out, WASM_OPERAND_ELEMENT);
        break;
    case 14: /* table.copy */
        get_index(reader, out, WASM_OPERAND_TABLE);
        get_index(reader, out, WASM_OPERAND_TABLE);
        break;
    case 15: /* table.grow, table.size, table.fill */
    case 16:
    case 17:
        get_index(reader, out, WASM_OPERAND_TABLE);
        break;
    default:
        if (number > 7) /* up to 7: saturating conversions */
            wasm_fail(reader, "unknown instruction 0xfc %u", number);
    }
}

static void get_vector(struct wasm_reader *reader, struct wasm_instruction *out, uint32_t number) {
    if (number <= 11 || number == 92 || number == 93) /* loads, stores */
        get_memory_argument(reader, out);
    else if (number == 12 || number == 13) /* v128.const, i8x16.shuffle */
        wasm_get_bytes(reader, 16);
    else if (number >= 21 && number <= 34) /* extract_lane, replace_lane */
        wasm_get_byte(reader);
    else if (number >= 84 && number <= 91) { /* load_lane, store_lane */
        get_memory_argument(reader, out);
        wasm_get_byte(reader);
    } else if (number > 0x113)
        wasm_fail(reader, "unknown instruction 0xfd %u", number);
}

static void get_atomic(struct wasm_reader *reader, struct wasm_instruction *out, uint32_t number) {
    if (number == 3) /* atomic.fence */
        wasm_get_byte(reader);
    else if (number <= 2 || (number >= 0x10 && number <= 0x4e))
        get_memory_argument(reader, out);
    else
        wasm_fail(reader, "unknown instruction 0xfe %u", number);
}

static void get_prefixed(struct wasm_reader *reader, struct wasm_instruction *out) {
    uint32_t prefix = out->opcode;
    uint32_t number = wasm_get_u32(reader);
    if (number > 0xffff)
        wasm_fail(reader, "unknown instruction 0x%02x %u", prefix, number);
    out->opcode = prefix << 16 | number;
    if (prefix == 0xfc)
        get_bulk(reader, out, number);
    else if (prefix == 0xfd)
        get_vector(reader, out, number);
    else
        get_atomic(reader, out, number);
}

/* Opcodes from 0x00 to 0x26. */
static void get_control(struct wasm_reader *reader, struct wasm_instruction *out) {
    switch (out->opcode) {
    case 0x02: /* block, loop, if, legacy try */
    case 0x03:
    case 0x04:
    case 0x06:
        get_block_type(reader, out);
        break;
    case 0x07: /* legacy catch, throw */
    case 0x08:
        get_index(reader, out, WASM_OPERAND_TAG);
        break;
    case 0x09: /* legacy rethrow, br, br_if, legacy delegate, local.get, local.set, local.tee */
    case 0x0c:
    case 0x0d:
    case 0x18:
    case 0x20:
    case 0x21:
    case 0x22:
        wasm_get_u32(reader);
        break;
    case 0x0e:
        get_branch_table(reader);
        break;
    case 0x10: /* call, return_call */
    case 0x12:
        get_index(reader, out, WASM_OPERAND_FUNCTION);
        break;
    case 0x11: /* call_indirect, return_call_indirect */
    case 0x13:
        get_index(reader, out, WASM_OPERAND_TYPE);
        get_index(reader, out, WASM_OPERAND_TABLE);
        break;
    case 0x14: /* call_ref, return_call_ref */
    case 0x15:
        get_index(reader, out, WASM_OPERAND_TYPE);
        break;
    case 0x1c:
        get_select_types(reader, out);
        break;
    case 0x1f: /* try_table */
        get_block_type(reader, out);
        get_catches(reader, out);
        break;
    case 0x23: /* global.get, global.set */
    case 0x24:
        get_index(reader, out, WASM_OPERAND_GLOBAL);
        break;
    case 0x25: /* table.get, table.set */
    case 0x26:
        get_index(reader, out, WASM_OPERAND_TABLE);
        break;
    case 0x16:
    case 0x17:
    case 0x1d:
    case 0x1e:
        wasm_fail(reader, "unknown instruction 0x%02x", out->opcode);
    }
}

static void get_immediates(struct wasm_reader *reader, struct wasm_instruction *out) {
    uint32_t opcode = out->opcode;
    if (opcode <= 0x26)
        get_control(reader, out);
    else if (opcode >= 0x28 && opcode <= 0x3e)
        get_memory_argument(reader, out);
    else if (opcode == 0x3f || opcode == 0x40) /* memory.size, memory.grow */
        get_index(reader, out, WASM_OPERAND_MEMORY);
    else if (opcode == WASM_OP_I32_CONST)
        wasm_get_s(reader, 32);
    else if (opcode == WASM_OP_I64_CONST)
        wasm_get_s(reader, 64);
    else if (opcode == 0x43) /* f32.const */
        wasm_get_bytes(reader, 4);
    else if (opcode == 0x44) /* f64.const */
        wasm_get_bytes(reader, 8);
    else if (opcode == WASM_OP_REF_NULL)
        get_signed_type(reader, out);
    else if (opcode == WASM_OP_REF_FUNC)
        get_index(reader, out, WASM_OPERAND_FUNCTION);
    else if (opcode == 0xd5 || opcode == 0xd6) /* br_on_null, br_on_non_null */
        wasm_get_u32(reader);
    else if (opcode >= 0xfc && opcode <= 0xfe)
        get_prefixed(reader, out);
    else if (opcode == 0x27 || opcode > 0xd4 || (opcode > 0xc4 && opcode < 0xd0))
        wasm_fail(reader, "unknown instruction 0x%02x", opcode);
}

bool wasm_next_instruction(struct wasm_reader *reader, struct wasm_instruction *out) {
    if (reader->failed || reader->next == reader->end)
        return false;
    out->begin = reader->next;
    out->operand_count = 0;
    out->opcode = *reader->next++;
    get_immediates(reader, out);
    out->end = reader->next;
    return !reader->failed;
}

void wasm_skip_locals(struct wasm_reader *reader) {
    uint32_t groups = wasm_get_u32(reader);
    for (uint32_t i = 0; i < groups && !reader->failed; i++) {
        struct wasm_instruction ignored = {.operand_count = 0};
        wasm_get_u32(reader);
        get_block_type(reader, &ignored);
    }
}

const char *wasm_table_or_segment_change(uint32_t opcode) {
    switch (opcode) {
    case 0x26:
        return "table.set";
    case 0xfc0008:
        return "memory.init";
    case 0xfc0009:
        return "data.drop";
    case 0xfc000c:
        return "table.init";
    case 0xfc000d:
        return "elem.drop";
    case 0xfc000e:
        return "table.copy";
    case 0xfc000f:
        return "table.grow";
    case 0xfc0011:
        return "table.fill";
    default:
        return NULL;
    }
}
