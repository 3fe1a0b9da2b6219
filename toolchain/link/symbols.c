/* The table of symbols that extensions loaded later are linked against (src/image/symbols.h): all
 * that the libraries export to each other. A function in it gets a slot of the table, which also
 * keeps it, and its signature, through wasm-opt. */
#include "link/link.h"

#include <string.h>

#include "image/symbols.h"

static bool begins_with(struct wasm_slice name, const char *prefix)
{
    size_t size = strlen(prefix);
    return name.size >= size && memcmp(name.data, prefix, size) == 0;
}

/* What the tool chain and the world export is of no use to extensions, or harmful. */
static bool is_private(struct wasm_slice name)
{
    return begins_with(name, "__wasm_") || wasm_slice_is(name, "_initialize") ||
           begins_with(name, "eryx_") || begins_with(name, "cabi_") ||
           memchr(name.data, '#', name.size) || memchr(name.data, '-', name.size) ||
           memchr(name.data, '[', name.size);
}

/* Whether it is the one that its name and kind stand for, defined in a library that is taken. */
static bool is_taken(const struct link *link, const struct link_symbol *symbol)
{
    const struct library *library = &link->libraries[symbol->library];
    if (!library->included || symbol->name.size == 0 || symbol->name.size > SYMBOLS_NAME_MAX ||
        symbol->flags & (DYLINK_TLS | DYLINK_UNDEFINED) || is_private(symbol->name) ||
        (symbol->kind != WASM_FUNCTION && symbol->kind != WASM_GLOBAL) ||
        symbol->index < library->module.imported[symbol->kind])
        return false;
    return resolve_find(link, symbol->kind, symbol->name) == symbol;
}

bool symbols_reserve(struct link *link)
{
    struct link_table *table = &link->table;
    if (!link->options.symbols)
        return true;
    for (uint32_t i = 0; i < link->symbol_count; i++) {
        if (!is_taken(link, &link->symbols[i]))
            continue;
        table->count++;
        table->names_bytes += (uint32_t)link->symbols[i].name.size;
    }
    if (table->count > SYMBOLS_MAX) {
        step_error("the libraries export %u symbols, %u are the limit", table->count, SYMBOLS_MAX);
        return false;
    }
    table->size = (uint32_t)(sizeof(symbols_header_t) + table->count * sizeof(symbols_entry_t)) +
                  table->names_bytes;
    return true;
}

static bool value_of(struct link *link, const struct link_symbol *symbol, symbols_entry_t *out)
{
    const struct library *library = &link->libraries[symbol->library];
    uint32_t imported = library->module.imported[WASM_GLOBAL];
    if (symbol->kind == WASM_FUNCTION) {
        out->kind = SYMBOL_FUNCTION;
        out->value = resolve_slot(link, symbol);
        return true;
    }
    out->kind = SYMBOL_DATA;
    if (!rewrite_evaluate(library, library->module.globals[symbol->index - imported].init,
                          &out->value)) {
        step_error("cannot link library: %s: its export %.*s is no address", library->path,
                   (int)symbol->name.size, (const char *)symbol->name.data);
        return false;
    }
    if (!(symbol->flags & DYLINK_ABSOLUTE))
        out->value += library->memory_base;
    return true;
}

bool symbols_make(struct link *link)
{
    struct link_table *table = &link->table;
    if (!link->options.symbols)
        return true;
    table->bytes = link_alloc(link, table->size, 1);
    if (!table->bytes)
        return false;
    symbols_entry_t *entries = (void *)(table->bytes + sizeof(symbols_header_t));
    uint8_t *names = (uint8_t *)(entries + table->count);
    uint32_t count = 0, name = 0;
    for (uint32_t i = 0; i < link->symbol_count; i++) {
        const struct link_symbol *symbol = &link->symbols[i];
        if (!is_taken(link, symbol))
            continue;
        entries[count] =
            (symbols_entry_t){.name = name, .name_length = (uint32_t)symbol->name.size};
        memcpy(names + name, symbol->name.data, symbol->name.size);
        name += (uint32_t)symbol->name.size;
        if (!value_of(link, symbol, &entries[count++]))
            return false;
    }
    /* Now that the last slot is given out. */
    symbols_header_t header = {.magic = SYMBOLS_MAGIC,
                               .count = table->count,
                               .names_bytes = table->names_bytes,
                               .room_start = link->layout.table_size,
                               .room_end =
                                   link->layout.table_size + (uint32_t)link->options.table_room};
    memcpy(table->bytes, &header, sizeof header);
    return true;
}
