/* Checkpoints: sessions that go on elsewhere, and files that are not what they should be. With the
 * real runtime. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "python_runtime.h"
#include "signals.h"

static void hold_options(eryx_sandbox_options_t *options, eryx_callback_t *callback) {
    eryx_callback_init(callback);
    callback->name = "hold";
    callback->on_call = on_hold;
    eryx_sandbox_options_init(options);
    options->callbacks = callback;
    options->callback_count = 1;
}

static eryx_sandbox_t *new_sandbox(void) {
    eryx_sandbox_options_t options;
    eryx_callback_t callback;
    eryx_sandbox_t *sandbox;
    eryx_error_t error = {0};
    signals_restore();
    atomic_store(&held_count, 0);
    hold_options(&options, &callback);
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return sandbox;
}

static eryx_checkpoint_part_t checkpoint(eryx_sandbox_t *sandbox, bool incremental) {
    eryx_checkpoint_options_t options;
    eryx_error_t error = {0};
    void *data;
    size_t length;
    eryx_checkpoint_options_init(&options);
    options.incremental = incremental;
    if (eryx_sandbox_checkpoint(sandbox, &options, &data, &length, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return (eryx_checkpoint_part_t){data, length};
}

static int resume_status(const eryx_checkpoint_part_t *parts, size_t count, eryx_sandbox_t **out,
                         eryx_error_t *error) {
    eryx_sandbox_options_t options;
    eryx_callback_t callback;
    hold_options(&options, &callback);
    return eryx_sandbox_resume(runtime, parts, count, &options, out, error);
}

static eryx_sandbox_t *resume(const eryx_checkpoint_part_t *parts, size_t count) {
    eryx_sandbox_t *sandbox;
    eryx_error_t error = {0};
    if (resume_status(parts, count, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return sandbox;
}

static void test_at_rest(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox();
    prints(sandbox,
           "import random\nx = {'a': [1, 2]}\ndef f(): return x\n"
           "open('/tmp/f', 'w').write('kept'); first = random.random()",
           "");
    eryx_checkpoint_part_t part = checkpoint(sandbox, false);
    prints(sandbox, "x.clear()", "");
    for (int i = 0; i < 2; i++) {
        eryx_sandbox_t *copy = resume(&part, 1);
        assert_null(eryx_sandbox_execution(copy));
        prints(copy, "x['b'] = 3; print(f(), open('/tmp/f').read())",
               "{'a': [1, 2], 'b': 3} kept\n");
        eryx_outcome_t *bad = execute(copy, "x = 0\nimport os; os.abort()");
        assert_int_equal(eryx_outcome_kind(bad), ERYX_OUTCOME_TRAP);
        eryx_outcome_free(bad);
        prints(copy, "print(x)", "{'a': [1, 2], 'b': 3}\n");
        eryx_sandbox_free(copy);
    }
    eryx_sandbox_free(sandbox);
    eryx_bytes_free((void *)part.data);
}

static const char waiting_code[] =
    "import asyncio\n"
    "print('before')\n"
    "x = 'changed'\n"
    "async def work(n):\n"
    "    local = [n] * 3\n"
    "    start = asyncio.get_running_loop().time()\n"
    "    got = await hold(n=n)\n"
    "    assert asyncio.get_running_loop().time() >= start\n"
    "    return local, got\n"
    "result = await asyncio.gather(work(1), work(2), asyncio.sleep(0.05, 'slept'))\n"
    "print(result)";
static const char waiting_output[] = "before\n[([1, 1, 1], 'one'), ([2, 2, 2], [2]), 'slept']\n";

static void test_waiting(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox();
    prints(sandbox, "x = 'before'", "");
    start_waiting(sandbox, waiting_code);
    assert_int_equal(atomic_load(&held_count), 2);
    eryx_call_complete(held[1], "[2]", 3, NULL);
    eryx_checkpoint_part_t part = checkpoint(sandbox, false);
    eryx_call_free(held[0]);
    eryx_call_free(held[1]);
    eryx_sandbox_free(sandbox);
    eryx_checkpoint_info_t info = {.size = sizeof info};
    assert_int_equal(eryx_checkpoint_get_info(part.data, part.length, &info, NULL), ERYX_OK);
    assert_true(info.waiting);
    assert_int_equal(info.pending_calls, 2);
    eryx_sandbox_t *copy = resume(&part, 1);
    eryx_execution_t *execution = eryx_sandbox_execution(copy);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    assert_int_equal(atomic_load(&held_count), 3);
    assert_string_equal(eryx_call_arguments(held[2], NULL), "{\"n\": 1}");
    finish_held(execution, 2, "\"one\"", waiting_output);
    prints(copy, "print(x)", "changed\n");
    eryx_sandbox_free(copy);
    /* One that is given up comes back to what was before the execution. */
    copy = resume(&part, 1);
    execution = eryx_sandbox_execution(copy);
    assert_int_equal(eryx_execution_run(execution), ERYX_EXECUTION_WAITING);
    eryx_execution_free(execution);
    eryx_call_free(held[3]);
    prints(copy, "print(x)", "before\n");
    eryx_sandbox_free(copy);
    eryx_bytes_free((void *)part.data);
}

