/* The footer of a runtime file: making it, and checking one that may be anything. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "image/image.h"
#include "image/sha256.h"

#define WASM_PAGE UINT64_C(65536)
#define MEMORY_MAX (UINT64_C(1) << 32)

_Static_assert(sizeof(image_footer_t) == IMAGE_FOOTER_BYTES, "the footer fills its page");
_Static_assert(offsetof(image_footer_t, footer_sha256) + SHA256_BYTES == IMAGE_FOOTER_BYTES,
               "the checksum is the last field");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fields are stored as they are");

const char *image_machine(void) {
#if defined(__x86_64__)
    return "x86_64";
#elif defined(__aarch64__)
    return "aarch64";
#elif defined(__riscv)
    return "riscv64";
#else
#error "name this machine"
#endif
}

void image_footer_init(image_footer_t *footer) {
    memset(footer, 0, sizeof *footer);
    memcpy(footer->magic, IMAGE_MAGIC, sizeof footer->magic);
    footer->format_version = IMAGE_FORMAT_VERSION;
    strncpy(footer->machine, image_machine(), sizeof footer->machine - 1);
}

static void digest(const image_footer_t *footer, uint8_t out[SHA256_BYTES]) {
    static const uint8_t zero[SHA256_BYTES];
    const size_t before = offsetof(image_footer_t, footer_sha256);
    sha256_t hash;
    sha256_init(&hash);
    sha256_update(&hash, footer, before);
    sha256_update(&hash, zero, sizeof zero);
    sha256_final(&hash, out);
}

void image_footer_seal(image_footer_t *footer) {
    digest(footer, footer->footer_sha256);
}

int image_footer_check_seal(const image_footer_t *footer, eryx_error_t *error) {
    if (memcmp(footer->magic, IMAGE_MAGIC, sizeof footer->magic) != 0)
        return error_set(error, ERYX_ERR_FORMAT, "not an eryx runtime file");
    if (footer->format_version != IMAGE_FORMAT_VERSION)
        return error_set(error, ERYX_ERR_VERSION,
                         "runtime file of format %" PRIu32
                         ", this library reads format %u; build it again with this eryx",
                         footer->format_version, IMAGE_FORMAT_VERSION);
    uint8_t sum[SHA256_BYTES];
    digest(footer, sum);
    if (memcmp(sum, footer->footer_sha256, sizeof sum) != 0)
        return error_set(error, ERYX_ERR_FORMAT,
                         "corrupt runtime file: the checksum of its footer is wrong");
    return ERYX_OK;
}

static int bad(eryx_error_t *error, const char *what) {
    return error_set(error, ERYX_ERR_FORMAT, "corrupt runtime file: %s", what);
}

/* Text in a field of fixed size that is followed by zeros up to the end of the field. */
static bool is_text(const char *field, size_t size) {
    size_t length = strnlen(field, size);
    for (size_t i = length; i < size; i++)
        if (field[i] != 0)
            return false;
    return length < size;
}

static bool is_inside(const image_section_t *section, uint64_t limit) {
    return section->offset <= limit && section->length <= limit - section->offset;
}

/* length 0: there is none. */
static bool extra_is_good(const image_section_t *section, const image_section_t *before,
                          uint64_t limit) {
    return section->length == 0 ||
           (section->offset % IMAGE_ALIGN == 0 &&
            section->offset >= before->offset + before->length && is_inside(section, limit));
}

static int check_globals(const image_footer_t *footer, eryx_error_t *error) {
    if (footer->global_count > IMAGE_MAX_GLOBALS)
        return bad(error, "too many globals");
    for (uint32_t i = 0; i < footer->global_count; i++) {
        const image_global_t *global = &footer->globals[i];
        if (!is_text(global->name, sizeof global->name) || !global->name[0])
            return bad(error, "the name of a global");
        if (global->mutable_ > 1)
            return bad(error, "the mutability of a global");
        if (global->kind != 0x7f && global->kind != 0x7e)
            return bad(error, "the type of a global");
        if (global->kind == 0x7f && global->value > UINT32_MAX)
            return bad(error, "the value of a global");
    }
    return ERYX_OK;
}

int image_footer_check_layout(const image_footer_t *footer, uint64_t file_bytes,
                              eryx_error_t *error) {
    if (!is_text(footer->eryx_version, sizeof footer->eryx_version) ||
        !is_text(footer->engine_version, sizeof footer->engine_version) ||
        !is_text(footer->python_version, sizeof footer->python_version) ||
        !is_text(footer->machine, sizeof footer->machine))
        return bad(error, "a version is not text");
    if (file_bytes < IMAGE_FOOTER_BYTES)
        return bad(error, "smaller than its footer");
    const uint64_t limit = file_bytes - IMAGE_FOOTER_BYTES;
    const image_section_t *code = &footer->code, *memory = &footer->memory;
    if (code->offset != 0 || code->length == 0 || !is_inside(code, limit))
        return bad(error, "the code section is not inside the file");
    if (memory->offset % IMAGE_ALIGN != 0 || memory->offset < code->length ||
        !is_inside(memory, limit))
        return bad(error, "the memory section is not inside the file");
    if (memory->length == 0 || memory->length % WASM_PAGE != 0)
        return bad(error, "the memory section is not whole pages of 64 KiB");
    if (footer->memory_min_bytes % WASM_PAGE != 0 || footer->memory_min_bytes > MEMORY_MAX ||
        footer->memory_min_bytes < memory->length)
        return bad(error, "the memory minimum");
    if (footer->constant_start % WASM_PAGE != 0 || footer->constant_end % WASM_PAGE != 0 ||
        footer->constant_start < WASM_PAGE || footer->constant_start > footer->constant_end ||
        footer->constant_end > memory->length)
        return bad(error, "the constant range");
    if (!extra_is_good(&footer->packages, memory, limit) ||
        !extra_is_good(&footer->libraries, footer->packages.length ? &footer->packages : memory,
                       limit))
        return bad(error, "the packages or libraries section is not inside the file");
    return check_globals(footer, error);
}

const image_global_t *image_footer_global(const image_footer_t *footer, const char *name) {
    for (uint32_t i = 0; i < footer->global_count; i++)
        if (strncmp(footer->globals[i].name, name, sizeof footer->globals[i].name) == 0)
            return &footer->globals[i];
    return NULL;
}
