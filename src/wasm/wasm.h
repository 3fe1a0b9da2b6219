/* Reader and writer of core WebAssembly modules.
 *
 * wasm_parse turns bytes into a struct wasm_module, wasm_encode turns it back. In between the
 * arrays may be edited: replace pointers and counts, allocate with wasm_alloc. Names, constant
 * expressions, bodies and data are slices of the input (which must outlive the module) or of
 * memory from wasm_alloc. The binary format is that of the core specification 3.0 without
 * GC, multiple modules or component features: value types are one byte.
 *
 * Input is hostile: every count is checked against the bytes that are left, every index
 * against its index space; a malformed module gives an offset and a reason. */
#ifndef WASM_WASM_H
#define WASM_WASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wasm_slice {
    const uint8_t *data;
    size_t size;
};

struct wasm_error {
    size_t offset;
    char reason[120];
};

enum wasm_kind { WASM_FUNCTION, WASM_TABLE, WASM_MEMORY, WASM_GLOBAL, WASM_TAG, WASM_KIND_COUNT };

enum wasm_value_type {
    WASM_I32 = 0x7f,
    WASM_I64 = 0x7e,
    WASM_F32 = 0x7d,
    WASM_F64 = 0x7c,
    WASM_V128 = 0x7b,
    WASM_FUNCREF = 0x70,
    WASM_EXTERNREF = 0x6f,
    WASM_EXNREF = 0x69
};

struct wasm_type {
    struct wasm_slice params, results; /* one byte a value type */
};

struct wasm_limits {
    uint8_t flags; /* 1: has max, 2: shared, 4: 64-bit */
    uint64_t min, max;
};

struct wasm_table {
    uint8_t element; /* WASM_FUNCREF, ... */
    struct wasm_limits limits;
};

struct wasm_global_type {
    uint8_t value;
    bool mutable;
};

struct wasm_import {
    struct wasm_slice module, name;
    enum wasm_kind kind;
    union {
        uint32_t type; /* functions and tags */
        struct wasm_table table;
        struct wasm_limits memory; /* in pages of 64 KiB */
        struct wasm_global_type global;
    };
};

struct wasm_function {
    uint32_t type;
    struct wasm_slice body; /* locals and code, without the size in front */
};

struct wasm_global {
    struct wasm_global_type type;
    struct wasm_slice init; /* constant expression, the final `end` included */
};

struct wasm_export {
    struct wasm_slice name;
    enum wasm_kind kind;
    uint32_t index;
};

enum wasm_segment_mode { WASM_ACTIVE, WASM_PASSIVE, WASM_DECLARED };

/* Items are function indices, or constant expressions if the module wrote them so. */
struct wasm_element {
    enum wasm_segment_mode mode;
    uint32_t table;           /* when active */
    struct wasm_slice offset; /* constant expression, when active */
    uint8_t type;             /* of the items: WASM_FUNCREF for function indices */
    uint32_t count;
    uint32_t *functions; /* NULL when there are expressions */
    struct wasm_slice *expressions;
};

struct wasm_data {
    enum wasm_segment_mode mode;
    uint32_t memory;          /* when active */
    struct wasm_slice offset; /* constant expression, when active */
    struct wasm_slice bytes;
};

/* Ids of the sections, in the order of the file (tag and data count came later). */
enum wasm_section {
    WASM_SECTION_CUSTOM = 0,
    WASM_SECTION_TYPE = 1,
    WASM_SECTION_IMPORT = 2,
    WASM_SECTION_FUNCTION = 3,
    WASM_SECTION_TABLE = 4,
    WASM_SECTION_MEMORY = 5,
    WASM_SECTION_TAG = 13,
    WASM_SECTION_GLOBAL = 6,
    WASM_SECTION_EXPORT = 7,
    WASM_SECTION_START = 8,
    WASM_SECTION_ELEMENT = 9,
    WASM_SECTION_DATA_COUNT = 12,
    WASM_SECTION_CODE = 10,
    WASM_SECTION_DATA = 11
};

struct wasm_custom {
    struct wasm_slice name, bytes;
    uint8_t after; /* enum wasm_section it follows in the file, 0 at the beginning */
};

/* Index spaces begin with the imports of that kind, in their order, as in the specification. */
struct wasm_module {
    struct wasm_type *types;
    uint32_t type_count;
    struct wasm_import *imports;
    uint32_t import_count;
    uint32_t imported[WASM_KIND_COUNT]; /* how many imports of each kind; wasm_encode ignores it */
    struct wasm_function *functions;
    uint32_t function_count;
    struct wasm_table *tables;
    uint32_t table_count;
    struct wasm_limits *memories;
    uint32_t memory_count;
    uint32_t *tags; /* their types */
    uint32_t tag_count;
    struct wasm_global *globals;
    uint32_t global_count;
    struct wasm_export *exports;
    uint32_t export_count;
    bool has_start;
    uint32_t start;
    struct wasm_element *elements;
    uint32_t element_count;
    struct wasm_data *data;
    uint32_t data_count;
    bool has_data_count; /* the data count section, needed by memory.init and data.drop */
    struct wasm_custom *customs;
    uint32_t custom_count;
    struct wasm_chunk *memory_; /* private: what wasm_alloc gave */
};

/* False: *error tells why, and there is nothing to free. */
bool wasm_parse(const void *data, size_t size, struct wasm_module *out, struct wasm_error *error);
void wasm_free(struct wasm_module *module);

/* Zeroed memory that lives as long as the module. NULL when out of memory. */
void *wasm_alloc(struct wasm_module *module, size_t count, size_t item_size);

/* A growing byte buffer. Out of memory is remembered in `failed`, so that one check at the end is
 * enough. */
struct wasm_buffer {
    uint8_t *data;
    size_t size, capacity;
    bool failed;
};

