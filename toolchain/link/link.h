/* The linker: dylibs (tool-conventions/DynamicLinking) become one module with fixed addresses.
 *
 *   library.c      reads a library                    rewrite.c      code with new indices
 *   resolve.c      symbols, which libraries to take, where each import leads
 *   layout.c       memory and table                   symbols.c      the table for extensions
 *   relocate.c     relocations of data, applied now   constructors.c the function eryx_ctors
 *   charge.c       functions that take stack          exports.c, names.c
 *   merge.c        puts the module together
 *
 * What was an imported address (__memory_base, GOT.mem.*, GOT.func.*) becomes a constant in the
 * code itself. Errors are printed where they are found; functions return false after that. */
#ifndef TOOLCHAIN_LINK_H
#define TOOLCHAIN_LINK_H

#include "file.h"
#include "wasm/dylink.h"
#include "wasm/wasm.h"

enum { LINK_PAGE_SIZE = 65536 };

/* A global of a library in the merged module: a constant or the stack pointer. */
struct link_global {
    bool is_constant;
    uint32_t value; /* the constant, or the merged index */
};

enum link_target_kind { LINK_DEFINED, LINK_IMPORTED, LINK_STUB };

/* Where a function import leads. */
struct link_target {
    enum link_target_kind kind;
    uint32_t library, function; /* DEFINED: function is the library's index */
    uint32_t number;            /* IMPORTED, STUB: which */
};

/* A data segment in memory, writable so that relocations can be applied. */
struct link_segment {
    uint32_t address;
    uint8_t *bytes; /* NULL for passive segments */
    size_t size;
};

struct library {
    char *name;       /* as in `needed` lists */
    const char *path; /* borrowed */
    struct file_bytes bytes;
    struct wasm_module module;
    struct dylink dylink;
    bool included;
    uint32_t memory_base, table_base;
    /* From the library's index spaces to the merged ones. */
    struct link_target *targets; /* of imported functions */
    uint32_t *functions;
    uint32_t *types;
    struct link_global *globals;
    uint32_t first_data, first_element;
    struct link_segment *segments; /* one per data segment */
    /* Slot in the table by function; 0: none. */
    uint32_t *slots;
    bool relocated; /* the data has its relocations, nothing to do at run time */
};

struct link_symbol {
    struct wasm_slice name;
    enum wasm_kind kind;
    uint32_t library, index; /* index of the function or global in the library */
    uint32_t flags;          /* enum dylink_flags */
};

/* An import that no library answers; it stays one. */
struct link_import {
    uint32_t library;
    const struct wasm_import *import;
};

struct link_stub {
    uint32_t type; /* merged */
    struct wasm_slice name;
};

struct link_slot {
    uint32_t library, function;
};

struct link_layout {
    uint32_t stack_low, stack_high, constant_start, constant_end;
    uint32_t symbols; /* address of the table, at the end of the constant range */
    uint32_t heap_base;
    uint64_t memory_size; /* a multiple of LINK_PAGE_SIZE */
    uint32_t table_size;  /* without the room */
};

/* Each activation of the function takes some bytes of the shadow stack. */
struct link_charge {
    char *name;
    uint32_t bytes;
    uint32_t library, function; /* index in the library; set by charge_resolve */
};

/* The table of symbols (symbols.c), at layout.symbols. */
struct link_table {
    uint32_t count, names_bytes, size;
    uint8_t *bytes;
};

struct link_options {
    uint64_t stack_size, constant_size, initial_heap;
    uint64_t table_room; /* free slots at the end of the table */
    uint64_t null_word;  /* what reading 32 bits at address 0 gives */
    bool strip, keep_all;
    bool symbols;         /* add the table of symbols */
    const char **exports; /* symbols to export besides those of the contract */
    uint32_t export_count;
    struct link_charge *charges;
    uint32_t charge_count;
};

struct link {
    struct link_options options;
    struct library *libraries; /* the first is the runtime */
    uint32_t library_count;
    struct link_symbol *symbols; /* sorted by name, then library */
    uint32_t symbol_count;
    struct link_layout layout;
    struct link_import *imports;
    uint32_t import_count;
    struct link_stub *stubs;
    uint32_t stub_count;
    struct link_table table;
    struct link_slot *extra_slots; /* for function addresses that no library's table has */
    uint32_t extra_slot_count;
    struct wasm_module output;
};

