/* runtime/vfs: what cannot be compared with the kernel (test_vfs_kernel.c): archives, limits,
 * devices, holes, life of removed files, reading directories that change. */
#include "archive.h"
#include "vfs_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state) {
    support_clock = 1000;
    *state = support_new();
    return *state ? 0 : -1;
}

static int teardown(void **state) {
    vfs_free(*state);
    return 0;
}

static int mkdir_at(struct vfs *fs, const char *path) {
    return vfs_mkdir(fs, at_root(fs, path));
}

static int symlink_at(struct vfs *fs, const char *target, const char *path) {
    return vfs_symlink(fs, target, strlen(target), at_root(fs, path));
}

static struct vfs_inode *open_at(struct vfs *fs, const char *path, unsigned flags) {
    struct vfs_inode *inode = NULL;
    assert_int_equal(vfs_open(fs, at_root(fs, path), flags, &inode), 0);
    return inode;
}

static void removed_file_stays_open(void **state) {
    struct vfs *fs = *state;
    char data[5] = {0};
    assert_int_equal(make_file(fs, "file", "hello", 5), 0);
    uint64_t used = vfs_get_usage(fs).total_bytes;
    struct vfs_inode *file = open_at(fs, "file", VFS_OPEN_WRITE);
    assert_int_equal(vfs_unlink(fs, at_root(fs, "file")), 0);
    assert_false(exists(fs, "file"));
    assert_int_equal(vfs_stat(file).links, 0);
    assert_int_equal(vfs_read(fs, file, 0, data, 5), 5);
    assert_memory_equal(data, "hello", 5);
    assert_int_equal(vfs_write(fs, file, 5, "!", 1), 1);
    vfs_close(fs, file);
    assert_true(vfs_get_usage(fs).total_bytes < used);
    assert_int_equal(vfs_get_usage(fs).inodes, 1);
}

static void removed_directory_stays_open(void **state) {
    struct vfs *fs = *state;
    assert_int_equal(mkdir_at(fs, "a"), 0);
    assert_int_equal(mkdir_at(fs, "a/b"), 0);
    struct vfs_inode *directory = open_at(fs, "a/b", VFS_OPEN_DIRECTORY);
    assert_int_equal(vfs_rmdir(fs, at_root(fs, "a/b")), 0);
    assert_int_equal(vfs_rmdir(fs, at_root(fs, "a")), 0);
    struct vfs_path inside = {directory, "new", 3}, up = {directory, "..", 2};
    struct vfs_stat stat;
    char path[10];
    assert_int_equal(vfs_mkdir(fs, inside), -VFS_ENOENT);
    assert_int_equal(vfs_symlink(fs, "x", 1, inside), -VFS_ENOENT);
    assert_int_equal(make_file(fs, "file", "", 0), 0);
    assert_int_equal(vfs_rename(fs, at_root(fs, "file"), inside), -VFS_ENOENT);
    assert_int_equal(vfs_link(fs, at_root(fs, "file"), false, inside), -VFS_ENOENT);
    assert_int_equal(vfs_stat_path(fs, up, true, &stat), -VFS_ENOENT);
    assert_int_equal(vfs_directory_path(fs, directory, path, sizeof path), -VFS_ENOENT);
    assert_int_equal(vfs_stat(directory).links, 0);
    vfs_close(fs, directory);
}

static void rename_frees_what_it_replaces(void **state) {
    struct vfs *fs = *state;
    assert_int_equal(make_file(fs, "old", "old", 3), 0);
    assert_int_equal(make_file(fs, "new", "new", 3), 0);
    uint64_t inode = stat_of(fs, "old").inode;
    struct vfs_inode *replaced = open_at(fs, "new", 0);
    assert_int_equal(vfs_rename(fs, at_root(fs, "old"), at_root(fs, "new")), 0);
    assert_int_equal(stat_of(fs, "new").inode, inode);
    assert_string_equal(text_of(fs, "new"), "old");
    assert_int_equal(vfs_get_usage(fs).inodes, 3);
    vfs_close(fs, replaced);
    assert_int_equal(vfs_get_usage(fs).inodes, 2);
}

