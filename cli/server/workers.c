/* The threads that run programs.
 *
 * A worker takes a job, starts its execution, and runs what the library's queue gives it, which is
 * that one or another that can go on. An execution that waits is nobody's: when something
 * happens to it the queue's descriptor becomes readable, the loop says so and a worker takes it.
 * The descriptor is only looked at while executions wait, so that a program that just computes
 * wakes the loop once, at its end. */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void signal_news(struct service *service)
{
    uint64_t one = 1;
    while (write(service->news_watch.fd, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

void workers_tell(struct service *service, struct job *job)
{
    if (job->noted)
        return;
    job->noted = true;
    job->next_news = NULL;
    if (service->news_last)
        service->news_last->next_news = job;
    else
        service->news_first = job;
    service->news_last = job;
    if (service->news_first == job)
        signal_news(service);
}

static void tell_done(struct job *job)
{
    struct service *service = job->service;
    pthread_mutex_lock(&service->lock);
    job->done = true;
    workers_tell(service, job);
    pthread_mutex_unlock(&service->lock);
}

/* Under the lock. */
static void arm(struct service *service)
{
    if (service->queue_armed)
        return;
    service->queue_armed = true;
    loop_modify(service->loop, &service->queue_watch, EPOLLIN | EPOLLONESHOT);
}

static void *work(void *argument);

/* Under the lock: somebody is to look for work. A worker that was woken and has not come yet is not
 * counted on for a second piece. */
static void wake_one(struct service *service)
{
    if (service->idle_count > service->woken_count) {
        service->woken_count++;
        pthread_cond_signal(&service->work);
    } else if (service->thread_count < service->config->workers &&
               pthread_create(&service->threads[service->thread_count], NULL, work, service) == 0) {
        service->thread_count++;
    }
}

/* Under the lock. */
static void say_queue_ready(struct service *service)
{
    service->queue_ready = true;
    service->hints++;
    wake_one(service);
}

/* Takes an execution from the queue and runs it. own: the job that was just started, or NULL.
 * False: the queue is empty. */
static bool run_next(struct service *service, const struct job *own)
{
    eryx_execution_t *execution = eryx_queue_next(service->queue);
    if (!execution)
        return false;
    struct job *job = eryx_execution_env(execution);
    pthread_mutex_lock(&service->lock);
    if (!job->fresh)
        service->suspended--;
    job->fresh = false;
    if (job != own) /* there may be more, and our own */
        say_queue_ready(service);
    pthread_mutex_unlock(&service->lock);
    if (eryx_execution_run(execution) == ERYX_EXECUTION_DONE) {
        work_end(job);
        tell_done(job);
        return true;
    }
    /* From here the job may be another worker's, or be over. */
    pthread_mutex_lock(&service->lock);
    service->suspended++;
    arm(service);
    pthread_mutex_unlock(&service->lock);
    return true;
}

static struct job *take_ready(struct service *service)
{
    struct job *job = service->ready_first;
    if (!job)
        return NULL;
    service->ready_first = job->next_ready;
    if (!service->ready_first)
        service->ready_last = NULL;
    return job;
}

/* Without the lock. */
static void start(struct service *service, struct job *job)
{
    job->fresh = true;
    if (!work_begin(job))
        tell_done(job);
    else
        run_next(service, job);
}

/* hints: how often the queue was said to be ready when this was decided. */
static void look_into_queue(struct service *service, uint64_t hints)
{
    if (run_next(service, NULL))
        return;
    pthread_mutex_lock(&service->lock);
    if (service->hints == hints) { /* else it may have got one after it was empty */
        service->queue_ready = false;
        if (service->suspended > 0)
            arm(service);
    }
    pthread_mutex_unlock(&service->lock);
}

/* Waits for work, under the lock; false at the end. */
static bool wait_for_work(struct service *service)
{
    while (!service->queue_ready && !service->ready_first) {
        if (service->stopping)
            return false;
        service->idle_count++;
        pthread_cond_wait(&service->work, &service->lock);
        service->idle_count--;
        if (service->woken_count > 0)
            service->woken_count--;
    }
    return true;
}

static void *work(void *argument)
{
    struct service *service = argument;
    bool new_jobs_first = false; /* in turns, so that neither starves */
    pthread_mutex_lock(&service->lock);
    while (wait_for_work(service)) {
        uint64_t hints = service->hints;
        new_jobs_first = !new_jobs_first;
        struct job *job = new_jobs_first || !service->queue_ready ? take_ready(service) : NULL;
        service->busy_count++;
        pthread_mutex_unlock(&service->lock);
        if (job)
            start(service, job);
        else
            look_into_queue(service, hints);
        pthread_mutex_lock(&service->lock);
        service->busy_count--;
    }
    pthread_mutex_unlock(&service->lock);
    return NULL;
}

bool workers_hand(struct service *service, struct job *job)
{
    pthread_mutex_lock(&service->lock);
    if (service->thread_count == 0)
        wake_one(service);
    bool some = service->thread_count > 0;
    if (some) {
        job->next_ready = NULL;
        if (service->ready_last)
            service->ready_last->next_ready = job;
        else
            service->ready_first = job;
        service->ready_last = job;
        wake_one(service);
    }
    pthread_mutex_unlock(&service->lock);
    return some;
}

void workers_wake(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    service->queue_armed = false;
    say_queue_ready(service);
    pthread_mutex_unlock(&service->lock);
}

void workers_join(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    service->stopping = true;
    pthread_cond_broadcast(&service->work);
    pthread_mutex_unlock(&service->lock);
    for (uint32_t i = 0; i < service->thread_count; i++)
        pthread_join(service->threads[i], NULL);
    service->thread_count = 0;
}
