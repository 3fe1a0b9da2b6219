/* Extensions before an engine sees them: what extension_prepare refuses and why, what it makes of what
 * it takes; the cache of compiled code; the table of symbols. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "extension/cache.h"
#include "extension/prepare.h"
#include "image/symbols.h"
#include "wasm_sample.h"

/* Globals of the sample, by index. */
enum { STACK_POINTER, MEMORY_BASE, TABLE_BASE, GOT };
/* Its functions: the import, then two of its own. */
enum { IMPORTED, INIT, START };

/* Its imports; the first two are memory and table. */
enum { IMPORT_ADDRESS = 5, IMPORT_FUNCTION };

enum { MEMORY_BYTES = 8, SLOTS = 1 };

/* An extension as wasm-ld makes it, until it is spoiled. */
static void make_sample(struct sample *sample, uint32_t memory_size, uint32_t slots,
                        const char *needed, const char *weak) {
    sample_begin(sample);
    sample_import_global(sample, "env", "__stack_pointer", true);
    sample_import_global(sample, "env", "__memory_base", false);
    sample_import_global(sample, "env", "__table_base", false);
    sample_import_global(sample, "GOT.mem", "_Py_NoneStruct", true);
    sample_import_function(sample, "env", "PyLong_FromLong", SAMPLE_MAP);
    sample_function(sample, SAMPLE_GET, CODE(0x41, 1, 0x10, IMPORTED));
    sample_function(sample, SAMPLE_VOID, CODE(0x23, STACK_POINTER, 0x24, STACK_POINTER));
    sample_export(sample, "PyInit_spam", WASM_FUNCTION, INIT);
    sample_export(sample, "__wasm_apply_data_relocs", WASM_FUNCTION, START);
    sample_data(sample, MEMORY_BASE, "12345678", 8);
    sample_element(sample, TABLE_BASE, INIT);
    sample_dylink(sample, memory_size, 2, slots, needed, weak);
}

/* Prepares what the sample is now, and frees it. */
static int prepare(struct sample *sample, extension_module_t *out, eryx_error_t *error) {
    struct wasm_buffer binary = {0};
    assert_true(wasm_encode(&sample->module, &binary));
    wasm_free(&sample->module);
    int status = extension_prepare(binary.data, binary.size, 1 << 20, 2 << 20, false, out, error);
    wasm_buffer_free(&binary);
    return status;
}

static void foreign_import(struct sample *sample) {
    sample->module.imports[IMPORT_FUNCTION].module = wasm_slice_of("eryx");
}

static void wasi_import(struct sample *sample) {
    sample->module.imports[IMPORT_FUNCTION].module = wasm_slice_of("wasi:random/random@0.2.0");
}

static void other_global(struct sample *sample) {
    sample->module.imports[IMPORT_ADDRESS].module = wasm_slice_of("env");
}

static void wide_address(struct sample *sample) {
    sample->module.imports[IMPORT_ADDRESS].global.value = WASM_I64;
}

static void own_memory(struct sample *sample) {
    sample->module.memories = wasm_alloc(&sample->module, 1, sizeof(struct wasm_limits));
    sample->module.memory_count = 1;
}

static void wide_memory(struct sample *sample) {
    for (uint32_t i = 0; i < sample->module.import_count; i++)
        if (sample->module.imports[i].kind == WASM_MEMORY)
            sample->module.imports[i].memory.flags = 4;
}

static void mutable_global(struct sample *sample) {
    sample_global(sample, 1, true);
}

static void init_with_parameter(struct sample *sample) {
    static const uint8_t code[] = {0, 0x20, 0, 0x0b};
    sample->module.functions[0] = (struct wasm_function){SAMPLE_MAP, {code, sizeof code}};
}

static void relocations_with_result(struct sample *sample) {
    sample->module.exports[1].index = INIT;
}

static void start_with_result(struct sample *sample) {
    sample->module.has_start = true;
    sample->module.start = INIT;
}

static void reserved_export(struct sample *sample) {
    sample_export(sample, EXTENSION_START, WASM_FUNCTION, START);
}

static void passive_data(struct sample *sample) {
    sample->module.data[0].mode = WASM_PASSIVE;
}

static void absolute_data(struct sample *sample) {
    sample->module.data[0].offset = wasm_i32_const(&sample->module, 0);
}

static void data_by_table(struct sample *sample) {
    static const uint8_t code[] = {0x23, TABLE_BASE, 0x0b};
    sample->module.data[0].offset = (struct wasm_slice){code, sizeof code};
}

