/* The loop's side of sessions and jobs: takes jobs, keeps those of a session in order, hands them
 * to workers, tells their news, and ends what takes too long. */
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../message.h"

static const uint64_t second = 1000000000;
static const uint64_t grace = 1000000000; /* from cancelling to interrupting */

const double service_bounds[11] = {0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60};

/* --- Taking jobs -------------------------------------------------------------------------- */

static enum job_status find_owner(struct service *service, struct job *job)
{
    if (job->session[0] && !session_id_is_good(job->session))
        return JOB_INVALID;
    struct session *session = job->session[0] ? session_find(service, job->session) : NULL;
    if (!session) {
        if (job->session[0] && !job->create && !service->store)
            return JOB_NO_SESSION;
        session = session_new(service, job->session);
    }
    job->owner = session;
    if (!session)
        return JOB_OVERLOADED;
    return session->waiting < service->config->session_jobs ? JOB_OK : JOB_OVERLOADED;
}

static enum job_status make_target(struct service *service, struct job *job)
{
    if (job->kind != JOB_FORK)
        return JOB_OK;
    if (!session_id_is_good(job->target))
        return JOB_INVALID;
    if (session_find(service, job->target))
        return JOB_EXISTS;
    job->other = session_new(service, job->target);
    if (!job->other)
        return JOB_OVERLOADED;
    job->other->current = job; /* what is asked of it meanwhile waits */
    return JOB_OK;
}

static void append_waiting(struct session *session, struct job *job)
{
    job->next_ready = NULL;
    if (session->last)
        session->last->next_ready = job;
    else
        session->first = job;
    session->last = job;
    session->waiting++;
}

static bool hand(struct service *service, struct session *session, struct job *job)
{
    session->current = job;
    session->used = loop_now();
    if (workers_hand(service, job))
        return true;
    session->current = NULL;
    return false;
}

static void drop_if_unused(struct session *session)
{
    if (session && !session->current && !session->first && !session->sandbox)
        session_remove(session);
}

enum job_status service_submit(struct service *service, struct job *job)
{
    enum job_status status = JOB_OVERLOADED;
    job->service = service;
    job->owner = job->other = NULL;
    if (service->job_count < service->config->jobs)
        status = find_owner(service, job);
    if (status == JOB_OK) {
        job->owner->pinned = true; /* making the target may close sessions */
        status = make_target(service, job);
        job->owner->pinned = false;
    }
    if (status == JOB_OK && job->owner->current)
        append_waiting(job->owner, job);
    else if (status == JOB_OK && !hand(service, job->owner, job))
        status = JOB_OVERLOADED;
    if (status != JOB_OK) {
        service->counts.rejected++;
        if (job->other)
            job->other->current = NULL;
        drop_if_unused(job->other);
        drop_if_unused(job->owner);
        return status;
    }
    job->submitted = loop_now();
    job->previous = NULL;
    job->next = service->jobs;
    if (service->jobs)
        service->jobs->previous = job;
    service->jobs = job;
    service->job_count++;
    if (job->timeout_ns && job->submitted + job->timeout_ns < service->next_check)
        service->next_check = job->submitted + job->timeout_ns;
    return JOB_OK;
}

/* --- Ends --------------------------------------------------------------------------------- */

static void count_end(struct service *service, const struct job *job)
{
    struct service_counts *counts = &service->counts;
    if (job->unsaved)
        counts->unsaved++;
    if (job->status == JOB_LOST || job->status == JOB_ELSEWHERE)
        counts->conflicts++;
    if (job->status == JOB_CANCELLED)
        counts->cancelled++;
    else if (job->status == JOB_TIMED_OUT)
        counts->timed_out++;
    else if (job->status != JOB_OK)
        counts->failed++;
    if (!job->outcome)
        return;
    double seconds = (double)eryx_outcome_wall_time_ns(job->outcome) / 1e9;
    size_t bucket = 0;
    while (bucket < 11 && seconds > service_bounds[bucket])
        bucket++;
    counts->seconds_buckets[bucket]++;
    counts->seconds_count++;
    counts->seconds_sum += seconds;
    counts->outcomes[eryx_outcome_kind(job->outcome)]++;
}

