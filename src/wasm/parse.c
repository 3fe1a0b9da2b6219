/* From the binary format to struct wasm_module. Checks structure, counts and the indices outside
 * of code; types of code are the engine's business. */
#include <stdlib.h>
#include <string.h>

#include "wasm.h"

enum { MAX_BODY_SIZE = 7654321 };

struct wasm_chunk {
    struct wasm_chunk *next;
    max_align_t data[];
};

struct parser {
    struct wasm_reader reader; /* of the section being read */
    struct wasm_module *module;
    uint32_t declared_functions; /* of the function section */
    bool has_code;
    uint32_t declared_data; /* of the data count section */
};

void *wasm_alloc(struct wasm_module *module, size_t count, size_t item_size) {
    if (item_size && count > (SIZE_MAX - sizeof(struct wasm_chunk)) / item_size)
        return NULL;
    struct wasm_chunk *chunk = calloc(1, sizeof *chunk + count * item_size);
    if (!chunk)
        return NULL;
    chunk->next = module->memory_;
    module->memory_ = chunk;
    return chunk->data;
}

void wasm_free(struct wasm_module *module) {
    while (module->memory_) {
        struct wasm_chunk *chunk = module->memory_;
        module->memory_ = chunk->next;
        free(chunk);
    }
    *module = (struct wasm_module){0};
}

/* An array for a vector whose items take at least min_size bytes each. */
static void *get_vector(struct parser *parser, uint32_t *count, size_t min_size, size_t item_size) {
    struct wasm_reader *reader = &parser->reader;
    *count = wasm_get_u32(reader);
    size_t left = (size_t)(reader->end - reader->next);
    if (*count > left / min_size) {
        wasm_fail(reader, "%u items do not fit into %zu bytes", *count, left);
        *count = 0;
    }
    void *items = wasm_alloc(parser->module, *count, item_size);
    if (!items) {
        wasm_fail(reader, "out of memory");
        *count = 0;
    }
    return items;
}

static uint32_t get_index(struct parser *parser, uint32_t limit, const char *what) {
    uint32_t index = wasm_get_u32(&parser->reader);
    if (index >= limit)
        wasm_fail(&parser->reader, "%s %u of %u", what, index, limit);
    return index;
}

static uint32_t space_size(const struct wasm_module *module, enum wasm_kind kind) {
    const uint32_t defined[WASM_KIND_COUNT] = {module->function_count, module->table_count,
                                               module->memory_count, module->global_count,
                                               module->tag_count};
    return module->imported[kind] + defined[kind];
}

static uint8_t get_value_type(struct parser *parser) {
    uint8_t type = wasm_get_byte(&parser->reader);
    switch (type) {
    case WASM_I32:
    case WASM_I64:
    case WASM_F32:
    case WASM_F64:
    case WASM_V128:
    case WASM_FUNCREF:
    case WASM_EXTERNREF:
    case WASM_EXNREF:
        return type;
    }
    wasm_fail(&parser->reader, "value type 0x%02x is unknown or not supported", type);
    return type;
}

static uint8_t get_reference_type(struct parser *parser) {
    uint8_t type = get_value_type(parser);
    if (type != WASM_FUNCREF && type != WASM_EXTERNREF && type != WASM_EXNREF)
        wasm_fail(&parser->reader, "0x%02x is no reference type", type);
    return type;
}

static struct wasm_slice get_name(struct parser *parser) {
    return wasm_get_slice(&parser->reader);
}

static struct wasm_limits get_limits(struct parser *parser) {
    struct wasm_limits limits = {.flags = wasm_get_byte(&parser->reader)};
    if (limits.flags > 7)
        wasm_fail(&parser->reader, "unknown limits flags 0x%02x", limits.flags);
    limits.min = wasm_get_u64(&parser->reader);
    if (limits.flags & 1) {
        limits.max = wasm_get_u64(&parser->reader);
        if (limits.max < limits.min)
            wasm_fail(&parser->reader, "limits: maximum below minimum");
    }
    return limits;
}

static struct wasm_table get_table(struct parser *parser) {
    struct wasm_table table = {.element = get_reference_type(parser)};
    table.limits = get_limits(parser);
    return table;
}

static struct wasm_global_type get_global_type(struct parser *parser) {
    struct wasm_global_type type = {.value = get_value_type(parser)};
    uint8_t mutable = wasm_get_byte(&parser->reader);
    if (mutable > 1)
        wasm_fail(&parser->reader, "malformed mutability %u", mutable);
    type.mutable = mutable;
    return type;
}

