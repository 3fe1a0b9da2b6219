/* Small modules for tests: see wasm_sample.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <unistd.h>

#include <cmocka.h>

#include "wasm_sample.h"

enum { MAX_ITEMS = 32 };

void sample_begin(struct sample *sample) {
    static const uint8_t i32 = WASM_I32;
    static const struct wasm_slice none = {&i32, 0}, one = {&i32, 1};
    *sample = (struct sample){0};
    struct wasm_module *module = &sample->module;
    module->types = wasm_alloc(module, 3, sizeof *module->types);
    module->imports = wasm_alloc(module, MAX_ITEMS, sizeof *module->imports);
    module->functions = wasm_alloc(module, MAX_ITEMS, sizeof *module->functions);
    module->globals = wasm_alloc(module, MAX_ITEMS, sizeof *module->globals);
    module->exports = wasm_alloc(module, MAX_ITEMS, sizeof *module->exports);
    module->data = wasm_alloc(module, MAX_ITEMS, sizeof *module->data);
    module->elements = wasm_alloc(module, MAX_ITEMS, sizeof *module->elements);
    module->customs = wasm_alloc(module, 2, sizeof *module->customs);
    module->types[SAMPLE_VOID] = (struct wasm_type){none, none};
    module->types[SAMPLE_GET] = (struct wasm_type){none, one};
    module->types[SAMPLE_MAP] = (struct wasm_type){one, one};
    module->type_count = 3;
    module->imports[0] = (struct wasm_import){wasm_slice_of("env"), wasm_slice_of("memory"),
                                              WASM_MEMORY, .memory = {0}};
    module->imports[1] =
        (struct wasm_import){wasm_slice_of("env"), wasm_slice_of("__indirect_function_table"),
                             WASM_TABLE, .table = {.element = WASM_FUNCREF}};
    module->import_count = 2;
    module->imported[WASM_MEMORY] = module->imported[WASM_TABLE] = 1;
}

static struct wasm_import *add_import(struct sample *sample, const char *module, const char *name,
                                      enum wasm_kind kind) {
    struct wasm_import *import = &sample->module.imports[sample->module.import_count++];
    assert_true(sample->module.import_count <= MAX_ITEMS);
    import->module = wasm_slice_of(module);
    import->name = wasm_slice_of(name);
    import->kind = kind;
    return import;
}

uint32_t sample_import_function(struct sample *sample, const char *module, const char *name,
                                enum sample_type type) {
    add_import(sample, module, name, WASM_FUNCTION)->type = type;
    return sample->module.imported[WASM_FUNCTION]++;
}

uint32_t sample_import_global(struct sample *sample, const char *module, const char *name,
                              bool mutable) {
    add_import(sample, module, name, WASM_GLOBAL)->global =
        (struct wasm_global_type){WASM_I32, mutable};
    return sample->module.imported[WASM_GLOBAL]++;
}

static struct wasm_slice keep(struct sample *sample, struct wasm_buffer *buffer) {
    uint8_t *copy = wasm_alloc(&sample->module, buffer->size, 1);
    assert_non_null(copy);
    memcpy(copy, buffer->data, buffer->size);
    struct wasm_slice slice = {copy, buffer->size};
    wasm_buffer_free(buffer);
    return slice;
}

uint32_t sample_function(struct sample *sample, enum sample_type type, const uint8_t *code,
                         size_t size) {
    struct wasm_buffer body = {0};
    wasm_put_byte(&body, 0);
    wasm_put(&body, code, size);
    wasm_put_byte(&body, WASM_OP_END);
    uint32_t number = sample->module.function_count++;
    assert_true(number < MAX_ITEMS);
    sample->module.functions[number] = (struct wasm_function){type, keep(sample, &body)};
    return sample->module.imported[WASM_FUNCTION] + number;
}

uint32_t sample_global(struct sample *sample, int32_t value, bool mutable) {
    uint32_t number = sample->module.global_count++;
    sample->module.globals[number] =
        (struct wasm_global){{WASM_I32, mutable}, wasm_i32_const(&sample->module, value)};
    return sample->module.imported[WASM_GLOBAL] + number;
}

void sample_export(struct sample *sample, const char *name, enum wasm_kind kind, uint32_t index) {
    assert_true(sample->module.export_count < MAX_ITEMS);
    sample->module.exports[sample->module.export_count++] =
        (struct wasm_export){wasm_slice_of(name), kind, index};
}

static struct wasm_slice global_expression(struct sample *sample, uint8_t global) {
    struct wasm_buffer expression = {0};
    wasm_put(&expression, CODE(WASM_OP_GLOBAL_GET, global, WASM_OP_END));
    return keep(sample, &expression);
}

void sample_data(struct sample *sample, uint8_t base_global, const void *bytes, size_t size) {
    struct wasm_buffer copy = {0};
    wasm_put(&copy, bytes, size);
    sample->module.data[sample->module.data_count++] =
        (struct wasm_data){.mode = WASM_ACTIVE,
                           .offset = global_expression(sample, base_global),
                           .bytes = keep(sample, &copy)};
}

void sample_element(struct sample *sample, uint8_t base_global, uint32_t function) {
    struct wasm_element *element = &sample->module.elements[sample->module.element_count++];
    *element = (struct wasm_element){.mode = WASM_ACTIVE,
                                     .offset = global_expression(sample, base_global),
                                     .type = WASM_FUNCREF,
                                     .count = 1};
    element->functions = wasm_alloc(&sample->module, 1, sizeof *element->functions);
    element->functions[0] = function;
}

static void put_subsection(struct wasm_buffer *out, uint8_t id, struct wasm_buffer *content) {
    wasm_put_byte(out, id);
    wasm_put_slice(out, (struct wasm_slice){content->data, content->size});
    content->size = 0;
}

void sample_name(struct sample *sample, uint32_t function, const char *name) {
    enum { FUNCTION_NAMES = 1 };
    struct wasm_buffer section = {0}, content = {0};
    wasm_put_u(&content, 1);
    wasm_put_u(&content, function);
    wasm_put_slice(&content, wasm_slice_of(name));
    put_subsection(&section, FUNCTION_NAMES, &content);
    wasm_buffer_free(&content);
    sample->module.customs[sample->module.custom_count++] = (struct wasm_custom){
        .name = wasm_slice_of("name"), .bytes = keep(sample, &section), .after = WASM_SECTION_DATA};
}

void sample_dylink(struct sample *sample, uint32_t memory_size, uint32_t memory_alignment_log2,
                   uint32_t table_size, const char *needed, const char *weak) {
    struct wasm_buffer section = {0}, content = {0};
    wasm_put_u(&content, memory_size);
    wasm_put_u(&content, memory_alignment_log2);
    wasm_put_u(&content, table_size);
    wasm_put_u(&content, 0);
    put_subsection(&section, 1, &content);
    if (needed) {
        wasm_put_u(&content, 1);
        wasm_put_slice(&content, wasm_slice_of(needed));
        put_subsection(&section, 2, &content);
    }
    if (weak) {
        wasm_put_u(&content, 1);
        wasm_put_slice(&content, wasm_slice_of("env"));
        wasm_put_slice(&content, wasm_slice_of(weak));
        wasm_put_u(&content, 0x11);
        put_subsection(&section, 4, &content);
    }
    wasm_buffer_free(&content);
    sample->module.customs[sample->module.custom_count++] =
        (struct wasm_custom){.name = wasm_slice_of("dylink.0"), .bytes = keep(sample, &section)};
}

void sample_write_bytes(const char *path, const void *data, size_t size) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void sample_write(struct sample *sample, const char *path) {
    struct wasm_buffer binary = {0};
    assert_true(wasm_encode(&sample->module, &binary));
    sample_write_bytes(path, binary.data, binary.size);
    wasm_buffer_free(&binary);
    wasm_free(&sample->module);
}

static char folder[512];

const char *sample_folder(void) {
    return folder;
}

const char *sample_path(const char *name) {
    static char paths[16][1024];
    static unsigned turn;
    char *path = paths[turn++ % 16];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

bool sample_exists(const char *name) {
    return access(sample_path(name), F_OK) == 0;
}

static struct dirent *next_file(DIR *directory) {
    struct dirent *entry;
    while ((entry = readdir(directory)) && entry->d_name[0] == '.')
        continue;
    return entry;
}

int sample_file_count(void) {
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    int count = 0;
    while (next_file(directory))
        count++;
    closedir(directory);
    return count;
}

int sample_make_folder(void **state) {
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/eryx-test.XXXXXX", parent ? parent : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

int sample_remove_folder(void **state) {
    (void)state;
    DIR *directory = opendir(folder);
    struct dirent *entry;
    while (directory && (entry = next_file(directory)))
        remove(sample_path(entry->d_name));
    if (directory)
        closedir(directory);
    return rmdir(folder);
}

static char messages[16384];

const char *sample_messages(void) {
    return messages;
}

/* Both streams go to a file meanwhile. */
static int run_caught(int (*run)(int, char **), int argc, char **argv) {
    FILE *caught = tmpfile();
    assert_non_null(caught);
    fflush(NULL);
    int out = dup(1), err = dup(2);
    dup2(fileno(caught), 1);
    dup2(fileno(caught), 2);
    int result = run(argc, argv);
    fflush(NULL);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    rewind(caught);
    messages[fread(messages, 1, sizeof messages - 1, caught)] = 0;
    fclose(caught);
    return result;
}

int sample_run(int (*run)(int argc, char **argv), ...) {
    char *argv[MAX_ITEMS + 1] = {0};
    int argc = 0;
    va_list arguments;
    va_start(arguments, run);
    for (char *argument; argc < MAX_ITEMS && (argument = va_arg(arguments, char *));)
        argv[argc++] = argument;
    va_end(arguments);
    return run_caught(run, argc, argv);
}
