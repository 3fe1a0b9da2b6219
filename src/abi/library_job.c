/* References: the guest's, the subtask's, the thread's, and the mailbox's while it is posted. */
#define _GNU_SOURCE
#include "abi/library_job.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct library_job {
    pending_t pending; /* the first member */
    atomic_uint references;
    atomic_bool unwanted;
    engine_t *engine;
    mailbox_t *mailbox;
    budget_t *budget;
    void *data;
    size_t length;
    /* Written by the thread, under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t finished;
    bool over;
    int status;
    engine_code_t *code;
    eryx_error_t error;
};

static void retain(pending_t *self) {
    atomic_fetch_add_explicit(&((library_job_t *)self)->references, 1, memory_order_relaxed);
}

/* Before the thread ends: the sandbox's budget is not held by bytes that no one reads any more. */
static void free_data(library_job_t *job) {
    free(job->data);
    job->data = NULL;
    budget_give(job->budget, job->length);
    job->length = 0;
}

static void release(pending_t *self) {
    library_job_t *job = (library_job_t *)self;
    if (atomic_fetch_sub_explicit(&job->references, 1, memory_order_acq_rel) != 1)
        return;
    free_data(job);
    engine_code_release(job->code);
    mailbox_release(job->mailbox);
    budget_release(job->budget);
    pthread_cond_destroy(&job->finished);
    pthread_mutex_destroy(&job->lock);
    free(job);
}

static void subtask_over(pending_t *self) {
    self->subtask = NULL;
    release(self);
}

static const pending_kind_t job_kind = {
    .wait = ERYX_WAIT_EXTENSION,
    .retain = retain,
    .release = release,
    .done = subtask_over,
    .abandon = subtask_over,
};

static void run(void *env) {
    library_job_t *job = env;
    engine_code_t *code = NULL;
    eryx_error_t error = {0};
    int status = ERYX_ERR_STATE;
    if (!atomic_load(&job->unwanted))
        status = engine_code_obtain(job->engine, job->data, job->length, &code, &error);
    free_data(job);
    pthread_mutex_lock(&job->lock);
    job->status = status;
    job->code = code;
    job->error = error;
    job->over = true;
    pthread_cond_broadcast(&job->finished);
    pthread_mutex_unlock(&job->lock);
    mailbox_post(job->mailbox, &job->pending);
    release(&job->pending);
}

static library_job_t *job_new(engine_t *engine, mailbox_t *mailbox, budget_t *budget,
                              const void *data, size_t length) {
    library_job_t *job = calloc(1, sizeof *job);
    void *copy = malloc(length + 1);
    if (!job || !copy) {
        free(job);
        free(copy);
        return NULL;
    }
    memcpy(copy, data, length);
    *job = (library_job_t){.pending.kind = &job_kind,
                           .engine = engine,
                           .mailbox = mailbox,
                           .budget = budget_retain(budget),
                           .data = copy,
                           .length = length};
    atomic_init(&job->references, 2); /* the caller's and the thread's */
    pthread_mutex_init(&job->lock, NULL);
    pthread_cond_init(&job->finished, NULL);
    mailbox_retain(mailbox);
    return job;
}

int library_job_start(engine_t *engine, mailbox_t *mailbox, budget_t *budget, const void *data,
                      size_t length, library_job_t **out, eryx_error_t *error) {
    if (!budget_take(budget, length))
        return error_set(error, ERYX_ERR_LIMIT, "limit host_memory_bytes: its %zu bytes exceed it",
                         length);
    library_job_t *job = job_new(engine, mailbox, budget, data, length);
    if (!job) {
        budget_give(budget, length);
        return error_set(error, ERYX_ERR_MEMORY, "the host is out of memory");
    }
    if (!engine_run_later(engine, run, job)) {
        release(&job->pending);
        release(&job->pending);
        return error_set(error, ERYX_ERR_MEMORY, "the host has no thread to compile it");
    }
    *out = job;
    return ERYX_OK;
}

pending_t *library_job_pending(library_job_t *job) {
    retain(&job->pending);
    return &job->pending;
}

int library_job_take(library_job_t *job, engine_code_t **out, eryx_error_t *error) {
    pthread_mutex_lock(&job->lock);
    while (!job->over)
        pthread_cond_wait(&job->finished, &job->lock);
    pthread_mutex_unlock(&job->lock);
    *out = job->code;
    job->code = NULL;
    if (error)
        *error = job->error;
    return job->status;
}

void library_job_release(library_job_t *job) {
    if (!job)
        return;
    atomic_store(&job->unwanted, true);
    release(&job->pending);
}