/* The session is free for its next job. */
static void go_on(struct service *service, struct session *session)
{
    session->current = NULL;
    session->used = loop_now();
    struct job *next = session->first;
    if (!next) {
        drop_if_unused(session);
        return;
    }
    session->first = next->next_ready;
    if (!session->first)
        session->last = NULL;
    session->waiting--;
    hand(service, session, next); /* there is a worker: one has run the job before */
}

static void unlist(struct service *service, struct job *job)
{
    if (job->previous)
        job->previous->next = job->next;
    else
        service->jobs = job->next;
    if (job->next)
        job->next->previous = job->previous;
    service->job_count--;
}

static void finish(struct service *service, struct job *job)
{
    if (job->outcome && job->wanted != JOB_OK && eryx_outcome_kind(job->outcome) != ERYX_OUTCOME_OK)
        job->status = job->wanted;
    else if (!job->outcome && job->status == JOB_OK && job->kind == JOB_EXECUTE)
        job->status = job->wanted;
    unlist(service, job);
    count_end(service, job);
    if (!job->queued)
        go_on(service, job->owner);
    if (job->other)
        go_on(service, job->other);
    job->on_done(job);
}

static void read_news(void *env, uint32_t events)
{
    struct service *service = env;
    uint64_t count;
    (void)events;
    while (read(service->news_watch.fd, &count, sizeof count) < 0 && errno == EINTR)
        continue;
    pthread_mutex_lock(&service->lock);
    struct job *job;
    while ((job = service->news_first)) {
        service->news_first = job->next_news;
        if (!service->news_first)
            service->news_last = NULL;
        job->noted = false;
        bool done = job->done;
        pthread_mutex_unlock(&service->lock);
        if (job->on_output)
            job->on_output(job);
        if (done)
            finish(service, job);
        pthread_mutex_lock(&service->lock);
    }
    pthread_mutex_unlock(&service->lock);
}

static void queue_is_readable(void *env, uint32_t events)
{
    (void)events;
    workers_wake(env);
}

/* One that waits for its session is over at once. */
static bool take_from_session(struct job *job)
{
    struct session *session = job->owner;
    struct job **at = &session->first, *previous = NULL;
    if (session->current == job)
        return false;
    while (*at != job) {
        previous = *at;
        at = &(*at)->next_ready;
    }
    *at = job->next_ready;
    if (session->last == job)
        session->last = previous;
    session->waiting--;
    job->status = job->wanted;
    return true;
}

static void end_job(struct job *job, enum job_status why)
{
    struct service *service = job->service;
    if (job->wanted != JOB_OK)
        return;
    job->cancelled = loop_now();
    pthread_mutex_lock(&service->lock);
    job->wanted = why;
    if (job->running && why == JOB_TIMED_OUT)
        eryx_sandbox_interrupt(job->owner->sandbox);
    else if (job->running)
        eryx_execution_cancel(job->execution);
    if (take_from_session(job)) {
        job->done = job->queued = true;
        workers_tell(service, job);
    }
    pthread_mutex_unlock(&service->lock);
    if (job->cancelled + grace < service->next_check)
        service->next_check = job->cancelled + grace;
}

void service_cancel(struct job *job)
{
    end_job(job, JOB_CANCELLED);
}

/* Returns when it is to be looked at again. */
static uint64_t check(struct job *job, uint64_t now)
{
    if (job->wanted != JOB_OK) {
        if (now < job->cancelled + grace)
            return job->cancelled + grace;
        pthread_mutex_lock(&job->service->lock);
        if (job->running)
            eryx_sandbox_interrupt(job->owner->sandbox);
        pthread_mutex_unlock(&job->service->lock);
        return now + grace;
    }
    if (!job->timeout_ns)
        return UINT64_MAX;
    pthread_mutex_lock(&job->service->lock);
    uint64_t started = job->running ? job->started : now;
    pthread_mutex_unlock(&job->service->lock);
    if (now < started + job->timeout_ns)
        return started + job->timeout_ns;
    end_job(job, JOB_TIMED_OUT);
    return now + grace;
}

static uint64_t tick(void *env)
{
    struct service *service = env;
    uint64_t now = loop_now(), idle = service->config->session_idle_ns;
    if (now >= service->next_check) {
        uint64_t next = UINT64_MAX;
        service->next_check = UINT64_MAX;
        for (struct job *job = service->jobs; job; job = job->next) {
            uint64_t one = check(job, now);
            next = one < next ? one : next;
        }
        service->next_check = next;
    }
    if (idle && now >= service->next_sweep) {
        sessions_close_idle(service, now > idle ? now - idle : 0, false);
        service->next_sweep = now + (idle < 10 * second ? idle : 10 * second);
    }
    uint64_t until = service->next_check;
    if (idle && service->session_count > 0 && service->next_sweep < until)
        until = service->next_sweep;
    return until == UINT64_MAX ? until : until - (until < now ? until : now);
}

