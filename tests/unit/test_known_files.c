/* Files of this machine that are known by their times: what makes one another, and who is believed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
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

#include "extension/known_files.h"

static char folder[] = "/tmp/known.XXXXXX";
static char file_path[sizeof folder + 16], cache_path[sizeof folder + 16];
static const uint8_t sum[32] = {1, 2, 3}, other_sum[32] = {4};

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(file_path, sizeof file_path, "%s/file", folder);
    snprintf(cache_path, sizeof cache_path, "%s/cache", folder);
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk) {
    (void)info, (void)kind, (void)walk;
    return remove(path);
}

static int remove_folder(void **state) {
    (void)state;
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static file_identity_t identity_at(const char *path) {
    file_identity_t identity;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && file_identity(fd, &identity));
    close(fd);
    return identity;
}

static void write_file(const char *text) {
    int fd = open(file_path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void open_cache(cache_folder_t *cache) {
    assert_true(cache_folder_init(cache, cache_path, "extensions", UINT64_C(1) << 30));
}

/* As one that was settled would be: waiting for it would take seconds. */
static file_identity_t settled_identity(void) {
    file_identity_t identity = identity_at(file_path);
    identity.lasting = true;
    return identity;
}

/* Whoever changes it can set the time of modification back, but not that of the change. */
static void every_change_makes_another(void **state) {
    (void)state;
    struct stat before;
    write_file("one");
    file_identity_t first = identity_at(file_path), second = identity_at(file_path);
    assert_memory_equal(first.key, second.key, sizeof first.key);
    assert_int_equal(first.size, 3);
    assert_int_equal(stat(file_path, &before), 0);
    usleep(50000);
    write_file("two");
    const struct timespec times[] = {before.st_atim, before.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, file_path, times, 0), 0);
    second = identity_at(file_path);
    assert_int_equal(second.size, 3);
    assert_memory_not_equal(first.key, second.key, sizeof first.key);
}

static void what_just_changed_is_unknown(void **state) {
    (void)state;
    cache_folder_t cache;
    uint8_t found[32];
    open_cache(&cache);
    write_file("new");
    file_identity_t identity = identity_at(file_path);
    assert_false(identity.lasting);
    known_files_keep(&cache, &identity, sum);
    identity.lasting = true;
    assert_false(known_files_find(&cache, &identity, found));
    known_files_keep(&cache, &identity, sum);
    identity.lasting = false;
    assert_false(known_files_find(&cache, &identity, found));
    cache_folder_free(&cache);
}

/* Neither what is no file, nor what a file system without a disk has, by whatever time. */
static void other_things_are_unknown(void **state) {
    (void)state;
    file_identity_t identity;
    const char *const others[] = {"/dev/null", folder};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        int fd = open(others[i], O_RDONLY);
        assert_true(fd >= 0);
        assert_false(file_identity(fd, &identity));
        close(fd);
    }
    assert_false(identity_at("/proc/self/status").lasting);
}

static void remembers_and_forgets(void **state) {
    (void)state;
    cache_folder_t cache;
    uint8_t found[32];
    open_cache(&cache);
    write_file("known");
    file_identity_t identity = settled_identity(), other = identity;
    assert_false(known_files_find(&cache, &identity, found));
    known_files_keep(&cache, &identity, sum);
    assert_true(known_files_find(&cache, &identity, found));
    assert_memory_equal(found, sum, sizeof sum);
    /* One that wants the same place. */
    other.key[31] ^= 1;
    assert_false(known_files_find(&cache, &other, found));
    known_files_keep(&cache, &other, other_sum);
    assert_true(known_files_find(&cache, &other, found));
    assert_memory_equal(found, other_sum, sizeof sum);
    assert_false(known_files_find(&cache, &identity, found));
    cache_folder_free(&cache);
    assert_true(cache_folder_init(&cache, "", "extensions", 0));
    known_files_keep(&cache, &identity, sum);
    assert_false(known_files_find(&cache, &identity, found));
}

static void damage_is_noticed(void **state) {
    (void)state;
    cache_folder_t cache;
    uint8_t found[32];
    char index[sizeof cache_path + 16], byte;
    struct stat info;
    open_cache(&cache);
    write_file("damaged");
    const file_identity_t identity = settled_identity();
    known_files_keep(&cache, &identity, sum);
    snprintf(index, sizeof index, "%s/files", cache_path);
    assert_int_equal(stat(index, &info), 0);
    int fd = open(index, O_RDWR);
    uint32_t number;
    memcpy(&number, identity.key, sizeof number);
    for (off_t at = 0; at < 104; at += 13) {
        off_t place = (off_t)(number % 2048) * 128 + at;
        assert_int_equal(pread(fd, &byte, 1, place), 1);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, place), 1);
        assert_false(known_files_find(&cache, &identity, found));
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, place), 1);
        assert_true(known_files_find(&cache, &identity, found));
    }
    assert_int_equal(ftruncate(fd, (off_t)(number % 2048) * 128 + 50), 0);
    close(fd);
    assert_false(known_files_find(&cache, &identity, found));
    known_files_keep(&cache, &identity, sum);
    assert_true(known_files_find(&cache, &identity, found));
    cache_folder_free(&cache);
}

/* Whoever else can write there could have a program run what another file had. */
static void trusts_nobody(void **state) {
    (void)state;
    cache_folder_t cache;
    uint8_t found[32];
    char index[sizeof cache_path + 16], elsewhere[sizeof cache_path + 16];
    open_cache(&cache);
    write_file("trust");
    const file_identity_t identity = settled_identity();
    known_files_keep(&cache, &identity, sum);
    snprintf(index, sizeof index, "%s/files", cache_path);
    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", folder);
    assert_int_equal(chmod(index, 0622), 0);
    assert_false(known_files_find(&cache, &identity, found));
    assert_int_equal(chmod(index, 0600), 0);
    assert_int_equal(chmod(cache_path, 0777), 0);
    assert_false(known_files_find(&cache, &identity, found));
    assert_int_equal(chmod(cache_path, 0700), 0);
    assert_true(known_files_find(&cache, &identity, found));
    assert_int_equal(rename(index, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, index), 0);
    assert_false(known_files_find(&cache, &identity, found));
    cache_folder_free(&cache);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_makes_another),
        cmocka_unit_test(what_just_changed_is_unknown),
        cmocka_unit_test(other_things_are_unknown),
        cmocka_unit_test(remembers_and_forgets),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(trusts_nobody),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
