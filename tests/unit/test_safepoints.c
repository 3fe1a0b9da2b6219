/* Polls are where they belong, and the step tells what it did or why it could not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "command.h"
#include "file.h"
#include "wasm/safepoints.h"
#include "wasm_sample.h"

int safepoints_run(int argc, char **argv);

#define POLL 0x41, 0, 0x28, 2, 0, 0x1a

/* A body without loops, one with two nested and one of another type. */
static void make_sample(struct sample *sample) {
    sample_begin(sample);
    sample_function(sample, SAMPLE_GET, CODE(0x41, 0x03));
    sample_function(sample, SAMPLE_VOID,
                    CODE(0x03, 0x40, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b, 0x02, 0x40, 0x0b));
    sample_function(sample, SAMPLE_GET, CODE(0x03, 0x01, 0x41, 0x03, 0x0b));
}

static void assert_body(const struct wasm_module *module, uint32_t index, const uint8_t *expected,
                        size_t size) {
    assert_int_equal(module->functions[index].body.size, size);
    assert_memory_equal(module->functions[index].body.data, expected, size);
}

static void polls_at_loop_headers(void **state) {
    (void)state;
    struct sample sample;
    struct safepoints_options options = {.loops = true};
    struct safepoints_result result;
    struct wasm_error error;
    make_sample(&sample);
    assert_true(safepoints_insert(&sample.module, &options, &result, &error));
    assert_int_equal(result.loops, 3);
    assert_int_equal(result.functions, 2);
    assert_body(&sample.module, 0, CODE(0, 0x41, 0x03, 0x0b));
    assert_body(
        &sample.module, 1,
        CODE(0, 0x03, 0x40, POLL, 0x03, 0x40, POLL, 0x0c, 0, 0x0b, 0x0b, 0x02, 0x40, 0x0b, 0x0b));
    assert_body(&sample.module, 2, CODE(0, 0x03, 0x01, POLL, 0x41, 0x03, 0x0b, 0x0b));
    wasm_free(&sample.module);
}

/* memory.copy and memory.fill become calls of the two functions at the end, with or without polls. */
static void guards_bulk_memory(void **state) {
    (void)state;
    for (int polls = 0; polls < 2; polls++) {
        struct sample sample;
        struct safepoints_options options = {.loops = polls};
        struct safepoints_result result;
        struct wasm_error error;
        sample_begin(&sample);
        uint32_t before = sample_function(&sample, SAMPLE_VOID,
                                          CODE(0x41, 1, 0x41, 2, 0x41, 3, 0xfc, 10, 0, 0, 0x41, 1,
                                               0x41, 2, 0x41, 3, 0xfc, 11, 0));
        assert_true(safepoints_insert(&sample.module, &options, &result, &error));
        assert_int_equal(result.guarded, 2);
        assert_int_equal(sample.module.function_count, 3);
        assert_body(&sample.module, 0,
                    CODE(0, 0x41, 1, 0x41, 2, 0x41, 3, 0x10, before + 1, 0x41, 1, 0x41, 2, 0x41, 3,
                         0x10, before + 2, 0x0b));
        wasm_free(&sample.module);
    }
}

static void needs_a_memory(void **state) {
    (void)state;
    struct sample sample;
    struct safepoints_options options = {.loops = true};
    struct safepoints_result result;
    struct wasm_error error;
    make_sample(&sample);
    sample.module.imported[WASM_MEMORY] = 0;
    assert_false(safepoints_insert(&sample.module, &options, &result, &error));
    assert_string_equal(error.reason, "the module has no memory to poll");
    wasm_free(&sample.module);
}

static void step(void **state) {
    (void)state;
    struct sample sample;
    make_sample(&sample);
    sample_write(&sample, sample_path("in.wasm"));
    int result = sample_run(safepoints_run, "safepoints", sample_path("in.wasm"), "-o",
                            sample_path("out.wasm"), NULL);
    assert_int_equal(result, COMMAND_OK);
    assert_non_null(strstr(sample_messages(), "3 polls in 2 of 5 functions, 0 bulk"));
    struct file_bytes bytes;
    struct wasm_module module;
    struct wasm_error error;
    assert_true(file_read(sample_path("out.wasm"), &bytes));
    assert_true(wasm_parse(bytes.data, bytes.size, &module, &error));
    assert_body(&module, 2, CODE(0, 0x03, 0x01, POLL, 0x41, 0x03, 0x0b, 0x0b));
    wasm_free(&module);
    file_bytes_free(&bytes);
}

static void assert_fails(const char *input, const char *output, const char *message) {
    int before = sample_file_count();
    int result = sample_run(safepoints_run, "safepoints", input, "-o", output, NULL);
    assert_int_equal(result, COMMAND_FAILED);
    if (!strstr(sample_messages(), message))
        fail_msg("wanted: %s\nbut got: %s", message, sample_messages());
    assert_int_equal(sample_file_count(), before);
}

static void failures(void **state) {
    (void)state;
    const char *output = sample_path("failed.wasm");
    assert_fails(sample_path("missing.wasm"), output, "missing.wasm: No such file");
    sample_write_bytes(sample_path("text.wasm"), "hello, world", 12);
    assert_fails(sample_path("text.wasm"), output, "text.wasm: byte 0: no core WebAssembly module");
    struct sample sample;
    make_sample(&sample);
    sample_function(&sample, SAMPLE_VOID, CODE(0x03, 0x40, 0xff));
    sample_write(&sample, sample_path("body.wasm"));
    assert_fails(sample_path("body.wasm"), output,
                 "body.wasm: function 3: byte 4 of the body: unknown instruction 0xff");
    make_sample(&sample);
    sample_write(&sample, sample_path("good.wasm"));
    assert_fails(sample_path("good.wasm"), sample_path("no/such/folder.wasm"), "cannot write");
    assert_fails(sample_path("good.wasm"), sample_folder(), "Is a directory");
    assert_fails(sample_folder(), output, "Is a directory");
}

static void usage(void **state) {
    (void)state;
    assert_int_equal(sample_run(safepoints_run, "safepoints", "in.wasm", NULL), COMMAND_USAGE);
    assert_int_equal(sample_run(safepoints_run, "safepoints", "-o", "out", NULL), COMMAND_USAGE);
    assert_int_equal(sample_run(safepoints_run, "safepoints", "--bad", NULL), COMMAND_USAGE);
    assert_int_equal(sample_run(safepoints_run, "safepoints", "--help", NULL), COMMAND_OK);
    assert_non_null(strstr(sample_messages(), "usage: eryx-build safepoints"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(polls_at_loop_headers),
        cmocka_unit_test(guards_bulk_memory),
        cmocka_unit_test(needs_a_memory),
        cmocka_unit_test(step),
        cmocka_unit_test(failures),
        cmocka_unit_test(usage),
    };
    return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