/* A chain of increments, among them some after rollbacks and growth, resumed at each of its links. */
static void test_incremental(void **state) {
    (void)state;
    enum { LINKS = 6 };
    static const char *const steps[LINKS] = {
        "import os; noise = os.urandom(1000000); x = list(range(1000)); big = [bytes([n]) * 100000 "
        "for n in range(50)]",
        "x[5] = 'five'",
        "big[3] = b'3' * 100000; del x[100:]",
        "import colorsys, json; y = json.dumps(x)",
        "more = [bytes([n]) * 1000000 for n in range(100)]",
        "more.clear(); big[7] = 0",
    };
    static const char *const seen[LINKS] = {
        "print(len(x), x[5], len(big), big[3][:2], 'y' in globals(), 'more' in globals())",
        "print(len(x), x[5], len(big), big[3][:2], 'y' in globals(), 'more' in globals())",
        "print(len(x), x[5], len(big), big[3][:2], 'y' in globals(), 'more' in globals())",
        "print(y[:20], colorsys.rgb_to_hsv(1, 0, 0)[2])",
        "print(all(b == bytes([n]) * 1000000 for n, b in enumerate(more)))",
        "print(more, big[7], all(b == bytes([n]) * 100000 for n, b in enumerate(big)"
        " if n not in (3, 7)))",
    };
    static const char *const outputs[LINKS] = {
        "1000 5 50 b'\\x03\\x03' False False\n",
        "1000 five 50 b'\\x03\\x03' False False\n",
        "100 five 50 b'33' False False\n",
        "[0, 1, 2, 3, 4, \"fiv 1\n",
        "True\n",
        "[] 0 True\n",
    };
    eryx_sandbox_t *sandbox = new_sandbox();
    eryx_checkpoint_part_t parts[LINKS];
    for (size_t i = 0; i < LINKS; i++) {
        prints(sandbox, steps[i], "");
        parts[i] = checkpoint(sandbox, true);
        eryx_checkpoint_info_t info = {.size = sizeof info};
        assert_int_equal(eryx_checkpoint_get_info(parts[i].data, parts[i].length, &info, NULL), 0);
        assert_int_equal(info.incremental, i > 0);
        eryx_outcome_free(execute(sandbox, "x.clear()\nimport os; os.abort()"));
    }
    assert_true(parts[1].length < parts[0].length / 2);
    for (size_t i = 0; i < LINKS; i++) {
        eryx_sandbox_t *copy = resume(parts, i + 1);
        prints(copy, seen[i], outputs[i]);
        if (i == 2) { /* the chain goes on from a resumed one */
            prints(copy, "x.append('end')", "");
            eryx_checkpoint_part_t longer[] = {parts[0], parts[1], parts[2],
                                               checkpoint(copy, true)};
            eryx_sandbox_t *last = resume(longer, 4);
            prints(last, "print(x[-1], x[5])", "end five\n");
            eryx_sandbox_free(last);
            eryx_bytes_free((void *)longer[3].data);
        }
        eryx_sandbox_free(copy);
    }
    eryx_sandbox_t *copy;
    eryx_error_t error;
    assert_int_equal(resume_status(parts + 1, 1, &copy, &error), ERYX_ERR_ARGUMENT);
    eryx_checkpoint_part_t wrong[] = {parts[0], parts[2]};
    assert_int_equal(resume_status(wrong, 2, &copy, &error), ERYX_ERR_ARGUMENT);
    assert_non_null(strstr(error.message, "does not continue"));
    for (size_t i = 0; i < LINKS; i++)
        eryx_bytes_free((void *)parts[i].data);
    eryx_sandbox_free(sandbox);
}