static void rename_moves_directories(void **state) {
    struct vfs *fs = *state;
    assert_int_equal(mkdir_at(fs, "a"), 0);
    assert_int_equal(mkdir_at(fs, "a/b"), 0);
    assert_int_equal(mkdir_at(fs, "c"), 0);
    assert_int_equal(make_file(fs, "a/b/file", "x", 1), 0);
    assert_int_equal(stat_of(fs, "a").links, 3);
    assert_int_equal(vfs_rename(fs, at_root(fs, "a/b"), at_root(fs, "c/d")), 0);
    assert_int_equal(stat_of(fs, "a").links, 2);
    assert_int_equal(stat_of(fs, "c").links, 3);
    assert_string_equal(text_of(fs, "c/d/../d/file"), "x");
    assert_int_equal(vfs_rename(fs, at_root(fs, "c"), at_root(fs, "c/d/e")), -VFS_EINVAL);
    assert_int_equal(vfs_rename(fs, at_root(fs, "c/d"), at_root(fs, "c")), -VFS_ENOTEMPTY);
    assert_int_equal(vfs_rename(fs, at_root(fs, "c"), at_root(fs, "a")), 0);
    assert_int_equal(stat_of(fs, "a").links, 3);
    assert_int_equal(stat_of(fs, "/").links, 3);
    assert_int_equal(vfs_rename(fs, at_root(fs, "/"), at_root(fs, "x")), -VFS_EBUSY);
}

static void paths_stay_below_the_root(void **state) {
    struct vfs *fs = *state;
    uint64_t root = stat_of(fs, "/").inode;
    assert_int_equal(stat_of(fs, "..").inode, root);
    assert_int_equal(stat_of(fs, "../../../..//").inode, root);
    assert_int_equal(mkdir_at(fs, "d"), 0);
    assert_int_equal(symlink_at(fs, "../../../../", "d/up"), 0);
    assert_int_equal(stat_of(fs, "d/up/").inode, root);
    assert_int_equal(symlink_at(fs, "/d", "d/absolute"), 0);
    assert_int_equal(stat_of(fs, "d/absolute/.").inode, stat_of(fs, "d").inode);
    assert_false(exists(fs, "/etc/passwd"));
    assert_int_equal(vfs_mkdir(fs, (struct vfs_path){vfs_root(fs), "a\0b", 3}), -VFS_EINVAL);
    assert_int_equal(vfs_rmdir(fs, at_root(fs, "/")), -VFS_EBUSY);
    assert_int_equal(vfs_rmdir(fs, at_root(fs, "d/.")), -VFS_EINVAL);
}

static void chains_of_links_end(void **state) {
    struct vfs *fs = *state;
    char name[16], target[16];
    assert_int_equal(make_file(fs, "l0", "end", 3), 0);
    for (int i = 1; i <= VFS_SYMLINK_MAX + 1; i++) {
        snprintf(name, sizeof name, "l%d", i);
        snprintf(target, sizeof target, "l%d", i - 1);
        assert_int_equal(symlink_at(fs, target, name), 0);
    }
    assert_string_equal(text_of(fs, "l40"), "end");
    struct vfs_stat stat;
    assert_int_equal(vfs_stat_path(fs, at_root(fs, "l41"), true, &stat), -VFS_ELOOP);
    assert_int_equal(symlink_at(fs, "me", "me"), 0);
    assert_int_equal(vfs_stat_path(fs, at_root(fs, "me"), true, &stat), -VFS_ELOOP);
    assert_int_equal(stat_of(fs, "me").size, 2);
}

static void long_names(void **state) {
    struct vfs *fs = *state;
    char path[VFS_PATH_MAX + 10];
    memset(path, 'n', sizeof path);
    struct vfs_path at = {vfs_root(fs), path, VFS_NAME_MAX};
    assert_int_equal(vfs_mkdir(fs, at), 0);
    at.length++;
    assert_int_equal(vfs_mkdir(fs, at), -VFS_ENAMETOOLONG);
    for (size_t i = 0; i + 1 < sizeof path; i += 2) {
        memcpy(path + i, "./", 2);
    }
    struct vfs_stat stat;
    at.length = VFS_PATH_MAX - 2;
    assert_int_equal(vfs_stat_path(fs, at, true, &stat), 0);
    at.length = VFS_PATH_MAX;
    assert_int_equal(vfs_stat_path(fs, at, true, &stat), -VFS_ENAMETOOLONG);
    assert_int_equal(vfs_symlink(fs, path, VFS_PATH_MAX, at_root(fs, "l")), -VFS_ENAMETOOLONG);
    assert_int_equal(symlink_at(fs, "", "l"), -VFS_ENOENT);
}

