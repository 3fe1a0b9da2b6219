/* Where what other threads have completed (abi/pending.h) waits for the thread that runs its
 * sandbox.
 *
 * One per sandbox with callbacks or a network. Whoever completes something has a reference, so that
 * doing so is harmless after the sandbox is gone. Whoever waits for the sandbox is woken through `wake`. */
#ifndef ABI_MAILBOX_H
#define ABI_MAILBOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "abi/pending.h"
#include "base/budget.h"

typedef struct mailbox {
    atomic_uint references;
    atomic_bool filled; /* there is something to collect */
    /* Calls that exist, and bytes of their arguments: also those that the program no longer wants
     * while the host holds them. */
    atomic_uint calls;
    atomic_ullong argument_bytes;
    pthread_mutex_t lock;
    pending_t *first, *last;
    void (*wake)(void *env); /* NULL: the sandbox is gone */
    void *env;
    budget_t *budget; /* what calls take is taken from; a reference */
} mailbox_t;

/* NULL when out of memory. wake is called with the lock held, by any thread. */
mailbox_t *mailbox_new(void (*wake)(void *env), void *env, budget_t *budget);
void mailbox_retain(mailbox_t *mailbox);
void mailbox_release(mailbox_t *mailbox);

/* The sandbox goes: nobody is woken any more. NULL is allowed. */
void mailbox_close(mailbox_t *mailbox);
/* Adds what is completed and a reference to it; once. False: closed. */
bool mailbox_post(mailbox_t *mailbox, pending_t *pending);
/* Takes everything out: a list by ->next, with a reference each. */
pending_t *mailbox_collect(mailbox_t *mailbox);

#endif