static void data_outside(struct sample *sample) {
    static const uint8_t code[] = {0x23, MEMORY_BASE, 0x41, 1, 0x6a, 0x0b};
    sample->module.data[0].offset = (struct wasm_slice){code, sizeof code};
}

static void data_before(struct sample *sample) {
    static const uint8_t code[] = {0x23, MEMORY_BASE, 0x41, 0x7f, 0x6a, 0x0b};
    sample->module.data[0].offset = (struct wasm_slice){code, sizeof code};
}

static void element_outside(struct sample *sample) {
    static const uint8_t code[] = {0x41, 1, 0x23, TABLE_BASE, 0x6a, 0x0b};
    sample->module.elements[0].offset = (struct wasm_slice){code, sizeof code};
}

static void element_absolute(struct sample *sample) {
    sample->module.elements[0].offset = wasm_i32_const(&sample->module, 7);
}

static void body(struct sample *sample, const uint8_t *code, size_t size) {
    sample->module.functions[1].body = (struct wasm_slice){code, size};
}

static void sets_table(struct sample *sample) {
    static const uint8_t code[] = {0, 0x41, 0, 0xd0, 0x70, 0x26, 0, 0x0b};
    body(sample, code, sizeof code);
}

static void fills_table(struct sample *sample) {
    static const uint8_t code[] = {0, 0x41, 0, 0xd0, 0x70, 0x41, 1, 0xfc, 17, 0, 0x0b};
    body(sample, code, sizeof code);
}

static void initialises_memory(struct sample *sample) {
    static const uint8_t code[] = {0, 0x41, 0, 0x41, 0, 0x41, 1, 0xfc, 8, 0, 0, 0x0b};
    sample->module.has_data_count = true;
    body(sample, code, sizeof code);
}

static void sets_address(struct sample *sample) {
    static const uint8_t code[] = {0, 0x41, 0, 0x24, GOT, 0x0b};
    body(sample, code, sizeof code);
}

static void waits(struct sample *sample) {
    static const uint8_t code[] = {0, 0xfe, 0x03, 0x00, 0x0b};
    body(sample, code, sizeof code);
}

static void unknown_instruction(struct sample *sample) {
    static const uint8_t code[] = {0, 0xff, 0x0b};
    body(sample, code, sizeof code);
}

static void no_dylink(struct sample *sample) {
    sample->module.custom_count = 0;
}

static void broken_dylink(struct sample *sample) {
    static const uint8_t bytes[] = {1, 4, 0, 17, 0, 0};
    sample->module.customs[0].bytes = (struct wasm_slice){bytes, sizeof bytes};
}

static const struct refusal {
    void (*spoil)(struct sample *sample);
    const char *reason;
} refusals[] = {
    {foreign_import, "it imports PyLong_FromLong from eryx, which"},
    {wasi_import, "it imports PyLong_FromLong from wasi:random/random@0.2.0, which"},
    {other_global, "it imports _Py_NoneStruct from env, which"},
    {wide_address, "it imports _Py_NoneStruct from GOT.mem, which"},
    {own_memory, "it must import its one memory"},
    {wide_memory, "it imports memory from env, which"},
    {mutable_global, "it has a mutable global"},
    {init_with_parameter, "its function PyInit_spam has parameters or results"},
    {relocations_with_result, "its function __wasm_apply_data_relocs has parameters or results"},
    {start_with_result, "its start function has parameters or results"},
    {reserved_export, "it exports a name of the loader's"},
    {passive_data, "data segment 0 is passive"},
    {absolute_data, "the address of data segment 0 is not relative to __memory_base"},
    {data_by_table, "the address of data segment 0 is not relative to __memory_base"},
    {data_outside, "data segment 0 (offset 1, 8 bytes) is outside of its 8 bytes"},
    {data_before, "data segment 0 (offset 4294967295, 8 bytes) is outside of its 8 bytes"},
    {element_outside, "element segment 0 (slot 1, 1 functions) is outside of its 1 slots"},
    {element_absolute, "the place of element segment 0 is not relative to __table_base"},
    {sets_table, "function 2 uses table.set"},
    {fills_table, "function 2 uses table.fill"},
    {initialises_memory, "function 2 uses memory.init"},
    {sets_address, "function 2 sets a global other than __stack_pointer"},
    {waits, "function 2 uses threads"},
    {unknown_instruction, "malformed: function 2, byte 2: unknown instruction 0xff"},
    {no_dylink, "no shared library: section dylink.0, byte 0: no such section"},
    {broken_dylink, "no shared library: section dylink.0, byte 4: alignment 2^17 is over 2^16"},
};

