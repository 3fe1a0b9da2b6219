/* runtime.cwasm: what is written can be read, and nothing else can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/image.h"
#include "image/sha256.h"
#include "image/sha256_blocks.h"

#define PAGE 65536u

struct bytes {
    uint8_t *data;
    size_t size;
};

static image_footer_t sample_footer(void) {
    image_footer_t footer;
    image_footer_init(&footer);
    strcpy(footer.eryx_version, "0.1.0");
    strcpy(footer.engine_version, "wasmtime 50.0.1");
    strcpy(footer.python_version, "3.14.0");
    footer.memory_min_bytes = 4 * PAGE;
    footer.constant_start = PAGE;
    footer.constant_end = 2 * PAGE;
    footer.global_count = 1;
    footer.globals[0] =
        (image_global_t){.name = "__stack_pointer", .kind = 0x7f, .mutable_ = 1, .value = 0x20000};
    return footer;
}

/* A small file with an odd code length, so that there is padding. */
static struct bytes sample_file(void) {
    static uint8_t code[1000] = "\177ELF\2\1\1\310";
    static uint8_t memory[3 * PAGE];
    memset(memory + PAGE, 0xa5, sizeof memory - PAGE);
    char path[] = "/tmp/test_image.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    image_footer_t footer = sample_footer();
    eryx_error_t error = {0};
    int status = image_write(
        fd, &footer,
        &(image_parts_t){.code = {code, sizeof code}, .memory = {memory, sizeof memory}}, &error);
    if (status != ERYX_OK)
        fail_msg("image_write: %s", error.message);
    struct bytes file = {.size = (size_t)lseek(fd, 0, SEEK_END)};
    file.data = malloc(file.size);
    assert_int_equal(pread(fd, file.data, file.size, 0), (ssize_t)file.size);
    close(fd);
    return file;
}

static int open_bytes(const void *data, size_t size, eryx_error_t *error) {
    image_t image;
    memset(error, 0, sizeof *error);
    int status = image_open_buffer(data, size, NULL, &image, error);
    if (status == ERYX_OK)
        status = image_verify(&image, error);
    image_close(&image);
    return status;
}

static void assert_message(const eryx_error_t *error, int code, const char *part) {
    if (error->code != code || !strstr(error->message, part))
        fail_msg("expected %d and '%s', got %d and '%s'", code, part, error->code, error->message);
}

static void round_trip(void **state) {
    (void)state;
    struct bytes file = sample_file();
    eryx_error_t error;
    image_t image;
    const image_versions_t versions = {.eryx = "0.1.0", .engine = "wasmtime 50.0.1"};
    assert_int_equal(image_open_buffer(file.data, file.size, &versions, &image, &error), ERYX_OK);
    assert_int_equal(image.file_bytes, file.size);
    assert_int_equal(file.size, PAGE + 3 * PAGE + IMAGE_FOOTER_BYTES);
    assert_int_equal(image.footer.code.length, 1000);
    assert_int_equal(image.footer.memory.offset, PAGE);
    assert_int_equal(image.footer.memory.length, 3 * PAGE);
    assert_int_equal(image_footer_global(&image.footer, "__stack_pointer")->value, 0x20000);
    assert_null(image_footer_global(&image.footer, "other"));
    assert_int_equal(image_verify(&image, &error), ERYX_OK);
    uint8_t byte;
    assert_int_equal(pread(image.fd, &byte, 1, PAGE + PAGE), 1);
    assert_int_equal(byte, 0xa5);
    image_close(&image);
    image_close(&image);
    free(file.data);
}

static void from_path(void **state) {
    (void)state;
    struct bytes file = sample_file();
    char path[] = "/tmp/test_image.XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, file.data, file.size), (ssize_t)file.size);
    close(fd);
    eryx_error_t error;
    image_t image;
    assert_int_equal(image_open(path, NULL, &image, &error), ERYX_OK);
    image_close(&image);
    unlink(path);
    assert_int_equal(image_open(path, NULL, &image, &error), ERYX_ERR_IO);
    assert_message(&error, ERYX_ERR_IO, path);
    assert_int_equal(image_open("/tmp", NULL, &image, &error), ERYX_ERR_IO);
    assert_int_equal(image_open("/dev/null", NULL, &image, &error), ERYX_ERR_IO);
    free(file.data);
}

