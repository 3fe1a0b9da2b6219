/* One call of a host callback: the object behind eryx_call_t.
 *
 * Two sides share it, with a reference each: the host, which completes it from any thread, and the
 * guest's thread, which made it and takes the result. `state` says who comes first:
 *
 *     STARTING ──call_started──▶ PENDING      on_call has returned without a result
 *     STARTING, PENDING ──complete──▶ READY   from PENDING it goes through the mailbox
 *     any ──call_abandon──▶ OVER              the guest no longer wants it */
#ifndef ABI_CALL_H
#define ABI_CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/callback.h>

#include "abi/mailbox.h"
#include "abi/pending.h"

#define CALL_INLINE_BYTES 256

typedef enum call_state { CALL_STARTING, CALL_PENDING, CALL_READY, CALL_OVER } call_state_t;

struct calls;
struct callback;

struct eryx_call {
    pending_t pending;
    atomic_uint references;
    atomic_uint state;
    atomic_bool claimed;   /* someone completes or has completed it */
    atomic_bool cancelled; /* completing it is in vain */
    mailbox_t *mailbox;    /* a reference */
    uint64_t result_max;
    uint64_t charged; /* taken from the mailbox's budget */
    char *text;       /* name, NUL, arguments, NUL */
    size_t name_length, arguments_length;
    /* Written by who claimed it, before READY. */
    bool failed;
    char *result;
    size_t result_length;
    /* The guest's side. */
    struct calls *calls; /* NULL once the guest is done with it */
    const struct callback *callback;
    bool unannounced;   /* the host has not seen it, and has no reference yet */
    uint32_t result_at; /* where the guest wants the result */
    char inline_text[CALL_INLINE_BYTES];
    char inline_result[CALL_INLINE_BYTES];
};

/* How calls are pending (invoke.c). */
extern const pending_kind_t call_kind;

/* What a call with these takes of the budget. */
uint64_t call_bytes(size_t name_length, size_t arguments_length);

/* A call STARTING, whose bytes were taken from the mailbox's budget, with a reference for the host
 * and one for the guest; memory is that of `spare` unless it is NULL. NULL when out of memory; spare
 * is then as before. */
eryx_call_t *call_new(eryx_call_t *spare, mailbox_t *mailbox, const char *name, size_t name_length,
                      const char *arguments, size_t arguments_length);
void call_retain(eryx_call_t *call);
void call_release(eryx_call_t *call);
/* Gives the guest's reference back. A call that no one else refers to is emptied and returned, to
 * serve as spare; else NULL. */
eryx_call_t *call_release_spare(eryx_call_t *call);
void call_free_spare(eryx_call_t *spare);

/* on_call has returned. False: it is READY already. */
bool call_started(eryx_call_t *call);
/* The guest no longer wants it. True: it was pending. */
bool call_abandon(eryx_call_t *call);

#endif