static uint32_t get_tag(struct parser *parser) {
    if (wasm_get_byte(&parser->reader) != 0)
        wasm_fail(&parser->reader, "unknown tag attribute");
    return get_index(parser, parser->module->type_count, "type");
}

/* Globals and functions it names must exist; a global may use those before it. */
static struct wasm_slice get_expression(struct parser *parser) {
    struct wasm_reader *reader = &parser->reader;
    struct wasm_module *module = parser->module;
    const uint8_t *begin = reader->next;
    struct wasm_instruction instruction = {0};
    while (wasm_next_instruction(reader, &instruction)) {
        uint32_t opcode = instruction.opcode;
        if (opcode == WASM_OP_END)
            return (struct wasm_slice){begin, (size_t)(reader->next - begin)};
        bool number = opcode >= WASM_OP_I32_CONST && opcode <= 0x44;
        bool arithmetic = (opcode >= 0x6a && opcode <= 0x6c) || (opcode >= 0x7c && opcode <= 0x7e);
        bool vector = opcode == (0xfdu << 16 | 12);
        bool reference = opcode == WASM_OP_REF_NULL || opcode == WASM_OP_REF_FUNC;
        if (!number && !arithmetic && !vector && !reference && opcode != WASM_OP_GLOBAL_GET)
            wasm_fail(reader, "instruction 0x%x is not constant", opcode);
        for (uint32_t i = 0; i < instruction.operand_count && !reader->failed; i++) {
            const struct wasm_operand *operand = &instruction.operands[i];
            uint32_t limit = operand->kind == WASM_OPERAND_BLOCK_TYPE
                                 ? module->type_count
                                 : space_size(module, (enum wasm_kind)operand->kind);
            if (operand->value >= limit)
                wasm_fail(reader, "index %u of %u", operand->value, limit);
        }
    }
    wasm_fail(reader, "unexpected end of an expression");
    return (struct wasm_slice){begin, 0};
}

static void get_types(struct parser *parser) {
    struct wasm_module *module = parser->module;
    module->types = get_vector(parser, &module->type_count, 3, sizeof *module->types);
    for (uint32_t i = 0; i < module->type_count; i++) {
        uint8_t form = wasm_get_byte(&parser->reader);
        if (form != 0x60)
            wasm_fail(&parser->reader, "type form 0x%02x is unknown or not supported", form);
        struct wasm_slice *lists[] = {&module->types[i].params, &module->types[i].results};
        for (int j = 0; j < 2; j++) {
            uint32_t count = wasm_get_u32(&parser->reader);
            const uint8_t *begin = parser->reader.next;
            for (uint32_t k = 0; k < count && !parser->reader.failed; k++)
                get_value_type(parser);
            *lists[j] = (struct wasm_slice){begin, parser->reader.failed ? 0 : count};
        }
    }
}

static void get_imports(struct parser *parser) {
    struct wasm_module *module = parser->module;
    module->imports = get_vector(parser, &module->import_count, 4, sizeof *module->imports);
    for (uint32_t i = 0; i < module->import_count && !parser->reader.failed; i++) {
        struct wasm_import *import = &module->imports[i];
        import->module = get_name(parser);
        import->name = get_name(parser);
        uint8_t kind = wasm_get_byte(&parser->reader);
        import->kind = (enum wasm_kind)kind;
        switch (kind) {
        case WASM_FUNCTION:
            import->type = get_index(parser, module->type_count, "type");
            break;
        case WASM_TABLE:
            import->table = get_table(parser);
            break;
        case WASM_MEMORY:
            import->memory = get_limits(parser);
            break;
        case WASM_GLOBAL:
            import->global = get_global_type(parser);
            break;
        case WASM_TAG:
            import->type = get_tag(parser);
            break;
        default:
            wasm_fail(&parser->reader, "unknown import kind %u", kind);
            return;
        }
        module->imported[kind]++;
    }
}

static void get_functions(struct parser *parser) {
    struct wasm_module *module = parser->module;
    module->functions = get_vector(parser, &module->function_count, 1, sizeof *module->functions);
    for (uint32_t i = 0; i < module->function_count; i++)
        module->functions[i].type = get_index(parser, module->type_count, "type");
    parser->declared_functions = module->function_count;
}

static void get_tables(struct parser *parser) {
    struct wasm_module *module = parser->module;
    module->tables = get_vector(parser, &module->table_count, 3, sizeof *module->tables);
    for (uint32_t i = 0; i < module->table_count; i++)
        module->tables[i] = get_table(parser);
}

static void get_memories(struct parser *parser) {
    struct wasm_module *module = parser->module;
    module->memories = get_vector(parser, &module->memory_count, 2, sizeof *module->memories);
    for (uint32_t i = 0; i < module->memory_count; i++)
        module->memories[i] = get_limits(parser);
}

