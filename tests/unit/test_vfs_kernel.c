/* runtime/vfs beside the kernel: the same random operations on both must give the same errors
 * and the same tree. Paths stay below the test's folder: `..` only follows a name, and links
 * have no dots, so nothing climbs out. */
#include "vfs_support.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { OPERATIONS = 20000, CHECK_EVERY = 500 };

static struct vfs *fs;
static int folder;
static uint64_t random_state = 88172645463325252u;

static unsigned pick(unsigned count) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 20) % count;
}

static const char *error_name(int error) {
    static const struct {
        int error, number;
    } pairs[] = {
        {VFS_EEXIST, EEXIST}, {VFS_EFBIG, EFBIG},     {VFS_EINVAL, EINVAL},
        {VFS_EISDIR, EISDIR}, {VFS_ELOOP, ELOOP},     {VFS_ENAMETOOLONG, ENAMETOOLONG},
        {VFS_ENOENT, ENOENT}, {VFS_ENOTDIR, ENOTDIR}, {VFS_ENOTEMPTY, ENOTEMPTY},
        {VFS_EPERM, EPERM},   {VFS_EBUSY, EBUSY},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (pairs[i].error == -error) {
            return strerrorname_np(pairs[i].number);
        }
    }
    return error == 0 ? "ok" : "an error without a number";
}

/* What the kernel said, in the same words. */
static const char *kernel_result(int result) {
    return result < 0 ? strerrorname_np(errno) : "ok";
}

static void random_path(char *path, bool for_link) {
    static const char *const names[] = {"a", "b", "c", "d", "e", "ff"};
    static const char *const between[] = {"/", "/", "/", "/./", "//", "/../"};
    unsigned count = 1 + pick(3);
    path[0] = 0;
    if (!for_link && pick(10) == 0) {
        strcat(path, "./");
    }
    for (unsigned i = 0; i < count; i++) {
        if (i) {
            strcat(path, between[for_link ? 0 : pick(6)]);
        }
        strcat(path, names[pick(6)]);
    }
    if (pick(8) == 0) {
        strcat(path, "/");
    } else if (!for_link && pick(25) == 0) {
        strcat(path, pick(2) ? "/." : "/..");
    }
    if (!for_link && pick(400) == 0) {
        memset(path, 'x', 256);
        path[256] = 0;
    } else if (!for_link && pick(400) == 0) {
        path[0] = 0;
    }
}

struct outcome {
    const char *ours, *kernel;
};

static struct outcome open_both(const char *path) {
    static const struct {
        unsigned ours;
        int kernel;
    } flags[] = {
        {VFS_OPEN_CREATE, O_CREAT},      {VFS_OPEN_DIRECTORY, O_DIRECTORY},
        {VFS_OPEN_EXCLUSIVE, O_EXCL},    {VFS_OPEN_TRUNCATE, O_TRUNC},
        {VFS_OPEN_NOFOLLOW, O_NOFOLLOW},
    };
    unsigned ours = VFS_OPEN_WRITE;
    int kernel = O_RDWR;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (pick(i == 0 ? 2 : 5) == 0) {
            ours |= flags[i].ours;
            kernel |= flags[i].kernel;
        }
    }
    if ((kernel & O_EXCL && !(kernel & O_CREAT)) || (kernel & O_CREAT && kernel & O_DIRECTORY)) {
        return (struct outcome){"ok", "ok"}; /* differs between kernels */
    }
    if (!(kernel & (O_CREAT | O_TRUNC)) && pick(2)) {
        ours &= ~(unsigned)VFS_OPEN_WRITE;
        kernel &= ~O_RDWR;
    }
    struct vfs_inode *inode = NULL;
    int error = vfs_open(fs, at_root(fs, path), ours, &inode);
    int fd = openat(folder, path, kernel, 0644);
    struct outcome outcome = {error_name(error), kernel_result(fd)};
    if (!error && fd >= 0 && vfs_kind(inode) == VFS_FILE && ours & VFS_OPEN_WRITE) {
        char data[300];
        uint64_t offset = pick(3) ? pick(200) : pick(200000);
        size_t length = pick(sizeof data);
        memset(data, 'a' + (int)pick(26), length);
        assert_int_equal(vfs_write(fs, inode, offset, data, length), length);
        assert_int_equal(pwrite(fd, data, length, (off_t)offset), length);
        if (pick(4) == 0) {
            uint64_t size = pick(150000);
            assert_int_equal(vfs_truncate(fs, inode, size), 0);
            assert_int_equal(ftruncate(fd, (off_t)size), 0);
        }
    }
    if (!error) {
        vfs_close(fs, inode);
    }
    if (fd >= 0) {
        close(fd);
    }
    return outcome;
}

static struct outcome stat_both(const char *path) {
    struct vfs_stat ours;
    struct stat kernel;
    bool follow = pick(2);
    int error = vfs_stat_path(fs, at_root(fs, path), follow, &ours);
    int result = fstatat(folder, path, &kernel, follow ? 0 : AT_SYMLINK_NOFOLLOW);
    if (!error && !result) {
        static const mode_t modes[] = {
            [VFS_DIRECTORY] = S_IFDIR, [VFS_SYMLINK] = S_IFLNK, [VFS_FILE] = S_IFREG};
        assert_int_equal(modes[ours.kind], kernel.st_mode & S_IFMT);
        if (ours.kind != VFS_DIRECTORY) {
            assert_int_equal(ours.size, kernel.st_size);
            assert_int_equal(ours.links, kernel.st_nlink);
        }
    }
    return (struct outcome){error_name(error), kernel_result(result)};
}