static void times_change(void **state) {
    struct vfs *fs = *state;
    assert_int_equal(mkdir_at(fs, "d"), 0);
    assert_int_equal(make_file(fs, "d/f", "x", 1), 0);
    support_clock = 2000;
    assert_string_equal(text_of(fs, "d/f"), "x");
    assert_int_equal(stat_of(fs, "d/f").accessed.seconds, 1000);
    struct vfs_inode *file = open_at(fs, "d/f", VFS_OPEN_WRITE);
    assert_int_equal(vfs_write(fs, file, 0, "y", 1), 1);
    assert_int_equal(vfs_stat(file).modified.seconds, 2000);
    assert_int_equal(vfs_stat(file).modified.nanoseconds, 7);
    assert_int_equal(stat_of(fs, "d").modified.seconds, 1000);
    support_clock = 3000;
    struct vfs_time given = {-5, 999999999}, wrong = {0, 1000000000};
    assert_int_equal(vfs_set_times(fs, file, &given, NULL), 0);
    assert_int_equal(vfs_stat(file).accessed.seconds, -5);
    assert_int_equal(vfs_stat(file).modified.seconds, 2000);
    assert_int_equal(vfs_stat(file).changed.seconds, 3000);
    assert_int_equal(vfs_set_times(fs, file, NULL, &wrong), -VFS_EINVAL);
    vfs_close(fs, file);
    support_clock = 4000;
    assert_int_equal(vfs_link(fs, at_root(fs, "d/f"), false, at_root(fs, "d/g")), 0);
    assert_int_equal(stat_of(fs, "d").modified.seconds, 4000);
    assert_int_equal(stat_of(fs, "d/f").changed.seconds, 4000);
    assert_int_equal(stat_of(fs, "d/f").links, 2);
}

static void holes_take_no_room(void **state) {
    struct vfs *fs = *state;
    char data[4] = "none";
    struct vfs_inode *file = open_at(fs, "f", VFS_OPEN_CREATE | VFS_OPEN_WRITE);
    uint64_t used = vfs_get_usage(fs).total_bytes;
    assert_int_equal(vfs_truncate(fs, file, UINT64_C(1) << 33), 0);
    assert_int_equal(vfs_stat(file).size, UINT64_C(1) << 33);
    assert_int_equal(vfs_get_usage(fs).total_bytes, used);
    assert_int_equal(vfs_read(fs, file, UINT64_C(1) << 32, data, 4), 4);
    assert_memory_equal(data, "\0\0\0\0", 4);
    assert_int_equal(vfs_write(fs, file, 1 << 30, "end", 3), 3);
    assert_in_range(vfs_get_usage(fs).total_bytes - used, 65536, 65536 + 32768 * sizeof(void *));
    assert_int_equal(vfs_read(fs, file, (1 << 30) - 1, data, 4), 4);
    assert_memory_equal(data, "\0end", 4);
    assert_int_equal(vfs_truncate(fs, file, (1 << 30) + 1), 0);
    assert_int_equal(vfs_truncate(fs, file, (1 << 30) + 9), 0);
    assert_int_equal(vfs_read(fs, file, (1 << 30), data, 4), 4);
    assert_memory_equal(data, "e\0\0\0", 4);
    assert_int_equal(vfs_truncate(fs, file, (UINT64_C(1) << 34) + 1), -VFS_EFBIG);
    assert_int_equal(vfs_write(fs, file, UINT64_C(1) << 34, "x", 1), -VFS_EFBIG);
    assert_int_equal(vfs_write(fs, file, UINT64_MAX, "x", 1), -VFS_EFBIG);
    vfs_close(fs, file);
}

static void appending_is_cheap(void **state) {
    struct vfs *fs = *state;
    char part[10], whole[1000], expected[1000];
    struct vfs_inode *file = open_at(fs, "f", VFS_OPEN_CREATE | VFS_OPEN_WRITE);
    for (uint64_t i = 0; i < 200000; i++) {
        memset(part, (int)(i % 251), sizeof part);
        assert_int_equal(vfs_write(fs, file, i * sizeof part, part, sizeof part), sizeof part);
    }
    assert_int_equal(vfs_stat(file).size, 2000000);
    assert_in_range(vfs_get_usage(fs).total_bytes, 2000000, 2000000 + 65536 + 1000);
    for (uint64_t offset = 0; offset < 2000000; offset += sizeof whole) {
        for (size_t i = 0; i < sizeof expected; i++) {
            expected[i] = (char)((offset + i) / 10 % 251);
        }
        assert_int_equal(vfs_read(fs, file, offset, whole, sizeof whole), sizeof whole);
        assert_memory_equal(whole, expected, sizeof whole);
    }
    vfs_close(fs, file);
}

