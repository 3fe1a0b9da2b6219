/* runtime.cwasm of a component's module: see whole.h.
 *
 * The component step keeps all that pack knows: the image as data segments, the globals as
 * exports, the archive (and in it Python's version) in the constant range. */
#include "precompile/whole.h"

#include <stdlib.h>
#include <string.h>

#include "preinit/snapshot.h"
#include "preinit/split.h"
#include "stdlib/archive.h"

#define WASM_PAGE UINT64_C(65536)

/* The archive in memory, checked. */
static bool find_archive(uint8_t *memory, const struct constant_range *range,
                         struct file_bytes *out)
{
    struct archive_header header;
    uint64_t room = range->archive_end - range->start;
    if (room < sizeof header) {
        step_error("the module has no constant range; give a component of eryx-build");
        return false;
    }
    memcpy(&header, memory + range->start, sizeof header);
    uint64_t size = header.total_bytes < room ? header.total_bytes : room;
    *out = (struct file_bytes){memory + range->start, (size_t)size};
    return archive_check("the constant range", out->data, out->size);
}

static bool describe(const struct wasm_module *module, uint64_t memory_min_bytes,
                     struct whole *whole)
{
    uint64_t memory_bytes = module->memories[0].min * WASM_PAGE;
    image_footer_t *footer = &whole->footer;
    struct constant_range range;
    struct file_bytes archive;
    if (!split_write_data(module, whole->memory, memory_bytes) ||
        !snapshot_describe(module, memory_min_bytes, footer) ||
        !snapshot_constant_range(footer, memory_bytes, &range) ||
        !find_archive(whole->memory, &range, &archive) ||
        !snapshot_python_version(&archive, footer->python_version, sizeof footer->python_version))
        return false;
    footer->constant_start = range.start;
    footer->constant_end = range.end;
    footer->memory.length = snapshot_image_bytes(whole->memory, memory_bytes, &range);
    return true;
}

bool whole_prepare(const struct wasm_module *module, uint64_t memory_min_bytes, struct whole *out)
{
    out->memory = calloc(module->memories[0].min * WASM_PAGE + 1, 1);
    if (!out->memory) {
        step_error("out of memory; close other programs and run again");
        return false;
    }
    if (describe(module, memory_min_bytes, out))
        return true;
    whole_free(out);
    return false;
}

bool whole_write(struct whole *whole, const struct file_bytes *elf, const char *path)
{
    struct file_output output;
    eryx_error_t error;
    if (!file_output_open(path, &output))
        return false;
    if (image_write(output.fd, &whole->footer,
                    &(image_parts_t){.code = {elf->data, elf->size},
                                     .memory = {whole->memory, whole->footer.memory.length}},
                    &error) == ERYX_OK)
        return file_output_commit(&output);
    step_error("%s: %s", path, error.message);
    file_output_abort(&output);
    return false;
}

void whole_free(struct whole *whole)
{
    free(whole->memory);
    whole->memory = NULL;
}
