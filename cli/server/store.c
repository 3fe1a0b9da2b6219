/* A store, whatever it is: finds out which by its place, keeps leases alive, and remembers whether
 * it can be used. */
#define _GNU_SOURCE
#include "store.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <eryx.h>

#include "../message.h"
#include "module.h"

static const uint64_t second = 1000000000;

struct store_hold {
    struct store *store;
    struct store_lease lease;
    uint64_t renew_at; /* monotonic */
    bool claimed;      /* the lease is being changed, by one thread; under the store's lock */
    struct store_hold *next, *previous;
};

struct store {
    const struct store_backend *backend;
    void *env;
    char name[200];
    uint64_t lease_ns;

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct store_hold *holds;
    uint64_t wakes_at; /* when the keeper looks next */
    bool down, stopping, keeping;
    struct store_error problem;
    pthread_t keeper;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * second + (uint64_t)now.tv_nsec;
}

/* --- Whether it can be used --------------------------------------------------------------- */

/* What every call to the backend ends with. Says it once when that changes. */
static bool note(struct store *store, bool good, const struct store_error *error)
{
    bool down = !good && error->cause == STORE_UNAVAILABLE;
    pthread_mutex_lock(&store->lock);
    bool change = store->down != down;
    store->down = down;
    if (down)
        store->problem = *error;
    if (change)
        pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
    if (change && down)
        message_error("store %s: %s", store->name, error->text);
    else if (change)
        message_error("store %s: can be used again", store->name);
    return good;
}

bool store_is_down(struct store *store, struct store_error *out)
{
    pthread_mutex_lock(&store->lock);
    bool down = store->down;
    if (down)
        *out = store->problem;
    pthread_mutex_unlock(&store->lock);
    return down;
}

/* --- Keeping leases ----------------------------------------------------------------------- */

/* Under the lock: from here to unclaim nobody else changes the lease. */
static void claim(struct store_hold *hold)
{
    while (hold->claimed)
        pthread_cond_wait(&hold->store->changed, &hold->store->lock);
    hold->claimed = true;
}

static void unclaim(struct store_hold *hold)
{
    hold->claimed = false;
    pthread_cond_broadcast(&hold->store->changed);
}

/* Under the lock, which it leaves meanwhile. A lease that is another's by now is not tried again:
 * the writing that follows will tell. */
static void renew(struct store *store, struct store_hold *hold)
{
    struct store_error error = {0};
    claim(hold);
    pthread_mutex_unlock(&store->lock);
    uint64_t start = now_ns();
    bool good = note(store, store->backend->renew(store->env, &hold->lease, &error), &error);
    pthread_mutex_lock(&store->lock);
    hold->renew_at = good                               ? start + store->lease_ns / 3
                     : error.cause == STORE_UNAVAILABLE ? start + second
                                                        : UINT64_MAX;
    unclaim(hold);
}

/* Under the lock. NULL: none is due; *next is when one will be. */
static struct store_hold *due(struct store *store, uint64_t now, uint64_t *next)
{
    for (struct store_hold *hold = store->holds; hold; hold = hold->next) {
        if (hold->claimed)
            continue; /* being released, or it comes here again */
        if (hold->renew_at <= now)
            return hold;
        *next = hold->renew_at < *next ? hold->renew_at : *next;
    }
    return NULL;
}

/* Renews leases when they are due, and asks a store that is down whether it is back. */
static void *keep(void *argument)
{
    struct store *store = argument;
    uint64_t ping_at = 0;
    pthread_mutex_lock(&store->lock);
    while (!store->stopping) {
        uint64_t now = now_ns(), next = now + 3600 * second;
        if (store->down && now >= ping_at) {
            struct store_error error = {0};
            pthread_mutex_unlock(&store->lock);
            note(store, store->backend->ping(store->env, &error), &error);
            ping_at = now_ns() + second;
            pthread_mutex_lock(&store->lock);
            continue;
        }
        struct store_hold *hold = store->down ? NULL : due(store, now, &next);
        if (hold) {
            renew(store, hold);
            continue;
        }
        if (store->down)
            next = ping_at;
        store->wakes_at = next;
        struct timespec until = {(time_t)(next / second), (long)(next % second)};
        pthread_cond_timedwait(&store->changed, &store->lock, &until);
    }
    pthread_mutex_unlock(&store->lock);
    return NULL;
}

static void link_hold(struct store_hold *hold)
{
    struct store *store = hold->store;
    pthread_mutex_lock(&store->lock);
    hold->next = store->holds;
    if (hold->next)
        hold->next->previous = hold;
    store->holds = hold;
    if (hold->renew_at < store->wakes_at)
        pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
}

