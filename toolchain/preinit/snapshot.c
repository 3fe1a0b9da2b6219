/* What an initialised guest leaves behind: see snapshot.h. */
#include "preinit/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/sha256.h"
#include "preinit/split.h"
#include "stdlib/archive.h"

#define WASM_PAGE UINT64_C(65536)

static bool global_value(const image_footer_t *footer, const char *name, uint64_t *out)
{
    const image_global_t *global = image_footer_global(footer, name);
    if (!global)
        step_error("the module has no exported global '%s'; link made none of this module", name);
    else
        *out = global->value;
    return global != NULL;
}

bool snapshot_constant_range(const image_footer_t *footer, uint64_t memory_bytes,
                             struct constant_range *range)
{
    if (!global_value(footer, "eryx_constant_start", &range->start) ||
        !global_value(footer, "eryx_constant_end", &range->end))
        return false;
    /* What comes after the archive was linked. */
    const image_global_t *symbols = image_footer_global(footer, "eryx_symbols");
    range->archive_end = symbols ? symbols->value : range->end;
    if (range->start % WASM_PAGE || range->end % WASM_PAGE || range->start < WASM_PAGE ||
        range->archive_end < range->start || range->end < range->archive_end ||
        range->end > memory_bytes) {
        step_error("the module's constant range [%" PRIu64 ", %" PRIu64 ") makes no sense",
                   range->start, range->end);
        return false;
    }
    return true;
}

bool snapshot_place_archive(struct guest *guest, const struct file_bytes *archive,
                            const struct constant_range *range)
{
    uint64_t room = range->archive_end - range->start;
    if (archive->size > room) {
        step_error("the archive has %zu bytes, the constant range only %" PRIu64
                   "; link with a larger --constant-size",
                   archive->size, room);
        return false;
    }
    memcpy(guest->memory + range->start, archive->data, archive->size);
    return true;
}

/* The first byte that is not zero, or end. */
static uint64_t find_nonzero(const uint8_t *memory, uint64_t start, uint64_t end)
{
    uint64_t at = start;
    while (at < end && memory[at] == 0)
        at++;
    return at;
}

/* The first byte of [start, end) that is not what the module's data put there, or end. */
static bool find_changed(const struct wasm_module *module, const uint8_t *memory, uint64_t start,
                         uint64_t end, uint64_t *changed)
{
    uint8_t *expected = calloc(end - start + 1, 1);
    if (!expected) {
        step_error("out of memory; close other programs and run again");
        return false;
    }
    for (uint32_t i = 0; i < module->data_count; i++) {
        const struct wasm_slice bytes = module->data[i].bytes;
        int64_t offset;
        if (!wasm_constant(module->data[i].offset, &offset))
            continue;
        uint64_t from = (uint32_t)offset, to = from + bytes.size;
        uint64_t first = from > start ? from : start, last = to < end ? to : end;
        if (first < last)
            memcpy(expected + (first - start), bytes.data + (first - from), last - first);
    }
    *changed = start;
    while (*changed < end && memory[*changed] == expected[*changed - start])
        ++*changed;
    free(expected);
    return true;
}

static bool check_poll_page(const struct wasm_module *module, const uint8_t *memory)
{
    uint64_t at;
    if (!find_changed(module, memory, 0, WASM_PAGE, &at))
        return false;
    if (at < WASM_PAGE)
        step_error("initialisation wrote to address %" PRIu64
                   " in the poll page: a write through a null pointer, or a full shadow stack",
                   at);
    return at == WASM_PAGE;
}

bool snapshot_check(const struct wasm_module *module, const struct guest *guest,
                    const struct file_bytes *archive, const struct constant_range *range)
{
    if (!check_poll_page(module, guest->memory))
        return false;
    for (uint64_t i = 0; i < archive->size; i++)
        if (guest->memory[range->start + i] != archive->data[i]) {
            step_error("initialisation wrote to the constant range, at address %" PRIu64,
                       range->start + i);
            return false;
        }
    uint64_t written =
        find_nonzero(guest->memory, range->start + archive->size, range->archive_end);
    if (written == range->archive_end &&
        !find_changed(module, guest->memory, range->archive_end, range->end, &written))
        return false;
    if (written < range->end) {
        step_error("initialisation wrote to the constant range, at address %" PRIu64, written);
        return false;
    }
    return true;
}

uint64_t snapshot_image_bytes(const uint8_t *memory, uint64_t memory_bytes,
                              const struct constant_range *range)
{
    uint64_t end = memory_bytes;
    while (end > range->end && find_nonzero(memory, end - WASM_PAGE, end) == end)
        end -= WASM_PAGE;
    return end;
}

static bool add_global(const struct wasm_module *module, const struct wasm_export *export,
                       image_footer_t *footer)
{
    const struct wasm_global *found =
        &module->globals[export->index - module->imported[WASM_GLOBAL]];
    int64_t value;
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
    memcpy(global->name, export->name.data, export->name.size);
    if ((found->type.value != WASM_I32 && found->type.value != WASM_I64) ||
        !wasm_constant(found->init, &value)) {
        step_error("the global '%s' is no integer constant", global->name);
        return false;
    }
    global->kind = found->type.value;
    global->mutable_ = found->type.mutable;
    global->value = global->kind == WASM_I32 ? (uint32_t)value : (uint64_t)value;
    return true;
}

bool snapshot_describe(const struct wasm_module *module, uint64_t memory_min_bytes,
                       image_footer_t *footer)
{
    struct wasm_buffer code = {0};
    if (!split_code(module, memory_min_bytes, &code))
        return false;
    image_footer_init(footer);
    sha256_digest(code.data, code.size, footer->module_sha256);
    wasm_buffer_free(&code);
    snprintf(footer->eryx_version, sizeof footer->eryx_version, "%s", ERYX_VERSION);
    snprintf(footer->engine_version, sizeof footer->engine_version, "%s", machine_version());
    footer->memory_min_bytes = memory_min_bytes;
    for (uint32_t i = 0; i < module->export_count; i++) {
        const struct wasm_export *export = &module->exports[i];
        if (export->kind == WASM_GLOBAL && export->index >= module->imported[WASM_GLOBAL] &&
            !add_global(module, export, footer))
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
