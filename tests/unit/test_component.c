/* Core modules out of components, runtime.cwasm made of a component by precompile, and the adapter
 * for what only liberyx offers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "component/stub.h"
#include "image/image.h"
#include "stdlib/archive.h"
#include "steps.h"
#include "wasm/component.h"

int precompile_run(int argc, char **argv);

#define PAGE 65536u

static const char shim[] = "(module (table 1 funcref) (func (export \"0\")))";

/* As core_from_image leaves it: poll page, stack, two pages of constants (%s: their data), one of
 * data. */
static const char main_module[] =
    "(module"
    "  (memory (export \"memory\") 8)"
    "  (global (export \"__stack_pointer\") (mut i32) (i32.const 131056))"
    "  (global (export \"eryx_constant_start\") i32 (i32.const 131072))"
    "  (global (export \"eryx_constant_end\") i32 (i32.const 262144))"
    "  (data (i32.const 131072) \"%s\")"
    "  (data (i32.const 262144) \"data\")"
    "  (func (export \"execute\")))";

static char folder[] = "/tmp/test_component.XXXXXX";
static char *archive_text; /* the archive as the text of a data segment */

static const char *in_folder(const char *name) {
    static char paths[4][64];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void put_section(struct wasm_buffer *out, uint8_t id, const void *data, size_t size) {
    wasm_put_byte(out, id);
    wasm_put_slice(out, (struct wasm_slice){data, size});
}

static void put_preamble(struct wasm_buffer *out) {
    *out = (struct wasm_buffer){0};
    wasm_put(out, "\0asm\x0d\0\1\0", 8);
}

static void put_module(struct wasm_buffer *out, const char *text) {
    struct file_bytes wasm = steps_module(text);
    put_section(out, 1, wasm.data, wasm.size);
    file_bytes_free(&wasm);
}

/* main_module among what else a component has, with one part replaced. */
static void write_component(const char *from, const char *to, const char *path) {
    struct wasm_buffer component;
    char *text, *changed;
    assert_true(asprintf(&text, main_module, archive_text) > 0);
    changed = steps_replace(text, from, to);
    put_preamble(&component);
    put_section(&component, 7, "\0", 1);
    put_module(&component, shim);
    put_module(&component, changed);
    put_section(&component, 0, "\4name", 5);
    assert_true(file_write(path, component.data, component.size));
    wasm_buffer_free(&component);
    free(changed);
    free(text);
}

static bool parse(const struct wasm_buffer *component, struct wasm_error *error) {
    struct wasm_module module;
    bool found = component_main_module(component->data, component->size, &module, error);
    if (found) {
        assert_int_equal(module.memory_count, 1);
        wasm_free(&module);
    }
    return found;
}

static void module_with_the_memory(void **state) {
    (void)state;
    struct wasm_buffer component;
    struct wasm_error error;
    put_preamble(&component);
    put_module(&component, shim);
    assert_false(parse(&component, &error));
    assert_string_equal(error.reason, "no core module with a memory");
    put_module(&component, "(module (memory 1))");
    put_module(&component, shim);
    assert_true(parse(&component, &error));
    size_t before = component.size;
    put_module(&component, "(module (memory 1))");
    assert_false(parse(&component, &error));
    assert_string_equal(error.reason, "a second core module with a memory");
    assert_int_equal(error.offset, before + 2); /* id and length come first */
    wasm_buffer_free(&component);
}

/* Whatever is cut off: an error inside of what is left, unless a section ends there. */
static void truncated(void **state) {
    (void)state;
    struct wasm_buffer component;
    struct wasm_error error;
    put_preamble(&component);
    put_module(&component, "(module (memory 1))");
    size_t whole = component.size;
    put_module(&component, shim);
    for (size_t size = 0; size < component.size; size++) {
        struct wasm_buffer part = {.data = malloc(size + 1), .size = size};
        memcpy(part.data, component.data, size);
        if (parse(&part, &error) != (size == whole))
            fail_msg("the first %zu of %zu bytes: expected %s", size, component.size,
                     size == whole ? "a module" : "an error");
        if (size != whole)
            assert_in_range(error.offset, 0, size);
        free(part.data);
    }
    wasm_buffer_free(&component);
}

static void other_files(void **state) {
    (void)state;
    struct wasm_buffer component;
    struct wasm_error error;
    assert_false(component_is("\0asm\1\0\0\0", 8));
    assert_false(component_is("\0asm\x0d\0\1", 7));
    assert_true(component_is("\0asm\x0d\0\1\0", 8));
    put_preamble(&component);
    put_section(&component, 1, "\0asm\x0d\0\1\0", 8);
    assert_false(parse(&component, &error));
    assert_in_range(error.offset, 10, 18);
    wasm_buffer_free(&component);
}

static int precompile(const char *input) {
    return STEP(precompile_run, in_folder(input), "-o", in_folder("runtime.cwasm"));
}

static void to_a_runtime_file(void **state) {
    (void)state;
    image_t image;
    eryx_error_t error;
    uint8_t data[5];
    write_component(NULL, NULL, in_folder("runtime.wasm"));
    steps_assert_ok(precompile("runtime.wasm"));
    if (image_open(in_folder("runtime.cwasm"), NULL, &image, &error) != ERYX_OK ||
        image_verify(&image, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    const image_footer_t *footer = &image.footer;
    assert_string_equal(footer->python_version, "3.14.2");
    assert_int_equal(footer->memory_min_bytes, 8 * PAGE);
    assert_int_equal(footer->memory.length, 5 * PAGE);
    assert_int_equal(footer->constant_start, 2 * PAGE);
    assert_int_equal(footer->constant_end, 4 * PAGE);
    const image_global_t *stack = image_footer_global(footer, "__stack_pointer");
    assert_non_null(stack);
    assert_int_equal(stack->mutable_, 1);
    assert_int_equal(stack->value, 131056);
    assert_int_equal(pread(image.fd, data, 5, (off_t)(footer->memory.offset + 4 * PAGE)), 5);
    assert_memory_equal(data, "data\0", 5);
    assert_int_equal(pread(image.fd, data, 4, (off_t)(footer->memory.offset + 2 * PAGE)), 4);
    assert_memory_equal(data, ARCHIVE_MAGIC, 4);
    image_close(&image);
}

static void components_of_others(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        {"(export \"eryx_constant_start\")", "", "no exported global 'eryx_constant_start'"},
        {"eryx_constant_end\") i32 (i32.const 262144)", "eryx_constant_end\") i32 (i32.const 9)",
         "makes no sense"},
        {"eryx_constant_end\") i32 (i32.const 262144)",
         "eryx_constant_end\") i32 (i32.const 589824)", "makes no sense"},
        {"eryx_constant_end\") i32 (i32.const 262144)",
         "eryx_constant_end\") i32 (i32.const 131072)", "no constant range"},
        {"(data (i32.const 131072)", "(data (i32.const 131073)", "no archive"},
        {"(data (i32.const 262144)", "(data (i32.const 524287)", "outside of memory"},
        {"(export \"__stack_pointer\")", "", "mutable global 0 is not exported"},
        {"(func (export \"execute\"))", "(func $f (export \"execute\")) (start $f)",
         "start function"},
        {"(memory (export \"memory\") 8)", "", "malformed component"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unlink(in_folder("runtime.cwasm"));
        write_component(cases[i].from, cases[i].to, in_folder("runtime.wasm"));
        steps_assert_says(precompile("runtime.wasm"), cases[i].says);
        assert_int_equal(access(in_folder("runtime.cwasm"), F_OK), -1);
    }
}

/* The adapter of a module's text, parsed again; *binary is what it lies in. */
static bool stub_of(const char *text, struct wasm_buffer *binary, struct wasm_module *stub) {
    struct file_bytes bytes = steps_module(text);
    struct wasm_module core;
    struct wasm_error error;
    *binary = (struct wasm_buffer){0};
    assert_true(wasm_parse(bytes.data, bytes.size, &core, &error));
    bool done = stub_needed(&core) && stub_encode(&core, binary);
    wasm_free(&core);
    file_bytes_free(&bytes);
    if (done && !wasm_parse(binary->data, binary->size, stub, &error))
        fail_msg("the stub is malformed: %s", error.reason);
    return done;
}

static void check_stub(const struct wasm_module *stub, const char *name, size_t parameters,
                       const char *body, size_t body_size) {
    const struct wasm_export *export = wasm_find_export(stub, WASM_FUNCTION, name);
    assert_non_null(export);
    const struct wasm_function *function = &stub->functions[export->index];
    assert_int_equal(wasm_function_type(stub, export->index)->params.size, parameters);
    assert_int_equal(function->body.size, body_size);
    assert_memory_equal(function->body.data, body, body_size);
}

static void stub_answers(void **state) {
    (void)state;
    struct wasm_buffer binary;
    struct wasm_module stub;
    assert_true(stub_of("(module (import \"other\" \"f\" (func (result i64)))"
                        " (import \"eryx\" \"a\" (func (param i32 i64) (result i32)))"
                        " (import \"eryx:sandbox/x\" \"b\" (func))"
                        " (import \"eryx\" \"c\" (func (param i32)))"
                        " (import \"eryx\" \"a\" (func (param i32 i64) (result i32))))",
                        &binary, &stub));
    assert_int_equal(stub.import_count, 0);
    assert_int_equal(stub.memory_count, 0);
    assert_int_equal(stub.export_count, 2);
    check_stub(&stub, "a", 2, "\0\x41\x7f\x0b", 4); /* i32.const -1; end */
    check_stub(&stub, "c", 1, "\0\x0b", 2);
    wasm_free(&stub);
    wasm_buffer_free(&binary);
    assert_false(stub_of("(module (import \"other\" \"f\" (func)))", &binary, &stub));
}

static int encode_stub(int argc, char **argv) {
    (void)argc;
    struct wasm_buffer binary;
    struct wasm_module stub;
    bool done = stub_of(argv[1], &binary, &stub);
    wasm_buffer_free(&binary);
    return done ? 0 : 1;
}

static void stub_refuses(void **state) {
    (void)state;
    steps_assert_says(STEP(encode_stub, "(module (import \"eryx\" \"m\" (memory 1)))"),
                      "may offer only functions");
    steps_assert_says(STEP(encode_stub, "(module (import \"eryx\" \"f\" (func (result i64))))"),
                      "nothing or one i32");
    steps_assert_says(STEP(encode_stub, "(module (import \"eryx\" \"f\" (func (result i32 i32))))"),
                      "nothing or one i32");
}

static bool make_archive(struct file_bytes *out) {
    static const char details[] = "{\"hexversion\": 51249904}"; /* 0x030e02f0 */
    struct archive_builder builder = {0};
    bool done = archive_add(&builder, "lib/python3.14/build-details.json", (const uint8_t *)details,
                            sizeof details - 1) &&
                archive_encode(&builder, out);
    archive_free(&builder);
    return done;
}

static int make_folder(void **state) {
    (void)state;
    struct file_bytes archive;
    if (!mkdtemp(folder) || !make_archive(&archive))
        return -1;
    archive_text = calloc(archive.size + 1, 3);
    for (size_t i = 0; archive_text && i < archive.size; i++)
        snprintf(archive_text + 3 * i, 4, "\\%02x", archive.data[i]);
    file_bytes_free(&archive);
    return archive_text ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    free(archive_text);
    unlink(in_folder("runtime.wasm"));
    unlink(in_folder("runtime.cwasm"));
    return rmdir(folder); /* fails if a step left a temporary file */
}

int main(void) {
    steps_start();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(module_with_the_memory),
        cmocka_unit_test(truncated),
        cmocka_unit_test(other_files),
        cmocka_unit_test(to_a_runtime_file),
        cmocka_unit_test(components_of_others),
        cmocka_unit_test(stub_answers),
        cmocka_unit_test(stub_refuses),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
