/* make_runtime GUEST.wasm OUT.cwasm: turns the test guest into a runtime file, as eryx-build
 * does with the real one: the memory that its data segments make becomes the image, the
 * segments go, the rest is compiled. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wasmtime.h>

#include "engine/config.h"
#include "image/image.h"

enum { SECTION_DATA = 11, SECTION_DATA_COUNT = 12 };

typedef struct bytes {
    uint8_t *data;
    size_t size;
} bytes_t;

static void fail(const char *what, wasmtime_error_t *error) {
    wasm_name_t message = {0, NULL};
    if (error)
        wasmtime_error_message(error, &message);
    fprintf(stderr, "make_runtime: %s: %.*s\n", what, (int)message.size, message.data);
    exit(1);
}

static bytes_t read_file(const char *path) {
    bytes_t bytes = {malloc(1 << 20), 0};
    FILE *file = fopen(path, "rb");
    if (!file || !bytes.data)
        fail(path, NULL);
    bytes.size = fread(bytes.data, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

static size_t leb128(const uint8_t *data, size_t *position) {
    size_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
        uint8_t byte = data[(*position)++];
        value |= (size_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            break;
    }
    return value;
}

static bytes_t without_data(bytes_t module) {
    bytes_t out = {malloc(module.size), 8};
    memcpy(out.data, module.data, 8);
    for (size_t position = 8; position < module.size;) {
        size_t start = position++;
        size_t length = leb128(module.data, &position);
        position += length;
        if (module.data[start] == SECTION_DATA || module.data[start] == SECTION_DATA_COUNT)
            continue;
        memcpy(out.data + out.size, module.data + start, position - start);
        out.size += position - start;
    }
    return out;
}

static wasmtime_module_t *compile(wasm_engine_t *engine, bytes_t module) {
    wasmtime_module_t *compiled;
    wasmtime_error_t *error = wasmtime_module_new(engine, module.data, module.size, &compiled);
    if (error)
        fail("compile", error);
    return compiled;
}

static uint32_t global_of(wasmtime_context_t *context, const wasmtime_instance_t *instance,
                          const char *name) {
    wasmtime_extern_t item;
    wasmtime_val_t value;
    if (!wasmtime_instance_export_get(context, instance, name, strlen(name), &item))
        fail(name, NULL);
    wasmtime_global_get(context, &item.of.global, &value);
    return (uint32_t)value.of.i32;
}

/* The memory after instantiation, rounded up to 64 KiB of what is not zero. */
static bytes_t initial_memory(wasm_engine_t *engine, wasmtime_module_t *module,
                              image_footer_t *footer) {
    wasmtime_linker_t *linker = wasmtime_linker_new(engine);
    wasmtime_store_t *store = wasmtime_store_new(engine, NULL, NULL);
    wasmtime_context_t *context = wasmtime_store_context(store);
    wasmtime_instance_t instance;
    wasm_trap_t *trap = NULL;
    wasmtime_linker_define_unknown_imports_as_traps(linker, module);
    wasmtime_error_t *error =
        wasmtime_linker_instantiate(linker, context, module, &instance, &trap);
    if (error || trap)
        fail("instantiate", error);
    wasmtime_extern_t memory;
    wasmtime_instance_export_get(context, &instance, "memory", 6, &memory);
    const uint8_t *data = wasmtime_memory_data(context, &memory.of.memory);
    size_t size = wasmtime_memory_data_size(context, &memory.of.memory);
    footer->memory_min_bytes = size;
    footer->constant_start = global_of(context, &instance, "eryx_constant_start");
    footer->constant_end = global_of(context, &instance, "eryx_constant_end");
    footer->global_count = 1;
    image_global_t *global = &footer->globals[0];
    strcpy(global->name, "__stack_pointer");
    global->kind = 0x7f;
    global->mutable_ = 1;
    global->value = global_of(context, &instance, "__stack_pointer");
    while (size > 0 && data[size - 1] == 0)
        size--;
    size = (size + IMAGE_ALIGN - 1) / IMAGE_ALIGN * IMAGE_ALIGN;
    bytes_t copy = {malloc(size), size};
    memcpy(copy.data, data, size);
    wasmtime_store_delete(store);
    wasmtime_linker_delete(linker);
    return copy;
}

int main(int argc, char **argv) {
    if (argc != 3)
        fail("usage: make_runtime GUEST.wasm OUT.cwasm", NULL);
    wasm_engine_t *engine = wasm_engine_new_with_config(engine_config_new(false));
    bytes_t module = read_file(argv[1]);
    image_footer_t footer;
    image_footer_init(&footer);
    snprintf(footer.eryx_version, sizeof footer.eryx_version, "%s", ERYX_VERSION);
    snprintf(footer.engine_version, sizeof footer.engine_version, "%s", ENGINE_VERSION);
    snprintf(footer.python_version, sizeof footer.python_version, "0.0.0");
    wasmtime_module_t *whole = compile(engine, module);
    bytes_t memory = initial_memory(engine, whole, &footer);
    wasmtime_module_delete(whole);
    bytes_t code = without_data(module);
    wasmtime_module_t *stripped = compile(engine, code);
    wasm_byte_vec_t serialized;
    wasmtime_error_t *error = wasmtime_module_serialize(stripped, &serialized);
    if (error)
        fail("serialize", error);
    int fd = open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0666);
    eryx_error_t failure;
    if (fd < 0 || image_write(fd, &footer,
                              &(image_parts_t){.code = {serialized.data, serialized.size},
                                               .memory = {memory.data, memory.size}},
                              &failure) != ERYX_OK)
        fail(argv[2], NULL);
    close(fd);
    wasm_byte_vec_delete(&serialized);
    wasmtime_module_delete(stripped);
    wasm_engine_delete(engine);
    free(module.data);
    free(code.data);
    free(memory.data);
    return 0;
}