static void assert_refused(int status, const eryx_error_t *error, const char *reason) {
    if (status == ERYX_OK || !strstr(error->message, reason))
        fail_msg("wanted: %s\nbut got: %d %s", reason, status,
                 status == ERYX_OK ? "" : error->message);
}

static void refuses(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct sample sample;
        extension_module_t module;
        eryx_error_t error;
        make_sample(&sample, MEMORY_BYTES, SLOTS, NULL, NULL);
        refusals[i].spoil(&sample);
        assert_refused(prepare(&sample, &module, &error), &error, refusals[i].reason);
        assert_null(module.data);
    }
}

static void refuses_wants(void **state) {
    (void)state;
    struct sample sample;
    extension_module_t module;
    eryx_error_t error;
    make_sample(&sample, EXTENSION_MEMORY_MAX + 1, SLOTS, NULL, NULL);
    assert_refused(prepare(&sample, &module, &error), &error, "it wants 536870913 bytes of memory");
    make_sample(&sample, UINT32_MAX, SLOTS, NULL, NULL);
    assert_refused(prepare(&sample, &module, &error), &error, "it wants 4294967295 bytes");
    make_sample(&sample, MEMORY_BYTES, EXTENSION_SLOTS_MAX + 1, NULL, NULL);
    assert_refused(prepare(&sample, &module, &error), &error, "it wants 65537 slots of the table");
    make_sample(&sample, MEMORY_BYTES, SLOTS, "libspam.so", NULL);
    assert_refused(prepare(&sample, &module, &error), &error, "it needs the library libspam.so");
}

static void refuses_what_is_cut(void **state) {
    (void)state;
    struct sample sample;
    struct wasm_buffer binary = {0};
    extension_module_t module;
    eryx_error_t error;
    make_sample(&sample, MEMORY_BYTES, SLOTS, "libc.so", NULL);
    assert_true(wasm_encode(&sample.module, &binary));
    wasm_free(&sample.module);
    for (size_t size = 0; size < binary.size; size++) {
        /* A copy of that size, so that a sanitizer sees reading past it. */
        uint8_t *cut = malloc(size + 1);
        memcpy(cut, binary.data, size);
        int status = extension_prepare(cut, size, 0, 0, false, &module, &error);
        free(cut);
        extension_module_free(&module);
        /* What is cut between sections can be a module, but none with all of its segments. */
        if (status == ERYX_OK)
            assert_true(size > binary.size / 2);
    }
    assert_int_equal(extension_prepare(binary.data, binary.size, 0, 0, false, &module, &error),
                     ERYX_OK);
    extension_module_free(&module);
    wasm_buffer_free(&binary);
}

static void refuses_long_functions(void **state) {
    (void)state;
    struct sample sample;
    extension_module_t module;
    eryx_error_t error;
    make_sample(&sample, MEMORY_BYTES, SLOTS, NULL, NULL);
    uint8_t *code = calloc(EXTENSION_BODY_MAX + 1, 1); /* unreachable, unreachable, ... */
    code[EXTENSION_BODY_MAX] = WASM_OP_END;
    sample.module.functions[1].body = (struct wasm_slice){code, EXTENSION_BODY_MAX + 1};
    assert_refused(prepare(&sample, &module, &error), &error, "function 2 has 1048577 bytes");
    free(code);
}

/* The prepared module, parsed. Free the wasm module, then the extension module. */
static void accept(struct sample *sample, extension_module_t *module, struct wasm_module *out) {
    eryx_error_t error;
    struct wasm_error failure;
    if (prepare(sample, module, &error) != ERYX_OK)
        fail_msg("refused: %s", error.message);
    assert_true(wasm_parse(module->data, module->length, out, &failure));
}

static void takes_what_is_good(void **state) {
    (void)state;
    struct sample sample;
    extension_module_t module;
    struct wasm_module prepared;
    make_sample(&sample, MEMORY_BYTES, SLOTS, "libc++.so", NULL);
    accept(&sample, &module, &prepared);
    assert_int_equal(module.needs.memory_bytes, 8);
    assert_int_equal(module.needs.memory_alignment, 4);
    assert_int_equal(module.needs.table_slots, 1);
    assert_int_equal(module.needs.table_alignment, 1);
    assert_int_equal(prepared.custom_count, 0);
    assert_int_equal(prepared.function_count, 5); /* one for data, and two guards */
    assert_int_equal(prepared.data[0].mode, WASM_PASSIVE);
    /* It calls another function, so it polls when it begins. */
    static const uint8_t expected[] = {0, 0x41, 0, 0x28, 2, 0, 0x1a, 0x41, 1, 0x10, IMPORTED, 0x0b};
    assert_int_equal(prepared.functions[0].body.size, sizeof expected);
    assert_memory_equal(prepared.functions[0].body.data, expected, sizeof expected);
    assert_int_equal(prepared.functions[1].body.size, 6);
    wasm_free(&prepared);
    extension_module_free(&module);
}

