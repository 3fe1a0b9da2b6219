/* link --charge: functions that take stack, found by symbol or by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "command.h"
#include "file.h"
#include "wasm_sample.h"

int link_run(int argc, char **argv);

#define TAKE(...) WASM_OP_GLOBAL_GET, 0, WASM_OP_I32_CONST, __VA_ARGS__, 0x6b, WASM_OP_GLOBAL_SET, 0
#define GIVE(...)                                                                                  \
    WASM_OP_GLOBAL_GET, 0, WASM_OP_I32_CONST, __VA_ARGS__, WASM_OP_I32_ADD, WASM_OP_GLOBAL_SET, 0
#define GET 0x20

/* Functions of the merged module; those that were charged come last. */
enum { HOST, HALVE, CALLER, HIDDEN, ERYX_CTORS, FIRST_BODY };

static int make_library(void **state) {
    if (sample_make_folder(state) != 0)
        return -1;
    struct sample sample;
    sample_begin(&sample);
    sample_import_global(&sample, "env", "__table_base", false);
    sample_import_function(&sample, "$root", "host", SAMPLE_VOID);
    uint32_t halve = sample_function(&sample, SAMPLE_MAP, CODE(GET, 0, 0x41, 1, 0x76));
    sample_function(&sample, SAMPLE_GET, CODE(0x41, 8, WASM_OP_CALL, halve));
    uint32_t hidden = sample_function(&sample, SAMPLE_VOID, CODE(WASM_OP_CALL, 0));
    sample_export(&sample, "halve", WASM_FUNCTION, halve);
    sample_export(&sample, "eryx_halve", WASM_FUNCTION, halve);
    sample_export(&sample, "host", WASM_FUNCTION, 0);
    sample_element(&sample, 0, halve);
    sample_dylink(&sample, 0, 0, 1, NULL, NULL);
    sample_name(&sample, hidden, "hidden");
    sample_write(&sample, sample_path("library.so"));
    return 0;
}

static int run(const char *first, const char *second) {
    return sample_run(link_run, "link", "-o", sample_path("out.wasm"), first,
                      sample_path("library.so"), second, NULL);
}

static struct file_bytes bytes;

static struct wasm_module link_charged(const char *first, const char *second) {
    struct wasm_module module;
    struct wasm_error error;
    if (run(first, second) != COMMAND_OK)
        fail_msg("%s", sample_messages());
    assert_true(file_read(sample_path("out.wasm"), &bytes));
    assert_true(wasm_parse(bytes.data, bytes.size, &module, &error));
    return module;
}

static void free_output(struct wasm_module *module) {
    wasm_free(module);
    file_bytes_free(&bytes);
}

static void assert_body(const struct wasm_module *module, uint32_t function, const uint8_t *code,
                        size_t size) {
    const struct wasm_slice body =
        module->functions[function - module->imported[WASM_FUNCTION]].body;
    assert_int_equal(body.size, size);
    assert_memory_equal(body.data, code, size);
}

static const struct wasm_type *type_of(const struct wasm_module *module, uint32_t function) {
    return wasm_function_type(module, function);
}

/* What calls, table and exports know takes stack, calls the body at the end, gives it back. */
static void wraps(void **state) {
    (void)state;
    struct wasm_module module = link_charged("--charge=halve=64", NULL);
    assert_int_equal(module.imported[WASM_FUNCTION] + module.function_count, FIRST_BODY + 1);
    assert_body(
        &module, HALVE,
        CODE(0, TAKE(0xc0, 0), GET, 0, WASM_OP_CALL, FIRST_BODY, GIVE(0xc0, 0), WASM_OP_END));
    assert_body(&module, FIRST_BODY, CODE(0, GET, 0, 0x41, 1, 0x76, WASM_OP_END));
    assert_true(wasm_type_equal(type_of(&module, HALVE), type_of(&module, FIRST_BODY)));
    assert_body(&module, CALLER, CODE(0, 0x41, 8, WASM_OP_CALL, HALVE, WASM_OP_END));
    assert_int_equal(module.elements[0].functions[0], HALVE);
    assert_int_equal(wasm_find_export(&module, WASM_FUNCTION, "eryx_halve")->index, HALVE);
    assert_int_equal(wasm_find_export(&module, WASM_FUNCTION, "eryx_ctors")->index, ERYX_CTORS);
    free_output(&module);
}

/* Two functions; one is no symbol, but has a name. */
static void finds_names(void **state) {
    (void)state;
    struct wasm_module module = link_charged("--charge=halve=64", "--charge=hidden=16");
    assert_body(&module, HIDDEN,
                CODE(0, TAKE(16), WASM_OP_CALL, FIRST_BODY + 1, GIVE(16), WASM_OP_END));
    assert_body(&module, FIRST_BODY + 1, CODE(0, WASM_OP_CALL, HOST, WASM_OP_END));
    const struct wasm_custom *names = wasm_find_custom(&module, "name");
    assert_non_null(names);
    assert_non_null(memmem(names->bytes.data, names->bytes.size, "\x03\x06hidden", 8));
    assert_non_null(memmem(names->bytes.data, names->bytes.size, "\x06\x06hidden", 8));
    free_output(&module);
}

static void failures(void **state) {
    (void)state;
    static const struct {
        const char *first, *second, *message;
        int result;
    } cases[] = {
        {"--charge=halve", NULL, "'halve' is not NAME=BYTES", COMMAND_USAGE},
        {"--charge=halve=x", NULL, "'x' is no number", COMMAND_USAGE},
        {"--charge=halve=4294967296", NULL, "no number up to 4294967295", COMMAND_USAGE},
        {"--charge=halve=0", NULL, "0 bytes are no multiple of 16", COMMAND_FAILED},
        {"--charge=halve=24", NULL, "24 bytes are no multiple of 16", COMMAND_FAILED},
        {"--charge=halve=1048592", NULL, "within the stack", COMMAND_FAILED},
        {"--charge=nothing=16", NULL, "nothing: no linked library defines", COMMAND_FAILED},
        {"--charge=host=16", NULL, "host: no linked library defines", COMMAND_FAILED},
        {"--charge=halve=16", "--charge=eryx_halve=16", "given twice", COMMAND_FAILED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        remove(sample_path("out.wasm"));
        assert_int_equal(run(cases[i].first, cases[i].second), cases[i].result);
        if (!strstr(sample_messages(), cases[i].message))
            fail_msg("wanted: %s\nbut got: %s", cases[i].message, sample_messages());
        assert_false(sample_exists("out.wasm"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wraps),
        cmocka_unit_test(finds_names),
        cmocka_unit_test(failures),
    };
    return cmocka_run_group_tests(tests, make_library, sample_remove_folder);
}
