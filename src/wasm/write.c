/* A growing buffer, LEB128 numbers, and the module's binary format. */
#include <stdlib.h>
#include <string.h>

#include "wasm.h"

void wasm_buffer_free(struct wasm_buffer *buffer) {
    free(buffer->data);
    *buffer = (struct wasm_buffer){0};
}

void wasm_put(struct wasm_buffer *buffer, const void *data, size_t size) {
    if (buffer->failed || size == 0)
        return;
    if (size > buffer->capacity - buffer->size) {
        size_t capacity = buffer->capacity ? buffer->capacity : 256;
        while (capacity - buffer->size < size && capacity < SIZE_MAX / 2)
            capacity *= 2;
        uint8_t *bigger = capacity - buffer->size >= size ? realloc(buffer->data, capacity) : NULL;
        if (!bigger) {
            buffer->failed = true;
            return;
        }
        buffer->data = bigger;
        buffer->capacity = capacity;
    }
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void wasm_put_byte(struct wasm_buffer *buffer, uint8_t byte) {
    wasm_put(buffer, &byte, 1);
}

void wasm_put_u(struct wasm_buffer *buffer, uint64_t value) {
    do {
        uint8_t byte = value & 0x7f;
        value >>= 7;
        wasm_put_byte(buffer, value ? byte | 0x80 : byte);
    } while (value);
}

void wasm_put_s(struct wasm_buffer *buffer, int64_t value) {
    for (;;) {
        uint8_t byte = value & 0x7f;
        value >>= 7;
        if ((value == 0 && !(byte & 0x40)) || (value == -1 && byte & 0x40)) {
            wasm_put_byte(buffer, byte);
            return;
        }
        wasm_put_byte(buffer, byte | 0x80);
    }
}

void wasm_put_slice(struct wasm_buffer *buffer, struct wasm_slice slice) {
    wasm_put_u(buffer, slice.size);
    wasm_put(buffer, slice.data, slice.size);
}

static void put_limits(struct wasm_buffer *out, const struct wasm_limits *limits) {
    wasm_put_byte(out, limits->flags);
    wasm_put_u(out, limits->min);
    if (limits->flags & 1)
        wasm_put_u(out, limits->max);
}

static void put_table(struct wasm_buffer *out, const struct wasm_table *table) {
    wasm_put_byte(out, table->element);
    put_limits(out, &table->limits);
}

static void put_global_type(struct wasm_buffer *out, const struct wasm_global_type *type) {
    wasm_put_byte(out, type->value);
    wasm_put_byte(out, type->mutable);
}

static void put_types(struct wasm_buffer *out, const struct wasm_module *module) {
    wasm_put_u(out, module->type_count);
    for (uint32_t i = 0; i < module->type_count; i++) {
        wasm_put_byte(out, 0x60);
        wasm_put_slice(out, module->types[i].params);
        wasm_put_slice(out, module->types[i].results);
    }
}

static void put_imports(struct wasm_buffer *out, const struct wasm_module *module) {
    wasm_put_u(out, module->import_count);
    for (uint32_t i = 0; i < module->import_count; i++) {
        const struct wasm_import *import = &module->imports[i];
        wasm_put_slice(out, import->module);
        wasm_put_slice(out, import->name);
        wasm_put_byte(out, (uint8_t)import->kind);
        if (import->kind == WASM_TABLE)
            put_table(out, &import->table);
        else if (import->kind == WASM_MEMORY)
            put_limits(out, &import->memory);
        else if (import->kind == WASM_GLOBAL)
            put_global_type(out, &import->global);
        else {
            if (import->kind == WASM_TAG)
                wasm_put_byte(out, 0);
            wasm_put_u(out, import->type);
        }
    }
}

static void put_functions(struct wasm_buffer *out, const struct wasm_module *module) {
    wasm_put_u(out, module->function_count);
    for (uint32_t i = 0; i < module->function_count; i++)
        wasm_put_u(out, module->functions[i].type);
}

static void put_tables(struct wasm_buffer *out, const struct wasm_module *module) {
    wasm_put_u(out, module->table_count);
    for (uint32_t i = 0; i < module->table_count; i++)
        put_table(out, &module->tables[i]);
}

static void put_memories(struct wasm_buffer *out, const struct wasm_module *module) {
    wasm_put_u(out, module->memory_count);
    for (uint32_t i = 0; i < module->memory_count; i++)
        put_limits(out, &module->memories[i]);
}

static void put_tags(struct wasm_buffer *out, const struct wasm_module *module) {
    wasm_put_u(out, module->tag_count);
    for (uint32_t i = 0; i < module->tag_count; i++) {
        wasm_put_byte(out, 0);
        wasm_put_u(out, module->tags[i]);
    }
}

static void put_globals(struct wasm_buffer *out, const struct wasm_module *module) {
    wasm_put_u(out, module->global_count);
    for (uint32_t i = 0; i < module->global_count; i++) {
        put_global_type(out, &module->globals[i].type);
        wasm_put(out, module->globals[i].init.data, module->globals[i].init.size);
    }
}

static void put_exports(struct wasm_buffer *out, const struct wasm_module *module) {
    wasm_put_u(out, module->export_count);
    for (uint32_t i = 0; i < module->export_count; i++) {
        wasm_put_slice(out, module->exports[i].name);
        wasm_put_byte(out, (uint8_t)module->exports[i].kind);
        wasm_put_u(out, module->exports[i].index);
    }
}

static void put_start(struct wasm_buffer *out, const struct wasm_module *module) {
    wasm_put_u(out, module->start);
}

/* Flags: 1 not active; 2 table index (active) or declared; 4 expressions. The shortest form is
 * taken: table 0 of funcref needs neither index nor type. */
static void put_elements(struct wasm_buffer *out, const struct wasm_module *module) {
    wasm_put_u(out, module->element_count);
    for (uint32_t i = 0; i < module->element_count; i++) {
        const struct wasm_element *element = &module->elements[i];
        bool active = element->mode == WASM_ACTIVE;
        bool explicit = active ? element->table != 0 || element->type != WASM_FUNCREF
                               : element->mode == WASM_DECLARED;
        wasm_put_byte(out, (active ? 0 : 1) + (explicit ? 2 : 0) + (element->functions ? 0 : 4));
        if (active && explicit)
            wasm_put_u(out, element->table);
        if (active)
            wasm_put(out, element->offset.data, element->offset.size);
        if (!active || explicit)
            wasm_put_byte(out, element->functions ? 0 : element->type);
        wasm_put_u(out, element->count);
        for (uint32_t j = 0; j < element->count; j++) {
            if (element->functions)
                wasm_put_u(out, element->functions[j]);
            else
                wasm_put(out, element->expressions[j].data, element->expressions[j].size);
        }
    }
}

static void put_data_count(struct wasm_buffer *out, const struct wasm_module *module) {
    wasm_put_u(out, module->data_count);
}

static void put_code(struct wasm_buffer *out, const struct wasm_module *module) {
    wasm_put_u(out, module->function_count);
    for (uint32_t i = 0; i < module->function_count; i++)
        wasm_put_slice(out, module->functions[i].body);
}

static void put_data(struct wasm_buffer *out, const struct wasm_module *module) {
    wasm_put_u(out, module->data_count);
    for (uint32_t i = 0; i < module->data_count; i++) {
        const struct wasm_data *data = &module->data[i];
        bool active = data->mode == WASM_ACTIVE;
        wasm_put_byte(out, !active ? 1 : data->memory ? 2 : 0);
        if (active && data->memory)
            wasm_put_u(out, data->memory);
        if (active)
            wasm_put(out, data->offset.data, data->offset.size);
        wasm_put_slice(out, data->bytes);
    }
}

/* The content is made first because its size stands in front of it. */
static void put_section(struct wasm_buffer *out, uint8_t id, const struct wasm_buffer *content) {
    if (content->failed || content->size > UINT32_MAX) {
        out->failed = true;
        return;
    }
    wasm_put_byte(out, id);
    wasm_put_slice(out, (struct wasm_slice){content->data, content->size});
}

static void put_customs(struct wasm_buffer *out, const struct wasm_module *module, uint8_t after) {
    for (uint32_t i = 0; i < module->custom_count; i++) {
        const struct wasm_custom *custom = &module->customs[i];
        if (custom->after != after)
            continue;
        struct wasm_buffer content = {0};
        wasm_put_slice(&content, custom->name);
        wasm_put(&content, custom->bytes.data, custom->bytes.size);
        put_section(out, 0, &content);
        wasm_buffer_free(&content);
    }
}

bool wasm_encode(const struct wasm_module *module, struct wasm_buffer *out) {
    const struct {
        uint8_t id;
        bool present;
        void (*put)(struct wasm_buffer *, const struct wasm_module *);
    } sections[] = {
        {WASM_SECTION_TYPE, module->type_count, put_types},
        {WASM_SECTION_IMPORT, module->import_count, put_imports},
        {WASM_SECTION_FUNCTION, module->function_count, put_functions},
        {WASM_SECTION_TABLE, module->table_count, put_tables},
        {WASM_SECTION_MEMORY, module->memory_count, put_memories},
        {WASM_SECTION_TAG, module->tag_count, put_tags},
        {WASM_SECTION_GLOBAL, module->global_count, put_globals},
        {WASM_SECTION_EXPORT, module->export_count, put_exports},
        {WASM_SECTION_START, module->has_start, put_start},
        {WASM_SECTION_ELEMENT, module->element_count, put_elements},
        {WASM_SECTION_DATA_COUNT, module->has_data_count, put_data_count},
        {WASM_SECTION_CODE, module->function_count, put_code},
        {WASM_SECTION_DATA, module->data_count, put_data},
    };
    wasm_put(out, "\0asm\1\0\0", 8);
    put_customs(out, module, 0);
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (sections[i].present) {
            struct wasm_buffer content = {0};
            sections[i].put(&content, module);
            put_section(out, sections[i].id, &content);
            wasm_buffer_free(&content);
        }
        put_customs(out, module, sections[i].id);
    }
    return !out->failed && out->size <= UINT32_MAX;
}
