/* The archive of the standard library, and what it and the libraries come from: tars, frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zstd.h>

#include "libs/frames.h"
#include "libs/identify.h"
#include "stdlib/archive.h"
#include "stdlib/tar.h"

static void add(struct archive_builder *builder, const char *path, const char *text) {
    assert_true(archive_add(builder, path, (const uint8_t *)text, strlen(text)));
}

static struct file_bytes sample(void) {
    struct archive_builder builder = {0};
    struct file_bytes out;
    add(&builder, "lib/python3.14/os.py", "old");
    add(&builder, "lib/python3.14/json/__init__.py", "json");
    add(&builder, "lib/python3.14/json.py", "same");
    add(&builder, "a", "same");
    add(&builder, "empty", "");
    add(&builder, "lib/python3.14/os.py", "new");
    assert_true(archive_add_directory(&builder, "tmp/deep"));
    assert_true(archive_encode(&builder, &out));
    archive_free(&builder);
    assert_true(archive_check("sample", out.data, out.size));
    return out;
}

static void sorted_with_parents(void **state) {
    (void)state;
    static const char *const expected[] = {"a",
                                           "empty",
                                           "lib",
                                           "lib/python3.14",
                                           "lib/python3.14/json",
                                           "lib/python3.14/json.py",
                                           "lib/python3.14/json/__init__.py",
                                           "lib/python3.14/os.py",
                                           "tmp",
                                           "tmp/deep"};
    struct file_bytes archive = sample();
    assert_int_equal(archive_count(archive.data), 10);
    for (uint32_t i = 0; i < 10; i++) {
        struct archive_file file = archive_get(archive.data, i);
        assert_int_equal(file.path_length, strlen(expected[i]));
        assert_memory_equal(file.path, expected[i], file.path_length);
    }
    file_bytes_free(&archive);
}

static void contents(void **state) {
    (void)state;
    struct file_bytes archive = sample();
    struct archive_file file, other;
    assert_true(archive_find(archive.data, "lib/python3.14/os.py", &file));
    assert_int_equal(file.size, 3);
    assert_memory_equal(file.data, "new", 3);
    assert_int_equal((file.data - archive.data) % 16, 0);
    assert_true(archive_find(archive.data, "a", &file));
    assert_true(archive_find(archive.data, "lib/python3.14/json.py", &other));
    assert_ptr_equal(file.data, other.data);
    assert_true(archive_find(archive.data, "empty", &file));
    assert_int_equal(file.size, 0);
    assert_true(archive_find(archive.data, "tmp/deep", &file));
    assert_true(file.is_directory);
    assert_false(archive_find(archive.data, "lib/python3.14/o", &file));
    assert_false(archive_find(archive.data, "zzz", &file));
    file_bytes_free(&archive);
}

static void bad_paths(void **state) {
    (void)state;
    static const char *const paths[] = {"", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b"};
    struct archive_builder builder = {0};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (archive_add(&builder, paths[i], (const uint8_t *)"", 0))
            fail_msg("'%s' was accepted", paths[i]);
    add(&builder, "a", "file");
    add(&builder, "a/b", "below it");
    struct file_bytes out;
    assert_false(archive_encode(&builder, &out));
    archive_free(&builder);
}

static void damaged_archives(void **state) {
    (void)state;
    struct file_bytes archive = sample();
    for (size_t size = 0; size < archive.size; size++)
        assert_false(archive_check("truncated", archive.data, size));
    const size_t table = sizeof(struct archive_header);
    struct archive_entry *entry =
        (struct archive_entry *)(void *)(archive.data + table); /* of "a" */
    const struct archive_entry good = *entry;
#define DAMAGE(change)                                                                             \
    do {                                                                                           \
        *entry = good;                                                                             \
        entry->change;                                                                             \
        if (archive_check("damaged", archive.data, archive.size))                                  \
            fail_msg("accepted: %s", #change);                                                     \
    } while (0)
    DAMAGE(path_offset = 0);
    DAMAGE(path_offset = UINT32_MAX);
    DAMAGE(path_length = 0);
    DAMAGE(path_length = UINT32_MAX);
    DAMAGE(data_offset = 3);
    DAMAGE(data_offset = UINT32_MAX);
    DAMAGE(data_length = UINT32_MAX);
    DAMAGE(kind = 2);
    DAMAGE(path_offset = entry[9].path_offset);
#undef DAMAGE
    *entry = good;
    assert_true(archive_check("good", archive.data, archive.size));
    file_bytes_free(&archive);
}

/* --- Tar --------------------------------------------------------------------------------- */

struct tar {
    uint8_t bytes[8 * 512];
    size_t size;
};

static void tar_add(struct tar *tar, const char *path, char type, size_t size, const char *text) {
    uint8_t *header = tar->bytes + tar->size;
    memset(header, 0, 512);
    strcpy((char *)header, path);
    snprintf((char *)header + 124, 12, "%011zo", size);
    header[156] = (uint8_t)type;
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    memset(header + 148, ' ', 8);
    unsigned sum = 0;
    for (size_t i = 0; i < 512; i++)
        sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
    tar->size += 512;
    if (text) {
        memset(tar->bytes + tar->size, 0, 512);
        memcpy(tar->bytes + tar->size, text, strlen(text));
        tar->size += 512;
    }
}

