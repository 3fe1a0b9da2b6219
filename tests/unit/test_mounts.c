/* Mounts without a sandbox: what a guest may send, ways out of a directory, modes, quotas and file
 * numbers. Everything about directories runs twice: with openat2, and with the walk in its place.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "mount/host.h"
#include "mount/mounts.h"

static char folder[] = "/tmp/test_mounts.XXXXXX";
static mounts_t mounts;
static bool walking;

static const char *in_folder(const char *name) {
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_text(const char *name, const char *text) {
    int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

/* box/ is mounted; secret lies beside it. */
static int make_folder(void **state) {
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mkdir(in_folder("box"), 0777), 0);
    assert_int_equal(mkdir(in_folder("box/sub"), 0777), 0);
    write_text("secret", "secret");
    write_text("box/file", "content");
    write_text("box/sub/deep", "deep");
    assert_int_equal(symlink("../secret", in_folder("box/up")), 0);
    assert_int_equal(symlink("/etc", in_folder("box/etc")), 0);
    assert_int_equal(symlink("/proc/self/root", in_folder("box/magic")), 0);
    assert_int_equal(symlink("sub", in_folder("box/inner")), 0);
    assert_int_equal(mkfifo(in_folder("box/fifo"), 0666), 0);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void mount_at(const char *source_path, eryx_mount_mode_t mode, uint64_t bytes,
                     uint64_t files) {
    eryx_error_t error = {0, ""};
    eryx_mount_t mount;
    eryx_mount_init(&mount);
    if (eryx_source_new_path(source_path, &mount.source, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    if (walking)
        host_force_walk(mount.source);
    mount.target = "/box";
    mount.mode = mode;
    mount.max_bytes = bytes;
    mount.max_files = files;
    mounts_init(&mounts, 8, NULL);
    if (mounts_add(&mounts, &mount, &error) != ERYX_OK)
        fail_msg("%s", error.message);
    eryx_source_free(mount.source);
}

static mount_path_t at(const char *text) {
    return (mount_path_t){mounts.last_number, text, strlen(text)};
}

static int open_at(const char *path, uint32_t flags, uint64_t *file) {
    eryx_file_stat_t status;
    return mounts_open(&mounts, at(path), flags, file, &status);
}

static int change(enum mount_change what, const char *path, const char *other) {
    return mounts_change(&mounts, what, at(path), other, strlen(other));
}

static void ways_out(void **state) {
    (void)state;
    static const struct {
        const char *path;
        int stat, open;
    } cases[] = {
        {"file", 0, 0},
        {"sub/deep", 0, 0},
        {"sub", 0, -EISDIR},
        {"up", 0, -ELOOP},
        {"etc/passwd", -ELOOP, -ELOOP},
        {"magic/etc/passwd", -ELOOP, -ELOOP},
        {"inner/deep", -ELOOP, -ELOOP},
        {"fifo", 0, -EACCES},
        {"file/deep", -ENOTDIR, -ENOTDIR},
        {"nothing", -ENOENT, -ENOENT},
        {"nothing/deep", -ENOENT, -ENOENT},
        {"..", -EINVAL, -EINVAL},
        {"../secret", -EINVAL, -EINVAL},
        {"sub/../../secret", -EINVAL, -EINVAL},
        {"/etc/passwd", -EINVAL, -EINVAL},
        {"sub//deep", -EINVAL, -EINVAL},
        {"sub/", -EINVAL, -EINVAL},
        {"./file", -EINVAL, -EINVAL},
    };
    mount_at(in_folder("box"), ERYX_MOUNT_READ_WRITE, 1000, 10);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        eryx_file_stat_t status;
        uint64_t file = 0;
        print_message("%s\n", cases[i].path);
        assert_int_equal(mounts_stat(&mounts, at(cases[i].path), &status), cases[i].stat);
        assert_int_equal(open_at(cases[i].path, 0, &file), cases[i].open);
        if (cases[i].open == 0)
            assert_int_equal(mounts_close(&mounts, file), 0);
        else
            assert_int_equal(open_at(cases[i].path, ERYX_OPEN_WRITE, &file), cases[i].open);
    }
    char nul[] = "fi\0le";
    eryx_file_stat_t status;
    assert_int_equal(mounts_stat(&mounts, (mount_path_t){mounts.last_number, nul, 5}, &status),
                     -EINVAL);
    char *large = malloc(100000);
    memset(large, 'x', 100000);
    assert_int_equal(
        mounts_stat(&mounts, (mount_path_t){mounts.last_number, large, 100000}, &status),
        -ENAMETOOLONG);
    assert_int_equal(mounts_stat(&mounts, (mount_path_t){77, "file", 4}, &status), -ENOENT);
    free(large);
    uint64_t file;
    /* What makes and removes names follows no links either, and makes none. */
    assert_int_equal(open_at("up", ERYX_OPEN_CREATE | ERYX_OPEN_WRITE, &file), -ELOOP);
    assert_int_equal(open_at("inner/new", ERYX_OPEN_CREATE | ERYX_OPEN_WRITE, &file), -ELOOP);
    assert_int_equal(change(MOUNT_MKDIR, "etc/new", ""), -ELOOP);
    assert_int_equal(change(MOUNT_RENAME, "file", "inner/file"), -ELOOP);
    assert_int_equal(change(MOUNT_RENAME, "file", "../file"), -EINVAL);
    assert_int_equal(change(MOUNT_LINK, "up", "../link"), -EINVAL);
    assert_int_equal(change(MOUNT_SYMLINK, "made", "/etc/passwd"), -EPERM);
    assert_int_equal(change(MOUNT_RMDIR, "", ""), -EBUSY);
    assert_int_equal(change(MOUNT_RENAME, "", "x"), -EBUSY);
    assert_int_equal(change((enum mount_change)99, "file", "x"), -EINVAL);
    mounts_free(&mounts);
}

/* Other file systems are not entered, and those of the kernel not even mounted. */
static void other_file_systems(void **state) {
    (void)state;
    eryx_file_stat_t status;
    eryx_source_t *source;
    eryx_error_t error;
    mount_at("/", ERYX_MOUNT_READ_ONLY, 0, 0);
    assert_int_equal(mounts_stat(&mounts, at("proc/self/status"), &status), -EACCES);
    uint64_t file;
    assert_int_equal(open_at("dev/null", 0, &file), -EACCES);
    mounts_free(&mounts);
    assert_int_equal(eryx_source_new_path("/proc/self", &source, &error), ERYX_ERR_ARGUMENT);
    assert_int_equal(eryx_source_new_path(in_folder("box/fifo"), &source, &error),
                     ERYX_ERR_ARGUMENT);
}

static atomic_bool stop_swapping;

/* box/swap is in turn a directory and a link to what is outside. */
static void *swap(void *unused) {
    (void)unused;
    while (!stop_swapping) {
        rename(in_folder("box/swap"), in_folder("aside"));
        rename(in_folder("trap"), in_folder("box/swap"));
        rename(in_folder("box/swap"), in_folder("trap"));
        rename(in_folder("aside"), in_folder("box/swap"));
    }
    return NULL;
}

static void races(void **state) {
    (void)state;
    assert_int_equal(mkdir(in_folder("box/swap"), 0777), 0);
    assert_int_equal(mkdir(in_folder("outside"), 0777), 0);
    assert_int_equal(symlink(in_folder("outside"), in_folder("trap")), 0);
    write_text("outside/file", "secret");
    write_text("box/swap/file", "inside");
    mount_at(in_folder("box"), ERYX_MOUNT_READ_ONLY, 0, 0);
    pthread_t thread;
    stop_swapping = false;
    assert_int_equal(pthread_create(&thread, NULL, swap, NULL), 0);
    unsigned opened = 0;
    for (int i = 0; i < 20000; i++) {
        uint64_t file;
        char text[16];
        int error = open_at("swap/file", 0, &file);
        if (error) {
            /* -EACCES: it was moved out of the directory while it was looked up. */
            if (error != -ELOOP && error != -ENOENT && error != -EAGAIN && error != -EACCES)
                fail_msg("unexpected error %d", error);
            continue;
        }
        assert_int_equal(mounts_read(&mounts, file, 0, text, sizeof text), 6);
        assert_memory_equal(text, "inside", 6);
        mounts_close(&mounts, file);
        opened++;
    }
    stop_swapping = true;
    pthread_join(thread, NULL);
    assert_true(opened > 0);
    mounts_free(&mounts);
    assert_int_equal(unlink(in_folder("trap")), 0);
    assert_int_equal(unlink(in_folder("outside/file")), 0);
    assert_int_equal(rmdir(in_folder("outside")), 0);
    assert_int_equal(unlink(in_folder("box/swap/file")), 0);
    assert_int_equal(rmdir(in_folder("box/swap")), 0);
}

static void read_only(void **state) {
    (void)state;
    uint64_t file;
    mount_at(in_folder("box"), walking ? ERYX_MOUNT_OVERLAY : ERYX_MOUNT_READ_ONLY, 1000, 10);
    assert_int_equal(open_at("file", ERYX_OPEN_WRITE, &file), -EROFS);
    assert_int_equal(open_at("file", ERYX_OPEN_TRUNCATE, &file), -EROFS);
    assert_int_equal(open_at("new", ERYX_OPEN_CREATE, &file), -ENOENT);
    assert_int_equal(change(MOUNT_MKDIR, "new", ""), -EROFS);
    assert_int_equal(change(MOUNT_UNLINK, "file", ""), -EROFS);
    assert_int_equal(change(MOUNT_RENAME, "file", "new"), -EROFS);
    assert_int_equal(mounts_set_times(&mounts, at("file"), NULL, NULL), -EROFS);
    assert_int_equal(open_at("file", 0, &file), 0);
    assert_int_equal(mounts_write(&mounts, file, 0, "x", 1), -EBADF);
    assert_int_equal(mounts_resize(&mounts, file, 0), -EBADF);
    mounts_free(&mounts);
}

static void quotas(void **state) {
    (void)state;
    uint64_t file, other;
    char data[1000] = {0};
    mount_at(in_folder("box"), ERYX_MOUNT_READ_WRITE, 1000, 2);
    assert_int_equal(open_at("new", ERYX_OPEN_CREATE | ERYX_OPEN_WRITE, &file), 0);
    assert_int_equal(mounts_write(&mounts, file, 0, data, 600), 600);
    assert_int_equal(mounts_write(&mounts, file, 600, data, 600), 400); /* what is left */
    assert_int_equal(mounts_write(&mounts, file, 1000, data, 1), -ENOSPC);
    assert_int_equal(mounts_write(&mounts, file, 0, data, 1000), 1000); /* in place */
    assert_int_equal(mounts_write(&mounts, file, UINT64_MAX - 5, data, 10), -EFBIG);
    assert_int_equal(mounts_resize(&mounts, file, 1001), -ENOSPC);
    assert_int_equal(mounts_resize(&mounts, file, 400), 0);
    assert_int_equal(mounts_write(&mounts, file, 400, data, 700), 600);
    assert_int_equal(open_at("more", ERYX_OPEN_CREATE | ERYX_OPEN_WRITE, &other), 0);
    assert_int_equal(mounts_write(&mounts, other, 0, data, 1), -ENOSPC);
    assert_int_equal(open_at("third", ERYX_OPEN_CREATE | ERYX_OPEN_WRITE, &other), -ENOSPC);
    assert_int_equal(change(MOUNT_MKDIR, "third", ""), -ENOSPC);
    assert_int_equal(change(MOUNT_LINK, "new", "third"), -ENOSPC);
    /* Renaming one name of a file to another does nothing, and gives nothing back. */
    assert_int_equal(change(MOUNT_UNLINK, "more", ""), 0);
    assert_int_equal(change(MOUNT_LINK, "new", "more"), 0);
    assert_int_equal(change(MOUNT_RENAME, "new", "more"), 0);
    assert_int_equal(change(MOUNT_MKDIR, "third", ""), -ENOSPC);
    /* The last name of a file gives its bytes back. */
    assert_int_equal(change(MOUNT_UNLINK, "more", ""), 0);
    assert_int_equal(change(MOUNT_UNLINK, "new", ""), 0);
    assert_int_equal(open_at("new", ERYX_OPEN_CREATE | ERYX_OPEN_WRITE, &other), 0);
    assert_int_equal(mounts_write(&mounts, other, 0, data, 1000), 1000);
    assert_int_equal(change(MOUNT_UNLINK, "new", ""), 0);
    mounts_free(&mounts);
}

static void numbers(void **state) {
    (void)state;
    uint64_t files[9], last = 0;
    char text[16];
    mount_at(in_folder("box"), ERYX_MOUNT_READ_ONLY, 0, 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(open_at("file", 0, &files[i]), 0);
    assert_int_equal(open_at("file", 0, &files[8]), -EMFILE);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(mounts_read(&mounts, files[i], 3, text, sizeof text), 4);
        assert_memory_equal(text, "tent", 4);
        assert_int_equal(mounts_close(&mounts, files[i]), 0);
        assert_int_equal(mounts_close(&mounts, files[i]), -ESTALE);
        assert_int_equal(mounts_read(&mounts, files[i], 0, text, 1), -ESTALE);
    }
    for (int i = 0; i < 1000; i++) {
        uint64_t file;
        assert_int_equal(open_at("file", 0, &file), 0);
        assert_true(file > last);
        last = file;
        assert_int_equal(mounts_close(&mounts, file), 0);
    }
    assert_int_equal(mounts_close(&mounts, 0), -ESTALE);
    assert_int_equal(mounts_close(&mounts, UINT64_MAX), -ESTALE);
    /* Forgotten, as after a rollback: the numbers given next are others. */
    assert_int_equal(open_at("file", 0, &files[0]), 0);
    mounts_forget_files(&mounts);
    assert_int_equal(open_at("file", 0, &files[1]), 0);
    assert_int_equal(mounts_read(&mounts, files[0], 0, text, 1), -ESTALE);
    assert_true(files[0] >> 32 != files[1] >> 32);
    eryx_error_t error;
    assert_int_equal(mounts_remove(&mounts, "/box", &error), ERYX_OK);
    assert_int_equal(mounts_read(&mounts, files[1], 0, text, 1), -EIO);
    assert_int_equal(mounts_close(&mounts, files[1]), 0);
    mounts_free(&mounts);
}

/* Lists in buffers of the least size: every entry once. */
static void entries(void **state) {
    (void)state;
    uint64_t file;
    uint8_t buffer[257];
    unsigned found = 0;
    ptrdiff_t length;
    mount_at(in_folder("box"), ERYX_MOUNT_READ_WRITE, 1000, 1000);
    assert_int_equal(change(MOUNT_MKDIR, "many", ""), 0);
    for (int i = 0; i < 200; i++) {
        char name[64];
        uint64_t made;
        snprintf(name, sizeof name, "many/a rather long name of a file, number %03d", i);
        assert_int_equal(open_at(name, ERYX_OPEN_CREATE, &made), 0);
        mounts_close(&mounts, made);
    }
    assert_int_equal(open_at("many", ERYX_OPEN_DIRECTORY, &file), 0);
    assert_int_equal(mounts_entries(&mounts, file, buffer, 256), -EINVAL);
    assert_int_equal(mounts_read(&mounts, file, 0, buffer, 1), -EISDIR);
    while ((length = mounts_entries(&mounts, file, buffer, sizeof buffer)) > 0)
        for (ptrdiff_t i = 0; i < length; i += 2 + buffer[i + 1])
            found++;
    assert_int_equal(length, 0);
    assert_int_equal(found, 200);
    mounts_free(&mounts);
    char command[160];
    snprintf(command, sizeof command, "rm -r %s/box/many", folder);
    assert_int_equal(system(command), 0);
}

static int use_openat2(void **state) {
    (void)state;
    walking = false;
    return 0;
}

static int use_walk(void **state) {
    (void)state;
    walking = true;
    return 0;
}

#define TWICE(test)                                                                                \
    cmocka_unit_test_setup(test, use_openat2), cmocka_unit_test_setup(test, use_walk)

int main(void) {
    const struct CMUnitTest tests[] = {
        TWICE(ways_out), TWICE(other_file_systems),
        TWICE(races),    TWICE(read_only),
        TWICE(quotas),   TWICE(numbers),
        TWICE(entries),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
