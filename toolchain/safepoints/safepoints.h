/* Polls of the interrupt page: a load from address 0, its value dropped, at every loop header.
 *
 * Function entries get none: recursion ends at the stack limit, so only loops run forever. */
#ifndef TOOLCHAIN_SAFEPOINTS_H
#define TOOLCHAIN_SAFEPOINTS_H

#include "wasm/wasm.h"

struct safepoints_result {
    uint32_t loops;
    uint32_t functions; /* that have a loop */
};

/* Rewrites the bodies of the module, which must have a memory. False: *error has the reason and, as
 * offset, the index of the function. */
bool safepoints_insert(struct wasm_module *module, struct safepoints_result *result,
                       struct wasm_error *error);

#endif
