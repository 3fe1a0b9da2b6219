/* Writing a runtime file: see image.h for the layout. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "image/ident.h"
#include "image/image.h"
#include "image/sha256.h"

static int write_all(int fd, const void *data, size_t length, eryx_error_t *error) {
    const uint8_t *next = data;
    while (length > 0) {
        ssize_t done = write(fd, next, length);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_set(error, ERYX_ERR_IO, "cannot write: %s", strerror(errno));
        next += done;
        length -= (size_t)done;
    }
    return ERYX_OK;
}

static int write_zeros(int fd, uint64_t length, eryx_error_t *error) {
    static const uint8_t zeros[IMAGE_ALIGN];
    int status = ERYX_OK;
    while (status == ERYX_OK && length > 0) {
        size_t part = length < sizeof zeros ? (size_t)length : sizeof zeros;
        status = write_all(fd, zeros, part, error);
        length -= part;
    }
    return status;
}

/* Leaves holes where whole pages are zero: more than half of the memory is. */
static int write_sparse(int fd, const uint8_t *data, size_t length, eryx_error_t *error) {
    static const uint8_t zeros[IMAGE_ALIGN];
    int status = ERYX_OK;
    for (size_t at = 0; status == ERYX_OK && at < length; at += IMAGE_ALIGN) {
        if (memcmp(data + at, zeros, IMAGE_ALIGN) != 0)
            status = write_all(fd, data + at, IMAGE_ALIGN, error);
        else if (lseek(fd, IMAGE_ALIGN, SEEK_CUR) < 0)
            status = error_set(error, ERYX_ERR_IO, "cannot write: %s", strerror(errno));
    }
    return status;
}

static uint64_t aligned(uint64_t offset) {
    return (offset + IMAGE_ALIGN - 1) & ~(uint64_t)(IMAGE_ALIGN - 1);
}

/* Places a section at the next aligned offset, which it moves on. */
static image_section_t place(const image_part_t *part, uint64_t *end) {
    image_section_t section = {.offset = aligned(*end), .length = part->length};
    if (part->length == 0)
        return (image_section_t){0};
    sha256_digest(part->data, part->length, section.sha256);
    *end = section.offset + section.length;
    return section;
}

static int write_extra(int fd, const image_section_t *section, const image_part_t *part,
                       uint64_t *end, eryx_error_t *error) {
    if (part->length == 0)
        return ERYX_OK;
    int status = write_zeros(fd, section->offset - *end, error);
    *end = section->offset + section->length;
    return status == ERYX_OK ? write_all(fd, part->data, part->length, error) : status;
}

int image_write(int fd, image_footer_t *footer, const image_parts_t *parts, eryx_error_t *error) {
    uint8_t ident[IDENT_BYTES];
    const uint8_t *code = parts->code.data;
    const size_t code_length = parts->code.length;
    if (code_length < sizeof ident || !ident_is_elf(code))
        return error_set(error, ERYX_ERR_ARGUMENT, "the compiled code is no ELF file");
    uint64_t end = aligned(code_length) + parts->memory.length;
    footer->packages = place(&parts->packages, &end);
    footer->libraries = place(&parts->libraries, &end);
    const uint64_t file_bytes = end + IMAGE_FOOTER_BYTES;
    if (file_bytes > IDENT_SIZE_MAX)
        return error_set(error, ERYX_ERR_ARGUMENT, "the sections are too large");
    memcpy(ident, code, sizeof ident);
    ident_set_file_bytes(ident, file_bytes);
    const uint8_t *rest = code + sizeof ident;
    const size_t rest_length = code_length - sizeof ident;

    footer->code = (image_section_t){.offset = 0, .length = code_length};
    footer->memory =
        (image_section_t){.offset = aligned(code_length), .length = parts->memory.length};
    sha256_t hash;
    sha256_init(&hash);
    sha256_update(&hash, ident, sizeof ident);
    sha256_update(&hash, rest, rest_length);
    sha256_final(&hash, footer->code.sha256);
    sha256_digest(parts->memory.data, parts->memory.length, footer->memory.sha256);
    image_footer_seal(footer);
    int status = image_footer_check_layout(footer, file_bytes, error);

    if (status == ERYX_OK)
        status = write_all(fd, ident, sizeof ident, error);
    if (status == ERYX_OK)
        status = write_all(fd, rest, rest_length, error);
    if (status == ERYX_OK)
        status = write_zeros(fd, footer->memory.offset - code_length, error);
    if (status == ERYX_OK)
        status = write_sparse(fd, parts->memory.data, parts->memory.length, error);
    end = footer->memory.offset + footer->memory.length;
    if (status == ERYX_OK)
        status = write_extra(fd, &footer->packages, &parts->packages, &end, error);
    if (status == ERYX_OK)
        status = write_extra(fd, &footer->libraries, &parts->libraries, &end, error);
    if (status == ERYX_OK)
        status = write_all(fd, footer, sizeof *footer, error);
    return status;
}