/* --- Life --------------------------------------------------------------------------------- */

void service_count(struct service *service, struct service_counts *out)
{
    *out = service->counts;
    out->sessions = service->session_count;
    out->jobs = service->job_count;
    pthread_mutex_lock(&service->lock);
    out->running = service->busy_count;
    pthread_mutex_unlock(&service->lock);
    struct store_error problem;
    out->store = service->store != NULL;
    out->store_down = out->store && store_is_down(service->store, &problem);
}

bool service_has_store(const struct service *service)
{
    return service->store != NULL;
}

bool service_store_is_down(struct service *service, char *out, size_t capacity)
{
    struct store_error problem;
    if (!service->store || !store_is_down(service->store, &problem))
        return false;
    snprintf(out, capacity, "store %s: %s", store_name(service->store), problem.text);
    return true;
}

static bool open_service(struct service *service, const char *runtime_path)
{
    const struct server_config *config = service->config;
    eryx_error_t error = {0};
    eryx_runtime_options_t options;
    eryx_runtime_options_init(&options);
    options.max_sandboxes = config->sessions + config->jobs + 16;
    options.max_warm = config->workers * 4;
    if (eryx_runtime_open(runtime_path, &options, &service->runtime, &error) != ERYX_OK ||
        eryx_queue_new(&service->queue, &error) != ERYX_OK) {
        message_error("%s", error.message);
        return false;
    }
    const char *place = config->store_url ? config->store_url : config->store_directory;
    if (place && !(service->store = store_open(place)))
        return false;
    service->queue_watch = (struct loop_watch){
        .fd = eryx_queue_fd(service->queue), .ready = queue_is_readable, .env = service};
    service->news_watch.fd = eventfd(0, EFD_CLOEXEC);
    service->news_watch.ready = read_news;
    service->news_watch.env = service;
    if (service->news_watch.fd >= 0 && loop_add(service->loop, &service->news_watch, EPOLLIN) &&
        loop_add(service->loop, &service->queue_watch, EPOLLONESHOT))
        return true;
    message_error("cannot start: %s", strerror(errno));
    return false;
}

struct service *service_new(const struct server_config *config, const char *runtime_path,
                            struct loop *loop)
{
    struct service *service = calloc(1, sizeof *service);
    if (!service) {
        message_error("out of memory");
        return NULL;
    }
    service->config = config;
    service->loop = loop;
    service->born = loop_now();
    service->next_check = UINT64_MAX;
    service->news_watch.fd = -1;
    pthread_mutex_init(&service->lock, NULL);
    pthread_cond_init(&service->work, NULL);
    if (open_service(service, runtime_path)) {
        loop_add_tick(loop, tick, service);
        return service;
    }
    service_free(service);
    return NULL;
}

/* Until the last job has told its end; what does not end by itself is interrupted. */
static void end_all(struct service *service)
{
    while (service->jobs) {
        for (struct job *job = service->jobs; job; job = job->next)
            end_job(job, JOB_CANCELLED);
        tick(service);
        struct pollfd fds[] = {{.fd = service->news_watch.fd, .events = POLLIN},
                               {.fd = service->queue_watch.fd, .events = POLLIN}};
        poll(fds, 2, 100); /* 100 ms: those that are to be interrupted by now */
        if (fds[1].revents)
            workers_wake(service);
        if (fds[0].revents)
            read_news(service, EPOLLIN);
    }
}

void service_free(struct service *service)
{
    if (!service)
        return;
    end_all(service);
    workers_join(service);
    sessions_close_idle(service, UINT64_MAX, false);
    loop_remove(service->loop, &service->news_watch);
    loop_remove(service->loop, &service->queue_watch);
    if (service->news_watch.fd >= 0)
        close(service->news_watch.fd);
    eryx_queue_free(service->queue);
    eryx_runtime_free(service->runtime);
    store_close(service->store);
    pthread_mutex_destroy(&service->lock);
    pthread_cond_destroy(&service->work);
    free(service);
}
