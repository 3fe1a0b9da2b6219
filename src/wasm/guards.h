/* Guards of bulk memory: memory.copy and memory.fill become calls of functions that check first.
 *
 * The engine carries these two out in host code, checking only against the size of memory; were the
 * poll page or the constant range touched there, the host would crash instead of the guest. */
#ifndef WASM_GUARDS_H
#define WASM_GUARDS_H

#include "wasm/wasm.h"

struct guards {
    uint32_t copy, fill; /* indices of the checking functions */
};

/* Appends the functions. Nothing may be written to the constant range, which is empty if its ends
 * are equal. fuel: the functions execute more, the longer what they copy or fill is, so that code that
 * counts what it executes pays for it. False when out of memory. */
bool guards_add(struct wasm_module *module, uint32_t constant_start, uint32_t constant_end,
                bool fuel, struct guards *out);

/* The function that replaces this instruction, or 0: it stays. */
uint32_t guards_find(const struct guards *guards, uint32_t opcode);

#endif