/* --- library.c ---------------------------------------------------------------------------- */

/* specification: NAME=PATH or PATH, whose last part is then the name. Plain or zstd. */
bool library_read(const char *specification, struct library *out);
void library_free(struct library *library);

/* --- link.c --------------------------------------------------------------------------------- */

/* Links libraries[0 .. count). The result is link->output, whose slices point into the libraries.
 */
bool link_all(struct link *link);
/* Frees the output, the libraries and what is between. */
void link_free(struct link *link);
/* Memory that lives as long as link->output; prints an error when there is none. */
void *link_alloc(struct link *link, size_t count, size_t item_size);
/* A copy of the buffer in such memory. False (printed) also when the buffer has failed. */
bool link_copy(struct link *link, const struct wasm_buffer *buffer, struct wasm_slice *out);

/* --- resolve.c ------------------------------------------------------------------------------ */

bool resolve_collect(struct link *link);
bool resolve_select(struct link *link);
/* The symbol of the first library that exports it as that kind. NULL: none. */
const struct link_symbol *resolve_find(const struct link *link, enum wasm_kind kind,
                                       struct wasm_slice name);
bool resolve_functions(struct link *link);
bool resolve_globals(struct link *link);
/* The slot of a function; given one if it has none. */
uint32_t resolve_slot(struct link *link, const struct link_symbol *symbol);
/* Merged index of a type equal to the given one, added if there is none. */
bool resolve_type(struct link *link, const struct wasm_type *type, uint32_t *index);

/* --- layout.c ------------------------------------------------------------------------------- */

bool layout_memory(struct link *link);
/* Places the libraries' table regions and notes which function has which slot. */
bool layout_table(struct link *link);
/* A symbol the linker itself defines (__heap_base, ...): its address. */
bool layout_symbol(const struct link *link, struct wasm_slice name, uint32_t *address);

/* --- rewrite.c ------------------------------------------------------------------------------ */

/* Appends the instructions from reader->next on, with merged indices. Failing fails the reader. */
void rewrite_instructions(const struct library *library, struct wasm_reader *reader,
                          struct wasm_buffer *out);
/* The value of a constant expression of type i32, as the library's globals stand now. */
bool rewrite_evaluate(const struct library *library, struct wasm_slice expression, uint32_t *value);

/* --- charge.c ------------------------------------------------------------------------------- */

/* Finds the functions to charge; libraries must be selected. */
bool charge_resolve(struct link *link);
/* Appends their bodies as new functions, for which the output has room, and puts wrappers in their
 * place. */
bool charge_apply(struct link *link);

/* --- symbols.c ------------------------------------------------------------------------------ */

/* Finds out how large the table is, so that layout_memory can place it. */
bool symbols_reserve(struct link *link);
/* Makes it, and gives all functions in it slots. */
bool symbols_make(struct link *link);

/* --- relocate.c, constructors.c, names.c, merge.c ------------------------------------------- */

/* Walks over the function names of a library: names_begin, then names_next while it is true. */
struct name_cursor {
    struct wasm_reader map;
    uint32_t left, functions;
    uint32_t index; /* below functions */
    struct wasm_slice name;
};
struct name_cursor names_begin(const struct library *library);
bool names_next(struct name_cursor *cursor);

/* Carries out __wasm_apply_data_relocs on the library's segments, if it is as simple as wasm-ld
 * writes it; otherwise the library stays !relocated and eryx_ctors calls the function. */
void relocate_data(struct library *library);
/* The body of eryx_ctors. */
bool constructors_make(struct link *link, struct wasm_slice *body);
bool exports_add(struct link *link);
/* Adds the name section to output.customs, which has room. */
bool names_add(struct link *link);
/* Index of eryx_ctors, which only charged bodies follow. */
uint32_t merge_constructors_index(const struct link *link);
bool merge_module(struct link *link);

#endif