static void full_file_system(void **state) {
    struct vfs *fs = *state;
    static char data[300000];
    struct vfs_limits limits = vfs_get_limits(fs);
    limits.total_bytes = 200000;
    limits.inodes = 4;
    limits.open_files = 2;
    vfs_set_limits(fs, &limits);
    struct vfs_inode *file = open_at(fs, "f", VFS_OPEN_CREATE | VFS_OPEN_WRITE), *other;
    uint64_t room = vfs_write_room(fs, file, 0, sizeof data);
    int64_t written = vfs_write(fs, file, 0, data, sizeof data);
    assert_in_range(written, 131072, 200000);
    assert_in_range(room, 65536, written);
    assert_int_equal(vfs_write_room(fs, file, (uint64_t)written, 1), 0);
    assert_int_equal(vfs_write(fs, file, (uint64_t)written, data, 1), -VFS_ENOSPC);
    assert_int_equal(vfs_write(fs, file, 10, "over", 4), 4);
    assert_true(vfs_get_usage(fs).total_bytes <= limits.total_bytes);
    assert_int_equal(vfs_truncate(fs, file, 0), 0);
    assert_int_equal(vfs_write(fs, file, 0, data, 100000), 100000);
    other = open_at(fs, "g", VFS_OPEN_CREATE);
    struct vfs_inode *third;
    assert_int_equal(vfs_open(fs, at_root(fs, "f"), 0, &third), -VFS_EMFILE);
    vfs_close(fs, other);
    vfs_close(fs, file);
    assert_int_equal(vfs_get_usage(fs).open_files, 0);
    assert_int_equal(mkdir_at(fs, "h"), 0);
    assert_int_equal(mkdir_at(fs, "i"), -VFS_ENOSPC);
    assert_int_equal(vfs_unlink(fs, at_root(fs, "g")), 0);
    assert_int_equal(mkdir_at(fs, "i"), 0);
}

/* What check-write promises, write must keep, at any offset and allowance. */
static void room_is_kept(void **state) {
    struct vfs *fs = *state;
    static char data[400000];
    struct vfs_limits limits = vfs_get_limits(fs);
    for (unsigned i = 0; i < 400; i++) {
        uint64_t offset = i % 3 ? i * 977 : i * 3;
        struct vfs_inode *file = open_at(fs, "f", VFS_OPEN_CREATE | VFS_OPEN_WRITE);
        if (i % 2) {
            assert_int_equal(vfs_write(fs, file, i * 50, data, 70000), 70000);
        }
        limits.total_bytes = vfs_get_usage(fs).total_bytes + i * (i % 5 ? 700 : 7000);
        vfs_set_limits(fs, &limits);
        uint64_t room = vfs_write_room(fs, file, offset, sizeof data);
        int64_t written = vfs_write(fs, file, offset, data, (size_t)room);
        if (room) {
            assert_int_equal(written, room);
        }
        limits.total_bytes = UINT64_C(1) << 30;
        vfs_set_limits(fs, &limits);
        vfs_close(fs, file);
        assert_int_equal(vfs_unlink(fs, at_root(fs, "f")), 0);
    }
}

