/* The linker: addresses, indices, the order of constructors, exports; and every error it tells.
 *
 * Three small libraries stand for runtime, libpython and libc; their code is compared with what it
 * must be after linking, instruction by instruction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include <cmocka.h>

#include "command.h"
#include "file.h"
#include "wasm_sample.h"

int link_run(int argc, char **argv);

#define GET WASM_OP_GLOBAL_GET
#define SET WASM_OP_GLOBAL_SET
#define CALL WASM_OP_CALL
#define DROP WASM_OP_DROP
#define CONST WASM_OP_I32_CONST
#define ADD WASM_OP_I32_ADD
#define STORE WASM_OP_I32_STORE

/* Addresses that follow from --stack 65536 --constant-size 1: poll page, stack, constant range. */
enum {
    RUNTIME_BASE = 3 * 65536,
    A_BASE = RUNTIME_BASE + 16,
    B_BASE = A_BASE + 16,
    HEAP_BASE = B_BASE + 16
};

/* Functions of the merged module. */
enum {
    HOST,
    RANDOM,
    GO,
    RANDOM_ANSWER,
    RUNTIME_CTORS,
    CLEAR,
    RELOCS,
    A_ADD,
    A_INIT,
    A_START,
    B_INIT
};
enum { STUB_MAYBE = B_INIT + 1, ERYX_CTORS };

static const struct sample_import {
    const char *module, *name;
    bool mutable;
} runtime_globals[] = {
    {"env", "__stack_pointer", true}, {"env", "__memory_base", false},
    {"env", "__table_base", false},   {"GOT.mem", "value", true},
    {"GOT.func", "add", true},        {"GOT.mem", "__heap_base", true},
    {"GOT.func", "maybe", true},      {"GOT.mem", "eryx_constant_end", true},
};

static void make_runtime(const char *path) {
    struct sample sample;
    sample_begin(&sample);
    for (size_t i = 0; i < sizeof runtime_globals / sizeof runtime_globals[0]; i++)
        sample_import_global(&sample, runtime_globals[i].module, runtime_globals[i].name,
                             runtime_globals[i].mutable);
    sample_import_function(&sample, "env", "add", SAMPLE_MAP);
    sample_import_function(&sample, "env", "maybe", SAMPLE_GET);
    sample_import_function(&sample, "$root", "host", SAMPLE_VOID);
    sample_import_function(&sample, "wasi:random/random", "get", SAMPLE_GET);
    uint32_t go = sample_function(&sample, SAMPLE_VOID,
                                  CODE(GET, 3, DROP, GET, 4, DROP, GET, 5, DROP, GET, 6, DROP, GET,
                                       7, DROP, GET, 2, DROP, CONST, 1, CALL, 0, DROP, CALL, 1,
                                       DROP, CALL, 2, CALL, 3, DROP, GET, 0, SET, 0));
    uint32_t answer = sample_function(&sample, SAMPLE_GET, CODE(CONST, 9));
    uint32_t ctors = sample_function(&sample, SAMPLE_VOID, CODE(0x01));
    uint32_t clear = sample_function(&sample, SAMPLE_VOID, CODE(0x01));
    uint32_t relocs = sample_function(
        &sample, SAMPLE_VOID, CODE(CONST, 0, GET, 1, ADD, GET, 3, CONST, 2, ADD, STORE, 2, 0));
    sample_export(&sample, "eryx_go", WASM_FUNCTION, go);
    sample_export(&sample, "wasi:random/random#get", WASM_FUNCTION, answer);
    sample_export(&sample, "__wasm_call_ctors", WASM_FUNCTION, ctors);
    sample_export(&sample, "clear-state", WASM_FUNCTION, clear);
    sample_export(&sample, "internal", WASM_FUNCTION, clear);
    sample_export(&sample, "__wasm_apply_data_relocs", WASM_FUNCTION, relocs);
    sample_export(&sample, "eryx_data", WASM_GLOBAL, sample_global(&sample, 4, false));
    sample_data(&sample, 1, "12345678", 8);
    sample_dylink(&sample, 8, 2, 0, NULL, "maybe");
    sample_write(&sample, path);
}