static void get_tags(struct parser *parser) {
    struct wasm_module *module = parser->module;
    module->tags = get_vector(parser, &module->tag_count, 2, sizeof *module->tags);
    for (uint32_t i = 0; i < module->tag_count; i++)
        module->tags[i] = get_tag(parser);
}

static void get_globals(struct parser *parser) {
    struct wasm_module *module = parser->module;
    uint32_t count;
    module->globals = get_vector(parser, &count, 3, sizeof *module->globals);
    for (module->global_count = 0; module->global_count < count; module->global_count++) {
        struct wasm_global *global = &module->globals[module->global_count];
        global->type = get_global_type(parser);
        global->init = get_expression(parser);
    }
}

static void get_exports(struct parser *parser) {
    struct wasm_module *module = parser->module;
    module->exports = get_vector(parser, &module->export_count, 3, sizeof *module->exports);
    for (uint32_t i = 0; i < module->export_count && !parser->reader.failed; i++) {
        module->exports[i].name = get_name(parser);
        uint8_t kind = wasm_get_byte(&parser->reader);
        if (kind >= WASM_KIND_COUNT) {
            wasm_fail(&parser->reader, "unknown export kind %u", kind);
            return;
        }
        module->exports[i].kind = (enum wasm_kind)kind;
        module->exports[i].index =
            get_index(parser, space_size(module, (enum wasm_kind)kind), "exported index");
    }
}

static void get_start(struct parser *parser) {
    parser->module->has_start = true;
    parser->module->start =
        get_index(parser, space_size(parser->module, WASM_FUNCTION), "start function");
}

static void get_element_items(struct parser *parser, struct wasm_element *element,
                              bool expressions) {
    if (expressions) {
        element->expressions = get_vector(parser, &element->count, 2, sizeof *element->expressions);
        for (uint32_t i = 0; i < element->count; i++)
            element->expressions[i] = get_expression(parser);
        return;
    }
    element->functions = get_vector(parser, &element->count, 1, sizeof *element->functions);
    uint32_t limit = space_size(parser->module, WASM_FUNCTION);
    for (uint32_t i = 0; i < element->count; i++)
        element->functions[i] = get_index(parser, limit, "function");
}

static void get_elements(struct parser *parser) {
    struct wasm_module *module = parser->module;
    module->elements = get_vector(parser, &module->element_count, 2, sizeof *module->elements);
    for (uint32_t i = 0; i < module->element_count && !parser->reader.failed; i++) {
        struct wasm_element *element = &module->elements[i];
        uint32_t flags = get_index(parser, 8, "element flags");
        bool active = !(flags & 1), explicit = flags & 2, expressions = flags & 4;
        element->mode = active ? WASM_ACTIVE : explicit ? WASM_DECLARED : WASM_PASSIVE;
        element->type = WASM_FUNCREF;
        if (active && explicit)
            element->table = wasm_get_u32(&parser->reader);
        if (active) {
            if (element->table >= space_size(module, WASM_TABLE))
                wasm_fail(&parser->reader, "table %u", element->table);
            element->offset = get_expression(parser);
        }
        if (!active || explicit) {
            if (expressions)
                element->type = get_reference_type(parser);
            else if (wasm_get_byte(&parser->reader) != 0)
                wasm_fail(&parser->reader, "unknown element kind");
        }
        get_element_items(parser, element, expressions);
    }
}

static void get_data_count(struct parser *parser) {
    parser->module->has_data_count = true;
    parser->declared_data = wasm_get_u32(&parser->reader);
}

static void get_code(struct parser *parser) {
    struct wasm_reader *reader = &parser->reader;
    uint32_t count = wasm_get_u32(reader);
    if (count != parser->declared_functions)
        wasm_fail(reader, "%u bodies for %u functions", count, parser->declared_functions);
    parser->has_code = true;
    for (uint32_t i = 0; i < count && !reader->failed; i++) {
        struct wasm_slice body = wasm_get_slice(reader);
        if (body.size == 0 || body.size > MAX_BODY_SIZE)
            wasm_fail(reader, "body of %zu bytes", body.size);
        parser->module->functions[i].body = body;
    }
}

