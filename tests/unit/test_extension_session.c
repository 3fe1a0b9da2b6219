/* Sessions with a loaded extension: rollback, forks, checkpoints, recycling. The module is the one of the
 * fuzz target's corpus: hello.add(a, b) is a + b + a counter in its data, which it has raised by one;
 * hello.forever() does not return. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <eryx.h>

#include "signals.h"

enum { MODULE_MAX = 65536 };

static const char *module_path;
static eryx_runtime_t *runtime;
static char *import_code; /* writes the module and imports it */

static int read_module(void) {
    static unsigned char bytes[MODULE_MAX];
    FILE *file = fopen(module_path, "rb");
    size_t length = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file)
        fclose(file);
    if (length == 0)
        return -1;
    import_code = malloc(2 * length + 512);
    char *at = import_code + sprintf(import_code, "import sys\nopen('/tmp/hello.so', 'wb')"
                                                  ".write(bytes.fromhex('");
    for (size_t i = 0; i < length; i++)
        at += sprintf(at, "%02x", bytes[i]);
    strcpy(at, "'))\nsys.path.insert(0, '/tmp')\nimport hello\n");
    return 0;
}

static int setup(void **state) {
    (void)state;
    eryx_error_t error = {0};
    eryx_runtime_options_t options;
    eryx_runtime_options_init(&options);
    options.extension_cache = "";
    int status = eryx_runtime_open(NULL, &options, &runtime, &error);
    if (status != ERYX_OK)
        print_error("%s\n", error.message);
    signals_save();
    return status == ERYX_OK ? read_module() : status;
}

static int teardown(void **state) {
    (void)state;
    free(import_code);
    eryx_runtime_free(runtime);
    return 0;
}

static eryx_sandbox_t *sandbox_new(void) {
    eryx_sandbox_options_t options;
    eryx_sandbox_t *sandbox;
    eryx_error_t error;
    signals_restore();
    eryx_sandbox_options_init(&options);
    options.limits.wall_time_ns = 2000000000;
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return sandbox;
}

