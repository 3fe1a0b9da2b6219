/* Polls of the interrupt page: a load from address 0, its value dropped, at every loop header; and
 * guards of bulk memory instructions (guards.h).
 *
 * The runtime's function entries get no poll: its recursion ends at the stack limit, so only loops
 * run forever. Extensions are written by strangers, who can also let functions call each other twice
 * at every level, or in tail position: there, functions that call others poll when they begin. */
#ifndef WASM_SAFEPOINTS_H
#define WASM_SAFEPOINTS_H

#include "wasm/wasm.h"

struct safepoints_options {
    bool loops;                            /* poll at loop headers */
    bool entries;                          /* poll where functions that call others begin */
    bool fuel;                             /* for code that counts what it executes */
    uint32_t constant_start, constant_end; /* guarded against writing; equal: none */
};

struct safepoints_result {
    uint32_t loops;
    uint32_t functions; /* that have a loop */
    uint32_t entries;   /* functions that poll at their beginning */
    uint32_t guarded;   /* memory.copy and memory.fill instructions */
};

/* For a runtime: polls at loop headers, the constant range of the exported globals
 * eryx_constant_start and eryx_constant_end. */
struct safepoints_options safepoints_options_of(const struct wasm_module *module);

/* Rewrites the bodies of the module, which must have a memory; without polls only the guards go
 * in, to measure what polls cost. False: *error has the reason and, as offset, the index of the
 * function. */
bool safepoints_insert(struct wasm_module *module, const struct safepoints_options *options,
                       struct safepoints_result *result, struct wasm_error *error);

#endif
