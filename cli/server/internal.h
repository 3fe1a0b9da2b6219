/* What service.c (the loop's side), workers.c (threads) and work.c (what they do in sandboxes)
 * share. */
#ifndef ERYX_CLI_SERVER_INTERNAL_H
#define ERYX_CLI_SERVER_INTERNAL_H

#include <pthread.h>

#include "service.h"
#include "store.h"

/* A session, or the sandbox of one job that has none. Its jobs run one after the other: only the
 * worker that has the current one uses `sandbox`. The rest is under the service's lock or the
 * loop's. */
struct session {
    struct service *service;
    char id[SESSION_ID_MAX + 1]; /* "": of one job */
    eryx_sandbox_t *sandbox;     /* NULL until the first job */
    struct job *current;
    struct job *first, *last; /* waiting for it; the loop's */
    uint32_t waiting;
    uint64_t used, born;    /* loop_now */
    uint64_t memory_bytes;  /* when it was last counted (top.c), */
    uint64_t counted_at;    /* for this value of `used` */
    bool pinned;            /* a job that is being taken needs it */
    struct store_mark mark; /* what of the store the sandbox holds */
    struct session *next;   /* of its bucket */
};

enum { SESSION_BUCKETS = 1024, THREADS_MAX = 1024 };

struct service {
    const struct server_config *config;
    eryx_runtime_t *runtime;
    eryx_queue_t *queue;
    struct loop *loop;
    struct store *store; /* NULL: none */

    /* The loop's. */
    struct session *buckets[SESSION_BUCKETS];
    uint32_t session_count, job_count;
    struct job *jobs; /* all that are not done */
    struct loop_watch queue_watch, news_watch;
    uint64_t born;                   /* loop_now */
    uint64_t next_sweep, next_check; /* of idle sessions, of deadlines */
    struct service_counts counts;

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t work;
    struct job *ready_first, *ready_last;
    bool queue_ready;  /* the queue may have executions */
    uint64_t hints;    /* how often that was said */
    bool queue_armed;  /* the loop will say when */
    int64_t suspended; /* executions that wait */
    bool stopping;
    struct job *news_first, *news_last; /* with output, or done */
    pthread_t threads[THREADS_MAX];
    uint32_t thread_count, idle_count, woken_count, busy_count;
};

/* --- sessions.c --- */

bool session_id_is_good(const char *id);
/* NULL if there is none. */
struct session *session_find(struct service *service, const char *id);
/* id "": for one job. NULL if there are too many, or no memory. */
struct session *session_new(struct service *service, const char *id);
/* It has no jobs. */
void session_remove(struct session *session);
/* Closes sessions without jobs that were last used at `limit` or before; at most one if `oldest`.
 */
bool sessions_close_idle(struct service *service, uint64_t limit, bool oldest);

/* --- workers.c --- */

/* Hands a job to a worker; starts one if all are busy and there may be more. False: no thread at
 * all. */
bool workers_hand(struct service *service, struct job *job);
/* The queue's descriptor is readable. */
void workers_wake(struct service *service);
void workers_join(struct service *service);
/* For the loop: there is something new about the job. Under the lock. */
void workers_tell(struct service *service, struct job *job);

/* --- work.c: on a worker, without the lock --- */

/* Begins a job. True: its execution is in the queue; false: the job is done. */
bool work_begin(struct job *job);
/* The execution is DONE. */
void work_end(struct job *job);
/* A sandbox for the session, from the store if it is there. False: job->status and message are set.
 */
bool work_open(struct job *job);
/* Looks after a job's store: from begin to end other servers keep off the session. What the job
 * has become when the session was not saved is in its status, message and `unsaved`. */
bool work_lock(struct job *job);
void work_unlock(struct job *job, bool changed);

/* --- files.c --- */
void files_run(struct job *job);

/* --- job.c --- */

/* Under the lock. What follows output of the same stream that was not taken is joined to it. */
bool job_add_output(struct job_output *output, char stream, const char *data, size_t length);
/* Sets status and message. */
void job_fail(struct job *job, enum job_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