static void exports_the_start_function(void **state) {
    (void)state;
    struct sample sample;
    extension_module_t module;
    struct wasm_module prepared;
    make_sample(&sample, MEMORY_BYTES, SLOTS, NULL, NULL);
    sample.module.has_start = true;
    sample.module.start = START;
    accept(&sample, &module, &prepared);
    assert_false(prepared.has_start);
    const struct wasm_export *export = wasm_find_export(&prepared, WASM_FUNCTION, EXTENSION_START);
    assert_non_null(export);
    assert_int_equal(export->index, START);
    wasm_free(&prepared);
    extension_module_free(&module);
}

static void marks_weak_imports(void **state) {
    (void)state;
    struct sample sample;
    extension_module_t module;
    struct wasm_module prepared;
    make_sample(&sample, MEMORY_BYTES, SLOTS, NULL, "PyLong_FromLong");
    accept(&sample, &module, &prepared);
    assert_true(wasm_slice_is(prepared.imports[IMPORT_FUNCTION].module, "weak:env"));
    assert_true(wasm_slice_is(prepared.imports[IMPORT_ADDRESS].module, "GOT.mem"));
    wasm_free(&prepared);
    extension_module_free(&module);
}

/* --- Cache -------------------------------------------------------------------------------- */

static const uint8_t key[32] = {1, 2, 3}, other_key[32] = {4};
static const extension_needs_t needs = {100, 16, 7, 1};
static char fact_bytes[] = "facts";
static const cache_facts_t some_facts = {fact_bytes, sizeof fact_bytes};

static void open_cache(cache_folder_t *cache, const char *name) {
    assert_true(cache_folder_init(cache, sample_path(name), "extensions", CACHE_BYTES_MAX));
}

static void cache_gives_back(void **state) {
    (void)state;
    cache_folder_t cache;
    extension_needs_t found;
    cache_facts_t facts;
    char text[5] = "";
    open_cache(&cache, "a/b/cache");
    assert_int_equal(cache_find(&cache, key, &found, &facts), -1);
    cache_keep(&cache, key, &needs, "code", 4, some_facts);
    int fd = cache_find(&cache, key, &found, &facts);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, text, 4), 4);
    assert_string_equal(text, "code");
    assert_memory_equal(&found, &needs, sizeof needs);
    assert_int_equal(facts.length, sizeof fact_bytes);
    assert_memory_equal(facts.data, fact_bytes, sizeof fact_bytes);
    free(facts.data);
    close(fd);
    assert_int_equal(cache_find(&cache, other_key, &found, &facts), -1);
    cache_folder_free(&cache);
}

/* The file of `key` in the folder of that name. */
static const char *file_of_key(const char *name) {
    static char path[1200];
    snprintf(path, sizeof path,
             "%s/01020300000000000000000000000000000000000000000000000000000000"
             "00.cwasm",
             sample_path(name));
    return path;
}

