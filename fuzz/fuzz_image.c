/* Fuzz target: opening runtime files.
 *
 * The input is opened as it is, and then as changes to a good file: three bytes each (offset in
 * the footer, new value), after which the checksum is made good again, since otherwise
 * nothing would come past it. What is accepted must lie inside the file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/ident.h"
#include "image/image.h"

#define PAGE 65536u
#define FILE_BYTES (2 * PAGE + IMAGE_FOOTER_BYTES)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_bytes(const uint8_t *data, size_t size)
{
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

static void make_good_file(uint8_t *file)
{
    memcpy(file, "\177ELF", 4);
    ident_set_file_bytes(file, FILE_BYTES);
    image_footer_t footer;
    image_footer_init(&footer);
    footer.code.length = 100;
    footer.memory.offset = PAGE;
    footer.memory.length = PAGE;
    footer.memory_min_bytes = 2 * PAGE;
    footer.constant_start = PAGE;
    footer.constant_end = PAGE;
    footer.global_count = 1;
    footer.globals[0] = (image_global_t){.name = "__stack_pointer", .kind = 0x7f, .mutable_ = 1};
    memcpy(file + FILE_BYTES - IMAGE_FOOTER_BYTES, &footer, sizeof footer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t file[FILE_BYTES];
    open_bytes(data, size);
    make_good_file(file);
    uint8_t *end = file + FILE_BYTES - IMAGE_FOOTER_BYTES;
    for (size_t i = 0; i + 3 <= size; i += 3)
        end[(data[i] | data[i + 1] << 8) % IMAGE_FOOTER_BYTES] = data[i + 2];
    image_footer_t footer;
    memcpy(&footer, end, sizeof footer);
    image_footer_seal(&footer);
    memcpy(end, &footer, sizeof footer);
    open_bytes(file, sizeof file);
    return 0;
}
