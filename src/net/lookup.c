/* Lookups of names: sockets of a kind whose answer comes from the resolver. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/internal.h"

void net_job_free(resolver_job_t *job) {
    net_t *net = job->net;
    net_hooks_release(job->hooks);
    free(job);
    net_release(net);
}

/* A thread of the resolver. */
static void finish(resolver_job_t *job) {
    net_t *net = job->net;
    pthread_mutex_lock(&net->reactor.lock);
    job->done = true;
    net_socket_t *asker = job->asker;
    if (asker)
        net_wait_fire_all(asker);
    pthread_mutex_unlock(&net->reactor.lock);
    if (!asker)
        net_job_free(job);
}

static int start_job(net_socket_t *socket) {
    net_sandbox_t *self = socket->sandbox;
    resolver_job_t *job = calloc(1, sizeof *job);
    if (!job)
        return -NET_OUT_OF_MEMORY;
    atomic_fetch_add(&self->net->references, 1);
    net_hooks_retain(self->hooks);
    job->net = self->net;
    job->hooks = self->hooks;
    job->owner = self->id;
    job->asker = socket;
    memcpy(job->name, socket->name, sizeof job->name);
    socket->job = job;
    if (resolver_start(self->net->resolver, job, finish))
        return 0;
    socket->job = NULL;
    net_job_free(job);
    return -NET_OUT_OF_MEMORY;
}

static unsigned running_lookups(const net_sandbox_t *self) {
    unsigned count = 0;
    for (uint32_t i = 0; i < self->count; i++)
        count += self->sockets[i]->kind == NET_KIND_LOOKUP;
    return count;
}

/* What the program asked for, in a form that is safe to show. */
static void show(const char *text, size_t length, char *out, size_t capacity) {
    size_t used = 0;
    for (size_t i = 0; i < length && used + 5 < capacity; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c > ' ' && c < 0x7f && c != '\\')
            out[used++] = (char)c;
        else
            used += (size_t)snprintf(out + used, capacity - used, "\\x%02x", c);
    }
    out[used] = '\0';
}

static int32_t refused(net_sandbox_t *self, const char *name, int error) {
    net_report(self, ERYX_NET_RESOLVE, NULL, false, name, "", self->reason);
    return error;
}

int32_t net_resolve(net_sandbox_t *self, const char *text, size_t length) {
    net_address_t address;
    char name[NET_NAME_MAX + 1], shown[256];
    const char *why;
    net_host_kind_t kind = net_host_parse(text, length, &address, name, &why);
    show(text, length, shown, sizeof shown);
    if (kind == NET_HOST_REFUSED)
        return refused(
            self, shown,
            net_refuse(self, NET_ACCESS_DENIED, "the host '%s' is refused: it is %s", shown, why));
    if (kind == NET_HOST_NAME && !net_policy_name(&self->policy, name, self->reason))
        return refused(self, name, -NET_ACCESS_DENIED);
    if (running_lookups(self) >= LOOKUPS_MAX)
        return refused(self, shown,
                       net_refuse(self, NET_SOCKET_LIMIT, "more than %u names are being resolved",
                                  LOOKUPS_MAX));
    net_socket_t *socket = net_socket_new(self, NET_KIND_LOOKUP, 4);
    if (!socket)
        return -NET_OUT_OF_MEMORY;
    if (kind == NET_HOST_ADDRESS) {
        socket->peer = address; /* connecting decides */
        return (int32_t)socket->number;
    }
    memcpy(socket->name, name, sizeof socket->name);
    int error = start_job(socket);
    if (error != 0)
        net_close(socket);
    return error != 0 ? error : (int32_t)socket->number;
}

/* Once for each lookup, however often its answer is asked for. */
static void report_lookup(net_socket_t *socket, bool allowed, const char *addresses,
                          const char *reason) {
    if (!socket->reported)
        net_report(socket->sandbox, ERYX_NET_RESOLVE, socket, allowed, socket->name, addresses,
                   reason);
    socket->reported = true;
}

void net_report_unanswered(net_socket_t *socket) {
    if (socket->job)
        report_lookup(socket, true, "", "the program did not wait for the addresses");
}

/* Keeps those of the job's addresses that the policy allows. The event has all of them; why some were left
 * out is its reason. */
static int32_t take_addresses(net_socket_t *socket, net_address_t *out) {
    net_sandbox_t *self = socket->sandbox;
    const resolver_job_t *job = socket->job;
    char list[512] = "", text[NET_ADDRESS_TEXT];
    size_t used = 0;
    unsigned count = 0;
    for (unsigned i = 0; i < job->count; i++) {
        net_address_format(&job->addresses[i], false, text);
        if (used + strlen(text) + 2 < sizeof list)
            used +=
                (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? " " : "", text);
        if (!net_policy_resolved(&self->policy, socket->name, &job->addresses[i], self->reason))
            continue;
        net_remember_name(self, socket->name, &job->addresses[i]);
        out[count++] = job->addresses[i];
    }
    report_lookup(socket, count > 0, list, count < job->count ? self->reason : "");
    return count > 0 ? (int32_t)count : -NET_ACCESS_DENIED;
}

static const char *failure(int error) {
    return error == NET_NAME_UNKNOWN ? "no such name"
           : error == NET_NAME_AGAIN ? "the name server did not answer"
                                     : "the name could not be resolved";
}

int32_t net_resolved(net_socket_t *socket, net_address_t *out) {
    if (socket->kind != NET_KIND_LOOKUP)
        return -NET_INVALID_STATE;
    if (!socket->job) {
        *out = socket->peer;
        return 1;
    }
    pthread_mutex_lock(&socket->net->reactor.lock);
    bool done = socket->job->done;
    pthread_mutex_unlock(&socket->net->reactor.lock);
    if (!done)
        return -NET_WOULD_BLOCK;
    if (socket->job->error == 0)
        return take_addresses(socket, out);
    report_lookup(socket, true, "", failure(socket->job->error));
    return -socket->job->error;
}
