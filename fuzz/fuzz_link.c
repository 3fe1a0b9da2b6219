/* Fuzz target: any bytes as a library, linked alone and beside itself, so that its imports find
 * something. What comes out must be a module. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "link/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Error messages are expected here, thousands of them. */
static void be_quiet(void)
{
    static FILE *nowhere;
    if (!nowhere && (nowhere = fopen("/dev/null", "w")))
        stderr = nowhere;
}

static void check_output(const struct link *link)
{
    struct wasm_buffer binary = {0};
    struct wasm_module module;
    struct wasm_error error;
    if (!wasm_encode(&link->output, &binary) ||
        !wasm_parse(binary.data, binary.size, &module, &error))
        abort();
    wasm_free(&module);
    wasm_buffer_free(&binary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    be_quiet();
    struct library libraries[2];
    int fd = memfd_create("library", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    char path[64], again[64];
    snprintf(path, sizeof path, "first=/proc/self/fd/%d", fd);
    snprintf(again, sizeof again, "second=/proc/self/fd/%d", fd);
    for (uint32_t count = 1; count <= 2; count++) {
        struct link link = {.libraries = libraries,
                            .options = {.stack_size = 65536, .keep_all = true}};
        bool done = library_read(path, &libraries[0]);
        link.library_count = done;
        if (done && count == 2) {
            done = library_read(again, &libraries[1]);
            link.library_count += done;
        }
        if (done && link_all(&link))
            check_output(&link);
        link_free(&link);
    }
    close(fd);
    return 0;
}