static void reading_a_changing_directory(void **state) {
    struct vfs *fs = *state;
    char name[20];
    bool seen[300] = {false};
    assert_int_equal(mkdir_at(fs, "d"), 0);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "d/%d", i);
        assert_int_equal(make_file(fs, name, "", 0), 0);
    }
    struct vfs_inode *directory = open_at(fs, "d", 0);
    struct vfs_dirent entry;
    uint64_t cursor = 0;
    int step = 0;
    while (vfs_read_directory(fs, directory, &cursor, &entry) == 1) {
        snprintf(name, sizeof name, "%.*s", (int)entry.length, entry.name);
        int number = atoi(name);
        if (number < 300) {
            assert_false(seen[number]);
            seen[number] = true;
        }
        if (number % 3 == 0 && number < 300) { /* remove it, and make others */
            snprintf(name, sizeof name, "d/%d", number);
            assert_int_equal(vfs_unlink(fs, at_root(fs, name)), 0);
            snprintf(name, sizeof name, "d/%d", 1000 + step);
            if (step < 200) {
                assert_int_equal(make_file(fs, name, "", 0), 0);
            }
        }
        step++;
    }
    for (int i = 0; i < 300; i++) {
        assert_true(seen[i]);
    }
    cursor = 0;
    while (vfs_read_directory(fs, directory, &cursor, &entry) == 1) {
        snprintf(name, sizeof name, "d/%.*s", (int)entry.length, entry.name);
        assert_int_equal(vfs_unlink(fs, at_root(fs, name)), 0);
    }
    assert_int_equal(make_file(fs, "d/late", "", 0), 0);
    assert_int_equal(vfs_read_directory(fs, directory, &cursor, &entry), 1);
    assert_memory_equal(entry.name, "late", 4);
    assert_int_equal(vfs_read_directory(fs, directory, &cursor, &entry), 0);
    vfs_close(fs, directory);
}

static void big_directories(void **state) {
    struct vfs *fs = *state;
    char name[20];
    uint64_t used = vfs_get_usage(fs).total_bytes;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 20000; i++) {
            snprintf(name, sizeof name, "%d", i);
            assert_int_equal(make_file(fs, name, "", 0), 0);
        }
        for (int i = 0; i < 20000; i++) {
            snprintf(name, sizeof name, "%d", i);
            assert_int_equal(vfs_unlink(fs, at_root(fs, name)), 0);
        }
        assert_int_equal(vfs_get_usage(fs).total_bytes, used);
    }
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(make_file(fs, "again", "", 0), 0);
        assert_int_equal(vfs_unlink(fs, at_root(fs, "again")), 0);
    }
}

static void devices(void **state) {
    struct vfs *fs = *state;
    char data[4] = "none";
    assert_int_equal(vfs_add_standard_tree(fs), 0);
    assert_int_equal(stat_of(fs, "/tmp").kind, VFS_DIRECTORY);
    assert_int_equal(stat_of(fs, "/home/sandbox").kind, VFS_DIRECTORY);
    assert_int_equal(make_file(fs, "/dev/null", "gone", 4), 0);
    assert_string_equal(text_of(fs, "/dev/null"), "");
    struct vfs_inode *zero = open_at(fs, "/dev/zero", VFS_OPEN_WRITE);
    assert_int_equal(vfs_kind(zero), VFS_DEVICE);
    assert_int_equal(vfs_read(fs, zero, 12, data, 4), 4);
    assert_memory_equal(data, "\0\0\0\0", 4);
    assert_int_equal(vfs_truncate(fs, zero, 0), -VFS_EINVAL);
    vfs_close(fs, zero);
    size_t before = support_written[VFS_DEVICE_STDOUT];
    assert_int_equal(make_file(fs, "/dev/stdout", "text", 4), 0);
    assert_int_equal(support_written[VFS_DEVICE_STDOUT], before + 4);
    assert_int_equal(vfs_rename(fs, at_root(fs, "/dev/null"), at_root(fs, "/tmp/null")), 0);
}

