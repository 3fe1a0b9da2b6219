/* Reads one library: file, zstd, module, dylink.0, and what the linker can take. */
#include "link/link.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { MAX_LIBRARY_SIZE = 256 << 20 };

static bool decompress(const char *path, struct file_bytes *bytes)
{
    static const uint8_t magic[] = {0x28, 0xb5, 0x2f, 0xfd};
    if (bytes->size < sizeof magic || memcmp(bytes->data, magic, sizeof magic) != 0)
        return true;
    unsigned long long size = ZSTD_getFrameContentSize(bytes->data, bytes->size);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN) /* streamed frames do not say */
        size = MAX_LIBRARY_SIZE;
    if (size > MAX_LIBRARY_SIZE) { /* the code for malformed is larger still */
        step_error("cannot decompress: %s: no zstd frame of up to %d bytes; make the file again",
                   path, MAX_LIBRARY_SIZE);
        return false;
    }
    uint8_t *data = malloc((size_t)size + 1);
    size_t got = data ? ZSTD_decompress(data, (size_t)size, bytes->data, bytes->size) : 0;
    if (!data || ZSTD_isError(got)) {
        step_error("cannot decompress: %s: %s; make the file again", path,
                   data ? ZSTD_getErrorName(got) : "out of memory");
        free(data);
        return false;
    }
    file_bytes_free(bytes);
    *bytes = (struct file_bytes){data, got};
    return true;
}

/* The linker gives out one memory, one table and constants; a library with its own is none. */
static const char *unsupported(const struct wasm_module *module)
{
    if (module->table_count || module->memory_count)
        return "it defines a memory or table of its own";
    if (module->tag_count || module->imported[WASM_TAG])
        return "it uses exceptions, which the linker does not support";
    for (uint32_t i = 0; i < module->global_count; i++)
        if (module->globals[i].type.mutable)
            return "it has a mutable global, which instances made from the image would not get; "
                   "compile it with -mextended-const";
    for (uint32_t i = 0; i < module->import_count; i++) {
        const struct wasm_import *import = &module->imports[i];
        const char *expected = import->kind == WASM_MEMORY ? "memory" : "__indirect_function_table";
        if ((import->kind == WASM_MEMORY || import->kind == WASM_TABLE) &&
            (!wasm_slice_is(import->module, "env") || !wasm_slice_is(import->name, expected)))
            return "it imports a memory or table other than those of env";
    }
    if (module->imported[WASM_MEMORY] > 1 || module->imported[WASM_TABLE] > 1)
        return "it imports more than one memory or table";
    return NULL;
}

static bool parse(struct library *library)
{
    struct wasm_error error;
    if (!wasm_parse(library->bytes.data, library->bytes.size, &library->module, &error)) {
        step_error("malformed library: %s: byte %zu: %s; make the file again", library->path,
                   error.offset, error.reason);
        return false;
    }
    if (!dylink_parse(&library->module, &library->dylink, &error)) {
        step_error("malformed library: %s: dylink.0, byte %zu: %s; link it with wasm-ld -shared",
                   library->path, error.offset, error.reason);
        return false;
    }
    const char *reason = unsupported(&library->module);
    if (reason)
        step_error("cannot link library: %s: %s", library->path, reason);
    return !reason;
}

bool library_read(const char *specification, struct library *out)
{
    *out = (struct library){0};
    const char *equals = strchr(specification, '=');
    const char *slash = strrchr(specification, '/');
    if (equals) {
        out->path = equals + 1;
        out->name = strndup(specification, (size_t)(equals - specification));
    } else {
        out->path = specification;
        out->name = strdup(slash ? slash + 1 : specification);
    }
    bool done =
        file_read(out->path, &out->bytes) && decompress(out->path, &out->bytes) && parse(out);
    if (done && !out->name)
        step_error("cannot read: %s: out of memory; close other programs and run again", out->path);
    if (!done || !out->name)
        library_free(out);
    return done && out->name;
}

void library_free(struct library *library)
{
    wasm_free(&library->module);
    file_bytes_free(&library->bytes);
    free(library->name);
    *library = (struct library){0};
}