static void truncated(void **state) {
    (void)state;
    struct bytes file = sample_file();
    eryx_error_t error;
    for (size_t size = 0; size < file.size; size += size < 64                 ? 1
                                                    : size + 5000 > file.size ? 61
                                                                              : 997) {
        if (open_bytes(file.data, size, &error) != ERYX_ERR_FORMAT)
            fail_msg("a file of %zu bytes instead of %zu was accepted", size, file.size);
        if (size >= 16) {
            char expected[80];
            snprintf(expected, sizeof expected, "expected %zu bytes, has %zu", file.size, size);
            assert_message(&error, ERYX_ERR_FORMAT, expected);
        } else {
            assert_message(&error, ERYX_ERR_FORMAT, "not an eryx runtime file");
        }
    }
    uint8_t *longer = calloc(1, file.size + 1);
    memcpy(longer, file.data, file.size);
    assert_int_equal(open_bytes(longer, file.size + 1, &error), ERYX_ERR_FORMAT);
    free(longer);
    free(file.data);
}

static void bit_flips_of_the_footer(void **state) {
    (void)state;
    struct bytes file = sample_file();
    image_footer_t *footer = (image_footer_t *)(void *)(file.data + file.size - IMAGE_FOOTER_BYTES);
    image_footer_t *copy = malloc(sizeof *copy);
    for (size_t byte = 0; byte < IMAGE_FOOTER_BYTES; byte++) {
        memcpy(copy, footer, sizeof *copy);
        ((uint8_t *)copy)[byte] ^= (uint8_t)(1u << byte % 8);
        eryx_error_t error = {0};
        if (image_footer_check_seal(copy, &error) == ERYX_OK)
            fail_msg("a flipped bit in byte %zu of the footer was not noticed", byte);
    }
    free(copy);
    free(file.data);
}

static void bit_flips_of_the_sections(void **state) {
    (void)state;
    struct bytes file = sample_file();
    const size_t places[] = {5, 20, 999, PAGE, 2 * PAGE + 7, 4 * PAGE - 1};
    eryx_error_t error;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        file.data[places[i]] ^= 4;
        assert_int_equal(open_bytes(file.data, file.size, &error), ERYX_ERR_FORMAT);
        assert_message(&error, ERYX_ERR_FORMAT, "section is wrong");
        file.data[places[i]] ^= 4;
    }
    assert_int_equal(open_bytes(file.data, file.size, &error), ERYX_OK);
    free(file.data);
}

