/* Opening a runtime file. Nothing of it is trusted before it is checked, and every read is
 * a pread, so that a file that shrinks meanwhile is an error and not a signal. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "image/ident.h"
#include "image/image.h"
#include "image/sha256.h"

#define READ_CHUNK (1u << 20)

static int read_at(int fd, void *data, size_t length, uint64_t offset, eryx_error_t *error) {
    uint8_t *next = data;
    while (length > 0) {
        ssize_t got = pread(fd, next, length, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(error, ERYX_ERR_IO, "cannot read the runtime file: %s",
                             strerror(errno));
        if (got == 0)
            return error_set(error, ERYX_ERR_FORMAT, "the runtime file became shorter");
        next += got;
        offset += (size_t)got;
        length -= (size_t)got;
    }
    return ERYX_OK;
}

/* Tells a whole file from a truncated and a foreign one, before the footer is looked at. */
static int check_size(int fd, uint64_t size, eryx_error_t *error) {
    uint8_t ident[IDENT_BYTES];
    if (size < sizeof ident)
        return error_set(error, ERYX_ERR_FORMAT,
                         "not an eryx runtime file: it has only %" PRIu64 " bytes", size);
    int status = read_at(fd, ident, sizeof ident, 0, error);
    if (status != ERYX_OK)
        return status;
    uint64_t expected = ident_file_bytes(ident);
    if (!ident_is_elf(ident) || expected < IMAGE_FOOTER_BYTES)
        return error_set(error, ERYX_ERR_FORMAT, "not an eryx runtime file");
    if (size < expected)
        return error_set(error, ERYX_ERR_FORMAT,
                         "truncated runtime file: expected %" PRIu64 " bytes, has %" PRIu64
                         "; copy or build it again",
                         expected, size);
    if (size > expected)
        return error_set(error, ERYX_ERR_FORMAT,
                         "corrupt runtime file: expected %" PRIu64 " bytes, has %" PRIu64, expected,
                         size);
    return ERYX_OK;
}

static int check_versions(const image_footer_t *footer, const image_versions_t *versions,
                          eryx_error_t *error) {
    if (strcmp(footer->machine, image_machine()) != 0)
        return error_set(error, ERYX_ERR_VERSION,
                         "runtime file for %s, this machine is %s; use the file built for it",
                         footer->machine, image_machine());
    if (versions && versions->eryx && strcmp(footer->eryx_version, versions->eryx) != 0)
        return error_set(error, ERYX_ERR_VERSION,
                         "runtime file of eryx %s, this library is eryx %s; use the file that "
                         "came with it",
                         footer->eryx_version, versions->eryx);
    if (versions && versions->engine && strcmp(footer->engine_version, versions->engine) != 0)
        return error_set(error, ERYX_ERR_VERSION,
                         "runtime file for %s, this library runs %s; build the file again with it",
                         footer->engine_version, versions->engine);
    return ERYX_OK;
}

/* Takes the descriptor over in any case. */
static int open_fd(int fd, const image_versions_t *versions, image_t *out, eryx_error_t *error) {
    image_t image = {.fd = fd};
    struct stat info;
    int status = ERYX_OK;
    if (fstat(fd, &info) != 0)
        status = error_set(error, ERYX_ERR_IO, "cannot read the runtime file: %s", strerror(errno));
    else if (!S_ISREG(info.st_mode))
        status = error_set(error, ERYX_ERR_IO, "the runtime file is no regular file");
    else
        image.file_bytes = (uint64_t)info.st_size;
    if (status == ERYX_OK)
        status = check_size(fd, image.file_bytes, error);
    if (status == ERYX_OK)
        status = read_at(fd, &image.footer, sizeof image.footer,
                         image.file_bytes - IMAGE_FOOTER_BYTES, error);
    if (status == ERYX_OK)
        status = image_footer_check_seal(&image.footer, error);
    if (status == ERYX_OK)
        status = image_footer_check_layout(&image.footer, image.file_bytes, error);
    if (status == ERYX_OK)
        status = check_versions(&image.footer, versions, error);
    if (status != ERYX_OK) {
        close(fd);
        return status;
    }
    *out = image;
    return ERYX_OK;
}

int image_open(const char *path, const image_versions_t *versions, image_t *out,
               eryx_error_t *error) {
    *out = (image_t){.fd = -1};
    /* Non-blocking, so that the name of a pipe cannot hang us. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set(error, ERYX_ERR_IO, "cannot open the runtime file %s: %s", path,
                         strerror(errno));
    return open_fd(fd, versions, out, error);
}

static int fill(int fd, const uint8_t *data, size_t length) {
    while (length > 0) {
        ssize_t done = write(fd, data, length);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return errno;
        data += done;
        length -= (size_t)done;
    }
    return fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0 ? 0 : errno;
}

int image_open_buffer(const void *data, size_t length, const image_versions_t *versions,
                      image_t *out, eryx_error_t *error) {
    *out = (image_t){.fd = -1};
    int fd = memfd_create("eryx-runtime", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return error_set(error, ERYX_ERR_MEMORY, "memfd_create: %s", strerror(errno));
    int failure = fill(fd, data, length);
    if (failure) {
        close(fd);
        return error_set(error, ERYX_ERR_MEMORY, "cannot copy the runtime file to memory: %s",
                         strerror(failure));
    }
    return open_fd(fd, versions, out, error);
}

static int verify_section(const image_t *image, const image_section_t *section, const char *name,
                          uint8_t *chunk, eryx_error_t *error) {
    sha256_t hash;
    sha256_init(&hash);
    for (uint64_t done = 0; done < section->length;) {
        uint64_t left = section->length - done;
        size_t part = left < READ_CHUNK ? (size_t)left : READ_CHUNK;
        int status = read_at(image->fd, chunk, part, section->offset + done, error);
        if (status != ERYX_OK)
            return status;
        sha256_update(&hash, chunk, part);
        done += part;
    }
    uint8_t sum[SHA256_BYTES];
    sha256_final(&hash, sum);
    if (memcmp(sum, section->sha256, sizeof sum) != 0)
        return error_set(error, ERYX_ERR_FORMAT,
                         "corrupt runtime file: the checksum of its %s section is wrong", name);
    return ERYX_OK;
}

int image_verify(const image_t *image, eryx_error_t *error) {
    uint8_t *chunk = malloc(READ_CHUNK);
    if (!chunk)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory");
    int status = verify_section(image, &image->footer.code, "code", chunk, error);
    if (status == ERYX_OK)
        status = verify_section(image, &image->footer.memory, "memory", chunk, error);
    if (status == ERYX_OK && image->footer.packages.length > 0)
        status = verify_section(image, &image->footer.packages, "packages", chunk, error);
    if (status == ERYX_OK && image->footer.libraries.length > 0)
        status = verify_section(image, &image->footer.libraries, "libraries", chunk, error);
    free(chunk);
    return status;
}

void image_close(image_t *image) {
    if (image->fd >= 0)
        close(image->fd);
    image->fd = -1;
}
