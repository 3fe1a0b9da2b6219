/* Mounts and files of a sandbox through the public interface, with Python in it: providers, mounts that
 * come and go, files that are open over a rollback and in a fork, and <eryx/fs.h>. */
#include <errno.h>
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

#include "python_runtime.h"

static char folder[] = "/tmp/test_files.XXXXXX";

/* --- A provider: /greeting, and /count/N with the text of N for each N --------------------- */

static unsigned opened, closed, finalized;

static bool number_of(const char *path, unsigned *number) {
    char *end;
    if (strncmp(path, "count/", 6) != 0)
        return false;
    *number = (unsigned)strtoul(path + 6, &end, 10);
    return path[6] != '\0' && *end == '\0' && *number < 1000;
}

static int provide_stat(void *env, const char *path, eryx_file_stat_t *out) {
    unsigned number;
    assert_string_equal(env, "env");
    *out = (eryx_file_stat_t){.kind = ERYX_FILE_REGULAR, .links = 1, .inode = 1, .size = 5};
    if (strcmp(path, "") == 0 || strcmp(path, "count") == 0)
        out->kind = ERYX_FILE_DIRECTORY;
    else if (strcmp(path, "link") == 0)
        out->kind = ERYX_FILE_SYMLINK;
    else if (strcmp(path, "greeting") != 0 && !number_of(path, &number))
        return -ENOENT;
    return 0;
}

static int provide_open(void *env, const char *path, uint32_t flags, void **file) {
    eryx_file_stat_t status;
    int error = provide_stat(env, path, &status);
    if (error)
        return error;
    if (status.kind == ERYX_FILE_SYMLINK)
        return -ELOOP;
    if (flags & (ERYX_OPEN_WRITE | ERYX_OPEN_CREATE | ERYX_OPEN_TRUNCATE))
        abort(); /* it cannot write, so it must never be asked to */
    *file = strdup(path);
    opened++;
    return 0;
}

static void provide_close(void *env, void *file) {
    (void)env;
    free(file);
    closed++;
}

static int provide_status(void *env, void *file, eryx_file_stat_t *out) {
    return provide_stat(env, file, out);
}

static ptrdiff_t provide_read(void *env, void *file, uint64_t offset, void *buffer,
                              size_t capacity) {
    (void)env;
    unsigned number;
    char text[8] = "hello";
    if (number_of(file, &number))
        snprintf(text, sizeof text, "%5u", number);
    if (offset >= 5)
        return 0;
    size_t count = 5 - (size_t)offset < capacity ? 5 - (size_t)offset : capacity;
    memcpy(buffer, text + offset, count);
    return (ptrdiff_t)count;
}

/* Names that must not reach a program among good ones. */
static int provide_entry(void *env, void *file, eryx_file_entry_t *out) {
    (void)env;
    static const char *const names[] = {"..", "a/b", "", "greeting", ".", "count", "link"};
    static unsigned next;
    if (strcmp(file, "") != 0)
        return 0;
    if (next == sizeof names / sizeof names[0]) {
        next = 0;
        return 0;
    }
    *out = (eryx_file_entry_t){names[next], strlen(names[next]), ERYX_FILE_UNKNOWN};
    next++;
    return 1;
}

static ptrdiff_t provide_readlink(void *env, const char *path, char *buffer, size_t capacity) {
    (void)env, (void)capacity;
    if (strcmp(path, "link") != 0)
        return -EINVAL;
    memcpy(buffer, "count/42", 8);
    return 8;
}

static void provide_finalize(void *env) {
    (void)env;
    finalized++;
}

