/* Opening runtime files, good and bad; information; counts of sandboxes; lifetime. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct content {
    char *data;
    size_t size;
} content_t;

static content_t read_fixture(void) {
    FILE *file = fopen(fixture_path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    content_t content = {NULL, (size_t)ftell(file)};
    rewind(file);
    content.data = malloc(content.size);
    assert_int_equal(fread(content.data, 1, content.size, file), content.size);
    fclose(file);
    return content;
}

static int open_buffer(const content_t *content, bool verify, eryx_error_t *error) {
    eryx_runtime_options_t options;
    eryx_runtime_options_init(&options);
    options.verify = verify;
    eryx_runtime_t *runtime;
    int status = eryx_runtime_open_buffer(content->data, content->size, &options, &runtime, error);
    if (status == ERYX_OK) {
        eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 0);
        fixture_expect(sandbox, "print x", "print x");
        eryx_sandbox_free(sandbox);
        eryx_runtime_free(runtime);
    }
    return status;
}

static void test_buffer(void **state) {
    (void)state;
    content_t content = read_fixture();
    eryx_error_t error = {0, ""};
    assert_int_equal(open_buffer(&content, false, &error), ERYX_OK);
    assert_int_equal(open_buffer(&content, true, &error), ERYX_OK);
    content_t cut = {content.data, content.size - 5000};
    assert_int_equal(open_buffer(&cut, false, &error), ERYX_ERR_FORMAT);
    assert_true(strlen(error.message) > 10);
    cut.size = 0;
    assert_int_equal(open_buffer(&cut, false, &error), ERYX_ERR_FORMAT);
    content.data[content.size - 4096 + 100] ^= 1;
    assert_true(open_buffer(&content, false, &error) < 0);
    content.data[content.size - 4096 + 100] ^= 1;
    content.data[content.size / 2] ^= 1;
    assert_int_equal(open_buffer(&content, true, &error), ERYX_ERR_FORMAT);
    free(content.data);
    eryx_runtime_t *runtime;
    assert_int_equal(eryx_runtime_open_buffer(NULL, 10, NULL, &runtime, &error), ERYX_ERR_ARGUMENT);
}

static void test_bad_paths(void **state) {
    (void)state;
    static const struct {
        const char *path;
        int status;
    } cases[] = {
        {"/nowhere/at/all", ERYX_ERR_IO},
        {"/", 0},
        {"/dev/null", 0},
        {"/proc/self/exe", 0},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        eryx_runtime_t *runtime = NULL;
        eryx_error_t error = {0, ""};
        int status = eryx_runtime_open(cases[i].path, NULL, &runtime, &error);
        assert_true(status < 0);
        assert_true(cases[i].status == 0 || status == cases[i].status);
        assert_int_equal(error.code, status);
        assert_true(strlen(error.message) > 10);
        assert_null(runtime);
    }
}

static void test_default_path(void **state) {
    (void)state;
    setenv("ERYX_RUNTIME", fixture_path, 1);
    eryx_runtime_t *runtime;
    eryx_error_t error = {0, ""};
    assert_int_equal(eryx_runtime_open(NULL, NULL, &runtime, &error), ERYX_OK);
    eryx_runtime_free(runtime);
    setenv("ERYX_RUNTIME", "/nowhere/at/all", 1);
    assert_int_equal(eryx_runtime_open(NULL, NULL, &runtime, &error), ERYX_ERR_IO);
    unsetenv("ERYX_RUNTIME");
}

static void test_options(void **state) {
    (void)state;
    eryx_runtime_t *runtime;
    eryx_error_t error;
    eryx_runtime_options_t options;
    eryx_runtime_options_init(&options);
    assert_int_equal(eryx_runtime_open(fixture_path, &options, NULL, &error), ERYX_ERR_ARGUMENT);
    options.max_sandboxes = 0;
    assert_int_equal(eryx_runtime_open(fixture_path, &options, &runtime, &error),
                     ERYX_ERR_ARGUMENT);
    options.size = 4;
    assert_int_equal(eryx_runtime_open(fixture_path, &options, &runtime, &error),
                     ERYX_ERR_ARGUMENT);
    assert_non_null(strstr(error.message, "eryx_runtime_options_init"));
}

static void test_max_sandboxes(void **state) {
    (void)state;
    eryx_runtime_options_t options;
    eryx_runtime_options_init(&options);
    options.max_sandboxes = 3;
    options.max_warm = 1;
    eryx_runtime_t *runtime;
    eryx_error_t error = {0, ""};
    assert_int_equal(eryx_runtime_open(fixture_path, &options, &runtime, &error), ERYX_OK);
    for (int round = 0; round < 3; round++) {
        eryx_sandbox_t *sandboxes[3], *refused;
        for (int i = 0; i < 3; i++)
            sandboxes[i] = fixture_sandbox(runtime, 0);
        assert_int_equal(eryx_sandbox_new(runtime, NULL, &refused, &error), ERYX_ERR_LIMIT);
        assert_null(refused);
        for (int i = 0; i < 3; i++)
            eryx_sandbox_free(sandboxes[i]);
    }
    eryx_runtime_free(runtime);
}

static void test_no_warm(void **state) {
    (void)state;
    eryx_runtime_options_t options;
    eryx_runtime_options_init(&options);
    options.max_warm = 0;
    eryx_runtime_t *runtime;
    assert_int_equal(eryx_runtime_open(fixture_path, &options, &runtime, NULL), ERYX_OK);
    for (int i = 0; i < 3; i++) {
        eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 0);
        fixture_expect(sandbox, "get", "0");
        fixture_expect(sandbox, "set 1", "");
        fixture_expect_kind(sandbox, "abort", ERYX_OUTCOME_TRAP, false);
        fixture_expect(sandbox, "get", "1");
        eryx_sandbox_free(sandbox);
    }
    eryx_runtime_free(runtime);
}

static void test_sandbox_outlives_reference(void **state) {
    (void)state;
    eryx_runtime_t *runtime = fixture_runtime();
    eryx_sandbox_t *sandbox = fixture_sandbox(runtime, 1000000000);
    eryx_runtime_free(runtime);
    fixture_expect(sandbox, "print x", "print x");
    eryx_sandbox_free(sandbox);
    eryx_runtime_free(NULL);
}

static void test_two_runtimes(void **state) {
    (void)state;
    eryx_runtime_t *first = fixture_runtime(), *second = fixture_runtime();
    eryx_sandbox_t *one = fixture_sandbox(first, 0), *two = fixture_sandbox(second, 0);
    fixture_expect(one, "set 1", "");
    fixture_expect(two, "get", "0");
    eryx_sandbox_free(one);
    eryx_runtime_free(first);
    fixture_expect_kind(two, "abort", ERYX_OUTCOME_TRAP, false);
    eryx_sandbox_free(two);
    eryx_runtime_free(second);
}

static void test_info(void **state) {
    (void)state;
    eryx_runtime_t *runtime = fixture_runtime();
    eryx_runtime_info_t info = {.size = sizeof info};
    assert_int_equal(eryx_runtime_get_info(runtime, &info), ERYX_OK);
    assert_string_equal(info.eryx_version, eryx_version());
    assert_string_equal(info.python_version, "0.0.0");
    assert_non_null(strstr(info.engine, "wasmtime"));
    assert_int_equal(strlen(info.build_id), 64);
    assert_true(info.file_bytes > info.code_bytes && info.code_bytes > 0);
    assert_true(info.image_bytes > info.image_constant_bytes);
    assert_int_equal(info.memory_min_bytes, 256 * 65536);
    info.size = 1;
    assert_int_equal(eryx_runtime_get_info(runtime, &info), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_runtime_get_info(NULL, &info), ERYX_ERR_ARGUMENT);
    eryx_runtime_free(runtime);
    assert_string_equal(eryx_status_name(ERYX_ERR_VERSION), "ERYX_ERR_VERSION");
    assert_string_equal(eryx_status_name(-99), "unknown");
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buffer),
        cmocka_unit_test(test_bad_paths),
        cmocka_unit_test(test_default_path),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_max_sandboxes),
        cmocka_unit_test(test_no_warm),
        cmocka_unit_test(test_sandbox_outlives_reference),
        cmocka_unit_test(test_two_runtimes),
        cmocka_unit_test(test_info),
    };
    int status = fixture_main(argc, argv);
    if (status != 0)
        return status;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