static void test_corrupt(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(), *copy;
    eryx_error_t error;
    start_waiting(sandbox, waiting_code);
    eryx_checkpoint_part_t part = checkpoint(sandbox, false);
    size_t kept = part.length;
    for (size_t length = 0; length < kept; length += length < 200 ? 1 : kept / 50) {
        part.length = length;
        assert_int_equal(resume_status(&part, 1, &copy, &error), ERYX_ERR_FORMAT);
        assert_null(copy);
    }
    part.length = kept;
    uint8_t *bytes = (uint8_t *)part.data;
    for (size_t i = 0; i < kept; i += i < 200 ? 1 : kept / 100) {
        bytes[i] ^= 0x10;
        int status = resume_status(&part, 1, &copy, &error);
        if (status != ERYX_ERR_FORMAT && status != ERYX_ERR_VERSION)
            fail_msg("byte %zu: %d %s", i, status, error.message);
        bytes[i] ^= 0x10;
    }
    copy = resume(&part, 1);
    eryx_sandbox_free(copy);
    eryx_bytes_free(bytes);
    eryx_sandbox_free(sandbox);
    eryx_call_free(held[0]);
    eryx_call_free(held[1]);
}

static void test_arguments(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(), *copy;
    eryx_error_t error;
    eryx_checkpoint_options_t options;
    void *data;
    size_t length;
    eryx_checkpoint_options_init(&options);
    options.level = 20;
    assert_int_equal(eryx_sandbox_checkpoint(sandbox, &options, &data, &length, &error),
                     ERYX_ERR_ARGUMENT);
    options.size = 1;
    assert_int_equal(eryx_sandbox_checkpoint(sandbox, &options, &data, &length, &error),
                     ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_sandbox_checkpoint(NULL, NULL, &data, &length, &error),
                     ERYX_ERR_ARGUMENT);
    start_waiting(sandbox, "await hold()");
    eryx_checkpoint_part_t part = checkpoint(sandbox, false);
    assert_int_equal(eryx_sandbox_resume(runtime, &part, 1, NULL, &copy, &error),
                     ERYX_ERR_ARGUMENT);
    assert_non_null(strstr(error.message, "hold"));
    assert_int_equal(eryx_sandbox_resume(runtime, NULL, 1, NULL, &copy, &error), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_sandbox_resume(runtime, &part, 0, NULL, &copy, &error),
                     ERYX_ERR_ARGUMENT);
    eryx_bytes_free((void *)part.data);
    eryx_sandbox_free(sandbox);
    eryx_call_free(held[0]);
    sandbox = new_sandbox();
    prints(sandbox, "big = bytearray(150000000)", "");
    part = checkpoint(sandbox, false);
    eryx_sandbox_options_t small;
    eryx_sandbox_options_init(&small);
    small.limits.memory_bytes = 128 << 20;
    assert_int_equal(eryx_sandbox_resume(runtime, &part, 1, &small, &copy, &error), ERYX_ERR_LIMIT);
    eryx_bytes_free((void *)part.data);
    eryx_sandbox_free(sandbox);
}

/* --- Files -------------------------------------------------------------------------------- */

static char folder[] = "/tmp/eryx-checkpoint-XXXXXX";

static const char *in_folder(const char *name) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Another process goes on with it. */
static void test_file(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox();
    eryx_error_t error = {0};
    start_waiting(sandbox, waiting_code);
    assert_int_equal(eryx_sandbox_checkpoint_file(sandbox, NULL, in_folder("c"), &error), ERYX_OK);
    eryx_call_free(held[0]);
    eryx_call_free(held[1]);
    eryx_sandbox_free(sandbox);
    char command[1024];
    snprintf(command, sizeof command, "\"%s\" --resume %s", getenv("CHECKPOINT_TEST"),
             in_folder("c"));
    FILE *child = popen(command, "r");
    char output[256] = "";
    assert_true(fread(output, 1, sizeof output - 1, child) > 0);
    assert_int_equal(pclose(child), 0);
    assert_string_equal(output, "before\n[([1, 1, 1], 'n1'), ([2, 2, 2], 'n2'), 'slept']\n");
}

static int resume_main(const char *path) {
    eryx_sandbox_options_t options;
    eryx_callback_t callback;
    eryx_sandbox_t *sandbox;
    eryx_error_t error;
    hold_options(&options, &callback);
    if (eryx_runtime_open(NULL, NULL, &runtime, &error) != ERYX_OK ||
        eryx_sandbox_resume_file(runtime, path, &options, &sandbox, &error) != ERYX_OK) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    eryx_execution_t *execution = eryx_sandbox_execution(sandbox);
    eryx_execution_run(execution);
    for (unsigned i = 0; i < atomic_load(&held_count); i++) {
        char result[8];
        snprintf(result, sizeof result, "\"n%u\"", i + 1);
        eryx_call_complete(held[i], result, 4, NULL);
        eryx_call_free(held[i]);
    }
    while (eryx_execution_run(execution) != ERYX_EXECUTION_DONE)
        eryx_execution_wait(execution, UINT64_MAX);
    eryx_outcome_t *outcome = eryx_execution_take_outcome(execution);
    fputs(eryx_outcome_stdout(outcome, NULL), stdout);
    fputs(eryx_outcome_traceback(outcome), stderr);
    eryx_outcome_free(outcome);
    eryx_sandbox_free(sandbox);
    eryx_runtime_free(runtime);
    return 0;
}