static void cache_drops_damaged_files(void **state) {
    (void)state;
    cache_folder_t cache;
    extension_needs_t found;
    cache_facts_t facts;
    open_cache(&cache, "damaged");
    cache_keep(&cache, key, &needs, "code", 4, some_facts);
    assert_int_equal(truncate(file_of_key("damaged"), 50), 0);
    assert_int_equal(cache_find(&cache, key, &found, &facts), -1);
    assert_int_equal(access(file_of_key("damaged"), F_OK), -1);
    cache_keep(&cache, key, &needs, "code", 4, some_facts);
    int fd = open(file_of_key("damaged"), O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
    assert_int_equal(cache_find(&cache, key, &found, &facts), -1);
    cache_folder_free(&cache);
}

/* Whoever else can write there could give us machine code. */
static void cache_trusts_nobody(void **state) {
    (void)state;
    cache_folder_t cache;
    extension_needs_t found;
    cache_facts_t facts;
    open_cache(&cache, "open");
    cache_keep(&cache, key, &needs, "code", 4, some_facts);
    assert_int_equal(chmod(sample_path("open"), 0777), 0);
    assert_int_equal(cache_find(&cache, key, &found, &facts), -1);
    assert_int_equal(chmod(sample_path("open"), 0700), 0);
    assert_int_equal(chmod(file_of_key("open"), 0622), 0);
    assert_int_equal(cache_find(&cache, key, &found, &facts), -1);
    cache_folder_free(&cache);
    cache_keep(&cache, key, &needs, "code", 4, some_facts);
    assert_int_equal(symlink(sample_path("open"), sample_path("link")), 0);
    open_cache(&cache, "link");
    assert_int_equal(cache_find(&cache, key, &found, &facts), -1);
    cache_folder_free(&cache);
    assert_true(cache_folder_init(&cache, "", "extensions", CACHE_BYTES_MAX));
    assert_null(cache.path);
    cache_keep(&cache, key, &needs, "code", 4, some_facts);
    assert_int_equal(cache_find(&cache, key, &found, &facts), -1);
}

/* --- Symbols ------------------------------------------------------------------------------ */

struct table {
    symbols_header_t header;
    symbols_entry_t entries[4];
    char names[8];
};

static const struct table good_table = {
    {SYMBOLS_MAGIC, 4, 8, 100, 200},
    {{0, 2, SYMBOL_FUNCTION, 5},
     {2, 3, SYMBOL_FUNCTION, 6},
     {2, 3, SYMBOL_DATA, 7},
     {5, 3, SYMBOL_DATA, 8}},
    {'a', 'b', 'a', 'b', 'c', 'x', 'y', 'z'},
};

static void finds_symbols(void **state) {
    (void)state;
    symbols_t symbols;
    uint32_t value = 0;
    assert_true(symbols_open(&good_table, sizeof good_table, &symbols));
    assert_int_equal(symbols.room_start, 100);
    assert_int_equal(symbols.room_end, 200);
    assert_true(symbols_find(&symbols, SYMBOL_FUNCTION, "ab", 2, &value));
    assert_int_equal(value, 5);
    assert_true(symbols_find(&symbols, SYMBOL_FUNCTION, "abc", 3, &value));
    assert_int_equal(value, 6);
    assert_true(symbols_find(&symbols, SYMBOL_DATA, "abc", 3, &value));
    assert_int_equal(value, 7);
    assert_true(symbols_find(&symbols, SYMBOL_DATA, "xyz", 3, &value));
    assert_int_equal(value, 8);
    assert_false(symbols_find(&symbols, SYMBOL_DATA, "ab", 2, &value));
    assert_false(symbols_find(&symbols, SYMBOL_FUNCTION, "a", 1, &value));
    assert_false(symbols_find(&symbols, SYMBOL_FUNCTION, "xyzz", 4, &value));
    assert_false(symbols_find(&symbols, SYMBOL_FUNCTION, "", 0, &value));
}

static void checks_symbols(void **state) {
    (void)state;
    symbols_t symbols;
    uint32_t value;
    struct table bad = good_table;
    bad.header.magic[0] = 'x';
    assert_false(symbols_open(&bad, sizeof bad, &symbols));
    bad = good_table;
    bad.header.count = 5;
    assert_false(symbols_open(&bad, sizeof bad, &symbols));
    bad = good_table;
    bad.header.names_bytes = 9;
    assert_false(symbols_open(&bad, sizeof bad, &symbols));
    bad = good_table;
    bad.header.room_end = 99;
    assert_false(symbols_open(&bad, sizeof bad, &symbols));
    for (size_t size = 0; size < sizeof good_table; size++)
        assert_false(symbols_open(&good_table, size, &symbols));
    bad = good_table;
    bad.entries[3].name = 6;
    assert_true(symbols_open(&bad, sizeof bad, &symbols));
    assert_false(symbols_find(&symbols, SYMBOL_DATA, "yz", 2, &value));
    assert_false(symbols_find(&symbols, SYMBOL_DATA, "xyz", 3, &value));
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk) {
    (void)info, (void)kind;
    return walk->level > 0 ? remove(path) : 0;
}

/* The caches are folders in the folder. */
static int remove_all(void **state) {
    return nftw(sample_folder(), remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0
               ? sample_remove_folder(state)
               : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_wants),
        cmocka_unit_test(refuses_what_is_cut),
        cmocka_unit_test(refuses_long_functions),
        cmocka_unit_test(takes_what_is_good),
        cmocka_unit_test(exports_the_start_function),
        cmocka_unit_test(marks_weak_imports),
        cmocka_unit_test(cache_gives_back),
        cmocka_unit_test(cache_drops_damaged_files),
        cmocka_unit_test(cache_trusts_nobody),
        cmocka_unit_test(finds_symbols),
        cmocka_unit_test(checks_symbols),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, remove_all);
}