static void get_data(struct parser *parser) {
    struct wasm_module *module = parser->module;
    module->data = get_vector(parser, &module->data_count, 2, sizeof *module->data);
    for (uint32_t i = 0; i < module->data_count && !parser->reader.failed; i++) {
        struct wasm_data *data = &module->data[i];
        uint32_t flags = get_index(parser, 3, "data flags");
        data->mode = flags == 1 ? WASM_PASSIVE : WASM_ACTIVE;
        if (flags == 2)
            data->memory = wasm_get_u32(&parser->reader);
        if (data->mode == WASM_ACTIVE) {
            if (data->memory >= space_size(module, WASM_MEMORY))
                wasm_fail(&parser->reader, "memory %u", data->memory);
            data->offset = get_expression(parser);
        }
        data->bytes = wasm_get_slice(&parser->reader);
    }
    if (module->has_data_count && module->data_count != parser->declared_data)
        wasm_fail(&parser->reader, "%u data segments, %u declared", module->data_count,
                  parser->declared_data);
}

/* In the order they must have in the file. */
static const struct section {
    uint8_t id;
    void (*get)(struct parser *);
} sections[] = {
    {WASM_SECTION_TYPE, get_types},
    {WASM_SECTION_IMPORT, get_imports},
    {WASM_SECTION_FUNCTION, get_functions},
    {WASM_SECTION_TABLE, get_tables},
    {WASM_SECTION_MEMORY, get_memories},
    {WASM_SECTION_TAG, get_tags},
    {WASM_SECTION_GLOBAL, get_globals},
    {WASM_SECTION_EXPORT, get_exports},
    {WASM_SECTION_START, get_start},
    {WASM_SECTION_ELEMENT, get_elements},
    {WASM_SECTION_DATA_COUNT, get_data_count},
    {WASM_SECTION_CODE, get_code},
    {WASM_SECTION_DATA, get_data},
};

enum { SECTION_COUNT = sizeof sections / sizeof sections[0] };

static void get_custom(struct parser *parser, uint8_t after) {
    struct wasm_custom *custom = &parser->module->customs[parser->module->custom_count++];
    custom->name = get_name(parser);
    custom->bytes =
        wasm_get_bytes(&parser->reader, (size_t)(parser->reader.end - parser->reader.next));
    custom->after = after;
}

static bool alloc_customs(struct parser *parser, struct wasm_reader file) {
    size_t count = 0;
    while (file.next < file.end) {
        count += wasm_get_byte(&file) == WASM_SECTION_CUSTOM;
        wasm_get_slice(&file);
    }
    parser->module->customs = wasm_alloc(parser->module, count, sizeof *parser->module->customs);
    return parser->module->customs;
}

static void get_section(struct parser *parser, uint8_t id, size_t *position) {
    if (id == WASM_SECTION_CUSTOM) {
        get_custom(parser, *position ? sections[*position - 1].id : WASM_SECTION_CUSTOM);
        return;
    }
    size_t i = *position;
    while (i < SECTION_COUNT && sections[i].id != id)
        i++;
    if (i == SECTION_COUNT) {
        wasm_fail(&parser->reader, "section %u is unknown, double or out of order", id);
        return;
    }
    *position = i + 1;
    sections[i].get(parser);
    if (parser->reader.next != parser->reader.end)
        wasm_fail(&parser->reader, "section %u has bytes left over", id);
}

static void get_module(struct parser *parser, struct wasm_reader *file) {
    struct wasm_slice magic = wasm_get_bytes(file, 8);
    if (!file->failed && memcmp(magic.data, "\0asm\1\0\0", 8) != 0) {
        file->next = file->begin;
        wasm_fail(file, "no core WebAssembly module of version 1");
    }
    if (!file->failed && !alloc_customs(parser, *file))
        wasm_fail(file, "out of memory");
    size_t position = 0;
    while (file->next < file->end) {
        uint8_t id = wasm_get_byte(file);
        struct wasm_slice content = wasm_get_slice(file);
        if (file->failed)
            return;
        parser->reader = wasm_reader_of(content);
        parser->reader.base = (size_t)(content.data - file->begin);
        get_section(parser, id, &position);
        if (parser->reader.failed) {
            file->failed = true;
            file->error = parser->reader.error;
            return;
        }
    }
    if (parser->declared_functions && !parser->has_code)
        wasm_fail(file, "functions without code section");
    if (parser->module->has_data_count && parser->module->data_count != parser->declared_data)
        wasm_fail(file, "%u data segments, %u declared", parser->module->data_count,
                  parser->declared_data);
}

bool wasm_parse(const void *data, size_t size, struct wasm_module *out, struct wasm_error *error) {
    *out = (struct wasm_module){0};
    struct parser parser = {.module = out};
    struct wasm_reader file = wasm_reader_of((struct wasm_slice){data, size});
    get_module(&parser, &file);
    if (file.failed) {
        *error = file.error;
        wasm_free(out);
    }
    return !file.failed;
}