static void make_a(const char *path) {
    struct sample sample;
    sample_begin(&sample);
    sample_import_global(&sample, "env", "__memory_base", false);
    sample_import_global(&sample, "env", "__table_base", false);
    sample_import_function(&sample, "wasi:random/random", "get", SAMPLE_GET);
    uint32_t add = sample_function(&sample, SAMPLE_MAP, CODE(0x20, 0, CALL, 0, ADD));
    uint32_t init = sample_function(&sample, SAMPLE_VOID, CODE(0x01));
    sample.module.start = sample_function(&sample, SAMPLE_VOID, CODE(0x01));
    sample.module.has_start = true;
    sample_export(&sample, "add", WASM_FUNCTION, add);
    sample_export(&sample, "_initialize", WASM_FUNCTION, init);
    sample_export(&sample, "value", WASM_GLOBAL, sample_global(&sample, 4, false));
    sample_data(&sample, 0, "abcdefgh", 8);
    sample_element(&sample, 1, init);
    sample_dylink(&sample, 8, 2, 1, "libb.so", NULL);
    sample_write(&sample, path);
}

/* A library that is only named. */
static void make_named(const char *path) {
    struct sample sample;
    sample_begin(&sample);
    sample_export(&sample, "_initialize", WASM_FUNCTION,
                  sample_function(&sample, SAMPLE_VOID, CODE(0x01)));
    sample_dylink(&sample, 4, 0, 0, NULL, NULL);
    sample_write(&sample, path);
}

static int make_libraries(void **state) {
    if (sample_make_folder(state) != 0)
        return -1;
    make_runtime(sample_path("runtime.so"));
    make_a(sample_path("liba.so"));
    make_named(sample_path("libb.so"));
    make_named(sample_path("libc.so"));
    return 0;
}

static struct file_bytes bytes;

/* Reads out.wasm. Free with free_output. */
static struct wasm_module read_output(void) {
    struct wasm_module module;
    struct wasm_error error;
    assert_true(file_read(sample_path("out.wasm"), &bytes));
    if (!wasm_parse(bytes.data, bytes.size, &module, &error))
        fail_msg("out.wasm: byte %zu: %s", error.offset, error.reason);
    return module;
}

static void free_output(struct wasm_module *module) {
    wasm_free(module);
    file_bytes_free(&bytes);
}

static struct wasm_module link_samples(const char *option) {
    int result = sample_run(link_run, "link", "-o", sample_path("out.wasm"), "--stack", "65536",
                            "--constant-size", "1", "--initial-heap", "100000", option,
                            sample_path("runtime.so"), sample_path("liba.so"),
                            sample_path("libb.so"), sample_path("libc.so"), NULL);
    if (result != COMMAND_OK)
        fail_msg("%s", sample_messages());
    return read_output();
}

static void put_const(struct wasm_buffer *code, int32_t value) {
    wasm_put_byte(code, CONST);
    wasm_put_s(code, value);
}

static void assert_body(const struct wasm_module *module, uint32_t function, const void *expected,
                        size_t size) {
    const struct wasm_slice body =
        module->functions[function - module->imported[WASM_FUNCTION]].body;
    if (body.size != size)
        fail_msg("function %u: %zu bytes wanted, got %zu", function, size, body.size);
    assert_memory_equal(body.data, expected, size);
}

