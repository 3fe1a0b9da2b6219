/* The dylink.0 section of a library (tool-conventions/DynamicLinking): what memory and table it wants,
 * which libraries it needs, and flags of its symbols. */
#ifndef WASM_DYLINK_H
#define WASM_DYLINK_H

#include "wasm/wasm.h"

enum dylink_flags {
    DYLINK_WEAK = 0x01,
    DYLINK_UNDEFINED = 0x10,
    DYLINK_TLS = 0x100,
    DYLINK_ABSOLUTE = 0x200
};

struct dylink_import {
    struct wasm_slice module, name;
    uint32_t flags;
};

struct dylink_export {
    struct wasm_slice name;
    uint32_t flags;
};

struct dylink {
    uint32_t memory_size, memory_alignment; /* bytes */
    uint32_t table_size, table_alignment;   /* slots */
    struct wasm_slice *needed;
    uint32_t needed_count;
    struct dylink_import *imports;
    uint32_t import_count;
    struct dylink_export *exports;
    uint32_t export_count;
};

/* Memory lives as long as the module. On failure *error tells offset (in the section) and reason. */
bool dylink_parse(struct wasm_module *module, struct dylink *out, struct wasm_error *error);

#endif
