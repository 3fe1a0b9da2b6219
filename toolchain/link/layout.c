/* Where everything lies: see "Linear memory" in docs/architecture.md. */
#include "link/link.h"

#include <inttypes.h>

enum { MIN_DATA_ALIGNMENT = 16, HEAP_ALIGNMENT = 16 };

static uint64_t align_up(uint64_t value, uint64_t alignment)
{
    return (value + alignment - 1) & ~(alignment - 1);
}

bool layout_memory(struct link *link)
{
    const struct link_options *options = &link->options;
    uint64_t limit = (uint64_t)1 << 32;
    uint64_t stack_high = align_up(LINK_PAGE_SIZE + options->stack_size, HEAP_ALIGNMENT);
    uint64_t constant_start = align_up(stack_high, LINK_PAGE_SIZE);
    uint64_t symbols = align_up(constant_start + options->constant_size, MIN_DATA_ALIGNMENT);
    uint64_t constant_end = align_up(symbols + link->table.size, LINK_PAGE_SIZE);
    uint64_t next = constant_end;
    for (uint32_t i = 0; i < link->library_count; i++) {
        struct library *library = &link->libraries[i];
        if (!library->included)
            continue;
        uint64_t alignment = library->dylink.memory_alignment;
        next = align_up(next, alignment > MIN_DATA_ALIGNMENT ? alignment : MIN_DATA_ALIGNMENT);
        library->memory_base = (uint32_t)next;
        next += library->dylink.memory_size;
    }
    uint64_t heap_base = align_up(next, HEAP_ALIGNMENT);
    uint64_t memory_size = align_up(heap_base + options->initial_heap, LINK_PAGE_SIZE);
    /* The last page stays out, so that every address and size, the end too, fits into 32 bits. */
    if (memory_size > limit - LINK_PAGE_SIZE) {
        step_error("layout: %" PRIu64 " bytes of memory are wanted, 4 GiB are the limit; reduce "
                   "--stack, --constant-size or --initial-heap",
                   memory_size);
        return false;
    }
    link->layout.stack_low = LINK_PAGE_SIZE;
    link->layout.stack_high = (uint32_t)stack_high;
    link->layout.constant_start = (uint32_t)constant_start;
    link->layout.constant_end = (uint32_t)constant_end;
    link->layout.symbols = (uint32_t)symbols;
    link->layout.heap_base = (uint32_t)heap_base;
    link->layout.memory_size = memory_size;
    return true;
}

bool layout_symbol(const struct link *link, struct wasm_slice name, uint32_t *address)
{
    const struct link_layout *layout = &link->layout;
    const struct {
        const char *name;
        uint32_t address;
    } symbols[] = {
        {"__heap_base", layout->heap_base},
        {"__heap_end", (uint32_t)layout->memory_size},
        {"__stack_low", layout->stack_low},
        {"__stack_high", layout->stack_high},
        {"eryx_constant_start", layout->constant_start},
        {"eryx_constant_end", layout->constant_end},
    };
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++)
        if (wasm_slice_is(name, symbols[i].name)) {
            *address = symbols[i].address;
            return true;
        }
    return false;
}

/* The region of a segment is known: its offset is made of __table_base and constants. */
static bool note_slots(struct library *library, const struct wasm_element *element)
{
    uint32_t offset;
    if (element->mode != WASM_ACTIVE || !element->functions)
        return true;
    if (!rewrite_evaluate(library, element->offset, &offset) || offset < library->table_base ||
        element->count > library->dylink.table_size ||
        offset - library->table_base > library->dylink.table_size - element->count) {
        step_error("malformed library: %s: an element segment lies outside of the table region "
                   "of %u slots; make the file again",
                   library->path, library->dylink.table_size);
        return false;
    }
    for (uint32_t i = 0; i < element->count; i++)
        if (library->slots[element->functions[i]] == 0)
            library->slots[element->functions[i]] = offset + i;
    return true;
}

static bool place_region(struct link *link, struct library *library, uint64_t *next)
{
    const struct wasm_module *module = &library->module;
    *next = align_up(*next, library->dylink.table_alignment);
    library->table_base = (uint32_t)*next;
    *next += library->dylink.table_size;
    if (*next > 1 << 24) {
        step_error("layout: %s: the table has over 2^24 slots; is the library damaged?",
                   library->path);
        return false;
    }
    /* Only the table base is known yet, which is all that offsets in the table are made of. */
    uint32_t index = 0;
    for (uint32_t i = 0; i < module->import_count; i++) {
        if (module->imports[i].kind != WASM_GLOBAL)
            continue;
        if (wasm_slice_is(module->imports[i].name, "__table_base"))
            library->globals[index] = (struct link_global){true, library->table_base};
        index++;
    }
    library->slots = link_alloc(link, module->imported[WASM_FUNCTION] + module->function_count + 1,
                                sizeof *library->slots);
    bool done = library->slots;
    for (uint32_t i = 0; done && i < module->element_count; i++)
        done = note_slots(library, &module->elements[i]);
    return done;
}

bool layout_table(struct link *link)
{
    uint64_t next = 1; /* slot 0 is the null function pointer */
    for (uint32_t i = 0; i < link->library_count; i++)
        if (link->libraries[i].included && !place_region(link, &link->libraries[i], &next))
            return false;
    link->layout.table_size = (uint32_t)next;
    return true;
}
