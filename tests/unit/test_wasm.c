/* The wasm library: what is read is written back byte for byte, and damage is told, not followed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wasm/wasm.h"

/* Every section, custom sections at both ends. */
static const uint8_t sample[] = {
    0x00, 'a', 's', 'm', 0x01, 0x00, 0x00, 0x00,
    /* custom "a" */
    0x00, 0x04, 0x01, 'a', 0x01, 0x02,
    /* types: () -> (), (i32 i64) -> (f32) */
    0x01, 0x0a, 0x02, 0x60, 0x00, 0x00, 0x60, 0x02, 0x7f, 0x7e, 0x01, 0x7d,
    /* imports: function env.f, global env.g */
    0x02, 0x12, 0x02, 0x03, 'e', 'n', 'v', 0x01, 'f', 0x00, 0x00, 0x03, 'e', 'n', 'v', 0x01, 'g',
    0x03, 0x7f, 0x00,
    /* functions */
    0x03, 0x03, 0x02, 0x00, 0x01,
    /* table of 4 to 8, memory of 1, tag */
    0x04, 0x05, 0x01, 0x70, 0x01, 0x04, 0x08, 0x05, 0x03, 0x01, 0x00, 0x01, 0x0d, 0x03, 0x01, 0x00,
    0x00,
    /* mutable global 42 */
    0x06, 0x06, 0x01, 0x7f, 0x01, 0x41, 0x2a, 0x0b,
    /* exports: memory m, function h */
    0x07, 0x09, 0x02, 0x01, 'm', 0x02, 0x00, 0x01, 'h', 0x00, 0x02,
    /* start */
    0x08, 0x01, 0x01,
    /* elements: active, passive, declared, passive expressions */
    0x09, 0x19, 0x04, 0x00, 0x41, 0x01, 0x0b, 0x02, 0x00, 0x01, 0x01, 0x00, 0x01, 0x02, 0x03, 0x00,
    0x01, 0x01, 0x05, 0x70, 0x02, 0xd0, 0x70, 0x0b, 0xd2, 0x01, 0x0b,
    /* data count */
    0x0c, 0x01, 0x02,
    /* code: (end), (local i32; loop end; f32.const 1; end) */
    0x0a, 0x11, 0x02, 0x02, 0x00, 0x0b, 0x0c, 0x01, 0x01, 0x7f, 0x03, 0x40, 0x0b, 0x43, 0x00, 0x00,
    0x80, 0x3f, 0x0b,
    /* data: active at 16, passive */
    0x0b, 0x0b, 0x02, 0x00, 0x41, 0x10, 0x0b, 0x02, 'h', 'i', 0x01, 0x01, 'x',
    /* custom "name" */
    0x00, 0x06, 0x04, 'n', 'a', 'm', 'e', 0x00};

static struct wasm_module parse_sample(void) {
    struct wasm_module module;
    struct wasm_error error;
    if (!wasm_parse(sample, sizeof sample, &module, &error))
        fail_msg("byte %zu: %s", error.offset, error.reason);
    return module;
}

static void round_trip(void **state) {
    (void)state;
    struct wasm_module module = parse_sample();
    struct wasm_buffer binary = {0};
    assert_true(wasm_encode(&module, &binary));
    assert_int_equal(binary.size, sizeof sample);
    assert_memory_equal(binary.data, sample, sizeof sample);
    wasm_buffer_free(&binary);
    wasm_free(&module);
    wasm_free(&module); /* twice does no harm */
}

