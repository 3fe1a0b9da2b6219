/* Fuzz target: what a guest may send to its mounts. The input is a program of operations on a tree, mounted as
 * an overlay, and on a directory, mounted read-write with small quotas. Nothing may crash, lead out of the
 * directory, or add more than the quotas. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <eryx/mount.h>

#include "mount/mounts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES = 8, BYTES_MAX = 5000, NAMES_MAX = 6 };

struct input {
    const uint8_t *at;
    size_t left;
};

static mounts_t mounts;
static char folder[] = "/tmp/fuzz_mounts.XXXXXX";
static uint64_t files[FILES];

static void require(int condition)
{
    if (!condition)
        abort();
}

static uint8_t take(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

static uint64_t take_number(struct input *input)
{
    uint8_t shape = take(input);
    uint64_t value = take(input);
    return shape < 200 ? value * 37 : UINT64_MAX - value * (shape == 255);
}

/* Mostly names that exist or will, sometimes any bytes. */
static mount_path_t take_path(struct input *input)
{
    static const char *const known[] = {"a",      "b",      "a/b", "a/c", "link",
                                        "link/x", "a/../b", "",    "/",   ".."};
    uint8_t which = take(input);
    mount_path_t path = {.mount = 1 + take(input) % 3};
    if (which < 240) {
        path.text = known[which % (sizeof known / sizeof known[0])];
        path.length = strlen(path.text);
        return path;
    }
    path.length = which - 240u < input->left ? which - 240u : input->left;
    path.text = (const char *)input->at;
    input->at += path.length;
    input->left -= path.length;
    return path;
}

static void step(struct input *input)
{
    static uint8_t buffer[4096];
    eryx_file_stat_t status;
    uint8_t operation = take(input);
    uint64_t *file = &files[take(input) % FILES];
    mount_path_t path;
    switch (operation % 12) {
    case 0:
        (void)mounts_stat(&mounts, take_path(input), &status);
        break;
    case 1:
    case 2:
        path = take_path(input);
        (void)mounts_open(&mounts, path, take(input), file, &status);
        break;
    case 3:
        (void)mounts_close(&mounts, *file);
        break;
    case 4:
        (void)mounts_status(&mounts, *file, &status);
        break;
    case 5:
        (void)mounts_read(&mounts, *file, take_number(input), buffer, 100);
        break;
    case 6:
        (void)mounts_write(&mounts, *file, take_number(input), buffer, take(input) * 8u);
        break;
    case 7:
        (void)mounts_resize(&mounts, *file, take_number(input));
        break;
    case 8:
        (void)mounts_entries(&mounts, *file, buffer, take(input) * 16u);
        break;
    case 9:
        (void)mounts_readlink(&mounts, take_path(input), (char *)buffer, take(input));
        break;
    case 10:
        *file = take_number(input);
        mounts_forget_files(&mounts);
        break;
    default:
        path = take_path(input);
        mount_path_t other = take_path(input);
        (void)mounts_change(&mounts, (enum mount_change)(take(input) % 8), path, other.text,
                            other.length);
    }
}

/* Empties a directory and counts what was in it. */
static void clear(int directory, unsigned *names, uint64_t *bytes)
{
    DIR *stream = fdopendir(directory);
    const struct dirent *entry;
    require(stream != NULL);
    while ((entry = readdir(stream))) {
        struct stat status;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        require(fstatat(dirfd(stream), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0);
        ++*names;
        if (S_ISDIR(status.st_mode))
            clear(openat(dirfd(stream), entry->d_name, O_RDONLY | O_DIRECTORY), names, bytes);
        else if (S_ISREG(status.st_mode))
            *bytes += (uint64_t)status.st_size / status.st_nlink;
        require(unlinkat(dirfd(stream), entry->d_name,
                         S_ISDIR(status.st_mode) ? AT_REMOVEDIR : 0) == 0);
    }
    closedir(stream);
}

static void add(const char *target, eryx_source_t *source, eryx_mount_mode_t mode)
{
    eryx_mount_t mount;
    eryx_error_t error;
    eryx_mount_init(&mount);
    mount.target = target;
    mount.source = source;
    mount.mode = mode;
    mount.max_bytes = BYTES_MAX;
    mount.max_files = NAMES_MAX;
    require(mounts_add(&mounts, &mount, &error) == ERYX_OK);
    eryx_source_free(source);
}

static void remove_folder(void)
{
    char path[64];
    snprintf(path, sizeof path, "%s/outside", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/box", folder);
    rmdir(path);
    rmdir(folder);
}

/* folder/box is mounted, folder/outside must stay. */
static void make_folder(char box[64])
{
    static bool made;
    char outside[64];
    snprintf(box, 64, "%s/box", folder);
    if (made)
        return;
    made = true;
    require(mkdtemp(folder) != NULL);
    atexit(remove_folder);
    snprintf(box, 64, "%s/box", folder);
    snprintf(outside, sizeof outside, "%s/outside", folder);
    require(mkdir(box, 0777) == 0);
    int fd = open(outside, O_WRONLY | O_CREAT, 0666);
    require(write(fd, "stays", 5) == 5);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const eryx_tree_file_t tree[] = {{"a/b", "content", 7, 0}, {"b", "", 0, 0}};
    struct input input = {data, size};
    eryx_source_t *source;
    eryx_error_t error;
    char box[64], outside[64];
    make_folder(box);
    snprintf(outside, sizeof outside, "%s/link", box);
    require(symlink("..", outside) == 0);
    mounts_init(&mounts, 4, NULL);
    memset(files, 0, sizeof files);
    require(eryx_source_new_tree(tree, 2, &source, &error) == ERYX_OK);
    add("/tree", source, ERYX_MOUNT_OVERLAY);
    require(eryx_source_new_path(box, &source, &error) == ERYX_OK);
    add("/box", source, ERYX_MOUNT_READ_WRITE);
    for (int i = 0; i < 300 && input.left > 0; i++)
        step(&input);
    mounts_free(&mounts);
    unsigned names = 0;
    uint64_t bytes = 0;
    struct stat status;
    clear(open(box, O_RDONLY | O_DIRECTORY), &names, &bytes);
    require(names <= NAMES_MAX + 1 && bytes <= BYTES_MAX);
    snprintf(outside, sizeof outside, "%s/outside", folder);
    require(stat(outside, &status) == 0 && status.st_size == 5);
    return 0;
}
