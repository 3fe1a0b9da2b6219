/* Metrics in the text format of Prometheus. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <eryx.h>

#include "../outcome_kind.h"
#include "api.h"

static void head(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP eryx_%s %s\n# TYPE eryx_%s %s\n", name, help, name, type);
}

static void one(FILE *out, const char *name, const char *type, const char *help, double value)
{
    head(out, name, type, help);
    fprintf(out, "eryx_%s %.17g\n", name, value);
}

static void outcomes(FILE *out, const struct service_counts *counts)
{
    head(out, "executions_total", "counter", "Executions that came to an end, by outcome.");
    for (size_t i = 0; i < 6; i++)
        fprintf(out, "eryx_executions_total{outcome=\"%s\"} %" PRIu64 "\n",
                outcome_kind_name((eryx_outcome_kind_t)i), counts->outcomes[i]);
    head(out, "jobs_ended_early_total", "counter", "Jobs that were not done, by reason.");
    fprintf(out,
            "eryx_jobs_ended_early_total{reason=\"rejected\"} %" PRIu64 "\n"
            "eryx_jobs_ended_early_total{reason=\"failed\"} %" PRIu64 "\n"
            "eryx_jobs_ended_early_total{reason=\"cancelled\"} %" PRIu64 "\n"
            "eryx_jobs_ended_early_total{reason=\"timeout\"} %" PRIu64 "\n",
            counts->rejected, counts->failed, counts->cancelled, counts->timed_out);
}

static void store(FILE *out, const struct service_counts *counts)
{
    one(out, "store_up", "gauge", "Whether the store of sessions can be used.",
        counts->store_down ? 0 : 1);
    one(out, "store_unsaved_total", "counter", "Sessions that could not be written into the store.",
        (double)counts->unsaved);
    one(out, "store_conflicts_total", "counter",
        "Jobs that were refused because another server had the session.",
        (double)counts->conflicts);
}

static void seconds(FILE *out, const struct service_counts *counts)
{
    uint64_t sum = 0;
    head(out, "execution_seconds", "histogram", "Wall time of executions.");
    for (size_t i = 0; i < 11; i++) {
        sum += counts->seconds_buckets[i];
        fprintf(out, "eryx_execution_seconds_bucket{le=\"%g\"} %" PRIu64 "\n", service_bounds[i],
                sum);
    }
    fprintf(out,
            "eryx_execution_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
            "eryx_execution_seconds_sum %.9g\neryx_execution_seconds_count %" PRIu64 "\n",
            counts->seconds_count, counts->seconds_sum, counts->seconds_count);
}

static double resident_bytes(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%*u %llu", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void metrics_reply(struct service *service, uint32_t connections, struct http_request *request)
{
    struct service_counts counts;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out) {
        http_reply_error(request, 500, "memory", "out of memory");
        return;
    }
    service_count(service, &counts);
    head(out, "info", "gauge", "Version of the server.");
    fprintf(out, "eryx_info{version=\"%s\"} 1\n", eryx_version());
    one(out, "sessions", "gauge", "Sessions in this process.", counts.sessions);
    one(out, "jobs", "gauge", "Jobs that are accepted and not done.", counts.jobs);
    one(out, "workers_busy", "gauge", "Threads that run programs at this moment.", counts.running);
    one(out, "connections", "gauge", "HTTP connections.", connections);
    outcomes(out, &counts);
    if (counts.store)
        store(out, &counts);
    seconds(out, &counts);
    one(out, "resident_bytes", "gauge", "Resident memory of the process.", resident_bytes());
    one(out, "cpu_seconds_total", "counter", "CPU time of the process.", cpu_seconds());
    if (fclose(out) != 0)
        http_reply_error(request, 500, "memory", "out of memory");
    else
        http_reply(request, 200, "text/plain; version=0.0.4; charset=utf-8", text, length);
}