struct store_hold *store_take(struct store *store, const char *id, struct store_error *error)
{
    if (store_is_down(store, error))
        return NULL; /* it would take long to learn no more than that */
    struct store_hold *hold = calloc(1, sizeof *hold);
    if (!hold) {
        store_fail(error, STORE_FAILED, "out of memory");
        return NULL;
    }
    hold->store = store;
    hold->lease.file = -1;
    snprintf(hold->lease.id, sizeof hold->lease.id, "%s", id);
    uint64_t start = now_ns();
    if (!note(store, store->backend->take(store->env, &hold->lease, error), error)) {
        free(hold);
        return NULL;
    }
    hold->renew_at = start + store->lease_ns / 3;
    link_hold(hold);
    return hold;
}

void store_release(struct store_hold *hold)
{
    if (!hold)
        return;
    struct store *store = hold->store;
    pthread_mutex_lock(&store->lock);
    claim(hold);
    if (hold->previous)
        hold->previous->next = hold->next;
    else
        store->holds = hold->next;
    if (hold->next)
        hold->next->previous = hold->previous;
    bool down = store->down;
    pthread_mutex_unlock(&store->lock);
    if (!down) /* else it ends by itself */
        store->backend->release(store->env, &hold->lease);
    free(hold);
}

/* --- Sessions ----------------------------------------------------------------------------- */

bool store_look(struct store *store, const char *id, struct store_mark *mark,
                struct store_error *error)
{
    *mark = (struct store_mark){0};
    return note(store, store->backend->look(store->env, id, mark, error), error);
}

bool store_same(const struct store_mark *a, const struct store_mark *b)
{
    return strcmp(a->text, b->text) == 0;
}

void *store_read(struct store *store, const char *id, size_t max, size_t *length,
                 struct store_mark *mark, struct store_error *error)
{
    void *data = store->backend->read(store->env, id, max, length, mark, error);
    note(store, data != NULL, error);
    return data;
}

/* A lease that ended while the store could not be reached is taken again if nobody has it; the
 * backend sees to it that the version is still the one that was read. */
bool store_write(struct store_hold *hold, const void *data, size_t length, struct store_mark *mark,
                 struct store_error *error)
{
    struct store *store = hold->store;
    const struct store_backend *backend = store->backend;
    if (store_is_down(store, error))
        return false;
    pthread_mutex_lock(&store->lock);
    claim(hold);
    pthread_mutex_unlock(&store->lock);
    bool good = backend->write(store->env, &hold->lease, data, length, mark, error);
    if (!good && error->cause == STORE_LOST) {
        struct store_error busy;
        if (backend->take(store->env, &hold->lease, &busy))
            good = backend->write(store->env, &hold->lease, data, length, mark, error);
    }
    note(store, good, error);
    pthread_mutex_lock(&store->lock);
    unclaim(hold);
    pthread_mutex_unlock(&store->lock);
    return good;
}

bool store_remove(struct store_hold *hold, struct store_error *error)
{
    struct store *store = hold->store;
    if (store_is_down(store, error))
        return false;
    pthread_mutex_lock(&store->lock);
    claim(hold);
    pthread_mutex_unlock(&store->lock);
    bool good = note(store, store->backend->remove(store->env, &hold->lease, error), error);
    pthread_mutex_lock(&store->lock);
    unclaim(hold);
    pthread_mutex_unlock(&store->lock);
    return good;
}

/* --- Opening ------------------------------------------------------------------------------ */

static const struct store_backend *open_place(struct store *store, const char *place,
                                              struct store_error *error)
{
    static const char file[] = "file://";
    const char *scheme = strstr(place, "://");
    if (!scheme || memchr(place, '/', (size_t)(scheme - place)))
        return store_open_directory(place, &store->env, store->name, error);
    if (strncmp(place, file, sizeof file - 1) == 0) {
        if (place[sizeof file - 1] == '/')
            return store_open_directory(place + sizeof file - 1, &store->env, store->name, error);
        store_fail(error, STORE_FAILED, "the store's URL must have three slashes: file:///FOLDER");
        return NULL;
    }
    char why[160];
    const struct module *module = module_load(why, sizeof why);
    if (module)
        return module->open_store(place, &store->env, store->name, error);
    store_fail(error, STORE_FAILED, "stores on the network: %s", why);
    return NULL;
}

static bool start_keeper(struct store *store)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    store->lease_ns = store->backend->lease_ns(store->env);
    if (!store->lease_ns)
        return true;
    store->keeping = pthread_create(&store->keeper, NULL, keep, store) == 0;
    return store->keeping;
}

struct store *store_open(const char *place)
{
    struct store_error error = {STORE_FAILED, "out of memory"};
    struct store *store = calloc(1, sizeof *store);
    if (store)
        store->backend = open_place(store, place, &error);
    if (!store || !store->backend) {
        message_error("%s", error.text);
        free(store);
        return NULL;
    }
    if (start_keeper(store))
        return store;
    message_error("store %s: cannot start a thread", store->name);
    store_close(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    pthread_mutex_lock(&store->lock);
    store->stopping = true;
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->lock);
    if (store->keeping)
        pthread_join(store->keeper, NULL);
    store->backend->close(store->env);
    pthread_mutex_destroy(&store->lock);
    pthread_cond_destroy(&store->changed);
    free(store);
}

const char *store_name(const struct store *store)
{
    return store->name;
}
