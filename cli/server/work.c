/* What a worker does for a job: opens the session's sandbox, starts the execution, and afterwards
 * says what came out of it. With a store the session is locked from the beginning to the end, read
 * again if another server has changed it, and written when it changed. The store may take its time:
 * that is why it is used here and not by the loop. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../message.h"

/* --- Sandboxes ---------------------------------------------------------------------------- */

/* The library has cut it to limits.output_bytes. */
static void on_output(void *env, eryx_stream_t stream, const char *data, size_t length)
{
    struct session *session = env;
    struct service *service = session->service;
    struct job *job = session->current;
    if (job->kind != JOB_EXECUTE || length == 0)
        return;
    pthread_mutex_lock(&service->lock);
    if (job_add_output(&job->output, (char)stream, data, length) && job->on_output)
        workers_tell(service, job);
    pthread_mutex_unlock(&service->lock);
}

static void set_options(eryx_sandbox_options_t *options, struct session *session)
{
    eryx_sandbox_options_init(options);
    options->limits = session->service->config->limits;
    options->on_output = on_output;
    options->measure = true;
    options->env = session;
}

static bool refuse(struct job *job, int status, const char *what, const eryx_error_t *error)
{
    job_fail(job, status == ERYX_ERR_LIMIT ? JOB_OVERLOADED : JOB_FAILED, "%s: %s", what,
             error->message);
    return false;
}

static bool new_sandbox(struct job *job, struct session *session)
{
    eryx_sandbox_options_t options;
    eryx_error_t error = {0};
    set_options(&options, session);
    int status = eryx_sandbox_new(session->service->runtime, &options, &session->sandbox, &error);
    if (status == ERYX_OK)
        return true;
    session->sandbox = NULL;
    return refuse(job, status, "cannot make a sandbox", &error);
}

static bool resume(struct job *job, struct session *session, const void *data, size_t length)
{
    eryx_sandbox_options_t options;
    eryx_error_t error = {0};
    eryx_checkpoint_part_t part = {data, length};
    eryx_sandbox_free(session->sandbox);
    set_options(&options, session);
    int status = eryx_sandbox_resume(session->service->runtime, &part, 1, &options,
                                     &session->sandbox, &error);
    if (status == ERYX_OK)
        return true;
    session->sandbox = NULL;
    return refuse(job, status, "the saved session cannot be used", &error);
}

/* What an error of the store means for a job. */
static bool refuse_store(struct job *job, const char *what, const char *id,
                         const struct store_error *error)
{
    struct store *store = job->service->store;
    switch (error->cause) {
    case STORE_BUSY:
        job_fail(job, JOB_ELSEWHERE, "another server is using session '%s'", id);
        break;
    case STORE_LOST:
        job_fail(job, JOB_LOST, "session '%s': %s", id, job_status_text(JOB_LOST));
        break;
    case STORE_UNAVAILABLE:
        job_fail(job, JOB_UNAVAILABLE, "cannot %s session '%s' (store %s): %s", what, id,
                 store_name(store), error->text);
        break;
    default:
        job_fail(job, JOB_FAILED, "cannot %s session '%s' (store %s): %s", what, id,
                 store_name(store), error->text);
    }
    return false;
}

static void forget(struct session *session)
{
    eryx_sandbox_free(session->sandbox);
    session->sandbox = NULL;
    session->mark = (struct store_mark){0};
}

/* Reads the session from the store if another server has written it since. */
static bool refresh(struct job *job, struct session *session)
{
    struct service *service = session->service;
    struct store_error error = {0};
    struct store_mark stored;
    static const struct store_mark none;
    if (!store_look(service->store, session->id, &stored, &error))
        return refuse_store(job, "look for", session->id, &error);
    if (store_same(&stored, &session->mark))
        return true;
    if (store_same(&stored, &none)) { /* another server has closed it */
        forget(session);
        return true;
    }
    size_t length;
    void *data = store_read(service->store, session->id, service->config->limits.snapshot_bytes,
                            &length, &session->mark, &error);
    if (!data)
        return refuse_store(job, "read", session->id, &error);
    bool good = resume(job, session, data, length);
    free(data);
    if (!good)
        session->mark = none;
    return good;
}

