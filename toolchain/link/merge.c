/* Puts the merged module together: imports, libraries' functions one after the other, stubs for
 * absent weak functions, eryx_ctors, charged bodies; one memory, one table, constants, exports. */
#include "link/link.h"

#include <string.h>

uint32_t merge_constructors_index(const struct link *link)
{
    uint32_t index = link->import_count + link->stub_count;
    for (uint32_t i = 0; i < link->library_count; i++)
        if (link->libraries[i].included)
            index += link->libraries[i].module.function_count;
    return index;
}

/* Gives every function its number and fills the libraries' maps. */
static bool number_all(struct link *link)
{
    uint32_t function = link->import_count, data = 0, element = 0;
    for (uint32_t i = 0; i < link->library_count; i++) {
        struct library *library = &link->libraries[i];
        uint32_t imported = library->module.imported[WASM_FUNCTION];
        if (!library->included)
            continue;
        for (uint32_t j = 0; j < library->module.function_count; j++)
            library->functions[imported + j] = function++;
        for (uint32_t j = 0; j < library->module.type_count; j++)
            if (!resolve_type(link, &library->module.types[j], &library->types[j]))
                return false;
        library->first_data = data;
        library->first_element = element;
        data += library->module.data_count;
        element += library->module.element_count;
    }
    for (uint32_t i = 0; i < link->library_count; i++) {
        struct library *library = &link->libraries[i];
        uint32_t imported = library->included ? library->module.imported[WASM_FUNCTION] : 0;
        for (uint32_t j = 0; j < imported; j++) {
            const struct link_target *target = &library->targets[j];
            if (target->kind == LINK_DEFINED)
                library->functions[j] =
                    link->libraries[target->library].functions[target->function];
            else
                library->functions[j] = target->number + (target->kind == LINK_STUB ? function : 0);
        }
    }
    return true;
}

static bool add_imports(struct link *link)
{
    struct wasm_module *output = &link->output;
    output->imports = link_alloc(link, link->import_count, sizeof *output->imports);
    if (!output->imports)
        return false;
    for (uint32_t i = 0; i < link->import_count; i++) {
        const struct link_import *from = &link->imports[i];
        output->imports[i] = *from->import;
        output->imports[i].type = link->libraries[from->library].types[from->import->type];
    }
    output->import_count = link->import_count;
    output->imported[WASM_FUNCTION] = link->import_count;
    return true;
}

static bool add_body(struct link *link, const struct library *library, uint32_t index,
                     struct wasm_buffer *scratch)
{
    const struct wasm_function *function = &library->module.functions[index];
    struct wasm_function *out = &link->output.functions[link->output.function_count++];
    struct wasm_reader reader = wasm_reader_of(function->body);
    scratch->size = 0;
    wasm_skip_locals(&reader);
    wasm_put(scratch, reader.begin, (size_t)(reader.next - reader.begin));
    rewrite_instructions(library, &reader, scratch);
    if (reader.failed) {
        step_error("malformed library: %s: function %u, byte %zu: %s; make the file again",
                   library->path, library->module.imported[WASM_FUNCTION] + index,
                   reader.error.offset, reader.error.reason);
        return false;
    }
    out->type = library->types[function->type];
    return link_copy(link, scratch, &out->body);
}

static bool add_functions(struct link *link)
{
    static const uint8_t unreachable_body[] = {0, WASM_OP_UNREACHABLE, WASM_OP_END};
    static const struct wasm_type no_type;
    struct wasm_module *output = &link->output;
    uint32_t count =
        merge_constructors_index(link) + 1 - link->import_count + link->options.charge_count;
    output->functions = link_alloc(link, count, sizeof *output->functions);
    bool done = output->functions;
    struct wasm_buffer scratch = {0};
    for (uint32_t i = 0; done && i < link->library_count; i++) {
        const struct library *library = &link->libraries[i];
        uint32_t functions = library->included ? library->module.function_count : 0;
        for (uint32_t j = 0; done && j < functions; j++)
            done = add_body(link, library, j, &scratch);
    }
    wasm_buffer_free(&scratch);
    for (uint32_t i = 0; done && i < link->stub_count; i++)
        output->functions[output->function_count++] = (struct wasm_function){
            link->stubs[i].type, {unreachable_body, sizeof unreachable_body}};
    if (!done)
        return false;
    struct wasm_function *constructors = &output->functions[output->function_count++];
    return resolve_type(link, &no_type, &constructors->type) &&
           constructors_make(link, &constructors->body) && charge_apply(link);
}