static void code(void **state) {
    (void)state;
    struct wasm_module module = link_samples("--map");
    assert_int_equal(module.import_count, 2);
    assert_true(wasm_slice_is(module.imports[HOST].name, "host"));
    assert_true(wasm_slice_is(module.imports[RANDOM].module, "wasi:random/random"));
    assert_int_equal(module.function_count, ERYX_CTORS - RANDOM);
    /* value, &add (after the slot of A), the heap, an absent weak function, the constant range,
     * the empty table region */
    const int32_t addresses[] = {A_BASE + 4, 2, HEAP_BASE, 0, RUNTIME_BASE, 1};
    struct wasm_buffer go = {0};
    wasm_put_byte(&go, 0);
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        put_const(&go, addresses[i]);
        wasm_put_byte(&go, DROP);
    }
    wasm_put(&go, CODE(CONST, 1, CALL, A_ADD, DROP, CALL, STUB_MAYBE, DROP, CALL, HOST, CALL,
                       RANDOM, DROP, GET, 0, SET, 0, WASM_OP_END));
    assert_body(&module, GO, go.data, go.size);
    wasm_buffer_free(&go);
    assert_body(&module, A_ADD, CODE(0, 0x20, 0, CALL, RANDOM_ANSWER, ADD, WASM_OP_END));
    assert_body(&module, STUB_MAYBE, CODE(0, WASM_OP_UNREACHABLE, WASM_OP_END));
    assert_body(&module, RELOCS, CODE(0, WASM_OP_END));
    /* start functions, then constructors: A needs B, the runtime comes last */
    assert_body(
        &module, ERYX_CTORS,
        CODE(0, CALL, A_START, CALL, B_INIT, CALL, A_INIT, CALL, RUNTIME_CTORS, WASM_OP_END));
    free_output(&module);
}

static void memory_and_table(void **state) {
    (void)state;
    struct wasm_module module = link_samples("--map");
    int64_t value;
    assert_int_equal(module.memory_count, 1);
    assert_int_equal(module.memories[0].min, (HEAP_BASE + 100000 + 65535) / 65536);
    assert_int_equal(module.tables[0].limits.min, 3);
    assert_int_equal(module.tables[0].limits.max, 3);
    assert_int_equal(module.element_count, 2);
    assert_true(wasm_constant(module.elements[0].offset, &value) && value == 1);
    assert_int_equal(module.elements[0].functions[0], A_INIT);
    assert_true(wasm_constant(module.elements[1].offset, &value) && value == 2);
    assert_int_equal(module.elements[1].functions[0], A_ADD);
    /* The relocation is in the data: the address of value plus 2. */
    const uint32_t relocated = A_BASE + 4 + 2;
    assert_true(wasm_constant(module.data[0].offset, &value) && value == RUNTIME_BASE);
    assert_memory_equal(module.data[0].bytes.data, &relocated, 4);
    assert_memory_equal(module.data[0].bytes.data + 4, "5678", 4);
    assert_true(wasm_constant(module.data[1].offset, &value) && value == A_BASE);
    assert_false(module.has_start);
    free_output(&module);
}

static void table_room(void **state) {
    (void)state;
    struct wasm_module module = link_samples("--table-room=1000");
    assert_int_equal(module.tables[0].limits.min, 1003);
    assert_int_equal(module.tables[0].limits.max, 1003);
    free_output(&module);
}

static void null_word(void **state) {
    (void)state;
    struct wasm_module module = link_samples("--map");
    uint32_t segments = module.data_count;
    free_output(&module);
    module = link_samples("--null-word=0x50000001");
    int64_t address = -1;
    assert_int_equal(module.data_count, segments + 1);
    assert_true(wasm_constant(module.data[segments].offset, &address) && address == 0);
    assert_int_equal(module.data[segments].bytes.size, 4);
    assert_memory_equal(module.data[segments].bytes.data, "\1\0\0\x50", 4);
    free_output(&module);
}

static int64_t exported_value(const struct wasm_module *module, const char *name) {
    const struct wasm_export *export = wasm_find_export(module, WASM_GLOBAL, name);
    int64_t value;
    assert_non_null(export);
    assert_true(wasm_constant(module->globals[export->index].init, &value));
    return value;
}

static void exports(void **state) {
    (void)state;
    struct wasm_module module = link_samples("--export=add");
    assert_int_equal(module.export_count, 10);
    assert_non_null(wasm_find_export(&module, WASM_MEMORY, "memory"));
    assert_non_null(wasm_find_export(&module, WASM_TABLE, "__indirect_function_table"));
    assert_int_equal(wasm_find_export(&module, WASM_FUNCTION, "eryx_ctors")->index, ERYX_CTORS);
    assert_int_equal(wasm_find_export(&module, WASM_FUNCTION, "eryx_go")->index, GO);
    assert_int_equal(wasm_find_export(&module, WASM_FUNCTION, "clear-state")->index, CLEAR);
    assert_int_equal(wasm_find_export(&module, WASM_FUNCTION, "add")->index, A_ADD);
    assert_int_equal(exported_value(&module, "__stack_pointer"), 2 * 65536);
    assert_int_equal(exported_value(&module, "eryx_constant_start"), 2 * 65536);
    assert_int_equal(exported_value(&module, "eryx_constant_end"), 3 * 65536);
    assert_int_equal(exported_value(&module, "eryx_data"), RUNTIME_BASE + 4);
    for (uint32_t i = 0; i < module.global_count; i++)
        assert_int_equal(module.globals[i].type.mutable, i == 0);
    free_output(&module);
}

