/* Fuzz target: any bytes opened as a runtime file. Half of the inputs get a good checksum and
 * the right size, since otherwise hardly any would come past those checks. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/ident.h"
#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a reader does with a file that was accepted; out of bounds, verify would fail or crash. */
static void open_copy(const uint8_t *data, size_t size) {
    image_t image;
    eryx_error_t error;
    if (image_open_buffer(data, size, NULL, &image, &error) != ERYX_OK)
        return;
    const image_footer_t *footer = &image.footer;
    if (footer->code.length > size || footer->memory.offset > size ||
        footer->memory.length > size - footer->memory.offset ||
        footer->constant_end > footer->memory.length || footer->global_count > IMAGE_MAX_GLOBALS)
        abort();
    for (uint32_t i = 0; i < footer->global_count; i++)
        if (!image_footer_global(footer, footer->globals[i].name))
            abort();
    (void)image_verify(&image, &error);
    image_close(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    open_copy(data, size);
    if (size <= IMAGE_FOOTER_BYTES + IDENT_BYTES)
        return 0;
    uint8_t *copy = malloc(size);
    if (!copy)
        return 0;
    memcpy(copy, data, size);
    memcpy(copy, "\177ELF", 4);
    ident_set_file_bytes(copy, size);
    image_footer_t footer;
    memcpy(&footer, copy + size - IMAGE_FOOTER_BYTES, sizeof footer);
    memcpy(footer.magic, IMAGE_MAGIC, sizeof footer.magic);
    footer.format_version = IMAGE_FORMAT_VERSION;
    image_footer_seal(&footer);
    memcpy(copy + size - IMAGE_FOOTER_BYTES, &footer, sizeof footer);
    open_copy(copy, size);
    free(copy);
    return 0;
}
