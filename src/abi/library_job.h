/* Compiling an extension on another thread, while its sandbox waits: what is pending (pending.h), and its
 * result. Functions without another note are for the guest's thread. */
#ifndef ABI_LIBRARY_JOB_H
#define ABI_LIBRARY_JOB_H

#include "abi/mailbox.h"
#include "abi/pending.h"
#include "base/budget.h"
#include "engine/library.h"

typedef struct library_job library_job_t;

/* Starts with a copy of the bytes, which the budget pays. The caller gets a reference, and has to give
 * another one to a subtask, as its owner: library_job_pending. The mailbox is told when it is over.
 * Errors: ERYX_ERR_LIMIT, _MEMORY. */
int library_job_start(engine_t *engine, mailbox_t *mailbox, budget_t *budget, const void *data,
                      size_t length, library_job_t **out, eryx_error_t *error);
pending_t *library_job_pending(library_job_t *job);
/* Waits until it is over, if it is not; the code, with a reference for the caller. */
int library_job_take(library_job_t *job, engine_code_t **out, eryx_error_t *error);
/* NULL is allowed. If it has not begun, it will not. */
void library_job_release(library_job_t *job);

#endif
