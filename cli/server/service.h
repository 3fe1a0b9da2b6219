/* Sessions and jobs: what `eryx mcp` and `eryx serve` do, without how it is asked for.
 *
 * A job is one thing done in one sandbox: an execution, a fork, a file that is put. Jobs of a
 * session run one after the other, those of different sessions at the same time, on a few
 * worker threads. A program that waits (await, time.sleep) holds no thread.
 *
 * Everything here is called by the thread of the loop, and it alone gets the callbacks. */
#ifndef ERYX_CLI_SERVER_SERVICE_H
#define ERYX_CLI_SERVER_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx.h>

#include "config.h"
#include "loop.h"

struct service;
struct session;
struct job;
struct store_hold;

enum { SESSION_ID_MAX = 64 };

enum job_kind {
    JOB_EXECUTE, /* text: the code */
    JOB_FORK,    /* target: the id of the new session */
    JOB_RESET,   /* forget names and files */
    JOB_CLOSE,
    JOB_PUT,    /* path, data */
    JOB_GET,    /* path; then data */
    JOB_LIST,   /* path; then text: a JSON array */
    JOB_DELETE, /* path */
    JOB_SAVE,   /* write the session into the store */
    JOB_SHOW    /* whether the store has it */
};

/* What became of a job, or why it was not taken. */
enum job_status {
    JOB_OK,
    JOB_FAILED,     /* message says why; the sandbox or a file operation refused */
    JOB_CANCELLED,  /* by service_cancel, before or while it ran */
    JOB_TIMED_OUT,  /* timeout_ns of the job, not the sandbox's limit */
    JOB_OVERLOADED, /* too many jobs or sessions: later */
    JOB_NO_SESSION, /* there is none of this id */
    JOB_EXISTS,     /* there is one of the new id */
    JOB_ELSEWHERE,  /* another server is using the session */
    JOB_INVALID,    /* an id that cannot be */
    JOB_LOST,       /* another server has changed the session meanwhile: nothing was kept */
    JOB_UNAVAILABLE /* the store cannot be used */
};

struct job_output {
    char *data; /* records: stream (1 byte), length (4 bytes), bytes */
    size_t length, capacity;
    size_t last; /* offset of the last record */
    size_t taken;
};

struct job {
    /* Set by the caller before service_submit. Strings are the job's: from malloc. */
    enum job_kind kind;
    char session[SESSION_ID_MAX + 1]; /* "": a fresh sandbox, for this job only */
    char target[SESSION_ID_MAX + 1];
    bool create; /* make the session if there is none */
    char *text;
    size_t text_length;
    char *path;
    char *data;
    size_t data_length;
    char *result;                       /* as of eryx_execute_options_t */
    bool binary;                        /* the caller wants the file in base64 */
    bool display;                       /* the value of the last expression is written to stdout */
    uint64_t timeout_ns;                /* 0: the sandbox's limit only */
    void (*on_output)(struct job *job); /* there is new output; NULL: only at the end */
    void (*on_done)(struct job *job);   /* exactly once, if service_submit took it */
    void *env;

    /* For the caller in on_done. */
    enum job_status status;
    eryx_outcome_t *outcome; /* of an execution that came to an end, else NULL */
    char message[256];
    uint64_t submitted, started; /* loop_now */
    bool unsaved; /* it could not be written into the store, which holds the state before */

    /* The service's own. */
    struct service *service;
    struct session *owner, *other; /* the session, and the new one of a fork */
    struct store_hold *holds[2];   /* of the store, for the two; NULL: none */
    eryx_execution_t *execution;
    bool fresh;       /* not yet taken from the queue */
    bool running;     /* its sandbox may be interrupted; under the service's lock */
    bool noted;       /* in the list of news */
    bool queued;      /* ended while it waited for its session */
    bool done, ended; /* on the worker's side, on the loop's */
    uint64_t cancelled;
    enum job_status wanted; /* JOB_CANCELLED or JOB_TIMED_OUT once that was asked for */
    struct job_output output;
    char *piece; /* that job_next_output gave */
    struct job *next_ready, *next_news, *next, *previous;
};

struct service_counts {
    bool store, store_down; /* there is one; it cannot be used */
    uint64_t unsaved,
        conflicts;        /* sessions that could not be written; JOB_LOST and JOB_ELSEWHERE */
    uint64_t outcomes[6]; /* by eryx_outcome_kind_t */
    uint64_t failed, cancelled, timed_out, rejected;
    uint64_t seconds_buckets[12], seconds_count; /* of executions; bounds in service_bounds */
    double seconds_sum;
    uint32_t sessions, jobs, running;
};
extern const double service_bounds[11]; /* seconds; the 12th bucket has no bound */

/* Prints its own message and returns NULL on failure. config must outlive it. */
struct service *service_new(const struct server_config *config, const char *runtime_path,
                            struct loop *loop);

/* An empty job; NULL without memory. */
struct job *job_new(enum job_kind kind);
void job_free(struct job *job);

/* Takes the job, whose on_done is then called later, never from within. Anything but JOB_OK: it was
 * not taken, and is still the caller's. */
enum job_status service_submit(struct service *service, struct job *job);

/* Asks a job to end: what waits gets asyncio.CancelledError, and after a second is interrupted like
 * what computes. */
void service_cancel(struct job *job);

/* The next piece of output that was not taken; false if there is none. Valid until the next call.
 */
bool job_next_output(struct job *job, eryx_stream_t *stream, const char **data, size_t *length);

/* All of one stream, for free(); NULL without memory. In on_done. */
char *job_all_output(const struct job *job, eryx_stream_t stream, size_t *length);

/* Calls fn for every session. */
void service_each_session(struct service *service,
                          void (*fn)(void *env, const char *id, bool busy, uint64_t idle_ns),
                          void *env);
bool service_has_session(struct service *service, const char *id);

void service_count(struct service *service, struct service_counts *out);

bool service_has_store(const struct service *service);
/* Whether sessions cannot be had because the store cannot be used; why is then in out. */
bool service_store_is_down(struct service *service, char *out, size_t capacity);

/* A text why, for people and models. Static storage. */
const char *job_status_text(enum job_status status);

/* Interrupts what runs and saves sessions if there is a store. Jobs that are not done are done when
 * it returns. */
void service_free(struct service *service);

#endif