static struct outcome readlink_both(const char *path) {
    const char *target = NULL;
    size_t length = 0;
    char buffer[256];
    int error = vfs_readlink(fs, at_root(fs, path), &target, &length);
    ssize_t result = readlinkat(folder, path, buffer, sizeof buffer);
    if (!error && result >= 0) {
        assert_int_equal(length, result);
        assert_memory_equal(target, buffer, length);
    }
    return (struct outcome){error_name(error), kernel_result((int)result)};
}

static struct outcome apply_both(unsigned operation, const char *path, const char *other) {
    struct vfs_path ours = at_root(fs, path), to = at_root(fs, other);
    int follow = (int)pick(2);
    int error, result;
    switch (operation) {
    case 0:
        return open_both(path);
    case 1:
        return stat_both(path);
    case 2:
        return readlink_both(path);
    case 3:
        error = vfs_mkdir(fs, ours);
        result = mkdirat(folder, path, 0755);
        break;
    case 4:
        error = vfs_rmdir(fs, ours);
        result = unlinkat(folder, path, AT_REMOVEDIR);
        break;
    case 5:
        error = vfs_unlink(fs, ours);
        result = unlinkat(folder, path, 0);
        break;
    case 6:
        error = vfs_rename(fs, ours, to);
        result = renameat(folder, path, folder, other);
        break;
    case 7:
        error = vfs_link(fs, ours, follow, to);
        result = linkat(folder, path, folder, other, follow ? AT_SYMLINK_FOLLOW : 0);
        break;
    default:
        error = vfs_symlink(fs, other, strlen(other), ours);
        result = symlinkat(other, folder, path);
        break;
    }
    return (struct outcome){error_name(error), kernel_result(result)};
}

static void compare_files(const char *path) {
    static char kernel[400000], ours[400000];
    int fd = openat(folder, path, O_RDONLY | O_NOFOLLOW);
    assert_true(fd >= 0);
    ssize_t length = read(fd, kernel, sizeof kernel);
    close(fd);
    struct vfs_inode *inode;
    assert_int_equal(vfs_open(fs, at_root(fs, path), VFS_OPEN_NOFOLLOW, &inode), 0);
    assert_int_equal(vfs_read(fs, inode, 0, ours, sizeof ours), length);
    vfs_close(fs, inode);
    assert_memory_equal(ours, kernel, (size_t)length);
}

/* Everything we have, the kernel has, and as many entries. */
static unsigned compare_below(const char *path) {
    struct vfs_inode *directory;
    struct vfs_dirent entry;
    uint64_t cursor = 0;
    unsigned count = 0;
    assert_int_equal(vfs_open(fs, at_root(fs, *path ? path : "/"), 0, &directory), 0);
    while (vfs_read_directory(fs, directory, &cursor, &entry) == 1) {
        char below[4096];
        struct stat status;
        int length = snprintf(below, sizeof below, "%s%s%.*s", path, *path ? "/" : "",
                              (int)entry.length, entry.name);
        assert_in_range(length, 1, sizeof below - 1);
        assert_int_equal(fstatat(folder, below, &status, AT_SYMLINK_NOFOLLOW), 0);
        count++;
        if (entry.kind == VFS_FILE) {
            compare_files(below);
        } else if (entry.kind == VFS_DIRECTORY) {
            count += compare_below(below);
        }
    }
    vfs_close(fs, directory);
    return count;
}

static unsigned count_kernel(const char *folder_path) {
    char command[300];
    unsigned count = 0;
    snprintf(command, sizeof command, "find '%s' -mindepth 1 | wc -l", folder_path);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    assert_int_equal(fscanf(output, "%u", &count), 1);
    pclose(output);
    return count;
}

static void same_as_kernel(void **state) {
    (void)state;
    char folder_path[] = "/tmp/test_vfs_kernel.XXXXXX";
    char command[100];
    assert_non_null(mkdtemp(folder_path));
    folder = open(folder_path, O_RDONLY | O_DIRECTORY);
    fs = support_new();
    for (unsigned i = 0; i < OPERATIONS; i++) {
        char path[1024], other[1024];
        unsigned operation = pick(10);
        random_path(path, false);
        random_path(other, operation >= 8);
        struct outcome outcome = apply_both(operation, path, other);
        /* Of two errors in one call, a kernel's file system finds a long name last. */
        bool both_fail = !strcmp(outcome.ours, "ENAMETOOLONG") && strcmp(outcome.kernel, "ok");
        if (!both_fail && strcmp(outcome.ours, outcome.kernel) != 0) {
            fail_msg("operation %u, %u (%s, %s): %s here, %s in the kernel", i, operation, path,
                     other, outcome.ours, outcome.kernel);
        }
        if (i % CHECK_EVERY == 0) {
            assert_int_equal(compare_below(""), count_kernel(folder_path));
        }
    }
    assert_int_equal(compare_below(""), count_kernel(folder_path));
    vfs_free(fs);
    close(folder);
    snprintf(command, sizeof command, "rm -rf '%s'", folder_path);
    assert_int_equal(system(command), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_as_kernel)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
