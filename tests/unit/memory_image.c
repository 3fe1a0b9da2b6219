/* See memory_image.h. */
#include "fixture.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory_image.h"

memory_origin_t origin;

memory_layout_t valid_layout(void) {
    return (memory_layout_t){
        .file_offset = KIB64,
        .image_bytes = IMAGE_BYTES,
        .minimum = MINIMUM,
        .constant_start = CONSTANT_START,
        .constant_end = CONSTANT_END,
    };
}

uint8_t image_byte(size_t address) {
    return address < IMAGE_BYTES ? (uint8_t)(address * 31 + address / 4096) : 0;
}

int image_file(void) {
    int fd = memfd_create("image", MFD_CLOEXEC);
    assert_true(fd >= 0);
    uint8_t *bytes = malloc(KIB64 + IMAGE_BYTES);
    for (size_t i = 0; i < IMAGE_BYTES; i++)
        bytes[KIB64 + i] = image_byte(i);
    assert_int_equal(write(fd, bytes, KIB64 + IMAGE_BYTES), KIB64 + IMAGE_BYTES);
    free(bytes);
    return fd;
}

int open_origin(void **state) {
    (void)state;
    int fd = image_file();
    memory_layout_t layout = valid_layout();
    eryx_error_t error;
    int status = memory_origin_open(fd, &layout, &origin, &error);
    close(fd);
    return status;
}

int close_origin(void **state) {
    (void)state;
    memory_origin_close(&origin);
    return 0;
}
