/* The callbacks of one sandbox, and the calls its guest makes of them.
 *
 * Used by the thread that uses the sandbox; completions come in through the mailbox. */
#ifndef ABI_CALLBACKS_H
#define ABI_CALLBACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/callback.h>
#include <eryx/limits.h>

#include "abi/call.h"
#include "base/text.h"

/* Shared by a sandbox and its forks; immutable but for the count. */
typedef struct callback {
    atomic_uint references;
    char *name, *description, *schema; /* one allocation, at name */
    size_t name_length, description_length, schema_length;
    uint32_t hash;
    eryx_call_fn on_call, on_cancel;
    void *env;
    void (*env_finalizer)(void *env);
} callback_t;

/* All zero is a sandbox without callbacks. */
typedef struct calls {
    callback_t **items; /* in the order of registration */
    size_t count, capacity;
    uint32_t *table; /* open addressing: index + 1 of the item; size table_mask + 1 */
    uint32_t table_mask;
    mailbox_t *mailbox; /* see calls_mailbox; NULL: nothing can be pending */
    eryx_call_t *spare;
    /* Limits, and what of them is used. */
    uint32_t pending_max, pending; /* the host's side is counted in the mailbox */
    bool unannounced;              /* there are adopted calls that the host does not know of */
    uint64_t total_max, total;
    uint64_t argument_max;
    uint64_t result_max;
    const struct secrets *secrets; /* taken out of arguments and results; NULL: none */
    budget_t *budget;              /* of the sandbox; must live until calls_free */
    void (*wake)(void *env);       /* for a mailbox that is made later */
    void *wake_env;
} calls_t;

void calls_init(calls_t *calls, const eryx_limits_t *limits, budget_t *budget);
/* Calls the finalizers. No call is pending any more. */
void calls_free(calls_t *calls);
/* The sandbox's mailbox, made at the first call; wake: see mailbox_new. NULL when out of memory. */
mailbox_t *calls_mailbox(calls_t *calls, void (*wake)(void *env), void *env);
/* The same for imports: whom to wake is what calls_wake said. */
mailbox_t *calls_own_mailbox(calls_t *calls);
void calls_wake(calls_t *calls, void (*wake)(void *env), void *env);
/* Copies the callback. wake: see mailbox_new. Errors: ERYX_ERR_ARGUMENT, _MEMORY. */
int calls_add(calls_t *calls, const eryx_callback_t *callback, void (*wake)(void *env), void *env,
              eryx_error_t *error);
/* Shares the callbacks of another sandbox; calls has none. False when out of memory. */
bool calls_share(calls_t *calls, const calls_t *from);
/* Forgets callbacks without calling their finalizers, after a failure. */
void calls_disown(calls_t *calls);
const callback_t *calls_find(const calls_t *calls, const char *name, size_t length);

/* Makes a call that another sandbox, or this one before, waited for: `subtask` was saved with an owner,
 * result_at was its. The host is told by calls_announce, unless it is completed before.
 * Errors: ERYX_ERR_ARGUMENT (no such callback), _FORMAT, _LIMIT, _MEMORY. */
int calls_adopt(calls_t *calls, waitables_t *waitables, uint32_t subtask, uint32_t result_at,
                const text_t *name, const text_t *arguments, eryx_call_t **out,
                eryx_error_t *error);
/* Completes an adopted call with what was saved. Errors: ERYX_ERR_FORMAT, _LIMIT, _MEMORY. */
int calls_settle(eryx_call_t *call, waitables_t *waitables, bool failed, const text_t *result,
                 eryx_error_t *error);
/* Tells the host of adopted calls. On the thread that runs the sandbox, before it runs. */
void calls_announce(calls_t *calls, waitables_t *waitables);

/* The guest is done with a call: it got the result, or no longer wants it. */
void calls_done(eryx_call_t *call);
/* Same, and tells the host that it is in vain. */
void calls_abandon(eryx_call_t *call);

#endif