bool work_open(struct job *job)
{
    struct session *session = job->owner;
    if (session->service->store && session->id[0] && !refresh(job, session))
        return false;
    if (session->sandbox)
        return true;
    if (session->id[0] && !job->create) {
        job_fail(job, JOB_NO_SESSION, "there is no session '%s'", session->id);
        return false;
    }
    return new_sandbox(job, session);
}

/* For what makes no use of the session's content, which may be damaged: whether there is one. */
static bool find(struct job *job)
{
    struct session *session = job->owner;
    struct store_error error = {0};
    struct store_mark stored;
    static const struct store_mark none;
    if (!session->service->store)
        return work_open(job);
    if (!store_look(session->service->store, session->id, &stored, &error))
        return refuse_store(job, "look for", session->id, &error);
    bool only_here = session->sandbox && store_same(&session->mark, &none); /* never saved */
    if (store_same(&stored, &none) && !only_here) {
        forget(session);
        job_fail(job, JOB_NO_SESSION, "there is no session '%s'", session->id);
        return false;
    }
    session->mark = stored;
    return true;
}

bool work_lock(struct job *job)
{
    struct session *sessions[] = {job->owner, job->other};
    for (int i = 0; i < 2; i++) {
        struct store_error error = {0};
        if (!sessions[i] || !sessions[i]->id[0] || !job->service->store)
            continue;
        job->holds[i] = store_take(job->service->store, sessions[i]->id, &error);
        if (!job->holds[i])
            return refuse_store(job, "take", sessions[i]->id, &error);
    }
    return true;
}

static bool save(struct session *session, struct store_hold *hold, struct store_error *problem)
{
    eryx_error_t error = {0};
    void *data;
    size_t length;
    if (eryx_sandbox_checkpoint(session->sandbox, NULL, &data, &length, &error) != ERYX_OK)
        return store_fail(problem, STORE_FAILED, "%s", error.message);
    bool good = length <= session->service->config->limits.snapshot_bytes;
    if (!good)
        store_fail(problem, STORE_TOO_BIG, "it has %zu bytes, more than limits.snapshot", length);
    else
        good = store_write(hold, data, length, &session->mark, problem);
    eryx_bytes_free(data);
    return good;
}

/* An execution has an outcome all the same, and says that it is not saved. Nothing is kept of what
 * another server has overtaken, nor of a copy that only this process would know. */
static void unsaved(struct job *job, struct session *session, const struct store_error *error)
{
    job->unsaved = true;
    message_error("session %s is not saved: %s", session->id, error->text);
    if (error->cause != STORE_LOST && job->kind == JOB_EXECUTE)
        return;
    refuse_store(job, "save", session->id, error);
    if (error->cause == STORE_LOST || session == job->other)
        forget(session);
    eryx_outcome_free(job->outcome);
    job->outcome = NULL;
}

void work_unlock(struct job *job, bool changed)
{
    struct session *sessions[] = {job->owner, job->other};
    for (int i = 0; i < 2; i++) {
        struct session *session = sessions[i];
        bool wanted = changed && (i == 1 || job->kind != JOB_FORK);
        struct store_error error = {0};
        if (wanted && job->holds[i] && session->sandbox && !save(session, job->holds[i], &error))
            unsaved(job, session, &error);
        store_release(job->holds[i]);
        job->holds[i] = NULL;
    }
}

/* --- Jobs --------------------------------------------------------------------------------- */

static bool begin_execution(struct job *job)
{
    struct session *session = job->owner;
    struct service *service = job->service;
    eryx_execute_options_t options;
    eryx_error_t error = {0};
    eryx_execute_options_init(&options);
    options.queue = service->queue;
    options.env = job;
    options.result = job->result;
    options.display = job->display ? ERYX_DISPLAY_LAST : ERYX_DISPLAY_NONE;
    job->started = loop_now();
    pthread_mutex_lock(&service->lock);
    int status = ERYX_ERR_STATE;
    if (job->wanted == JOB_OK)
        status = eryx_execution_start(session->sandbox, job->text, job->text_length, &options,
                                      &job->execution, &error);
    job->running = status == ERYX_OK;
    pthread_mutex_unlock(&service->lock);
    if (status != ERYX_OK && job->wanted == JOB_OK)
        job_fail(job, JOB_FAILED, "cannot run it: %s", error.message);
    return status == ERYX_OK;
}

