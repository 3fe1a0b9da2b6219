/* Linear memory of a copy. */
#ifndef CHECKPOINT_PAGES_H
#define CHECKPOINT_PAGES_H

#include <stdbool.h>

#include "memory/slot.h"

/* Gives a fresh slot the size and content of another; with_savepoint: its savepoint, too. False when
 * out of memory. */
bool pages_copy(memory_slot_t *to, memory_slot_t *from, bool with_savepoint);

#endif
