/* Subtasks that tell of something becoming ready (a socket of the host), as opposed to calls, which
 * have a result. Their numbers are small, so the set of them is a bitmap. */
#ifndef ERYX_ABI_WATCH_H
#define ERYX_ABI_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* Takes over a subtask that has not returned, and joins it to the set. False, and the subtask is
 * over, if its number is too large. */
bool abi_watch_add(uint32_t subtask, uint32_t set);
/* It has returned: drops it. False: it is not one of these. */
bool abi_watch_end(uint32_t subtask);
/* Nobody wants it any more. Does nothing if it is over already. */
void abi_watch_cancel(uint32_t subtask);
void abi_watch_cancel_all(void);
uint32_t abi_watch_count(void);

#endif
