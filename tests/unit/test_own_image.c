/* Runtime files made of sessions: what is in them, what is not, and that nothing repeats. With the real
 * runtime. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "python_runtime.h"
#include "signals.h"

static char folder[] = "/tmp/eryx-image-XXXXXX";
static char path[64];

static eryx_sandbox_t *new_sandbox(eryx_runtime_t *from) {
    eryx_sandbox_t *sandbox;
    eryx_error_t error = {0};
    signals_restore();
    if (eryx_sandbox_new(from, NULL, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return sandbox;
}

static eryx_runtime_t *open_image(void) {
    eryx_runtime_t *image;
    eryx_error_t error = {0};
    eryx_runtime_options_t options;
    eryx_runtime_options_init(&options);
    options.verify = true;
    if (eryx_runtime_open(path, &options, &image, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    signals_save();
    return image;
}

static void build(eryx_runtime_t *from, const char *code) {
    eryx_error_t error = {0};
    eryx_sandbox_t *sandbox = new_sandbox(from);
    prints(sandbox, code, "");
    if (eryx_image_build(sandbox, path, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    eryx_sandbox_free(sandbox);
}

static const char warm[] = "import colorsys, random, uuid, asyncio\n"
                           "table = {n: [n] * 3 for n in range(1000)}\n"
                           "class Kept:\n"
                           "    count = 0\n"
                           "def more():\n"
                           "    Kept.count += 1\n"
                           "    return Kept.count\n"
                           "random.random()\n"
                           "open('/tmp/made', 'w').write('file')\n"
                           "await asyncio.gather(asyncio.sleep(0.001), asyncio.sleep(0))\n";

static void test_content(void **state) {
    (void)state;
    build(runtime, warm);
    eryx_runtime_t *image = open_image();
    for (int i = 0; i < 4; i++) {
        eryx_sandbox_t *sandbox = new_sandbox(image);
        prints(sandbox,
               "import sys\n"
               "print(table[12], more(), more(), 'colorsys' in sys.modules,"
               " open('/tmp/made').read())",
               "[12, 12, 12] 1 2 True file\n");
        prints(sandbox, "print(await asyncio.gather(asyncio.sleep(0.001, 1), asyncio.sleep(0, 2)))",
               "[1, 2]\n");
        eryx_outcome_t *bad = execute(sandbox, "table.clear()\nimport os; os.abort()");
        assert_int_equal(eryx_outcome_kind(bad), ERYX_OUTCOME_TRAP);
        eryx_outcome_free(bad);
        prints(sandbox, "print(len(table), more())", "1000 3\n");
        assert_int_equal(eryx_sandbox_clear(sandbox, NULL), ERYX_OK);
        prints(sandbox, "import sys; print('table' in globals(), 'colorsys' in sys.modules)",
               "False True\n");
        eryx_sandbox_free(sandbox);
    }
    eryx_runtime_free(image);
}

static void test_entropy(void **state) {
    (void)state;
    char seen[3][256];
    build(runtime, warm);
    eryx_runtime_t *image = open_image();
    for (int i = 0; i < 3; i++) {
        eryx_sandbox_t *sandbox = new_sandbox(image);
        eryx_outcome_t *outcome = execute(sandbox, "print(random.random(), uuid.uuid4())");
        snprintf(seen[i], sizeof seen[i], "%s", eryx_outcome_stdout(outcome, NULL));
        assert_int_equal(eryx_outcome_kind(outcome), ERYX_OUTCOME_OK);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(seen[i], seen[k]);
        eryx_outcome_free(outcome);
        eryx_sandbox_free(sandbox);
    }
    eryx_runtime_free(image);
}

/* An image of an image; forks and checkpoints belong to theirs. */
static void test_again(void **state) {
    (void)state;
    build(runtime, "first = 1");
    eryx_runtime_t *one = open_image();
    build(one, "second = first + 1");
    eryx_runtime_t *two = open_image();
    eryx_sandbox_t *sandbox = new_sandbox(two), *copy;
    eryx_error_t error;
    void *data;
    size_t length;
    prints(sandbox, "third = second + 1", "");
    assert_int_equal(eryx_sandbox_fork(sandbox, NULL, 1, &copy, &error), ERYX_OK);
    prints(copy, "print(first, second, third)", "1 2 3\n");
    eryx_sandbox_free(copy);
    assert_int_equal(eryx_sandbox_checkpoint(sandbox, NULL, &data, &length, &error), ERYX_OK);
    eryx_checkpoint_part_t part = {data, length};
    assert_int_equal(eryx_sandbox_resume(one, &part, 1, NULL, &copy, &error), ERYX_ERR_VERSION);
    assert_int_equal(eryx_sandbox_resume(two, &part, 1, NULL, &copy, &error), ERYX_OK);
    prints(copy, "print(first, second, third)", "1 2 3\n");
    eryx_sandbox_free(copy);
    eryx_sandbox_free(sandbox);
    eryx_bytes_free(data);
    eryx_runtime_free(two);
    eryx_runtime_free(one);
}