static bool add_segment(struct link *link, struct library *library, uint32_t index)
{
    const struct wasm_data *data = &library->module.data[index];
    struct wasm_data *out = &link->output.data[library->first_data + index];
    struct link_segment *segment = &library->segments[index];
    *out = *data;
    if (data->mode != WASM_ACTIVE)
        return true;
    const struct dylink *dylink = &library->dylink;
    if (!rewrite_evaluate(library, data->offset, &segment->address) ||
        segment->address < library->memory_base || data->bytes.size > dylink->memory_size ||
        segment->address - library->memory_base > dylink->memory_size - data->bytes.size) {
        step_error("malformed library: %s: data segment %u lies outside of its %u bytes; make the "
                   "file again",
                   library->path, index, dylink->memory_size);
        return false;
    }
    segment->size = data->bytes.size;
    segment->bytes = link_alloc(link, segment->size, 1);
    out->offset = wasm_i32_const(&link->output, (int32_t)segment->address);
    if (!segment->bytes || !out->offset.size)
        return false;
    if (segment->size)
        memcpy(segment->bytes, data->bytes.data, segment->size);
    out->bytes = (struct wasm_slice){segment->bytes, segment->size};
    return true;
}

/* The last segment: what is read through null pointers. */
static bool add_null_word(struct link *link)
{
    uint32_t word = (uint32_t)link->options.null_word;
    const uint8_t bytes[] = {word & 255, word >> 8 & 255, word >> 16 & 255, word >> 24};
    struct wasm_data *out = &link->output.data[link->output.data_count++];
    uint8_t *copy = link_alloc(link, sizeof bytes, 1);
    if (!copy)
        return false;
    memcpy(copy, bytes, sizeof bytes);
    *out = (struct wasm_data){.mode = WASM_ACTIVE, .bytes = {copy, sizeof bytes}};
    out->offset = wasm_i32_const(&link->output, 0);
    return out->offset.size;
}

static bool add_symbols(struct link *link)
{
    struct wasm_data *out = &link->output.data[link->output.data_count++];
    *out = (struct wasm_data){.mode = WASM_ACTIVE, .bytes = {link->table.bytes, link->table.size}};
    out->offset = wasm_i32_const(&link->output, (int32_t)link->layout.symbols);
    return out->offset.size;
}

static bool add_data(struct link *link)
{
    struct wasm_module *output = &link->output;
    for (uint32_t i = 0; i < link->library_count; i++)
        output->data_count +=
            link->libraries[i].included ? link->libraries[i].module.data_count : 0;
    output->data = link_alloc(link, output->data_count + 2, sizeof *output->data);
    if (!output->data)
        return false;
    for (uint32_t i = 0; i < link->library_count; i++) {
        struct library *library = &link->libraries[i];
        if (!library->included)
            continue;
        library->segments = link_alloc(link, library->module.data_count, sizeof *library->segments);
        if (!library->segments)
            return false;
        for (uint32_t j = 0; j < library->module.data_count; j++)
            if (!add_segment(link, library, j))
                return false;
        output->has_data_count |= library->module.has_data_count;
        relocate_data(library);
    }
    return (!link->options.symbols || add_symbols(link)) &&
           (link->options.null_word == 0 || add_null_word(link));
}

