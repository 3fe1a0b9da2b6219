/* Something that goes on outside of the guest and ends one of its subtasks: a call of a callback,
 * a wait for a socket. It is the owner of the subtask (waitables_call_new).
 *
 * Another thread that completes it posts it to the sandbox's mailbox; the guest's thread collects
 * it there, which lets the subtask return. Users embed pending_t as the first member. */
#ifndef ABI_PENDING_H
#define ABI_PENDING_H

#include <stdint.h>

#include <eryx/usage.h>

#include "abi/waitables.h"

struct guest;
typedef struct pending pending_t;

typedef struct pending_kind {
    eryx_wait_t wait; /* what a program waits for that waits for this */
    /* References: any thread. The mailbox holds one while it is posted. */
    void (*retain)(pending_t *self);
    void (*release)(pending_t *self);
    /* The other three: the guest's thread. lower writes the result right before the guest is told;
     * NULL where there is none to write. It answers a fault, or NULL with *needed the bytes that the
     * arena lacks (0: written). */
    const char *(*lower)(const struct guest *guest, pending_t *self, uint32_t *needed);
    void (*done)(pending_t *self);    /* the guest was told */
    void (*abandon)(pending_t *self); /* the guest no longer wants it */
} pending_kind_t;

struct pending {
    const pending_kind_t *kind;
    pending_t *next;     /* in the mailbox */
    waitable_t *subtask; /* the guest's thread; NULL: there is none (yet, or any more) */
};

/* As waitables_t.forget. */
static inline void pending_abandon(void *owner) {
    pending_t *pending = owner;
    pending->kind->abandon(pending);
}

#endif
