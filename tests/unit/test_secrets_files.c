/* Secrets and files, with the real runtime: a value that a program got all the same (here through stdin)
 * reaches the host in no file: not in the files of mounts, however it is written, not in what the
 * host reads, lists and exports. A value in a mounted file does not reach the program. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
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
#include "secret_sample.h"
#include "signals.h"

static const char in_base64[] = "c2stbGl2ZS00ZUMzOUhxTHlqV0RhcmpUVDF6ZHA3ZGM=";

static char folder[] = "/tmp/test_secrets_files.XXXXXX";
static eryx_sandbox_t *sandbox;

static char *path_of(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void host_write(const char *name, const char *text) {
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_int_equal(fputs(text, file) < 0, 0);
    fclose(file);
}

/* All of a file of the host's folder. */
static const char *host_read(const char *name) {
    static char text[1 << 16];
    FILE *file = fopen(path_of(name), "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static int make_sandbox(void **state) {
    (void)state;
    eryx_sandbox_options_t options;
    eryx_secret_t secret;
    eryx_mount_t mount;
    eryx_error_t error = {0, ""};
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    eryx_sandbox_options_init(&options);
    secret_sample(&secret);
    eryx_mount_init(&mount);
    mount.target = "/mount";
    mount.mode = ERYX_MOUNT_READ_WRITE;
    assert_int_equal(eryx_source_new_path(folder, &mount.source, &error), ERYX_OK);
    options.secrets = &secret;
    options.secret_count = 1;
    options.mounts = &mount;
    options.mount_count = 1;
    options.on_input = secret_on_input;
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    eryx_source_free(mount.source);
    prints(sandbox,
           "import os, base64; os.chdir('/mount'); v = input(); key = os.environ['API_KEY']", "");
    return 0;
}

static int free_sandbox(void **state) {
    (void)state;
    eryx_sandbox_free(sandbox);
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        unlink(path_of(entry->d_name));
    closedir(directory);
    return rmdir(folder);
}

static void no_value_in(const char *text, size_t length) {
    if (memmem(text, length, "live-4eC39", 10) || memmem(text, length, "NGVDMzlIcUx5", 12) ||
        memmem(text, length, in_base64, 20))
        fail_msg("the value got out: %.*s", (int)length, text);
}

/* Runs code that makes /mount/file; what is in it is what the code prints, with the placeholder. */
static void writes(const char *code) {
    char program[2048];
    snprintf(program, sizeof program, "%s\nprint(expected.replace(v, key), end='')", code);
    eryx_outcome_t *outcome = execute(sandbox, program);
    if (eryx_outcome_kind(outcome) != ERYX_OUTCOME_OK)
        fail_msg("%s", eryx_outcome_traceback(outcome));
    const char *text = host_read("file");
    no_value_in(text, strlen(text));
    assert_string_equal(text, eryx_outcome_stdout(outcome, NULL));
    eryx_outcome_free(outcome);
}

static void test_mounted_files(void **state) {
    (void)state;
    writes("expected = f'key={v}\\n'\nopen('file', 'w').write(expected)");
    writes("expected = f'<{v}>' * 300\nopen('file', 'w').write(expected)");
    /* A byte at a time; backwards; every second byte first; over what was there. */
    writes("expected = f'[{v}]'\n"
           "with open('file', 'wb', 0) as f:\n"
           "    for c in expected.encode(): f.write(bytes([c]))");
    writes("expected = f'[{v}]'\n"
           "with open('file', 'wb', 0) as f:\n"
           "    for i in reversed(range(len(expected))):\n"
           "        f.seek(i); f.write(expected[i].encode())");
    writes("expected = f'[{v}]'\n"
           "with open('file', 'wb', 0) as f:\n"
           "    for i in [*range(0, len(expected), 2), *range(1, len(expected), 2)]:\n"
           "        f.seek(i); f.write(expected[i].encode())");
    writes("expected = v + 'tail'\n"
           "open('file', 'w').write('x' * len(v) + 'tail')\n"
           "with open('file', 'r+b', 0) as f:\n"
           "    f.write(v[:20].encode()); f.write(v[20:].encode())");
    /* In two files of the program, joined by appending. */
    writes("expected = v\n"
           "open('file', 'w').write(v[:9])\n"
           "open('file', 'a').write(v[9:])");
    writes("expected = 'x' * 20000 + v\n"
           "open('file', 'w').write(expected)");
    /* What is like a value's beginning stays. */
    prints(sandbox, "open('file', 'w').write('sk-live-' + v[:7])", "");
    assert_string_equal(host_read("file"), "sk-live-sk-live");
    prints(sandbox, "open('file', 'w').write(base64.b64encode(f'user:{v}'.encode()).decode())", "");
    no_value_in(host_read("file"), strlen(host_read("file")));
    prints(sandbox, "print(base64.b64decode(open('file').read()).decode() == f'user:{key}')",
           "True\n");
}

static void test_values_in_mounted_files(void **state) {
    (void)state;
    char text[256];
    snprintf(text, sizeof text, "API_KEY=%s\nother=1\n", value);
    host_write("env", text);
    prints(sandbox,
           "text = open('env').read(); print(text == f'API_KEY={key}\\nother=1\\n', v in text)\n"
           "pieces = b''\n"
           "with open('env', 'rb', 0) as f:\n"
           "    while piece := f.read(5): pieces += piece\n"
           "print(pieces == text.encode())\n"
           "with open('env', 'rb', 0) as f:\n"
           "    f.seek(13); print(f.read(10) == text.encode()[13:23])",
           "True False\nTrue\nTrue\n");
    /* Reading changed nothing outside. */
    assert_string_equal(host_read("env"), text);
}

static void test_names(void **state) {
    (void)state;
    char name[128];
    prints(sandbox,
           "open(v, 'w').write('content')\n"
           "print(open(key).read(), open(v).read(), os.listdir() == [key], os.path.exists(v))\n"
           "os.rename(v, 'new-' + v); print(os.listdir() == ['new-' + key])",
           "content content True True\nTrue\n");
    snprintf(name, sizeof name, "new-%s", eryx_sandbox_placeholder(sandbox, "API_KEY"));
    assert_string_equal(host_read(name), "content");
}

static bool see_entry(void *env, const eryx_file_entry_t *entry) {
    no_value_in(entry->name, entry->length);
    ++*(unsigned *)env;
    return true;
}

static bool see_tar(void *env, const void *data, size_t length) {
    *(size_t *)env += length;
    no_value_in(data, length);
    return true;
}

static void test_what_the_host_reads(void **state) {
    (void)state;
    eryx_error_t error = {0, ""};
    void *data;
    size_t length, exported = 0;
    unsigned entries = 0;
    prints(sandbox,
           "os.mkdir('/tmp/out'); os.chdir('/tmp/out')\n"
           "open('plain', 'w').write(f'x{v}y'); open(v, 'w').close(); os.symlink(v, 'link')\n"
           "open('coded', 'wb').write(base64.b64encode(v.encode()))",
           "");
    assert_int_equal(eryx_fs_read(sandbox, "/tmp/out/plain", 1000, &data, &length, &error),
                     ERYX_OK);
    no_value_in(data, length);
    assert_memory_equal((char *)data + 1, eryx_sandbox_placeholder(sandbox, "API_KEY"), 32);
    eryx_bytes_free(data);
    assert_int_equal(eryx_fs_read(sandbox, "/tmp/out/coded", 1000, &data, &length, &error),
                     ERYX_OK);
    no_value_in(data, length);
    eryx_bytes_free(data);
    assert_int_equal(eryx_fs_list(sandbox, "/tmp/out", see_entry, &entries, &error), ERYX_OK);
    assert_int_equal(entries, 4);
    assert_int_equal(eryx_fs_export_tar(sandbox, "/tmp/out", 1 << 20, see_tar, &exported, &error),
                     ERYX_OK);
    assert_true(exported > 1024);
    /* Removing goes by the names that the files have. */
    assert_int_equal(eryx_fs_remove(sandbox, "/tmp/out", true, &error), ERYX_OK);
    prints(sandbox, "print(os.path.exists('/tmp/out'))", "False\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mounted_files, make_sandbox, free_sandbox),
        cmocka_unit_test_setup_teardown(test_values_in_mounted_files, make_sandbox, free_sandbox),
        cmocka_unit_test_setup_teardown(test_names, make_sandbox, free_sandbox),
        cmocka_unit_test_setup_teardown(test_what_the_host_reads, make_sandbox, free_sandbox),
    };
    return cmocka_run_group_tests(tests, open_runtime, close_runtime);
}