static void test_refused(void **state) {
    (void)state;
    eryx_error_t error;
    eryx_execution_t *execution;
    eryx_sandbox_t *sandbox = new_sandbox(runtime);
    assert_int_equal(eryx_image_build(NULL, path, &error), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_image_build(sandbox, NULL, &error), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_image_build(sandbox, "/nonexistent/x", &error), ERYX_ERR_IO);
    assert_non_null(strstr(error.message, "/nonexistent/x"));
    assert_int_equal(eryx_image_build(sandbox, folder, &error), ERYX_ERR_IO);
    assert_int_equal(eryx_execution_start(sandbox, "1", 1, NULL, &execution, NULL), ERYX_OK);
    assert_int_equal(eryx_image_build(sandbox, path, &error), ERYX_ERR_STATE);
    eryx_execution_free(execution);
    prints(sandbox, "big = bytearray(300000000)", "");
    assert_int_equal(eryx_image_build(sandbox, path, &error), ERYX_ERR_LIMIT);
    eryx_sandbox_free(sandbox);
}

/* A session that has grown: so begin its sandboxes. */
static void test_large(void **state) {
    (void)state;
    build(runtime, "big = bytearray(150000000); big[-1] = 7");
    eryx_runtime_t *image = open_image();
    eryx_runtime_info_t info = {.size = sizeof info};
    assert_int_equal(eryx_runtime_get_info(image, &info), ERYX_OK);
    assert_true(info.memory_min_bytes > 150000000);
    for (int i = 0; i < 3; i++) {
        eryx_sandbox_t *sandbox = new_sandbox(image);
        prints(sandbox, "print(len(big), big[-1]); big[-1] += 1", "150000000 7\n");
        prints(sandbox, "more = bytearray(50000000); print(big[-1], len(more))", "8 50000000\n");
        eryx_outcome_t *bad = execute(sandbox, "del big\nimport os; os.abort()");
        assert_int_equal(eryx_outcome_kind(bad), ERYX_OUTCOME_TRAP);
        eryx_outcome_free(bad);
        prints(sandbox, "print(big[-1])", "8\n");
        eryx_sandbox_free(sandbox);
    }
    eryx_sandbox_options_t options;
    eryx_sandbox_t *sandbox;
    eryx_error_t error;
    eryx_sandbox_options_init(&options);
    options.limits.memory_bytes = (size_t)128 << 20;
    assert_int_equal(eryx_sandbox_new(image, &options, &sandbox, &error), ERYX_ERR_ARGUMENT);
    eryx_runtime_free(image);
}

static int make_folder(void **state) {
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/own.cwasm", folder);
    return open_runtime(state);
}

static int remove_folder(void **state) {
    unlink(path);
    rmdir(folder);
    return close_runtime(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content), cmocka_unit_test(test_entropy),
        cmocka_unit_test(test_again),   cmocka_unit_test(test_large),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