/* A copy of the session in another one. */
static bool fork_session(struct job *job)
{
    static const struct store_mark none;
    eryx_sandbox_options_t options;
    eryx_error_t error = {0};
    if (job->service->store) {
        struct store_error problem = {0};
        struct store_mark there;
        if (!store_look(job->service->store, job->other->id, &there, &problem))
            return refuse_store(job, "look for", job->other->id, &problem);
        if (!store_same(&there, &none)) {
            job_fail(job, JOB_EXISTS, "there is a session '%s' already", job->other->id);
            return false;
        }
    }
    set_options(&options, job->other);
    int status = eryx_sandbox_fork(job->owner->sandbox, &options, 1, &job->other->sandbox, &error);
    if (status == ERYX_OK)
        return true;
    job->other->sandbox = NULL;
    return refuse(job, status, "the session cannot be copied", &error);
}

static void close_session(struct job *job)
{
    struct session *session = job->owner;
    struct store_error error = {0};
    if (job->holds[0] && !store_remove(job->holds[0], &error))
        refuse_store(job, "remove", session->id, &error);
    forget(session);
}

/* Forgets all, files too: a new sandbox. */
static bool reset_session(struct job *job)
{
    struct store_mark mark = job->owner->mark;
    forget(job->owner);
    bool good = new_sandbox(job, job->owner);
    if (good)
        job->owner->mark = mark;
    return good;
}

static void run_other(struct job *job)
{
    bool changed = true;
    switch (job->kind) {
    case JOB_FORK:
        changed = fork_session(job);
        break;
    case JOB_RESET:
        changed = reset_session(job);
        break;
    case JOB_CLOSE:
        close_session(job);
        changed = false;
        break;
    case JOB_SAVE:
        break;
    default:
        files_run(job);
        changed = job->status == JOB_OK && (job->kind == JOB_PUT || job->kind == JOB_DELETE);
    }
    work_unlock(job, changed);
}

/* Of a session that is not in this process. */
static void show_session(struct job *job)
{
    struct store_error error = {0};
    struct store_mark stored;
    static const struct store_mark none;
    if (!store_look(job->service->store, job->owner->id, &stored, &error))
        refuse_store(job, "look for", job->owner->id, &error);
    else if (store_same(&stored, &none) && !job->owner->sandbox)
        job_fail(job, JOB_NO_SESSION, "there is no session '%s'", job->owner->id);
}

bool work_begin(struct job *job)
{
    job->started = loop_now();
    if (job->kind == JOB_SHOW) {
        show_session(job);
        return false;
    }
    bool whole = job->kind != JOB_CLOSE && job->kind != JOB_RESET;
    if (work_lock(job) && (whole ? work_open(job) : find(job))) {
        if (job->kind == JOB_EXECUTE && begin_execution(job))
            return true;
        if (job->kind != JOB_EXECUTE)
            run_other(job);
    }
    work_unlock(job, false);
    if (!job->owner->id[0]) {
        eryx_sandbox_free(job->owner->sandbox);
        job->owner->sandbox = NULL;
    }
    return false;
}

void work_end(struct job *job)
{
    struct session *session = job->owner;
    struct service *service = job->service;
    pthread_mutex_lock(&service->lock);
    job->running = false;
    pthread_mutex_unlock(&service->lock);
    job->outcome = eryx_execution_take_outcome(job->execution);
    eryx_execution_free(job->execution);
    job->execution = NULL;
    if (!job->outcome)
        job_fail(job, JOB_FAILED, "the execution has no outcome");
    work_unlock(job, job->outcome != NULL);
    if (!session->id[0]) {
        eryx_sandbox_free(session->sandbox);
        session->sandbox = NULL;
    }
}
