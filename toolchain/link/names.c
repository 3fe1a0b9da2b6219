/* Function names for profilers and traps, from the libraries' own name sections. A name section
 * that cannot be read costs names, nothing else. */
#include "link/link.h"

enum { FUNCTION_NAMES = 1, GLOBAL_NAMES = 7 };

struct name_cursor names_begin(const struct library *library)
{
    const struct wasm_custom *custom = wasm_find_custom(&library->module, "name");
    struct wasm_reader reader = wasm_reader_of(custom ? custom->bytes : (struct wasm_slice){0});
    struct name_cursor cursor = {0};
    while (reader.next < reader.end) {
        uint8_t id = wasm_get_byte(&reader);
        struct wasm_reader map = wasm_reader_of(wasm_get_slice(&reader));
        if (id == FUNCTION_NAMES && !reader.failed) {
            cursor.map = map;
            cursor.left = wasm_get_u32(&cursor.map);
        }
    }
    cursor.functions = library->module.imported[WASM_FUNCTION] + library->module.function_count;
    return cursor;
}

bool names_next(struct name_cursor *cursor)
{
    if (cursor->left == 0 || cursor->map.failed)
        return false;
    cursor->left--;
    cursor->index = wasm_get_u32(&cursor->map);
    cursor->name = wasm_get_slice(&cursor->map);
    return !cursor->map.failed && cursor->index < cursor->functions;
}

static void take_names(const struct library *library, struct wasm_slice *names)
{
    uint32_t imported = library->module.imported[WASM_FUNCTION];
    for (struct name_cursor cursor = names_begin(library); names_next(&cursor);)
        if (cursor.index >= imported)
            names[library->functions[cursor.index]] = cursor.name;
}

static void put_subsection(struct wasm_buffer *out, uint8_t id, const struct wasm_buffer *content)
{
    wasm_put_byte(out, id);
    wasm_put_slice(out, (struct wasm_slice){content->data, content->size});
    out->failed |= content->failed;
}

static void put_names(struct wasm_buffer *out, const struct wasm_slice *names, uint32_t count)
{
    struct wasm_buffer map = {0};
    uint32_t known = 0;
    for (uint32_t i = 0; i < count; i++)
        known += names[i].size != 0;
    wasm_put_u(&map, known);
    for (uint32_t i = 0; i < count; i++)
        if (names[i].size) {
            wasm_put_u(&map, i);
            wasm_put_slice(&map, names[i]);
        }
    put_subsection(out, FUNCTION_NAMES, &map);
    map.size = 0;
    wasm_put_u(&map, 1);
    wasm_put_u(&map, 0);
    wasm_put_slice(&map, wasm_slice_of("__stack_pointer"));
    put_subsection(out, GLOBAL_NAMES, &map);
    wasm_buffer_free(&map);
}

bool names_add(struct link *link)
{
    uint32_t constructors = merge_constructors_index(link);
    uint32_t count = constructors + 1 + link->options.charge_count;
    struct wasm_slice *names = link_alloc(link, count, sizeof *names);
    if (!names)
        return false;
    for (uint32_t i = 0; i < link->import_count; i++)
        names[i] = link->imports[i].import->name;
    for (uint32_t i = 0; i < link->library_count; i++)
        if (link->libraries[i].included)
            take_names(&link->libraries[i], names);
    for (uint32_t i = 0; i < link->stub_count; i++)
        names[constructors - link->stub_count + i] = link->stubs[i].name;
    names[constructors] = wasm_slice_of("eryx_ctors");
    for (uint32_t i = 0; i < link->options.charge_count; i++)
        names[constructors + 1 + i] = wasm_slice_of(link->options.charges[i].name);
    struct wasm_buffer content = {0};
    put_names(&content, names, count);
    struct wasm_custom *custom = &link->output.customs[link->output.custom_count++];
    *custom = (struct wasm_custom){.name = wasm_slice_of("name"), .after = WASM_SECTION_DATA};
    bool done = link_copy(link, &content, &custom->bytes);
    wasm_buffer_free(&content);
    return done;
}