/* A forged footer with a good checksum still must not lead outside the file. */
static void forged_layout(void **state) {
    (void)state;
    struct bytes file = sample_file();
    image_footer_t good;
    memcpy(&good, file.data + file.size - IMAGE_FOOTER_BYTES, sizeof good);
    eryx_error_t error;
    assert_int_equal(image_footer_check_layout(&good, file.size, &error), ERYX_OK);
#define FORGE(change)                                                                              \
    do {                                                                                           \
        image_footer_t bad = good;                                                                 \
        bad.change;                                                                                \
        image_footer_seal(&bad);                                                                   \
        memcpy(file.data + file.size - IMAGE_FOOTER_BYTES, &bad, sizeof bad);                      \
        if (open_bytes(file.data, file.size, &error) != ERYX_ERR_FORMAT)                           \
            fail_msg("accepted: %s", #change);                                                     \
        assert_message(&error, ERYX_ERR_FORMAT, "corrupt runtime file");                           \
    } while (0)
    FORGE(code.offset = PAGE);
    FORGE(code.length = 0);
    FORGE(code.length = UINT64_MAX);
    FORGE(code.length = PAGE + 1);
    FORGE(memory.offset = 0);
    FORGE(memory.offset = PAGE + 4096);
    FORGE(memory.offset = UINT64_MAX - PAGE + 1);
    FORGE(memory.offset = 2 * PAGE);
    FORGE(memory.length = 0);
    FORGE(memory.length = PAGE + 1);
    FORGE(memory.length = 4 * PAGE);
    FORGE(memory.length = UINT64_MAX - PAGE + 1);
    FORGE(memory_min_bytes = 2 * PAGE);
    FORGE(memory_min_bytes = 4 * PAGE + 1);
    FORGE(memory_min_bytes = (UINT64_C(1) << 32) + PAGE);
    FORGE(constant_start = 0);
    FORGE(constant_start = PAGE + 4096);
    FORGE(constant_start = 3 * PAGE);
    FORGE(constant_end = 4 * PAGE);
    FORGE(constant_end = UINT64_MAX - PAGE + 1);
    FORGE(global_count = IMAGE_MAX_GLOBALS + 1);
    FORGE(global_count = 2);
    FORGE(globals[0].kind = 0x7d);
    FORGE(globals[0].mutable_ = 2);
    FORGE(globals[0].value = UINT64_C(1) << 32);
    FORGE(globals[0].name[55] = 'x');
    FORGE(eryx_version[15] = 'x');
    FORGE(machine[15] = 'x');
#undef FORGE
    free(file.data);
}

static void other_versions(void **state) {
    (void)state;
    struct bytes file = sample_file();
    eryx_error_t error;
    image_t image;
    image_versions_t versions = {.eryx = "0.2.0"};
    assert_int_equal(image_open_buffer(file.data, file.size, &versions, &image, &error),
                     ERYX_ERR_VERSION);
    assert_message(&error, ERYX_ERR_VERSION, "of eryx 0.1.0, this library is eryx 0.2.0");
    versions = (image_versions_t){.engine = "wasmtime 51.0.0"};
    assert_int_equal(image_open_buffer(file.data, file.size, &versions, &image, &error),
                     ERYX_ERR_VERSION);
    assert_message(&error, ERYX_ERR_VERSION, "wasmtime 51.0.0");
    image_footer_t footer;
    uint8_t *end = file.data + file.size - IMAGE_FOOTER_BYTES;
    memcpy(&footer, end, sizeof footer);
    memcpy(footer.machine, "vax\0\0\0\0", 8);
    image_footer_seal(&footer);
    memcpy(end, &footer, sizeof footer);
    assert_int_equal(open_bytes(file.data, file.size, &error), ERYX_ERR_VERSION);
    assert_message(&error, ERYX_ERR_VERSION, "vax");
    footer.format_version++;
    image_footer_seal(&footer);
    memcpy(end, &footer, sizeof footer);
    assert_int_equal(open_bytes(file.data, file.size, &error), ERYX_ERR_VERSION);
    assert_message(&error, ERYX_ERR_VERSION, "format 2");
    free(file.data);
}

static void foreign_files(void **state) {
    (void)state;
    eryx_error_t error;
    static uint8_t text[PAGE];
    memset(text, 'x', sizeof text);
    assert_int_equal(open_bytes(text, sizeof text, &error), ERYX_ERR_FORMAT);
    assert_message(&error, ERYX_ERR_FORMAT, "not an eryx runtime file");
    memset(text, 0, sizeof text);
    memcpy(text, "\177ELF\2\1\1", 7);
    assert_int_equal(open_bytes(text, sizeof text, &error), ERYX_ERR_FORMAT);
    assert_message(&error, ERYX_ERR_FORMAT, "not an eryx runtime file");
}

/* The examples of FIPS 180-2. */
static void sha256_examples(void **state) {
    (void)state;
    static const char *const examples[][2] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    uint8_t digest[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    for (size_t i = 0; i < 3; i++) {
        sha256_digest(examples[i][0], strlen(examples[i][0]), digest);
        sha256_hex(digest, hex);
        assert_string_equal(hex, examples[i][1]);
    }
    static char million[1000000];
    memset(million, 'a', sizeof million);
    sha256_digest(million, sizeof million, digest);
    sha256_hex(digest, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* What a processor has instructions for is what they replace. */
static void sha256_fast_is_right(void **state) {
    (void)state;
    uint8_t data[64 * 7];
    uint32_t fast[8], plain[8];
    if (!sha256_has_instructions())
        skip();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * i + 7 * i);
    for (size_t blocks = 0; blocks <= 7; blocks++) {
        for (uint32_t i = 0; i < 8; i++)
            fast[i] = plain[i] = 0x9e3779b9u * (i + 1);
        sha256_blocks_fast(fast, data, blocks);
        for (size_t i = 0; i < blocks; i++)
            sha256_block(plain, data + 64 * i);
        assert_memory_equal(fast, plain, sizeof fast);
    }
}

static void sha256_in_pieces(void **state) {
    (void)state;
    char text[300];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    uint8_t whole[SHA256_BYTES], pieces[SHA256_BYTES];
    sha256_digest(text, sizeof text, whole);
    for (size_t first = 0; first <= 130; first++)
        for (size_t second = 0; second <= 130; second += 13) {
            sha256_t hash;
            sha256_init(&hash);
            sha256_update(&hash, text, first);
            sha256_update(&hash, text + first, second);
            sha256_update(&hash, text + first + second, sizeof text - first - second);
            sha256_final(&hash, pieces);
            assert_memory_equal(pieces, whole, sizeof whole);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(from_path),
        cmocka_unit_test(truncated),
        cmocka_unit_test(bit_flips_of_the_footer),
        cmocka_unit_test(bit_flips_of_the_sections),
        cmocka_unit_test(forged_layout),
        cmocka_unit_test(other_versions),
        cmocka_unit_test(foreign_files),
        cmocka_unit_test(sha256_examples),
        cmocka_unit_test(sha256_in_pieces),
        cmocka_unit_test(sha256_fast_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
