/* A queue of jobs and the threads that serve it. */
#define _GNU_SOURCE
#include "net/resolver.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define THREADS_MAX 32u
#define THREADS_OF_ONE 8u /* that work for one sandbox: its slow names must not hold up others */
#define IDLE_NS UINT64_C(10000000000)
#define STACK_BYTES (1u << 20)

struct resolver {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    resolver_job_t *first, *last;
    void (*finish)(resolver_job_t *job);
    unsigned threads, idle, queued;
    uint64_t working[THREADS_MAX]; /* owners of the jobs that run */
    unsigned running;
    bool closed;
};

void net_hooks_retain(net_hooks_t *hooks) {
    atomic_fetch_add_explicit(&hooks->references, 1, memory_order_relaxed);
}

void net_hooks_release(net_hooks_t *hooks) {
    if (!hooks || atomic_fetch_sub(&hooks->references, 1) != 1)
        return;
    if (hooks->env_finalizer)
        hooks->env_finalizer(hooks->env);
    net_policy_free(&hooks->policy);
    free(hooks);
}

/* --- One job ------------------------------------------------------------------------------ */

static void add_address(resolver_job_t *job, const net_address_t *address) {
    for (unsigned i = 0; i < job->count; i++)
        if (net_address_equal(&job->addresses[i], address))
            return;
    if (job->count < NET_ADDRESSES_MAX)
        job->addresses[job->count++] = *address;
}

static int error_of(int code) {
    switch (code) {
    case EAI_AGAIN:
        return NET_NAME_AGAIN;
    case EAI_NONAME:
#ifdef EAI_NODATA
    case EAI_NODATA:
#endif
        return NET_NAME_UNKNOWN;
    case EAI_MEMORY:
        return NET_OUT_OF_MEMORY;
    default:
        return NET_NAME_FAILED;
    }
}

static void ask_system(resolver_job_t *job) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list;
    int code = getaddrinfo(job->name, NULL, &hints, &list);
    if (code != 0) {
        job->error = error_of(code);
        return;
    }
    for (struct addrinfo *item = list; item; item = item->ai_next) {
        struct sockaddr_storage storage = {0};
        net_address_t address;
        if (item->ai_addrlen > sizeof storage)
            continue;
        memcpy(&storage, item->ai_addr, item->ai_addrlen);
        if (net_address_from_system(&storage, &address))
            add_address(job, &address);
    }
    freeaddrinfo(list);
}

static bool ask_host(resolver_job_t *job) {
    eryx_net_address_t texts[NET_ADDRESSES_MAX];
    int count = job->hooks->on_resolve(job->hooks->env, job->name, texts, NET_ADDRESSES_MAX);
    if (count == ERYX_NET_SYSTEM)
        return false;
    if (count < 0)
        job->error = count == ERYX_NET_TRY_AGAIN ? NET_NAME_AGAIN : NET_NAME_UNKNOWN;
    for (int i = 0; i < count && i < (int)NET_ADDRESSES_MAX; i++) {
        char name[NET_NAME_MAX + 1];
        const char *why;
        net_address_t address;
        size_t length = strnlen(texts[i].text, sizeof texts[i].text);
        if (net_host_parse(texts[i].text, length, &address, name, &why) == NET_HOST_ADDRESS)
            add_address(job, &address);
        else
            job->error = NET_NAME_FAILED;
    }
    return true;
}

static void resolve(resolver_job_t *job) {
    if (!job->hooks->on_resolve || !ask_host(job))
        ask_system(job);
    if (job->error == 0 && job->count == 0)
        job->error = NET_NAME_UNKNOWN;
}

/* --- Threads ------------------------------------------------------------------------------ */

static void leave(resolver_t *self) {
    bool last = self->closed && self->threads == 0;
    pthread_mutex_unlock(&self->lock);
    if (!last)
        return;
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
    free(self);
}

static unsigned running_of(const resolver_t *self, uint64_t owner) {
    unsigned count = 0;
    for (unsigned i = 0; i < self->running; i++)
        count += self->working[i] == owner;
    return count;
}

/* The oldest job whose sandbox has not its share of threads; a thread that works for it takes what is left
 * here. NULL: none. Lock held. */
static resolver_job_t *take_job(resolver_t *self) {
    resolver_job_t *before = NULL, *job = self->first;
    while (job && running_of(self, job->owner) >= THREADS_OF_ONE) {
        before = job;
        job = job->next;
    }
    if (!job)
        return NULL;
    if (before)
        before->next = job->next;
    else
        self->first = job->next;
    if (self->last == job)
        self->last = before;
    self->queued--;
    self->working[self->running++] = job->owner;
    return job;
}

static void end_job(resolver_t *self, uint64_t owner) {
    unsigned i = 0;
    while (self->working[i] != owner)
        i++;
    self->working[i] = self->working[--self->running];
}

/* Waits for a job; NULL: there was none for a while, or the resolver is closed. Lock held. */
static resolver_job_t *next_job(resolver_t *self) {
    struct timespec until = clock_timespec(clock_add(clock_monotonic(), IDLE_NS));
    resolver_job_t *job;
    self->idle++;
    while (!(job = take_job(self)) && !self->closed)
        if (pthread_cond_timedwait(&self->wake, &self->lock, &until) == ETIMEDOUT) {
            job = take_job(self);
            break;
        }
    self->idle--;
    return job;
}

static void *run(void *env) {
    resolver_t *self = env;
    pthread_mutex_lock(&self->lock);
    for (;;) {
        resolver_job_t *job = next_job(self);
        if (!job)
            break;
        void (*finish)(resolver_job_t *) = self->finish;
        uint64_t owner = job->owner;
        pthread_mutex_unlock(&self->lock);
        resolve(job);
        finish(job);
        pthread_mutex_lock(&self->lock);
        end_job(self, owner);
    }
    self->threads--;
    leave(self);
    return NULL;
}

static bool start_thread(resolver_t *self) {
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, &attributes, run, self) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    self->threads += started;
    return started;
}

resolver_t *resolver_new(void) {
    pthread_condattr_t attributes;
    resolver_t *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool good = pthread_mutex_init(&self->lock, NULL) == 0 &&
                pthread_cond_init(&self->wake, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (good)
        return self;
    free(self);
    return NULL;
}

void resolver_close(resolver_t *self) {
    pthread_mutex_lock(&self->lock);
    self->closed = true;
    pthread_cond_broadcast(&self->wake);
    leave(self);
}

bool resolver_start(resolver_t *self, resolver_job_t *job, void (*finish)(resolver_job_t *job)) {
    pthread_mutex_lock(&self->lock);
    self->finish = finish;
    bool served = self->idle > self->queued;
    if (!served && self->threads < THREADS_MAX)
        served = start_thread(self);
    bool taken = served || self->threads > 0;
    if (taken) {
        job->next = NULL;
        if (self->last)
            self->last->next = job;
        else
            self->first = job;
        self->last = job;
        self->queued++;
        pthread_cond_signal(&self->wake);
    }
    pthread_mutex_unlock(&self->lock);
    return taken;
}