static eryx_source_t *provider_source(void) {
    eryx_provider_t provider;
    eryx_source_t *source;
    eryx_error_t error = {0, ""};
    static char env[] = "env";
    eryx_provider_init(&provider);
    assert_int_equal(eryx_source_new_provider(&provider, env, &source, &error), ERYX_ERR_ARGUMENT);
    provider.stat = provide_stat;
    provider.open = provide_open;
    provider.close = provide_close;
    provider.status = provide_status;
    provider.read = provide_read;
    provider.next_entry = provide_entry;
    provider.readlink = provide_readlink;
    provider.finalize = provide_finalize;
    if (eryx_source_new_provider(&provider, env, &source, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return source;
}

static eryx_sandbox_t *sandbox_with(eryx_source_t *source, eryx_mount_mode_t mode) {
    eryx_sandbox_options_t options;
    eryx_sandbox_t *sandbox;
    eryx_error_t error = {0, ""};
    eryx_mount_t mount;
    eryx_mount_init(&mount);
    mount.target = "/m";
    mount.source = source;
    mount.mode = mode;
    eryx_sandbox_options_init(&options);
    options.limits.wall_time_ns = 5 * second;
    options.mounts = &mount;
    options.mount_count = 1;
    if (eryx_sandbox_new(runtime, &options, &sandbox, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return sandbox;
}

static void providers(void **state) {
    (void)state;
    opened = closed = finalized = 0;
    eryx_source_t *source = provider_source();
    eryx_sandbox_t *sandbox = sandbox_with(source, ERYX_MOUNT_READ_WRITE);
    eryx_source_free(source);
    expect(sandbox,
           "import os\n"
           "print(sorted(os.listdir('/m')), open('/m/greeting').read(), open('/m/link').read())\n"
           "print(open('/m/count/7').read(), os.path.exists('/m/count/7000'))\n"
           "for path in '/m/greeting', '/m/new':\n"
           "    try: open(path, 'w')\n"
           "    except OSError as error: print(error.strerror)\n",
           "['count', 'greeting', 'link'] hello    42\n    7 False\n"
           "Read-only file system\nRead-only file system\n");
    expect(sandbox, "f = open('/m/greeting')\n", "");
    assert_int_equal(finalized, 0);
    eryx_sandbox_free(sandbox);
    assert_int_equal(finalized, 1);
    assert_int_equal(opened, closed);
}

static void come_and_go(void **state) {
    (void)state;
    eryx_error_t error = {0, ""};
    static const eryx_tree_file_t files[] = {{"a/one", "1", 1, 0}, {"two", "22", 2, 0}};
    eryx_source_t *tree, *provider = provider_source();
    assert_int_equal(eryx_source_new_tree(files, 2, &tree, &error), ERYX_OK);
    eryx_sandbox_t *sandbox = sandbox_with(tree, ERYX_MOUNT_OVERLAY);
    expect(sandbox,
           "import os\nf = open('/m/two')\nopen('/m/new', 'w').write('over')\n"
           "print(sorted(os.listdir('/m')))\n",
           "['a', 'new', 'two']\n");
    eryx_mount_t mount;
    eryx_mount_init(&mount);
    mount.target = "/n";
    mount.source = provider;
    assert_int_equal(eryx_sandbox_add_mount(sandbox, &mount, &error), ERYX_OK);
    mount.target = "/m/inner";
    assert_int_equal(eryx_sandbox_add_mount(sandbox, &mount, &error), ERYX_ERR_ARGUMENT);
    assert_non_null(strstr(error.message, "cannot lie in each other"));
    expect(sandbox, "print(open('/n/greeting').read(), open('/m/new').read())\n", "hello over\n");
    assert_int_equal(eryx_sandbox_remove_mount(sandbox, "/m", &error), ERYX_OK);
    assert_int_equal(eryx_sandbox_remove_mount(sandbox, "/m", &error), ERYX_ERR_ARGUMENT);
    expect(sandbox,
           "print(os.listdir('/m'), open('/n/greeting').read())\n"
           "try: f.read()\nexcept OSError as error: print(type(error).__name__)\n",
           "[] hello\nOSError\n");
    eryx_sandbox_free(sandbox);
    eryx_source_free(tree);
    eryx_source_free(provider);
}

/* A file that was open before is opened again by its path; its position is the guest's. */
static void over_a_rollback(void **state) {
    (void)state;
    eryx_error_t error = {0, ""};
    eryx_source_t *source;
    char path[64];
    snprintf(path, sizeof path, "%s/data", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("first second", file);
    fclose(file);
    assert_int_equal(eryx_source_new_path(folder, &source, &error), ERYX_OK);
    eryx_sandbox_t *sandbox = sandbox_with(source, ERYX_MOUNT_READ_WRITE), *fork;
    eryx_source_free(source);
    expect(sandbox, "import os\nf = os.open('/m/data', os.O_RDWR)\nprint(os.read(f, 6))\n",
           "b'first '\n");
    check(
        run(sandbox, "os.lseek(f, 0, 0); g = os.open('/m/data', os.O_RDONLY); os._exit(3)\n", NULL),
        ERYX_OUTCOME_EXIT, "");
    assert_int_equal(eryx_sandbox_fork(sandbox, NULL, 1, &fork, &error), ERYX_OK);
    expect(fork, "print(os.read(f, 3))\n", "b'sec'\n");
    expect(sandbox, "print(os.read(f, 6), 'g' in globals(), os.write(f, b'!'))\n",
           "b'second' False 1\n");
    expect(fork, "print(os.read(f, 10), os.fstat(f).st_size)\n", "b'ond!' 13\n");
    eryx_sandbox_free(fork);
    /* Gone meanwhile: an error, not another file. */
    check(run(sandbox, "os._exit(3)\n", NULL), ERYX_OUTCOME_EXIT, "");
    assert_int_equal(unlink(path), 0);
    expect(sandbox, "try: os.read(f, 1)\nexcept OSError as error: print(error.strerror)\n",
           "I/O error\n");
    eryx_sandbox_free(sandbox);
}

static bool collect(void *env, const eryx_file_entry_t *entry) {
    strncat(env, entry->name, entry->length);
    strcat(env, entry->kind == ERYX_FILE_DIRECTORY ? "/ " : " ");
    return true;
}

static void files_of_a_sandbox(void **state) {
    (void)state;
    eryx_error_t error = {0, ""};
    eryx_sandbox_t *sandbox;
    eryx_file_stat_t status;
    void *data;
    size_t length;
    char names[256] = "";
    char *large = malloc(3000000);
    memset(large, 'x', 3000000);
    assert_int_equal(eryx_sandbox_new(runtime, NULL, &sandbox, &error), ERYX_OK);
    assert_int_equal(eryx_fs_make_directory(sandbox, "/tmp/a/b", false, &error), ERYX_ERR_IO);
    assert_int_equal(eryx_fs_make_directory(sandbox, "/tmp/a/b", true, &error), ERYX_OK);
    assert_int_equal(eryx_fs_make_directory(sandbox, "/tmp/a/b", true, &error), ERYX_OK);
    assert_int_equal(eryx_fs_write(sandbox, "/tmp/a/large", large, 3000000, &error), ERYX_OK);
    assert_int_equal(eryx_fs_write(sandbox, "/tmp/a/empty", NULL, 0, &error), ERYX_OK);
    expect(sandbox,
           "import os\nprint(open('/tmp/a/large').read() == 'x' * 3000000)\n"
           "os.symlink('large', '/tmp/a/link')\nopen('/tmp/a/b/text', 'w').write('text')\n",
           "True\n");
    assert_int_equal(eryx_fs_list(sandbox, "/tmp/a", collect, names, &error), ERYX_OK);
    assert_string_equal(names, "b/ large empty link ");
    assert_int_equal(eryx_fs_stat(sandbox, "/tmp/a/link", &status, &error), ERYX_OK);
    assert_int_equal(status.kind, ERYX_FILE_SYMLINK);
    assert_int_equal(eryx_fs_stat(sandbox, "/tmp/a/large", &status, &error), ERYX_OK);
    assert_int_equal(status.size, 3000000);
    assert_int_equal(eryx_fs_read(sandbox, "/tmp/a/link", 3000000, &data, &length, &error),
                     ERYX_OK);
    assert_int_equal(length, 3000000);
    assert_memory_equal(data, large, length);
    eryx_bytes_free(data);
    assert_int_equal(eryx_fs_read(sandbox, "/tmp/a/large", 2999999, &data, &length, &error),
                     ERYX_ERR_LIMIT);
    assert_null(data);
    assert_int_equal(eryx_fs_read(sandbox, "/tmp/a", 10, &data, &length, &error), ERYX_ERR_IO);
    assert_int_equal(eryx_fs_read(sandbox, "/dev/zero", 10, &data, &length, &error), ERYX_ERR_IO);
    assert_int_equal(eryx_fs_read(sandbox, "tmp/a", 10, &data, &length, &error), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_fs_remove(sandbox, "/tmp/a", false, &error), ERYX_ERR_IO);
    assert_non_null(strstr(error.message, "not empty"));
    assert_int_equal(eryx_fs_remove(sandbox, "/tmp/a", true, &error), ERYX_OK);
    expect(sandbox, "print(os.listdir('/tmp'))\n", "[]\n");
    eryx_sandbox_free(sandbox);
    free(large);
}

struct archive_bytes {
    char *data;
    size_t length, most;
};

static bool keep(void *env, const void *data, size_t length) {
    struct archive_bytes *bytes = env;
    if (length > bytes->most - bytes->length)
        return false;
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    return true;
}

/* What comes out as an archive is mounted in another sandbox. */
static void exported(void **state) {
    (void)state;
    eryx_error_t error = {0, ""};
    eryx_sandbox_t *sandbox;
    eryx_source_t *source;
    struct archive_bytes bytes = {malloc(1 << 20), 0, 1 << 20};
    assert_int_equal(eryx_sandbox_new(runtime, NULL, &sandbox, &error), ERYX_OK);
    expect(sandbox,
           "import os\nos.makedirs('/tmp/t/a/' + 'long' * 50)\nopen('/tmp/t/a/b', 'wb').write(b'x' "
           "* 100000)\n"
           "open('/tmp/t/\\u00fcber', 'w').close()\nos.symlink('a/b', "
           "'/tmp/t/link')\nos.utime('/tmp/t/a/b', (5, 6))\n",
           "");
    assert_int_equal(eryx_fs_export_tar(sandbox, "/tmp/t", 99999, keep, &bytes, &error),
                     ERYX_ERR_LIMIT);
    assert_int_equal(eryx_fs_export_tar(sandbox, "/tmp/none", 99999, keep, &bytes, &error),
                     ERYX_ERR_IO);
    bytes.length = 0;
    bytes.most = 20000;
    assert_int_equal(eryx_fs_export_tar(sandbox, "/tmp/t", 1 << 20, keep, &bytes, &error),
                     ERYX_ERR_IO);
    assert_non_null(strstr(error.message, "gave up"));
    bytes.length = 0;
    bytes.most = 1 << 20;
    if (eryx_fs_export_tar(sandbox, "/tmp/t", 1 << 20, keep, &bytes, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    eryx_sandbox_free(sandbox);
    if (eryx_source_new_archive(bytes.data, bytes.length, NULL, &source, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    sandbox = sandbox_with(source, ERYX_MOUNT_READ_ONLY);
    eryx_source_free(source);
    expect(sandbox,
           "import os\nprint(sorted(os.listdir('/m')) == ['a', 'link', '\\u00fcber'], "
           "len(os.listdir('/m/a')))\n"
           "print(open('/m/link').read() == 'x' * 100000, os.stat('/m/a/b').st_mtime, "
           "os.listdir('/m/a/' + 'long' * 50))\n",
           "True 2\nTrue 6.0 []\n");
    eryx_sandbox_free(sandbox);
    free(bytes.data);
}

static int make_folder(void **state) {
    return mkdtemp(folder) ? open_runtime(state) : -1;
}

static int remove_folder(void **state) {
    rmdir(folder);
    return close_runtime(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(providers),       cmocka_unit_test(come_and_go),
        cmocka_unit_test(over_a_rollback), cmocka_unit_test(files_of_a_sandbox),
        cmocka_unit_test(exported),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