struct seen {
    char text[256];
    int stop_after;
};

static bool note(void *context, const struct tar_entry *entry) {
    struct seen *seen = context;
    size_t length = strlen(seen->text);
    snprintf(seen->text + length, sizeof seen->text - length, "%s%s=%.*s;", entry->path,
             entry->is_directory ? "/" : "", (int)entry->size, (const char *)entry->data);
    return --seen->stop_after != 0;
}

static void tar_entries(void **state) {
    (void)state;
    struct tar tar = {.size = 0};
    tar_add(&tar, "./os.py", '0', 3, "abc");
    tar_add(&tar, "json/", '5', 0, NULL);
    tar_add(&tar, "b", 0, 1, "x");
    struct seen seen = {.text = ""};
    const char *reason = NULL;
    assert_true(tar_is(tar.bytes, tar.size));
    assert_true(tar_visit(tar.bytes, tar.size, note, &seen, &reason));
    assert_string_equal(seen.text, "os.py=abc;json/=;b=x;");
    seen = (struct seen){.stop_after = 1};
    assert_true(tar_visit(tar.bytes, tar.size, note, &seen, &reason));
    assert_string_equal(seen.text, "os.py=abc;");
}

static void assert_malformed(const char *path, char type, size_t size, const char *expected) {
    struct tar tar = {.size = 0};
    tar_add(&tar, path, type, size, "abc");
    struct seen seen = {.text = ""};
    const char *reason = "";
    assert_false(tar_visit(tar.bytes, tar.size, note, &seen, &reason));
    if (!strstr(reason, expected))
        fail_msg("expected '%s', got '%s'", expected, reason);
}

static void malformed_tars(void **state) {
    (void)state;
    assert_malformed("/etc/passwd", '0', 3, "absolute");
    assert_malformed("a/../../b", '0', 3, "'..'");
    assert_malformed("..", '0', 3, "'..'");
    assert_malformed("a", '0', 513, "truncated");
    assert_malformed("a", '0', 0777777777, "truncated");
    assert_malformed("a", '2', 3, "neither");
    struct tar tar = {.size = 0};
    tar_add(&tar, "a", '0', 3, "abc");
    tar.bytes[0] = 'b';
    assert_false(tar_is(tar.bytes, tar.size));
}

/* --- Frames ------------------------------------------------------------------------------ */

static bool count_frame(void *context, const struct frame *frame) {
    struct seen *seen = context;
    size_t length = strlen(seen->text);
    snprintf(seen->text + length, sizeof seen->text - length, "%.*s;", (int)frame->size,
             (const char *)frame->data);
    return --seen->stop_after != 0;
}

static size_t put_frame(uint8_t *at, const char *text) {
    size_t size = ZSTD_compress(at, 200, text, strlen(text), 3);
    assert_false(ZSTD_isError(size));
    return size;
}

static void embedded_frames(void **state) {
    (void)state;
    uint8_t file[1024] = "junk\x28\xb5\x2f\xfd and more";
    size_t size = 30;
    size += put_frame(file + size, "one");
    size += put_frame(file + size, "a longer one");
    size_t last = size;
    size += put_frame(file + size, "two");
    struct seen seen = {.text = ""};
    assert_true(frames_visit(file, size, 1000, count_frame, &seen));
    assert_string_equal(seen.text, "one;a longer one;two;");
    seen = (struct seen){.text = ""};
    assert_true(frames_visit(file, size, 5, count_frame, &seen));
    assert_string_equal(seen.text, "one;two;");
    for (size_t cut = last + 1; cut < size; cut++) {
        seen = (struct seen){.text = ""};
        assert_true(frames_visit(file, cut, 1000, count_frame, &seen));
        assert_string_equal(seen.text, "one;a longer one;");
    }
    seen = (struct seen){.stop_after = 1};
    assert_false(frames_visit(file, size, 1000, count_frame, &seen));
}

static void identified_by_content(void **state) {
    (void)state;
    struct tar tar = {.size = 0};
    tar_add(&tar, "os.py", '0', 1, "x");
    assert_null(identify(tar.bytes, tar.size));
    tar_add(&tar, "_sysconfig_vars__wasi_wasm32-wasi.json", '0', 1, "x");
    assert_string_equal(identify(tar.bytes, tar.size), "stdlib.tar");
    assert_null(identify((const uint8_t *)"\0asm\1\0\0\0", 8));
    assert_null(identify((const uint8_t *)"\0asm\1\0\0\0junk", 12));
    assert_null(identify((const uint8_t *)"", 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_with_parents), cmocka_unit_test(contents),
        cmocka_unit_test(bad_paths),           cmocka_unit_test(damaged_archives),
        cmocka_unit_test(tar_entries),         cmocka_unit_test(malformed_tars),
        cmocka_unit_test(embedded_frames),     cmocka_unit_test(identified_by_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
