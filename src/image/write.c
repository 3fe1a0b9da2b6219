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

int image_write(int fd, image_footer_t *footer, const void *code, size_t code_length,
                const void *memory, size_t memory_length, eryx_error_t *error) {
    uint8_t ident[IDENT_BYTES];
    if (code_length < sizeof ident || !ident_is_elf(code))
        return error_set(error, ERYX_ERR_ARGUMENT, "the compiled code is no ELF file");
    const uint64_t mask = IMAGE_ALIGN - 1;
    const uint64_t memory_offset = (code_length + mask) & ~mask;
    const uint64_t file_bytes = memory_offset + memory_length + IMAGE_FOOTER_BYTES;
    if (file_bytes > IDENT_SIZE_MAX)
        return error_set(error, ERYX_ERR_ARGUMENT, "the sections are too large");
    memcpy(ident, code, sizeof ident);
    ident_set_file_bytes(ident, file_bytes);
    const uint8_t *rest = (const uint8_t *)code + sizeof ident;
    const size_t rest_length = code_length - sizeof ident;

    footer->code = (image_section_t){.offset = 0, .length = code_length};
    footer->memory = (image_section_t){.offset = memory_offset, .length = memory_length};
    sha256_t hash;
    sha256_init(&hash);
    sha256_update(&hash, ident, sizeof ident);
    sha256_update(&hash, rest, rest_length);
    sha256_final(&hash, footer->code.sha256);
    sha256_digest(memory, memory_length, footer->memory.sha256);
    image_footer_seal(footer);
    int status = image_footer_check_layout(footer, file_bytes, error);

    if (status == ERYX_OK)
        status = write_all(fd, ident, sizeof ident, error);
    if (status == ERYX_OK)
        status = write_all(fd, rest, rest_length, error);
    if (status == ERYX_OK)
        status = write_zeros(fd, memory_offset - code_length, error);
    if (status == ERYX_OK)
        status = write_sparse(fd, memory, memory_length, error);
    if (status == ERYX_OK)
        status = write_all(fd, footer, sizeof *footer, error);
    return status;
}