static void content(void **state) {
    (void)state;
    struct wasm_module module = parse_sample();
    assert_int_equal(module.imported[WASM_FUNCTION], 1);
    assert_int_equal(module.imported[WASM_GLOBAL], 1);
    assert_int_equal(module.function_count, 2);
    assert_int_equal(module.tables[0].limits.max, 8);
    assert_true(module.has_start && module.start == 1);
    assert_int_equal(module.element_count, 4);
    assert_int_equal(module.elements[0].mode, WASM_ACTIVE);
    assert_int_equal(module.elements[1].mode, WASM_PASSIVE);
    assert_int_equal(module.elements[2].mode, WASM_DECLARED);
    assert_null(module.elements[3].functions);
    assert_int_equal(module.elements[3].count, 2);
    assert_true(wasm_slice_is(module.data[0].bytes, "hi"));
    assert_int_equal(module.customs[0].after, WASM_SECTION_CUSTOM);
    assert_int_equal(module.customs[1].after, WASM_SECTION_DATA);
    int64_t value;
    assert_true(wasm_constant(module.globals[0].init, &value) && value == 42);
    assert_true(wasm_constant(module.data[0].offset, &value) && value == 16);
    assert_int_equal(wasm_find_export(&module, WASM_FUNCTION, "h")->index, 2);
    assert_null(wasm_find_export(&module, WASM_FUNCTION, "m"));
    assert_int_equal(wasm_function_type(&module, 0)->params.size, 0);
    assert_int_equal(wasm_function_type(&module, 2)->params.size, 2);
    assert_null(wasm_function_type(&module, 3));
    assert_non_null(wasm_find_custom(&module, "name"));
    wasm_drop_customs(&module, "name");
    assert_null(wasm_find_custom(&module, "name"));
    assert_non_null(wasm_find_custom(&module, "a"));
    wasm_drop_customs(&module, NULL);
    assert_int_equal(module.custom_count, 0);
    wasm_free(&module);
}

/* What preinit does: no data, no start, another memory. */
static void edits(void **state) {
    (void)state;
    struct wasm_module module = parse_sample();
    module.data_count = 0;
    module.has_data_count = module.has_start = false;
    module.memories[0].min = 7;
    module.globals[0].init = wasm_i32_const(&module, -5);
    struct wasm_buffer binary = {0};
    assert_true(wasm_encode(&module, &binary));
    struct wasm_module again;
    struct wasm_error error;
    assert_true(wasm_parse(binary.data, binary.size, &again, &error));
    int64_t value;
    assert_int_equal(again.data_count, 0);
    assert_false(again.has_start);
    assert_int_equal(again.memories[0].min, 7);
    assert_true(wasm_constant(again.globals[0].init, &value));
    assert_int_equal(value, -5);
    wasm_free(&again);
    wasm_free(&module);
    wasm_buffer_free(&binary);
}

/* Copies the input, so that a sanitizer sees a read past its end. */
static bool parses(const uint8_t *data, size_t size, struct wasm_error *error) {
    struct wasm_module module;
    uint8_t *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    memset(error, 0, sizeof *error);
    bool done = wasm_parse(copy, size, &module, error);
    if (done) {
        struct wasm_buffer binary = {0};
        assert_true(wasm_encode(&module, &binary));
        struct wasm_module again;
        if (!wasm_parse(binary.data, binary.size, &again, error))
            fail_msg("written, but not read at byte %zu: %s", error->offset, error->reason);
        wasm_free(&again);
        wasm_buffer_free(&binary);
    } else {
        assert_int_not_equal(error->reason[0], 0);
        assert_in_range(error->offset, 0, size);
    }
    wasm_free(&module);
    free(copy);
    return done;
}

/* A prefix is a module only where sections end and nothing announced is missing. */
static void truncated_everywhere(void **state) {
    (void)state;
    const size_t whole[] = {8, 14, 26, 46, sizeof sample - 8};
    struct wasm_error error;
    for (size_t size = 0; size < sizeof sample; size++) {
        bool expected = false;
        for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
            expected |= whole[i] == size;
        if (parses(sample, size, &error) != expected)
            fail_msg("%zu bytes: %s", size, expected ? error.reason : "accepted");
    }
}

static void every_bit_flipped(void **state) {
    (void)state;
    struct wasm_error error;
    int refused = 0;
    for (size_t bit = 0; bit < sizeof sample * 8; bit++) {
        uint8_t damaged[sizeof sample];
        memcpy(damaged, sample, sizeof sample);
        damaged[bit / 8] ^= (uint8_t)(1 << bit % 8);
        refused += !parses(damaged, sizeof damaged, &error);
    }
    assert_in_range(refused, (int)sizeof sample * 4, (int)sizeof sample * 8);
}

struct malformed {
    const char *bytes; /* after the header */
    size_t size, offset;
    const char *reason;
};

