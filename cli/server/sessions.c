/* The table of sessions, by their ids. All of it is the loop's. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

bool session_id_is_good(const char *id)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t length = strnlen(id, SESSION_ID_MAX + 1);
    return length > 0 && length <= SESSION_ID_MAX && strspn(id, letters) == length;
}

static struct session **bucket_of(struct service *service, const char *id)
{
    uint32_t hash = 2166136261u;
    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * 16777619u;
    return &service->buckets[hash % SESSION_BUCKETS];
}

struct session *session_find(struct service *service, const char *id)
{
    struct session *session = *bucket_of(service, id);
    while (session && strcmp(session->id, id) != 0)
        session = session->next;
    return session;
}

void session_remove(struct session *session)
{
    struct service *service = session->service;
    if (session->id[0]) {
        struct session **at = bucket_of(service, session->id);
        while (*at != session)
            at = &(*at)->next;
        *at = session->next;
        service->session_count--;
    }
    eryx_sandbox_free(session->sandbox);
    free(session);
}

/* Closes sessions without jobs that were last used at `limit` or before; at most one if `oldest`.
 */
bool sessions_close_idle(struct service *service, uint64_t limit, bool oldest)
{
    struct session *found = NULL;
    for (size_t i = 0; i < SESSION_BUCKETS; i++) {
        for (struct session *s = service->buckets[i], *next; s; s = next) {
            next = s->next;
            if (s->current || s->pinned || s->used > limit)
                continue;
            if (!oldest)
                session_remove(s);
            else if (!found || s->used < found->used)
                found = s;
        }
    }
    if (found)
        session_remove(found);
    return found != NULL;
}

struct session *session_new(struct service *service, const char *id)
{
    /* One that is in the store can be taken from there again. */
    if (*id && service->session_count >= service->config->sessions &&
        !(service->store && sessions_close_idle(service, UINT64_MAX, true)))
        return NULL;
    struct session *session = calloc(1, sizeof *session);
    if (!session)
        return NULL;
    session->service = service;
    session->used = session->born = loop_now();
    strcpy(session->id, id);
    if (*id) {
        struct session **at = bucket_of(service, id);
        session->next = *at;
        *at = session;
        service->session_count++;
    }
    return session;
}

bool service_has_session(struct service *service, const char *id)
{
    return session_find(service, id) != NULL;
}

void service_each_session(struct service *service,
                          void (*fn)(void *env, const char *id, bool busy, uint64_t idle_ns),
                          void *env)
{
    uint64_t now = loop_now();
    for (size_t i = 0; i < SESSION_BUCKETS; i++) {
        for (struct session *s = service->buckets[i]; s; s = s->next)
            fn(env, s->id, s->current != NULL, now - s->used);
    }
}
