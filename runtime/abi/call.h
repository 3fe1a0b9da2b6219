/* Pending calls of `invoke`, by the number of their subtask. */
#ifndef ERYX_ABI_CALL_H
#define ERYX_ABI_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "guest_bindings.h"

struct abi_call {
    uint32_t subtask;              /* 0: returned already */
    result_string_string_t result; /* its string is from cabi_realloc */
    void *arguments;               /* the caller's: kept alive until the call is over */
};

/* Starts a call. Returns NULL when out of memory. While `subtask` is not 0 the call is pending
 * and joined to the set; the strings must stay valid. */
struct abi_call *abi_call_start(wit_string_t name, wit_string_t json, uint32_t set);

/* The pending call that has this number, or NULL. */
struct abi_call *abi_call_find(uint32_t subtask);

/* Takes a call that has returned out of the table and drops its subtask. */
void abi_call_end(struct abi_call *call);

/* Asks the host to give up; the call is over afterwards, with or without a result. */
void abi_call_cancel(struct abi_call *call);

/* Frees a call that is over, and its result. */
void abi_call_free(struct abi_call *call);

uint32_t abi_call_count(void);

/* Any pending call, NULL if there is none. */
struct abi_call *abi_call_any(void);

#endif
