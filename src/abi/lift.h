/* Guest pointers: every access to linear memory from the host goes through here. */
#ifndef ABI_LIFT_H
#define ABI_LIFT_H

#include <stdint.h>
#include <string.h>

#include "abi/guest.h"

/* NULL if the guest may not read (write) there. */
static inline const char *lift_readable(const guest_t *guest, uint32_t address, uint32_t length) {
    return slot_readable(guest->slot, address, length) ? (char *)guest->slot->base + address : NULL;
}

static inline char *lift_writable(const guest_t *guest, uint32_t address, uint32_t length) {
    return slot_writable(guest->slot, address, length) ? (char *)guest->slot->base + address : NULL;
}

/* Linear memory is little-endian, and so are the machines we run on. */
static inline uint32_t lift_u32(const char *from) {
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline void lower_u32(char *to, uint32_t value) {
    memcpy(to, &value, sizeof value);
}

static inline void lower_u64(char *to, uint64_t value) {
    memcpy(to, &value, sizeof value);
}

/* The guest's memory for what imports return (docs/architecture.md, section 5); NULL if there is
 * none that can be written. */
static inline char *lift_arena(const guest_t *guest, uint32_t *address, uint32_t *capacity) {
    const char *fields = guest->arena ? lift_readable(guest, guest->arena, 8) : NULL;
    if (!fields)
        return NULL;
    *address = lift_u32(fields);
    *capacity = lift_u32(fields + 4);
    return lift_writable(guest, *address, *capacity);
}

/* Refuses, and notes why. */
static inline engine_reply_t guest_refuse(guest_t *guest, const char *import, const char *fault) {
    guest->fault_in = import;
    guest->fault = fault;
    return ENGINE_REFUSE;
}

#endif