static void test_bad_files(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox(), *copy;
    eryx_error_t error;
    static const char *const bad[] = {"/nonexistent/x", "/dev/full", "/proc/self/x", "/"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(eryx_sandbox_checkpoint_file(sandbox, NULL, bad[i], &error), ERYX_ERR_IO);
        assert_non_null(strstr(error.message, bad[i]));
    }
    assert_int_equal(eryx_sandbox_resume_file(runtime, "/nonexistent/x", NULL, &copy, &error),
                     ERYX_ERR_IO);
    assert_int_equal(eryx_sandbox_resume_file(runtime, "/tmp", NULL, &copy, &error), ERYX_ERR_IO);
    close(open(in_folder("empty"), O_CREAT | O_WRONLY, 0600));
    assert_int_equal(eryx_sandbox_resume_file(runtime, in_folder("empty"), NULL, &copy, &error),
                     ERYX_ERR_FORMAT);
    eryx_sandbox_free(sandbox);
}

static size_t file_size(const char *path) {
    struct stat found;
    return stat(path, &found) == 0 ? (size_t)found.st_size : 0;
}

/* A full disk (here: the largest file that may be written): the old checkpoint stays, nothing else does. */
static void test_disk_full(void **state) {
    (void)state;
    eryx_sandbox_t *sandbox = new_sandbox();
    eryx_error_t error;
    struct rlimit before, small;
    const char *path = in_folder("full");
    prints(sandbox, "import os; x = os.urandom(1000)", "");
    assert_int_equal(eryx_sandbox_checkpoint_file(sandbox, NULL, path, &error), ERYX_OK);
    size_t size = file_size(path);
    prints(sandbox, "x = os.urandom(1000000)", "");
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){size + 1000, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    int status = eryx_sandbox_checkpoint_file(sandbox, NULL, path, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(status, ERYX_ERR_IO);
    assert_int_equal(file_size(path), size);
    char command[600];
    snprintf(command, sizeof command, "test \"$(ls %s | grep -c full)\" = 1", folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(eryx_sandbox_checkpoint_file(sandbox, NULL, path, &error), ERYX_OK);
    assert_true(file_size(path) > size + 900000);
    eryx_sandbox_free(sandbox);
}

/* kill -9 at any moment of writing: there is always a whole checkpoint. */
static void test_killed(void **state) {
    (void)state;
    const char *path = in_folder("killed");
    for (int i = 0; i < 8; i++) {
        unlink(path);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            execl(getenv("CHECKPOINT_TEST"), "test", "--write", path, NULL);
            _exit(127);
        }
        while (file_size(path) == 0 && waitpid(child, NULL, WNOHANG) == 0)
            usleep(1000);
        usleep((unsigned)i * 1700);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        eryx_sandbox_t *copy;
        eryx_error_t error;
        signals_restore();
        if (eryx_sandbox_resume_file(runtime, path, NULL, &copy, &error) != ERYX_OK)
            fail_msg("%s", error.message);
        prints(copy, "print(len(x))", "3000000\n");
        eryx_sandbox_free(copy);
    }
}

static int write_main(const char *path) {
    static const char code[] = "import os; x = os.urandom(3000000)";
    eryx_sandbox_t *sandbox;
    eryx_outcome_t *outcome;
    eryx_error_t error;
    if (eryx_runtime_open(NULL, NULL, &runtime, &error) != ERYX_OK ||
        eryx_sandbox_new(runtime, NULL, &sandbox, &error) != ERYX_OK ||
        eryx_sandbox_execute(sandbox, code, strlen(code), NULL, &outcome, &error) != ERYX_OK)
        return 1;
    for (;;)
        if (eryx_sandbox_checkpoint_file(sandbox, NULL, path, &error) != ERYX_OK)
            return 1;
}

static int remove_folder(void **state) {
    char command[600];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0 || close_runtime(state) != 0;
}

static int make_folder(void **state) {
    return mkdtemp(folder) == NULL || open_runtime(state) != 0;
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_rest),     cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_incremental), cmocka_unit_test(test_corrupt),
        cmocka_unit_test(test_arguments),   cmocka_unit_test(test_file),
        cmocka_unit_test(test_bad_files),   cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_killed),
    };
    if (argc == 3 && strcmp(argv[1], "--resume") == 0)
        return resume_main(argv[2]);
    if (argc == 3 && strcmp(argv[1], "--write") == 0)
        return write_main(argv[2]);
    setenv("CHECKPOINT_TEST", argv[0], 1);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