/* Appends the binary to *out (zero-initialised by the caller, free()d by the caller).
 * False when out of memory or over 4 GiB. */
bool wasm_encode(const struct wasm_module *module, struct wasm_buffer *out);
void wasm_buffer_free(struct wasm_buffer *buffer);
void wasm_put(struct wasm_buffer *buffer, const void *data, size_t size);
void wasm_put_byte(struct wasm_buffer *buffer, uint8_t byte);
void wasm_put_u(struct wasm_buffer *buffer, uint64_t value);              /* unsigned LEB128 */
void wasm_put_s(struct wasm_buffer *buffer, int64_t value);               /* signed LEB128 */
void wasm_put_slice(struct wasm_buffer *buffer, struct wasm_slice slice); /* length, bytes */

/* --- Looking things up ------------------------------------------------------------------- */

struct wasm_slice wasm_slice_of(const char *string);
bool wasm_slice_is(struct wasm_slice slice, const char *string);
bool wasm_slice_equal(struct wasm_slice a, struct wasm_slice b);
/* NULL when there is none of that name and kind. */
const struct wasm_export *wasm_find_export(const struct wasm_module *module, enum wasm_kind kind,
                                           const char *name);
const struct wasm_custom *wasm_find_custom(const struct wasm_module *module, const char *name);
/* The type of a function by its index, imported or not. */
const struct wasm_type *wasm_function_type(const struct wasm_module *module, uint32_t function);
bool wasm_type_equal(const struct wasm_type *a, const struct wasm_type *b);

/* The value of an expression that is just i32.const or i64.const. False for others. */
bool wasm_constant(struct wasm_slice expression, int64_t *value);
/* `i32.const value; end`. Empty when out of memory. */
struct wasm_slice wasm_i32_const(struct wasm_module *module, int32_t value);

/* Takes the custom sections of that name out; NULL: all. */
void wasm_drop_customs(struct wasm_module *module, const char *name);

/* --- Instructions ------------------------------------------------------------------------ */

/* A cursor over bytes. After an error `failed` stays set and reads give 0. */
struct wasm_reader {
    const uint8_t *begin, *next, *end;
    struct wasm_error error;
    bool failed;
    size_t base; /* added to error offsets */
};

struct wasm_reader wasm_reader_of(struct wasm_slice slice);
uint8_t wasm_get_byte(struct wasm_reader *reader);
uint32_t wasm_get_u32(struct wasm_reader *reader);
uint64_t wasm_get_u64(struct wasm_reader *reader);
int64_t wasm_get_s(struct wasm_reader *reader, int bits);
struct wasm_slice wasm_get_slice(struct wasm_reader *reader); /* length, bytes */
struct wasm_slice wasm_get_bytes(struct wasm_reader *reader, size_t size);
void wasm_fail(struct wasm_reader *reader, const char *reason, ...)
    __attribute__((format(printf, 2, 3)));

/* What an index in an instruction refers to. The first five equal enum wasm_kind. */
enum wasm_operand_kind {
    WASM_OPERAND_FUNCTION,
    WASM_OPERAND_TABLE,
    WASM_OPERAND_MEMORY,
    WASM_OPERAND_GLOBAL,
    WASM_OPERAND_TAG,
    WASM_OPERAND_TYPE,
    WASM_OPERAND_BLOCK_TYPE, /* a type index too, but encoded as a signed number */
    WASM_OPERAND_ELEMENT,
    WASM_OPERAND_DATA
};

struct wasm_operand {
    enum wasm_operand_kind kind;
    uint32_t value;
    const uint8_t *begin, *end; /* its encoding */
};

enum { WASM_OPERANDS_MAX = 16 };

enum wasm_opcode {
    WASM_OP_UNREACHABLE = 0x00,
    WASM_OP_BLOCK = 0x02,
    WASM_OP_LOOP = 0x03,
    WASM_OP_IF = 0x04,
    WASM_OP_END = 0x0b,
    WASM_OP_CALL = 0x10,
    WASM_OP_CALL_INDIRECT = 0x11,
    WASM_OP_RETURN_CALL = 0x12,
    WASM_OP_RETURN_CALL_INDIRECT = 0x13,
    WASM_OP_CALL_REF = 0x14,
    WASM_OP_RETURN_CALL_REF = 0x15,
    WASM_OP_DROP = 0x1a,
    WASM_OP_GLOBAL_GET = 0x23,
    WASM_OP_GLOBAL_SET = 0x24,
    WASM_OP_I32_LOAD = 0x28,
    WASM_OP_I32_STORE = 0x36,
    WASM_OP_I32_CONST = 0x41,
    WASM_OP_I64_CONST = 0x42,
    WASM_OP_I32_ADD = 0x6a,
    WASM_OP_REF_NULL = 0xd0,
    WASM_OP_REF_FUNC = 0xd2,
    WASM_OP_MEMORY_INIT = 0xfc << 16 | 8
};

struct wasm_instruction {
    uint32_t opcode; /* the byte, or prefix << 16 | number for 0xfc, 0xfd, 0xfe */
    const uint8_t *begin, *end;
    uint32_t operand_count;
    struct wasm_operand operands[WASM_OPERANDS_MAX];
};

/* Reads one instruction. False at the end of the bytes or on an error (reader->failed).
 * Nesting is not tracked: count WASM_OP_END. Indices are not checked. */
bool wasm_next_instruction(struct wasm_reader *reader, struct wasm_instruction *out);

/* The name of an instruction that changes a table or uses a passive segment; NULL: it does not. */
const char *wasm_table_or_segment_change(uint32_t opcode);

/* Skips the locals of a function body, so that the first instruction is next. */
void wasm_skip_locals(struct wasm_reader *reader);

#endif