#define MALFORMED(bytes, offset, reason) {bytes, sizeof(bytes) - 1, offset, reason}

static void malformed(void **state) {
    (void)state;
    static const struct malformed cases[] = {
        MALFORMED("\x01", 9, "unexpected end"),
        MALFORMED("\x01\x05\x00", 10, "5 bytes wanted, 1 left"),
        MALFORMED("\x01\xff\xff\xff\xff\x7f", 14, "does not fit into 32 bits"),
        MALFORMED("\x01\x05\xff\xff\xff\xff\x0f", 15, "4294967295 items do not fit"),
        MALFORMED("\x01\x02\x00\x00", 11, "bytes left over"),
        MALFORMED("\x01\x04\x01\x5f\x00\x00", 12, "type form 0x5f"),
        MALFORMED("\x01\x05\x01\x60\x01\x63\x00", 14, "value type 0x63"),
        MALFORMED("\x01\x01\x00\x01\x01\x00", 13, "double or out of order"),
        MALFORMED("\x0e\x00", 10, "section 14 is unknown"),
        MALFORMED("\x02\x07\x01\x01m\x01n\x00\x00", 17, "type 0 of 0"),
        MALFORMED("\x02\x06\x01\x01m\x01n\x09", 16, "unknown import kind 9"),
        MALFORMED("\x05\x04\x01\x01\x02\x01", 14, "maximum below minimum"),
        MALFORMED("\x05\x03\x01\x08\x01", 12, "limits flags 0x08"),
        MALFORMED("\x06\x06\x01\x7f\x00\x10\x00\x0b", 15, "instruction 0x10 is not constant"),
        MALFORMED("\x06\x07\x01\x7f\x00\xfc\x0d\x05\x0b", 16, "0xfc000d is not constant"),
        MALFORMED("\x06\x06\x01\x7f\x00\x23\x00\x0b", 15, "index 0 of 0"),
        MALFORMED("\x06\x05\x01\x7f\x00\x41\x00", 15, "unexpected end of an expression"),
        MALFORMED("\x07\x05\x01\x01x\x00\x00", 15, "exported index 0 of 0"),
        MALFORMED("\x08\x01\x00", 11, "start function 0 of 0"),
        MALFORMED("\x09\x07\x01\x00\x41\x00\x0b\x00\x00", 12, "table 0"),
        MALFORMED("\x0b\x06\x01\x00\x41\x00\x0b\x00", 12, "memory 0"),
        MALFORMED("\x0c\x01\x03", 11, "0 data segments, 3 declared"),
        MALFORMED("\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00", 18, "functions without code"),
        MALFORMED("\x0a\x01\x01", 11, "1 bodies for 0 functions"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[64];
        struct wasm_error error;
        memcpy(bytes, sample, 8);
        memcpy(bytes + 8, cases[i].bytes, cases[i].size);
        assert_false(parses(bytes, 8 + cases[i].size, &error));
        if (!strstr(error.reason, cases[i].reason) || error.offset != cases[i].offset)
            fail_msg("case %zu: wanted byte %zu: %s\nbut got byte %zu: %s", i, cases[i].offset,
                     cases[i].reason, error.offset, error.reason);
    }
    struct wasm_error error;
    assert_false(parses((const uint8_t *)"\0asm\x0d\0\1\0", 8, &error)); /* a component */
    assert_non_null(strstr(error.reason, "no core WebAssembly module"));
}

static void numbers(void **state) {
    (void)state;
    static const int64_t values[] = {0,         1,         -1,        63,        64,
                                     -64,       -65,       INT32_MAX, INT32_MIN, UINT32_MAX,
                                     1LL << 62, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct wasm_buffer buffer = {0};
        wasm_put_s(&buffer, values[i]);
        wasm_put_u(&buffer, (uint64_t)values[i]);
        struct wasm_reader reader = wasm_reader_of((struct wasm_slice){buffer.data, buffer.size});
        assert_true(wasm_get_s(&reader, 64) == values[i]);
        assert_true(wasm_get_u64(&reader) == (uint64_t)values[i]);
        assert_false(reader.failed);
        assert_ptr_equal(reader.next, reader.end);
        wasm_buffer_free(&buffer);
    }
}

static void number_out_of_range(const char *bytes, size_t size, int bits, bool fits) {
    struct wasm_reader reader = wasm_reader_of((struct wasm_slice){(const uint8_t *)bytes, size});
    if (bits < 0)
        wasm_get_s(&reader, -bits);
    else if (bits == 32)
        wasm_get_u32(&reader);
    else
        wasm_get_u64(&reader);
    assert_int_equal(!reader.failed, fits);
}

static void numbers_out_of_range(void **state) {
    (void)state;
    number_out_of_range("\xff\xff\xff\xff\x0f", 5, 32, true);
    number_out_of_range("\xff\xff\xff\xff\x1f", 5, 32, false);
    number_out_of_range("\x80\x80\x80\x80\x80\x00", 6, 32, false);
    number_out_of_range("\x80\x80\x80\x80\x00", 5, 32, true);  /* padded: allowed */
    number_out_of_range("\x80\x80\x80\x80\x78", 5, -32, true); /* INT32_MIN */
    number_out_of_range("\x80\x80\x80\x80\x70", 5, -32, false);
    number_out_of_range("\xff\xff\xff\xff\x07", 5, -32, true); /* INT32_MAX */
    number_out_of_range("\xff\xff\xff\xff\x0f", 5, -32, false);
    number_out_of_range("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, 64, true);
    number_out_of_range("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, 64, false);
    number_out_of_range("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", 10, -64, true);
    number_out_of_range("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 10, -64, false);
    number_out_of_range("\x80", 1, 64, false);
}

struct encoded {
    const char *bytes;
    size_t size;
    uint32_t opcode;
    const char *operands; /* one letter each: kind, then its value as a digit */
};

#define ENCODED(bytes, opcode, operands) {bytes, sizeof(bytes) - 1, opcode, operands}

/* Letters in the order of enum wasm_operand_kind. */
static const char letters[] = "ftmgTybed";

static void check_instruction(const struct encoded *expected) {
    struct wasm_reader reader =
        wasm_reader_of((struct wasm_slice){(const uint8_t *)expected->bytes, expected->size});
    struct wasm_instruction instruction = {0};
    if (!wasm_next_instruction(&reader, &instruction))
        fail_msg("0x%x: %s", expected->opcode, reader.error.reason);
    assert_int_equal(instruction.opcode, expected->opcode);
    assert_ptr_equal(instruction.end, reader.end);
    char operands[40] = "";
    for (uint32_t i = 0; i < instruction.operand_count; i++) {
        operands[2 * i] = letters[instruction.operands[i].kind];
        operands[2 * i + 1] = (char)('0' + instruction.operands[i].value);
    }
    assert_string_equal(operands, expected->operands);
    /* One byte less is never that instruction. */
    for (size_t size = 1; size < expected->size; size++) {
        reader = wasm_reader_of((struct wasm_slice){(const uint8_t *)expected->bytes, size});
        assert_false(wasm_next_instruction(&reader, &instruction));
        assert_true(reader.failed);
    }
}

static void instructions(void **state) {
    (void)state;
    static const struct encoded cases[] = {
        ENCODED("\x00", 0x00, ""),
        ENCODED("\x02\x40", 0x02, ""),
        ENCODED("\x03\x7f", 0x03, ""),
        ENCODED("\x04\x05", 0x04, "b5"),
        ENCODED("\x02\x63\x03", 0x02, "b3"),
        ENCODED("\x08\x02", 0x08, "T2"),
        ENCODED("\x0e\x02\x00\x01\x02", 0x0e, ""),
        ENCODED("\x10\x07", 0x10, "f7"),
        ENCODED("\x11\x03\x01", 0x11, "y3t1"),
        ENCODED("\x12\x07", 0x12, "f7"),
        ENCODED("\x13\x03\x00", 0x13, "y3t0"),
        ENCODED("\x14\x03", 0x14, "y3"),
        ENCODED("\x1b", 0x1b, ""),
        ENCODED("\x1c\x01\x7f", 0x1c, ""),
        ENCODED("\x1f\x40\x03\x00\x01\x00\x02\x00\x01\x02\x00", 0x1f, "T1T2"),
        ENCODED("\x20\x81\x01", 0x20, ""),
        ENCODED("\x23\x04", 0x23, "g4"),
        ENCODED("\x24\x04", 0x24, "g4"),
        ENCODED("\x25\x01", 0x25, "t1"),
        ENCODED("\x28\x02\x80\x01", 0x28, ""),
        ENCODED("\x36\x42\x01\x00", 0x36, "m1"),
        ENCODED("\x3f\x00", 0x3f, "m0"),
        ENCODED("\x41\xff\x00", 0x41, ""),
        ENCODED("\x42\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f", 0x42, ""),
        ENCODED("\x43zzzz", 0x43, ""),
        ENCODED("\x44zzzzzzzz", 0x44, ""),
        ENCODED("\xc4", 0xc4, ""),
        ENCODED("\xd0\x70", 0xd0, ""),
        ENCODED("\xd2\x06", 0xd2, "f6"),
        ENCODED("\xfc\x07", 0xfc0007, ""),
        ENCODED("\xfc\x08\x02\x00", 0xfc0008, "d2m0"),
        ENCODED("\xfc\x09\x02", 0xfc0009, "d2"),
        ENCODED("\xfc\x0a\x00\x00", 0xfc000a, "m0m0"),
        ENCODED("\xfc\x0b\x00", 0xfc000b, "m0"),
        ENCODED("\xfc\x0c\x03\x01", 0xfc000c, "e3t1"),
        ENCODED("\xfc\x0d\x03", 0xfc000d, "e3"),
        ENCODED("\xfc\x0e\x01\x02", 0xfc000e, "t1t2"),
        ENCODED("\xfc\x10\x01", 0xfc0010, "t1"),
        ENCODED("\xfd\x00\x04\x10", 0xfd0000, ""),
        ENCODED("\xfd\x0czzzzzzzzzzzzzzzz", 0xfd000c, ""),
        ENCODED("\xfd\x0dzzzzzzzzzzzzzzzz", 0xfd000d, ""),
        ENCODED("\xfd\x15\x01", 0xfd0015, ""),
        ENCODED("\xfd\x54\x00\x10\x01", 0xfd0054, ""),
        ENCODED("\xfd\x5d\x03\x10", 0xfd005d, ""),
        ENCODED("\xfd\xff\x01", 0xfd00ff, ""),
        ENCODED("\xfd\x93\x02", 0xfd0113, ""),
        ENCODED("\xfe\x03\x00", 0xfe0003, ""),
        ENCODED("\xfe\x4e\x03\x00", 0xfe004e, ""),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_instruction(&cases[i]);
    static const char *const unknown[] = {"\x16",     "\x1d",         "\x27",     "\xc5",
                                          "\xcf",     "\xd7",         "\xff",     "\xfb\x01",
                                          "\xfc\x12", "\xfd\x94\x02", "\xfe\x04", "\xfe\x4f"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        struct wasm_reader reader = wasm_reader_of(wasm_slice_of(unknown[i]));
        struct wasm_instruction instruction = {0};
        assert_false(wasm_next_instruction(&reader, &instruction));
        assert_true(reader.failed);
    }
}

/* br_table and try_table with counts that nothing backs. */
static void instructions_with_huge_counts(void **state) {
    (void)state;
    static const char *const cases[] = {"\x0e\xff\xff\xff\xff\x0f", "\x1f\x40\xff\xff\xff\xff\x0f",
                                        "\x1c\xff\xff\xff\xff\x0f"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wasm_reader reader = wasm_reader_of(wasm_slice_of(cases[i]));
        struct wasm_instruction instruction = {0};
        assert_false(wasm_next_instruction(&reader, &instruction));
        assert_true(reader.failed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(content),
        cmocka_unit_test(edits),
        cmocka_unit_test(truncated_everywhere),
        cmocka_unit_test(every_bit_flipped),
        cmocka_unit_test(malformed),
        cmocka_unit_test(numbers),
        cmocka_unit_test(numbers_out_of_range),
        cmocka_unit_test(instructions),
        cmocka_unit_test(instructions_with_huge_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
