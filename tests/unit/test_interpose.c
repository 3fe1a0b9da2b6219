/* link --interpose: the first library's definition is meant everywhere, also by the calls and
 * table slots of a library with its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "command.h"
#include "file.h"
#include "wasm_sample.h"

int link_run(int argc, char **argv);

#define GET 0x20

enum { FIRST_ADD, OTHER_ADD, OTHER_USER }; /* functions of the merged module */

static void make_first(void)
{
    struct sample sample;
    sample_begin(&sample);
    sample_export(&sample, "add", WASM_FUNCTION,
                  sample_function(&sample, SAMPLE_MAP, CODE(GET, 0)));
    sample_dylink(&sample, 0, 0, 0, NULL, NULL);
    sample_write(&sample, sample_path("first.so"));
}

static void make_other(enum sample_type add_type)
{
    struct sample sample;
    sample_begin(&sample);
    sample_import_global(&sample, "env", "__table_base", false);
    uint32_t add = sample_function(&sample, add_type, CODE(WASM_OP_I32_CONST, 5));
    uint32_t user = sample_function(&sample, SAMPLE_MAP, CODE(GET, 0, WASM_OP_CALL, (uint8_t)add));
    sample_export(&sample, "add", WASM_FUNCTION, add);
    sample_export(&sample, "user", WASM_FUNCTION, user);
    sample_element(&sample, 0, add);
    sample_dylink(&sample, 0, 0, 1, NULL, NULL);
    sample_write(&sample, sample_path("other.so"));
}

static int run(const char *name)
{
    return sample_run(link_run, "link", "-o", sample_path("out.wasm"), "--keep-all", "--interpose",
                      name, sample_path("first.so"), sample_path("other.so"), NULL);
}

static void interposes(void **state)
{
    (void)state;
    struct file_bytes bytes;
    struct wasm_module module;
    struct wasm_error error;
    make_other(SAMPLE_MAP);
    if (run("add") != COMMAND_OK)
        fail_msg("%s", sample_messages());
    assert_true(file_read(sample_path("out.wasm"), &bytes));
    assert_true(wasm_parse(bytes.data, bytes.size, &module, &error));
    static const uint8_t user[] = {0, GET, 0, WASM_OP_CALL, FIRST_ADD, WASM_OP_END};
    assert_int_equal(module.functions[OTHER_USER].body.size, sizeof user);
    assert_memory_equal(module.functions[OTHER_USER].body.data, user, sizeof user);
    assert_int_equal(module.element_count, 1);
    assert_int_equal(module.elements[0].functions[0], FIRST_ADD);
    wasm_free(&module);
    file_bytes_free(&bytes);
}

static void refuses(void **state)
{
    (void)state;
    make_other(SAMPLE_MAP);
    assert_int_equal(run("user"), COMMAND_FAILED);
    assert_non_null(strstr(sample_messages(), "cannot interpose: user: it takes two libraries"));
    assert_int_equal(run("none"), COMMAND_FAILED);
    make_other(SAMPLE_GET);
    assert_int_equal(run("add"), COMMAND_FAILED);
    assert_non_null(strstr(sample_messages(), "with different types"));
}

static int begin(void **state)
{
    int failed = sample_make_folder(state);
    if (!failed)
        make_first();
    return failed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interposes),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, begin, sample_remove_folder);
}