static void archive_is_copied_on_write(void **state) {
    struct vfs *fs = *state;
    static char big[200000];
    for (size_t i = 0; i < sizeof big; i++) {
        big[i] = (char)(i % 253);
    }
    const struct support_file files[] = {
        {"lib", NULL, 0},
        {"lib/big", big, sizeof big},
        {"lib/empty", "", 0},
        {"lib/os.py", "import sys\n", 11},
    };
    size_t length;
    void *archive = support_archive(files, 4, &length);
    void *pristine = malloc(length);
    memcpy(pristine, archive, length);
    assert_int_equal(vfs_add_archive(fs, archive, length), 0);
    uint64_t used = vfs_get_usage(fs).total_bytes;
    assert_true(used < 4 * 64);
    assert_string_equal(text_of(fs, "lib/os.py"), "import sys\n");
    assert_string_equal(text_of(fs, "lib/empty"), "");
    assert_int_equal(stat_of(fs, "lib/os.py").modified.seconds, 503);

    struct vfs_inode *file = open_at(fs, "lib/big", VFS_OPEN_WRITE);
    char part[10];
    assert_int_equal(vfs_write(fs, file, 100000, "XYZ", 3), 3);
    assert_true(vfs_get_usage(fs).total_bytes - used < 65536 + 100);
    assert_int_equal(vfs_read(fs, file, 99998, part, 7), 7);
    memcpy(big + 100000, "XYZ", 3);
    assert_memory_equal(part, big + 99998, 7);
    assert_int_equal(vfs_read(fs, file, 199995, part, 10), 5);
    assert_memory_equal(part, big + 199995, 5);
    assert_int_equal(vfs_truncate(fs, file, 150000), 0);
    assert_int_equal(vfs_truncate(fs, file, 160000), 0);
    assert_int_equal(vfs_read(fs, file, 149999, part, 3), 3);
    assert_memory_equal(part + 1, "\0\0", 2);
    assert_int_equal(part[0], big[149999]);
    vfs_close(fs, file);

    assert_int_equal(make_file(fs, "lib/os.py", "new", 3), 0);
    assert_string_equal(text_of(fs, "lib/os.py"), "new");
    assert_int_equal(vfs_rename(fs, at_root(fs, "lib/os.py"), at_root(fs, "moved")), 0);
    assert_int_equal(vfs_unlink(fs, at_root(fs, "lib/big")), 0);
    assert_int_equal(vfs_unlink(fs, at_root(fs, "lib/empty")), 0);
    assert_int_equal(vfs_rmdir(fs, at_root(fs, "lib")), 0);
    assert_memory_equal(archive, pristine, length);
    free(pristine);
    vfs_free(fs);
    free(archive);
    *state = NULL;
}

/* Every bit of a small archive flipped: refused or read, never out of bounds (ASan tells). */
static void damaged_archives(void **state) {
    (void)state;
    const struct support_file files[] = {{"a", NULL, 0}, {"a/b", "text", 4}};
    size_t length;
    uint8_t *archive = support_archive(files, 2, &length);
    for (size_t bit = 0; bit < length * 8; bit++) {
        archive[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct vfs *fs = support_new();
        if (!vfs_add_archive(fs, archive, length)) {
            text_of(fs, "a/b");
        }
        vfs_free(fs);
        archive[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t shorter = 0; shorter < length; shorter++) {
        uint8_t *cut = malloc(shorter + 1);
        memcpy(cut, archive, shorter);
        struct vfs *fs = support_new();
        assert_int_equal(vfs_add_archive(fs, cut, shorter), -VFS_EINVAL);
        vfs_free(fs);
        free(cut);
    }
    free(archive);
}

static void too_many_links(void **state) {
    struct vfs *fs = *state;
    char name[20];
    assert_int_equal(make_file(fs, "f", "", 0), 0);
    for (int i = 1; i < VFS_LINK_MAX; i++) {
        snprintf(name, sizeof name, "%d", i);
        assert_int_equal(vfs_link(fs, at_root(fs, "f"), false, at_root(fs, name)), 0);
    }
    assert_int_equal(vfs_link(fs, at_root(fs, "f"), false, at_root(fs, "x")), -VFS_EMLINK);
}

static void path_of_a_directory(void **state) {
    struct vfs *fs = *state;
    char path[32];
    assert_int_equal(mkdir_at(fs, "one"), 0);
    assert_int_equal(mkdir_at(fs, "one/two"), 0);
    struct vfs_inode *directory = open_at(fs, "one/./two/../two", 0);
    assert_int_equal(vfs_directory_path(fs, directory, path, sizeof path), 8);
    assert_memory_equal(path, "/one/two", 8);
    assert_int_equal(vfs_directory_path(fs, directory, path, 7), -VFS_ENAMETOOLONG);
    assert_int_equal(vfs_directory_path(fs, vfs_root(fs), path, 1), 1);
    assert_int_equal(path[0], '/');
    vfs_close(fs, directory);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(removed_file_stays_open),
        TEST(removed_directory_stays_open),
        TEST(rename_frees_what_it_replaces),
        TEST(rename_moves_directories),
        TEST(paths_stay_below_the_root),
        TEST(chains_of_links_end),
        TEST(long_names),
        TEST(times_change),
        TEST(holes_take_no_room),
        TEST(appending_is_cheap),
        TEST(full_file_system),
        TEST(room_is_kept),
        TEST(reading_a_changing_directory),
        TEST(big_directories),
        TEST(devices),
        TEST(archive_is_copied_on_write),
        cmocka_unit_test(damaged_archives),
        TEST(too_many_links),
        TEST(path_of_a_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