static bool add_library_element(struct link *link, const struct library *library, uint32_t index)
{
    const struct wasm_element *element = &library->module.elements[index];
    struct wasm_element *out = &link->output.elements[library->first_element + index];
    *out = *element;
    if (!element->functions) {
        step_error("cannot link library: %s: element segment %u holds expressions; link it with "
                   "wasm-ld",
                   library->path, index);
        return false;
    }
    out->functions = link_alloc(link, element->count, sizeof *out->functions);
    if (!out->functions)
        return false;
    for (uint32_t i = 0; i < element->count; i++)
        out->functions[i] = library->functions[element->functions[i]];
    uint32_t offset;
    if (element->mode != WASM_ACTIVE)
        return true;
    /* layout_table has evaluated it before. */
    if (!rewrite_evaluate(library, element->offset, &offset))
        return false;
    out->offset = wasm_i32_const(&link->output, (int32_t)offset);
    return out->offset.size;
}

static bool add_extra_element(struct link *link)
{
    struct wasm_element *out = &link->output.elements[link->output.element_count++];
    uint32_t count = link->extra_slot_count;
    *out = (struct wasm_element){.mode = WASM_ACTIVE, .type = WASM_FUNCREF, .count = count};
    out->functions = link_alloc(link, count, sizeof *out->functions);
    out->offset = wasm_i32_const(&link->output, (int32_t)(link->layout.table_size - count));
    if (!out->functions || !out->offset.size)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct link_slot *slot = &link->extra_slots[i];
        out->functions[i] = link->libraries[slot->library].functions[slot->function];
    }
    return true;
}

static bool add_elements(struct link *link)
{
    struct wasm_module *output = &link->output;
    uint32_t count = 0;
    for (uint32_t i = 0; i < link->library_count; i++)
        count += link->libraries[i].included ? link->libraries[i].module.element_count : 0;
    output->elements = link_alloc(link, count + 1, sizeof *output->elements);
    if (!output->elements)
        return false;
    output->element_count = count;
    for (uint32_t i = 0; i < link->library_count; i++) {
        const struct library *library = &link->libraries[i];
        uint32_t elements = library->included ? library->module.element_count : 0;
        for (uint32_t j = 0; j < elements; j++)
            if (!add_library_element(link, library, j))
                return false;
    }
    return link->extra_slot_count == 0 || add_extra_element(link);
}

static bool add_memory_and_table(struct link *link)
{
    struct wasm_module *output = &link->output;
    output->memories = link_alloc(link, 1, sizeof *output->memories);
    output->tables = link_alloc(link, 1, sizeof *output->tables);
    if (!output->memories || !output->tables)
        return false;
    output->memories[0].min = link->layout.memory_size / LINK_PAGE_SIZE;
    output->memory_count = 1;
    output->tables[0].element = WASM_FUNCREF;
    /* Of fixed size, so that its bounds are constants in machine code. */
    uint64_t slots = link->layout.table_size + link->options.table_room;
    output->tables[0].limits = (struct wasm_limits){.flags = 1, .min = slots, .max = slots};
    output->table_count = 1;
    return true;
}

/* Tells wasm-opt what it may use: what libraries for WASI are compiled with, nothing newer. */
static bool add_features(struct link *link)
{
    static const char *const features[] = {
        "bulk-memory",     "multivalue", "mutable-globals", "nontrapping-fptoint",
        "reference-types", "sign-ext",   "simd128"};
    struct wasm_buffer content = {0};
    wasm_put_u(&content, sizeof features / sizeof features[0]);
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
        wasm_put_byte(&content, '+');
        wasm_put_slice(&content, wasm_slice_of(features[i]));
    }
    struct wasm_custom *custom = &link->output.customs[link->output.custom_count++];
    *custom =
        (struct wasm_custom){.name = wasm_slice_of("target_features"), .after = WASM_SECTION_DATA};
    bool done = link_copy(link, &content, &custom->bytes);
    wasm_buffer_free(&content);
    return done;
}

static bool add_customs(struct link *link)
{
    link->output.customs = link_alloc(link, 2, sizeof *link->output.customs);
    return link->output.customs && (link->options.strip || names_add(link)) && add_features(link);
}

bool merge_module(struct link *link)
{
    return number_all(link) && add_imports(link) && add_data(link) && add_functions(link) &&
           add_elements(link) && add_memory_and_table(link) && exports_add(link) &&
           add_customs(link);
}