static void names(void **state) {
    (void)state;
    struct wasm_module module = link_samples("--map");
    const struct wasm_custom *custom = wasm_find_custom(&module, "name");
    assert_non_null(custom);
    assert_non_null(memmem(custom->bytes.data, custom->bytes.size, "eryx_ctors", 10));
    assert_non_null(memmem(custom->bytes.data, custom->bytes.size, "maybe", 5));
    assert_non_null(wasm_find_custom(&module, "target_features"));
    free_output(&module);
    module = link_samples("--strip");
    assert_null(wasm_find_custom(&module, "name"));
    free_output(&module);
}

static void leaves_out_what_nobody_needs(void **state) {
    (void)state;
    struct wasm_module module = link_samples("--map");
    assert_non_null(strstr(sample_messages(), "libc.so: not needed"));
    uint32_t functions = module.function_count;
    free_output(&module);
    module = link_samples("--keep-all");
    assert_int_equal(module.function_count, functions + 1);
    free_output(&module);
}

static void first_library_wins(void **state) {
    (void)state;
    struct sample sample;
    sample_begin(&sample);
    sample_export(&sample, "add", WASM_FUNCTION,
                  sample_function(&sample, SAMPLE_MAP, CODE(0x20, 0)));
    sample_dylink(&sample, 0, 0, 0, NULL, NULL);
    sample_write(&sample, sample_path("libfirst.so"));
    int result = sample_run(link_run, "link", "-o", sample_path("out.wasm"),
                            sample_path("runtime.so"), sample_path("libfirst.so"),
                            sample_path("liba.so"), sample_path("libb.so"), "--export=add", NULL);
    assert_int_equal(result, COMMAND_OK);
    struct wasm_module module = read_output();
    assert_body(&module, wasm_find_export(&module, WASM_FUNCTION, "add")->index,
                CODE(0, 0x20, 0, WASM_OP_END));
    free_output(&module);
}

static void reads_zstd(void **state) {
    (void)state;
    struct file_bytes plain;
    assert_true(file_read(sample_path("liba.so"), &plain));
    char packed[4096];
    size_t size = ZSTD_compress(packed, sizeof packed, plain.data, plain.size, 3);
    assert_false(ZSTD_isError(size));
    file_bytes_free(&plain);
    sample_write_bytes(sample_path("liba.so.zst"), packed, size);
    char argument[5000];
    snprintf(argument, sizeof argument, "liba.so=%s", sample_path("liba.so.zst"));
    int result = sample_run(link_run, "link", "-o", sample_path("out.wasm"),
                            sample_path("runtime.so"), argument, sample_path("libb.so"), NULL);
    assert_int_equal(result, COMMAND_OK);
    sample_write_bytes(sample_path("liba.so.zst"), packed, size / 2);
    result = sample_run(link_run, "link", "-o", sample_path("out.wasm"), sample_path("runtime.so"),
                        argument, NULL);
    assert_int_equal(result, COMMAND_FAILED);
    assert_non_null(strstr(sample_messages(), "cannot decompress: "));
}

