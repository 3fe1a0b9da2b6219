/* What an initialised guest leaves behind: see snapshot.h. */
#include "preinit/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stdlib/archive.h"

#define WASM_PAGE UINT64_C(65536)

bool snapshot_place_archive(struct guest *guest, const struct file_bytes *archive,
                            struct constant_range *range)
{
    if (!guest_global(guest, "eryx_constant_start", &range->start) ||
        !guest_global(guest, "eryx_constant_end", &range->end))
        return false;
    if (range->start % WASM_PAGE || range->end % WASM_PAGE || range->start < WASM_PAGE ||
        range->end < range->start || !guest_bytes(guest, range->start, range->end - range->start)) {
        step_error("the module's constant range [%" PRIu64 ", %" PRIu64 ") makes no sense",
                   range->start, range->end);
        return false;
    }
    if (archive->size > range->end - range->start) {
        step_error("the archive has %zu bytes, the constant range only %" PRIu64
                   "; link with a larger --constant-size",
                   archive->size, range->end - range->start);
        return false;
    }
    memcpy(guest->memory + range->start, archive->data, archive->size);
    return true;
}

/* The first byte that is not zero, or end. */
static uint64_t find_nonzero(const struct guest *guest, uint64_t start, uint64_t end)
{
    uint64_t at = start;
    while (at < end && guest->memory[at] == 0)
        at++;
    return at;
}

bool snapshot_check(const struct guest *guest, const struct file_bytes *archive,
                    const struct constant_range *range)
{
    uint64_t written = find_nonzero(guest, 0, WASM_PAGE);
    if (written < WASM_PAGE) {
        step_error("initialisation wrote to address %" PRIu64
                   " in the poll page: a write through a null pointer, or a full shadow stack",
                   written);
        return false;
    }
    for (uint64_t i = 0; i < archive->size; i++)
        if (guest->memory[range->start + i] != archive->data[i]) {
            step_error("initialisation wrote to the constant range, at address %" PRIu64,
                       range->start + i);
            return false;
        }
    written = find_nonzero(guest, range->start + archive->size, range->end);
    if (written < range->end) {
        step_error("initialisation wrote to the constant range, at address %" PRIu64, written);
        return false;
    }
    return true;
}

uint64_t snapshot_image_bytes(const struct guest *guest, const struct constant_range *range)
{
    uint64_t end = guest->memory_bytes;
    while (end > range->end && find_nonzero(guest, end - WASM_PAGE, end) == end)
        end -= WASM_PAGE;
    return end;
}

bool snapshot_globals(struct guest *guest, const struct wasm_module *module, image_footer_t *footer)
{
    for (uint32_t i = 0; i < module->export_count; i++) {
        const struct wasm_export *export = &module->exports[i];
        uint32_t imported = module->imported[WASM_GLOBAL];
        if (export->kind != WASM_GLOBAL || export->index < imported)
            continue;
        if (footer->global_count == IMAGE_MAX_GLOBALS) {
            step_error("the module exports more than %u globals", IMAGE_MAX_GLOBALS);
            return false;
        }
        image_global_t *global = &footer->globals[footer->global_count++];
        if (export->name.size >= sizeof global->name || export->name.size == 0) {
            step_error("the name of an exported global has more than %zu bytes",
                       sizeof global->name - 1);
            return false;
        }
        const struct wasm_global_type type = module->globals[export->index - imported].type;
        memcpy(global->name, export->name.data, export->name.size);
        global->kind = type.value;
        global->mutable_ = type.mutable;
        if (!guest_global(guest, global->name, &global->value))
            return false;
    }
    return true;
}

bool snapshot_python_version(const struct file_bytes *archive, char *out, size_t size)
{
    static const char path[] = "lib/python3.14/build-details.json";
    static const char key[] = "\"hexversion\":";
    struct archive_file file;
    const char *found = NULL;
    if (archive_find(archive->data, path, &file))
        found = memmem(file.data, file.size, key, sizeof key - 1);
    if (!found) {
        step_error("the archive has no hexversion in %s", path);
        return false;
    }
    char digits[16] = "";
    const char *value = found + sizeof key - 1, *end = (const char *)file.data + file.size;
    while (value < end && *value == ' ')
        value++;
    for (size_t i = 0; i + 1 < sizeof digits && value + i < end; i++)
        digits[i] = value[i];
    unsigned long version = strtoul(digits, NULL, 10);
    snprintf(out, size, "%lu.%lu.%lu", version >> 24 & 255, version >> 16 & 255,
             version >> 8 & 255);
    return true;
}
