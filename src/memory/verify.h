/* Whether a recycled slot is what it is to be. */
#ifndef MEMORY_VERIFY_H
#define MEMORY_VERIFY_H

#include "memory/slot.h"

/* Reads all of the slot's memory, which takes about 30 ms. False: *address is where it differs. */
bool slot_equals_image(const memory_slot_t *slot, size_t *address);

#endif