/* Relocations that are not just stores of constants stay in the module. */
static void relocates_at_run_time_otherwise(void **state) {
    (void)state;
    struct sample sample;
    sample_begin(&sample);
    sample_import_global(&sample, "env", "__memory_base", false);
    uint32_t relocs =
        sample_function(&sample, SAMPLE_VOID, CODE(GET, 0, GET, 0, 0x28, 2, 0, STORE, 2, 0));
    sample_export(&sample, "__wasm_apply_data_relocs", WASM_FUNCTION, relocs);
    sample_data(&sample, 0, "1234", 4);
    sample_dylink(&sample, 4, 0, 0, NULL, NULL);
    sample_write(&sample, sample_path("odd.so"));
    int result = sample_run(link_run, "link", "--map", "-o", sample_path("out.wasm"),
                            sample_path("odd.so"), NULL);
    assert_int_equal(result, COMMAND_OK);
    assert_non_null(strstr(sample_messages(), "relocated at run time"));
    struct wasm_module module = read_output();
    assert_int_equal(module.functions[0].body.data[1], CONST);
    assert_body(&module, 1, CODE(0, CALL, 0, WASM_OP_END));
    assert_memory_equal(module.data[0].bytes.data, "1234", 4);
    free_output(&module);
}

static void assert_fails(const char *library, const char *message) {
    int before = sample_file_count();
    int result = sample_run(link_run, "link", "-o", sample_path("failed.wasm"),
                            sample_path("runtime.so"), library, NULL);
    assert_int_equal(result, COMMAND_FAILED);
    if (!strstr(sample_messages(), message))
        fail_msg("wanted: %s\nbut got: %s", message, sample_messages());
    assert_int_equal(sample_file_count(), before);
}

static void files_that_fail(void **state) {
    (void)state;
    assert_fails(sample_path("missing.so"), "missing.so: No such file");
    assert_fails(sample_folder(), "Is a directory");
    sample_write_bytes(sample_path("text.so"), "hello, world", 12);
    assert_fails(sample_path("text.so"), "malformed library: ");
    sample_write_bytes(sample_path("empty.so"), "\0asm\1\0\0\0", 8);
    assert_fails(sample_path("empty.so"), "dylink.0, byte 0: no such section");
    int result =
        sample_run(link_run, "link", "-o", sample_path("no/such/folder.wasm"),
                   sample_path("runtime.so"), sample_path("liba.so"), sample_path("libb.so"), NULL);
    assert_int_equal(result, COMMAND_FAILED);
    assert_non_null(strstr(sample_messages(), "cannot write: "));
}

static void unresolved_symbols(void **state) {
    (void)state;
    /* All of them, with the library that wants them. */
    assert_fails(sample_path("libb.so"), "runtime.so: function add;");
    assert_non_null(strstr(sample_messages(), "runtime.so: data value;"));
    assert_null(strstr(sample_messages(), "maybe"));
}

/* A library that exports `add` and `value`, so that the runtime is content, with one thing wrong.
 */
static void begin_wrong(struct sample *sample, enum sample_type add_type) {
    sample_begin(sample);
    sample_import_global(sample, "env", "__memory_base", false);
    sample_import_global(sample, "env", "__table_base", false);
    sample_export(sample, "value", WASM_GLOBAL, sample_global(sample, 0, false));
    uint32_t add = sample_function(sample, add_type, CODE(CONST, 1));
    sample_export(sample, "add", WASM_FUNCTION, add);
}

static void finish_wrong(struct sample *sample, const char *message) {
    sample_dylink(sample, 4, 0, 1, NULL, NULL);
    sample_write(sample, sample_path("wrong.so"));
    assert_fails(sample_path("wrong.so"), message);
}

