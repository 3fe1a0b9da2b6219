/* What `eryx top` shows: every sandbox of this server, what it uses and what it waits for.
 *
 * Counting memory takes about half a millisecond a sandbox, on the loop's thread. Of a session at rest it is
 * counted once and then kept, and a request counts for a limited time. */
#include "api.h"

#include <string.h>
#include <sys/resource.h>

#include "internal.h"

enum { ROWS_MAX = 1000 };

static const uint64_t counting_ns = 20000000; /* of one request */

struct top {
    json_t *rows;
    uint64_t now, end; /* no more counting after it */
    uint32_t left_out;
};

static const char *const waits[] = {
    [ERYX_WAIT_NOTHING] = "",          [ERYX_WAIT_HOST] = "thread",
    [ERYX_WAIT_CALLBACK] = "callback", [ERYX_WAIT_NETWORK] = "network",
    [ERYX_WAIT_TIMER] = "timer",       [ERYX_WAIT_EXTENSION] = "extension",
};

/* The sandbox is somebody else's while its job runs: false if it is not known to be there. */
static bool look(struct session *session, eryx_usage_t *usage)
{
    struct service *service = session->service;
    const struct job *job = session->current;
    pthread_mutex_lock(&service->lock);
    bool there = job && job->running;
    if (there)
        eryx_sandbox_usage(session->sandbox, usage, NULL);
    pthread_mutex_unlock(&service->lock);
    return there;
}

static void look_at_rest(struct session *session, eryx_usage_t *usage)
{
    if (!session->sandbox)
        return;
    eryx_sandbox_usage(session->sandbox, usage, NULL);
    if (session->counted_at != session->used) {
        session->memory_bytes = eryx_sandbox_memory(session->sandbox);
        session->counted_at = session->used;
    }
}

static double seconds(uint64_t nanoseconds)
{
    return (double)nanoseconds / 1e9;
}

static void add_row(struct top *top, struct session *session)
{
    eryx_usage_t usage;
    eryx_usage_init(&usage);
    const char *state = "starting";
    bool counts = loop_now() < top->end;
    if (json_array_size(top->rows) == ROWS_MAX || !counts) {
        top->left_out++;
        return;
    }
    if (!session->current) {
        state = "idle";
        look_at_rest(session, &usage);
    } else if (look(session, &usage)) {
        state = usage.running ? "running" : usage.executing ? "waiting" : "ending";
        session->memory_bytes = usage.memory_bytes ? usage.memory_bytes : session->memory_bytes;
    }
    json_t *wait = usage.wait == ERYX_WAIT_NOTHING
                       ? json_null()
                       : json_pack("{s:s, s:s, s:i}", "for", waits[usage.wait], "callback",
                                   usage.callback, "count", (int)usage.wait_count);
    json_array_append_new(
        top->rows, json_pack("{s:s?, s:s, s:o, s:f, s:f, s:f, s:I, s:f, s:i}", "session",
                             session->id[0] ? session->id : NULL, "state", state, "waits", wait,
                             "age_seconds", seconds(top->now - session->born), "run_seconds",
                             seconds(usage.wall_ns), "cpu_seconds", seconds(usage.cpu_ns),
                             "memory_bytes", (json_int_t)session->memory_bytes, "idle_seconds",
                             session->current ? 0.0 : seconds(top->now - session->used), "jobs",
                             (int)session->waiting + (session->current != NULL)));
}

/* First those at work, which are few: by their jobs; then the sessions at rest. */
static void add_rows(struct service *service, struct top *top)
{
    for (struct job *job = service->jobs; job; job = job->next) {
        if (job->owner && job->owner->current == job)
            add_row(top, job->owner);
    }
    for (size_t i = 0; i < SESSION_BUCKETS; i++) {
        for (struct session *session = service->buckets[i]; session; session = session->next) {
            if (!session->current)
                add_row(top, session);
        }
    }
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void top_reply(struct service *service, struct http_request *request)
{
    uint64_t now = loop_now();
    struct top top = {.rows = json_array(), .now = now, .end = now + counting_ns};
    struct service_counts counts;
    service_count(service, &counts);
    add_rows(service, &top);
    json_t *server =
        json_pack("{s:s, s:f, s:f, s:I, s:I, s:I, s:I, s:I}", "version", eryx_version(),
                  "uptime_seconds", seconds(now - service->born), "cpu_seconds", cpu_seconds(),
                  "workers", (json_int_t)service->config->workers, "workers_busy",
                  (json_int_t)counts.running, "jobs", (json_int_t)counts.jobs, "sessions",
                  (json_int_t)counts.sessions, "left_out", (json_int_t)top.left_out);
    http_reply_json(request, 200, json_pack("{s:o, s:o}", "server", server, "sandboxes", top.rows));
}
