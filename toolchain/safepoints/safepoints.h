/* Polls of the interrupt page: a load from address 0, its value dropped, at every loop header; and
 * guards of bulk memory instructions (guards.h).
 *
 * Function entries get no poll: recursion ends at the stack limit, so only loops run forever. */
#ifndef TOOLCHAIN_SAFEPOINTS_H
#define TOOLCHAIN_SAFEPOINTS_H

#include "wasm/wasm.h"

struct safepoints_result {
    uint32_t loops;
    uint32_t functions; /* that have a loop */
    uint32_t guarded;   /* memory.copy and memory.fill instructions */
};

/* Rewrites the bodies of the module, which must have a memory; without `polls` only the guards go
 * in, to measure what polls cost. False: *error has the reason and, as offset, the index of the
 * function. */
bool safepoints_insert(struct wasm_module *module, bool polls, struct safepoints_result *result,
                       struct wasm_error *error);

#endif