static void libraries_that_fail(void **state) {
    (void)state;
    struct sample sample;
    begin_wrong(&sample, SAMPLE_GET);
    finish_wrong(&sample, "signatures differ: ");
    begin_wrong(&sample, SAMPLE_MAP);
    sample_global(&sample, 0, true);
    finish_wrong(&sample, "it has a mutable global");
    begin_wrong(&sample, SAMPLE_MAP);
    sample_data(&sample, 0, "12345", 5);
    finish_wrong(&sample, "data segment 0 lies outside of its 4 bytes");
    begin_wrong(&sample, SAMPLE_MAP);
    sample_element(&sample, 1, 0);
    sample.module.elements[0].offset = wasm_i32_const(&sample.module, 3);
    finish_wrong(&sample, "lies outside of the table region of 1 slots");
    begin_wrong(&sample, SAMPLE_MAP);
    sample_function(&sample, SAMPLE_VOID, CODE(CALL, 99));
    finish_wrong(&sample, "function 1, byte 1: instruction 0x10: index 99 of 2");
    begin_wrong(&sample, SAMPLE_MAP);
    sample_function(&sample, SAMPLE_VOID, CODE(0xff));
    finish_wrong(&sample, "function 1, byte 2: unknown instruction 0xff");
    begin_wrong(&sample, SAMPLE_MAP);
    sample_function(&sample, SAMPLE_VOID, CODE(CONST, 1, SET, 0));
    finish_wrong(&sample, "global.set of an address");
    begin_wrong(&sample, SAMPLE_MAP);
    sample_export(&sample, "_initialize", WASM_FUNCTION, 0);
    finish_wrong(&sample, "_initialize takes parameters or returns something");
    begin_wrong(&sample, SAMPLE_MAP);
    sample.module.imports[0].name = wasm_slice_of("other");
    finish_wrong(&sample, "it imports a memory or table other than those of env");
}

static void dylink_section_that_fails(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *message;
    } cases[] = {
        {"\x01\x04\x00\x11\x00\x00", 6, "dylink.0, byte 4: alignment 2^17 is over 2^16"},
        {"\x01\x02\x00\x00", 4, "dylink.0, byte 4: unexpected end"},
        {"\x02\x05\xff\xff\xff\xff\x0f", 7, "items do not fit"},
        {"\x04\x09\x01", 3, "9 bytes wanted, 1 left"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sample sample;
        begin_wrong(&sample, SAMPLE_MAP);
        sample_dylink(&sample, 0, 0, 0, NULL, NULL);
        sample.module.customs[0].bytes =
            (struct wasm_slice){(const uint8_t *)cases[i].bytes, cases[i].size};
        sample_write(&sample, sample_path("wrong.so"));
        assert_fails(sample_path("wrong.so"), cases[i].message);
    }
}

static void arguments(void **state) {
    (void)state;
    const char *runtime = sample_path("runtime.so"), *out = sample_path("failed.wasm");
    assert_int_equal(sample_run(link_run, "link", "--help", NULL), COMMAND_OK);
    assert_non_null(strstr(sample_messages(), "--constant-size"));
    assert_int_equal(sample_run(link_run, "link", runtime, NULL), COMMAND_USAGE);
    assert_int_equal(sample_run(link_run, "link", "-o", out, NULL), COMMAND_USAGE);
    assert_int_equal(sample_run(link_run, "link", "--bad", NULL), COMMAND_USAGE);
    static const char *const sizes[] = {"", "x", "12x", "-1", "99999999999999999999"};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_int_equal(
            sample_run(link_run, "link", "--stack", sizes[i], "-o", out, runtime, NULL),
            COMMAND_USAGE);
    int result = sample_run(link_run, "link", "--initial-heap", "4294900000", "-o", out,
                            sample_path("libb.so"), NULL);
    assert_int_equal(result, COMMAND_FAILED);
    assert_non_null(strstr(sample_messages(), "4 GiB are the limit"));
    assert_fails(runtime, "library given twice: ");
    result =
        sample_run(link_run, "link", "--export=nothing", "-o", out, sample_path("libb.so"), NULL);
    assert_int_equal(result, COMMAND_FAILED);
    assert_non_null(strstr(sample_messages(), "cannot export: nothing"));
    assert_false(sample_exists("failed.wasm"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code),
        cmocka_unit_test(memory_and_table),
        cmocka_unit_test(table_room),
        cmocka_unit_test(null_word),
        cmocka_unit_test(exports),
        cmocka_unit_test(names),
        cmocka_unit_test(leaves_out_what_nobody_needs),
        cmocka_unit_test(first_library_wins),
        cmocka_unit_test(reads_zstd),
        cmocka_unit_test(relocates_at_run_time_otherwise),
        cmocka_unit_test(files_that_fail),
        cmocka_unit_test(unresolved_symbols),
        cmocka_unit_test(libraries_that_fail),
        cmocka_unit_test(dylink_section_that_fails),
        cmocka_unit_test(arguments),
    };
    return cmocka_run_group_tests(tests, make_libraries, sample_remove_folder);
}