static void expect(eryx_sandbox_t *sandbox, const char *code, eryx_outcome_kind_t kind,
                   const char *output) {
    eryx_outcome_t *outcome;
    eryx_error_t error;
    if (eryx_sandbox_execute(sandbox, code, strlen(code), NULL, &outcome, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    if (eryx_outcome_kind(outcome) != kind)
        fail_msg("wanted kind %d, got %d: %s", kind, eryx_outcome_kind(outcome),
                 eryx_outcome_exception_message(outcome));
    assert_string_equal(eryx_outcome_stdout(outcome, NULL), output);
    eryx_outcome_free(outcome);
}

static const char add[] = "print(hello.add(1, 2))";

static void rolls_back(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = sandbox_new();
    expect(sandbox, import_code, ERYX_OUTCOME_OK, "");
    expect(sandbox, add, ERYX_OUTCOME_OK, "9\n");
    /* What it does before it is stopped is undone, in its data too; the module is still there. */
    expect(sandbox, "hello.add(1, 2); hello.add(1, 2); hello.forever()", ERYX_OUTCOME_LIMIT, "");
    expect(sandbox, add, ERYX_OUTCOME_OK, "10\n");
    expect(sandbox, "import os; hello.add(1, 2); os._exit(3)", ERYX_OUTCOME_EXIT, "");
    expect(sandbox, add, ERYX_OUTCOME_OK, "11\n");
    eryx_sandbox_free(sandbox);
}

/* An import that is undone was none. */
static void forgets_what_was_undone(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = sandbox_new();
    char *code = malloc(strlen(import_code) + 64);
    sprintf(code, "%shello.forever()", import_code);
    expect(sandbox, code, ERYX_OUTCOME_LIMIT, "");
    free(code);
    expect(sandbox, "import sys; print('hello' in sys.modules)", ERYX_OUTCOME_OK, "False\n");
    expect(sandbox, import_code, ERYX_OUTCOME_OK, "");
    expect(sandbox, add, ERYX_OUTCOME_OK, "9\n");
    eryx_sandbox_free(sandbox);
}

static void forks(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = sandbox_new(), *copies[2];
    eryx_error_t error;
    expect(sandbox, import_code, ERYX_OUTCOME_OK, "");
    expect(sandbox, add, ERYX_OUTCOME_OK, "9\n");
    if (eryx_sandbox_fork(sandbox, NULL, 2, copies, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    expect(sandbox, add, ERYX_OUTCOME_OK, "10\n");
    eryx_sandbox_free(sandbox);
    expect(copies[0], add, ERYX_OUTCOME_OK, "10\n");
    expect(copies[0], add, ERYX_OUTCOME_OK, "11\n");
    expect(copies[1], add, ERYX_OUTCOME_OK, "10\n");
    /* More can be loaded in a copy. */
    expect(copies[1],
           "import importlib.util as u, shutil\nshutil.copy('/tmp/hello.so', '/tmp/again.so')\n"
           "spec = u.spec_from_file_location('hello', '/tmp/again.so')\n"
           "again = u.module_from_spec(spec)\nprint(again.add(1, 2), hello.add(1, 2))",
           ERYX_OUTCOME_OK, "9 11\n");
    eryx_sandbox_free(copies[0]);
    eryx_sandbox_free(copies[1]);
}

static void resumes(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = sandbox_new(), *resumed;
    eryx_error_t error;
    eryx_checkpoint_part_t part;
    void *data;
    expect(sandbox, import_code, ERYX_OUTCOME_OK, "");
    expect(sandbox, add, ERYX_OUTCOME_OK, "9\n");
    if (eryx_sandbox_checkpoint(sandbox, NULL, &data, &part.length, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    eryx_sandbox_free(sandbox);
    part.data = data;
    if (eryx_sandbox_resume(runtime, &part, 1, NULL, &resumed, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    expect(resumed, add, ERYX_OUTCOME_OK, "10\n");
    eryx_sandbox_free(resumed);
    eryx_bytes_free(data);
}

static void does_not_stay_in_what_is_recycled(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        eryx_sandbox_t *sandbox = sandbox_new();
        expect(sandbox, "try:\n    import hello\nexcept ImportError as e:\n    print(e)",
               ERYX_OUTCOME_OK, "No module named 'hello'\n");
        expect(sandbox, import_code, ERYX_OUTCOME_OK, "");
        expect(sandbox, add, ERYX_OUTCOME_OK, "9\n");
        eryx_sandbox_free(sandbox);
    }
}

/* Puts the runtime of an image with the module loaded in the place of the other, which is returned. No
 * code is in any cache: it is in the file. */
static eryx_runtime_t *swap_in_image(void) {
    char path[] = "/tmp/eryx-image-XXXXXX";
    eryx_runtime_t *before = runtime;
    eryx_sandbox_t *sandbox = sandbox_new();
    eryx_error_t error;
    eryx_runtime_options_t options;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    expect(sandbox, import_code, ERYX_OUTCOME_OK, "");
    expect(sandbox, add, ERYX_OUTCOME_OK, "9\n");
    if (eryx_image_build(sandbox, path, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    expect(sandbox, add, ERYX_OUTCOME_OK, "10\n"); /* it goes on */
    eryx_sandbox_free(sandbox);
    eryx_runtime_options_init(&options);
    options.extension_cache = "";
    options.verify = options.verify_recycle = true;
    if (eryx_runtime_open(path, &options, &runtime, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    signals_save();
    unlink(path);
    return before;
}

static void swap_back(eryx_runtime_t *before) {
    eryx_runtime_free(runtime);
    runtime = before;
}

/* As it was loaded before the image was made; recycled instances are compared with the image. */
static void is_in_an_image(void **state) {
    (void)state;
    eryx_runtime_t *before = swap_in_image();
    for (int i = 0; i < 4; i++) {
        eryx_sandbox_t *sandbox = sandbox_new();
        expect(sandbox, add, ERYX_OUTCOME_OK, "10\n");
        expect(sandbox, "hello.add(1, 2); hello.forever()", ERYX_OUTCOME_LIMIT, "");
        expect(sandbox, add, ERYX_OUTCOME_OK, "11\n");
        eryx_sandbox_free(sandbox);
        sandbox = sandbox_new(); /* of a new engine instance, then of a recycled one */
        expect(sandbox, add, ERYX_OUTCOME_OK, "10\n");
        eryx_sandbox_free(sandbox);
    }
    swap_back(before);
}

/* A second one, loaded on top: forks and checkpoints have both. */
static void more_on_top_of_an_image(void **state) {
    static const char again[] =
        "import importlib.util as u, shutil\nshutil.copy('/tmp/hello.so', '/tmp/again.so')\n"
        "spec = u.spec_from_file_location('hello', '/tmp/again.so')\n"
        "again = u.module_from_spec(spec)\nprint(again.add(1, 2), hello.add(1, 2))";
    (void)state;
    eryx_runtime_t *before = swap_in_image();
    eryx_sandbox_t *sandbox = sandbox_new(), *copy;
    eryx_checkpoint_part_t part;
    eryx_error_t error;
    void *data;
    expect(sandbox, again, ERYX_OUTCOME_OK, "9 10\n");
    expect(sandbox, "again.add(0, 0); hello.forever()", ERYX_OUTCOME_LIMIT, "");
    assert_int_equal(eryx_sandbox_fork(sandbox, NULL, 1, &copy, &error), ERYX_OK);
    expect(copy, "print(again.add(1, 2), hello.add(1, 2))", ERYX_OUTCOME_OK, "10 11\n");
    eryx_sandbox_free(copy);
    assert_int_equal(eryx_sandbox_checkpoint(sandbox, NULL, &data, &part.length, &error), ERYX_OK);
    part.data = data;
    assert_int_equal(eryx_sandbox_resume(runtime, &part, 1, NULL, &copy, &error), ERYX_OK);
    expect(copy, "print(again.add(1, 2), hello.add(1, 2))", ERYX_OUTCOME_OK, "10 11\n");
    eryx_sandbox_free(copy);
    /* It belongs to the image, not to the runtime that the image was made with. */
    assert_int_equal(eryx_sandbox_resume(before, &part, 1, NULL, &copy, &error), ERYX_ERR_VERSION);
    eryx_bytes_free(data);
    eryx_sandbox_free(sandbox);
    swap_back(before);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rolls_back),
        cmocka_unit_test(forgets_what_was_undone),
        cmocka_unit_test(forks),
        cmocka_unit_test(resumes),
        cmocka_unit_test(does_not_stay_in_what_is_recycled),
        cmocka_unit_test(is_in_an_image),
        cmocka_unit_test(more_on_top_of_an_image),
    };
    if (argc != 2)
        return 2;
    module_path = argv[1];
    return cmocka_run_group_tests(tests, setup, teardown);
}
