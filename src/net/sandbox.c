/* Sockets by number, names that were resolved, limits and reports. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/error.h"
#include "net/internal.h"

#define NUMBER_MASK 0x7fffffffu

/* --- Of a runtime ------------------------------------------------------------------------- */

net_t *net_new(void) {
    net_t *net = calloc(1, sizeof *net);
    if (!net)
        return NULL;
    atomic_init(&net->references, 1);
    net->resolver = resolver_new();
    if (net->resolver && reactor_init(&net->reactor))
        return net;
    if (net->resolver)
        resolver_close(net->resolver);
    free(net);
    return NULL;
}

void net_release(net_t *net) {
    if (atomic_fetch_sub(&net->references, 1) != 1)
        return;
    pthread_mutex_destroy(&net->reactor.lock);
    free(net);
}

void net_free(net_t *net) {
    if (!net)
        return;
    resolver_close(net->resolver);
    reactor_stop(&net->reactor);
    while (net->lingering) {
        net_socket_t *socket = net->lingering;
        net->lingering = socket->next;
        net_socket_free(socket);
    }
    reactor_close(&net->reactor);
    net_release(net);
}

/* --- Of a sandbox ------------------------------------------------------------------------- */

static net_hooks_t *copy_hooks(const eryx_net_options_t *options) {
    net_hooks_t *hooks = calloc(1, sizeof *hooks);
    if (!hooks)
        return NULL;
    atomic_init(&hooks->references, 1);
    hooks->on_event = options->on_event;
    hooks->on_resolve = options->on_resolve;
    hooks->env = options->env;
    hooks->env_finalizer = options->env_finalizer;
    return hooks;
}

static int check_options(const eryx_net_options_t *options, eryx_error_t *error) {
    if (options->size != sizeof *options)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "network options of another version: call eryx_net_options_init");
    for (size_t i = 0; i < options->allow_count; i++)
        if (!options->allow || !options->allow[i])
            return error_set(error, ERYX_ERR_ARGUMENT, "net.allow[%zu] is NULL", i);
    for (size_t i = 0; i < options->deny_count; i++)
        if (!options->deny || !options->deny[i])
            return error_set(error, ERYX_ERR_ARGUMENT, "net.deny[%zu] is NULL", i);
    return ERYX_OK;
}

static void set_limits(net_sandbox_t *self, const eryx_limits_t *limits) {
    self->connections_max = limits->net_connections;
    self->total_max = limits->net_connections_total;
    self->bytes_in_max = limits->net_bytes_in;
    self->bytes_out_max = limits->net_bytes_out;
    self->connect_ns = limits->net_connect_time_ns;
    self->idle_ns = limits->net_idle_time_ns;
}

/* Numbers that a guest remembers from another process or fork should not be any of ours. */
static void choose_numbers(net_sandbox_t *self) {
    if (getrandom(&self->last_number, sizeof self->last_number, 0) !=
        (ssize_t)sizeof self->last_number)
        self->last_number = (uint32_t)clock_monotonic();
}

int net_sandbox_new(net_t *net, const eryx_net_options_t *options, const eryx_limits_t *limits,
                    mailbox_t *mailbox, net_sandbox_t **out, eryx_error_t *error) {
    int status = check_options(options, error);
    if (status != ERYX_OK)
        return status;
    net_sandbox_t *self = calloc(1, sizeof *self);
    if (self)
        self->hooks = copy_hooks(options);
    if (!self || !self->hooks) {
        free(self);
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for the network of a sandbox");
    }
    self->net = net;
    self->id = atomic_fetch_add(&net->last_id, 1) + 1;
    self->mailbox = mailbox;
    set_limits(self, limits);
    choose_numbers(self);
    net_policy_t *policy = &self->hooks->policy;
    policy->local = options->allow_local;
    status = net_policy_add(policy, false, options->allow, options->allow_count, error);
    if (status == ERYX_OK)
        status = net_policy_add(policy, true, options->deny, options->deny_count, error);
    self->policy = *policy;
    if (status != ERYX_OK) {
        net_sandbox_disown(self);
        net_sandbox_free(self);
        return status;
    }
    *out = self;
    return ERYX_OK;
}

net_sandbox_t *net_sandbox_like(const net_sandbox_t *from, const eryx_limits_t *limits,
                                mailbox_t *mailbox) {
    net_sandbox_t *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->net = from->net;
    self->id = atomic_fetch_add(&self->net->last_id, 1) + 1;
    self->mailbox = mailbox;
    net_hooks_retain(from->hooks);
    self->hooks = from->hooks;
    self->policy = from->policy;
    set_limits(self, limits);
    choose_numbers(self);
    return self;
}

/* Shared hooks belong to the sandbox that they came from, too. */
void net_sandbox_disown(net_sandbox_t *self) {
    if (atomic_load(&self->hooks->references) == 1)
        self->hooks->env_finalizer = NULL;
}

void net_sandbox_reset(net_sandbox_t *self) {
    while (self->count > 0)
        net_close(self->sockets[self->count - 1]);
    self->name_count = self->name_next = 0;
    self->reason[0] = '\0';
}

void net_sandbox_free(net_sandbox_t *self) {
    if (!self)
        return;
    net_sandbox_reset(self);
    net_hooks_release(self->hooks);
    free(self->sockets);
    free(self->names);
    free(self);
}

void net_on_connected(net_sandbox_t *self, net_connected_fn fn, void *env) {
    self->on_connected = fn;
    self->on_connected_env = env;
}

void net_on_text(net_sandbox_t *self, net_text_fn fn, void *env) {
    self->on_text = fn;
    self->on_text_env = env;
}

/* --- Numbers ------------------------------------------------------------------------------ */

net_socket_t *net_find(const net_sandbox_t *self, uint32_t number) {
    for (uint32_t i = self->count; i > 0; i--)
        if (self->sockets[i - 1]->number == number)
            return self->sockets[i - 1];
    return NULL;
}

static uint32_t next_number(net_sandbox_t *self) {
    do
        self->last_number = (self->last_number + 1) & NUMBER_MASK;
    while (self->last_number == 0 || net_find(self, self->last_number));
    return self->last_number;
}

static bool reserve(net_sandbox_t *self) {
    if (self->count < self->capacity)
        return true;
    uint32_t capacity = self->capacity > 0 ? 2 * self->capacity : 8;
    net_socket_t **grown = realloc(self->sockets, capacity * sizeof *grown);
    if (!grown)
        return false;
    self->sockets = grown;
    self->capacity = capacity;
    return true;
}

net_socket_t *net_socket_new(net_sandbox_t *self, net_kind_t kind, unsigned family) {
    if (self->count >= NET_SOCKETS_MAX || !reserve(self))
        return NULL;
    net_socket_t *socket = calloc(1, sizeof *socket);
    if (!socket)
        return NULL;
    socket->net = self->net;
    socket->sandbox = self;
    socket->owner = self->id;
    socket->mailbox = self->mailbox;
    socket->number = next_number(self);
    socket->kind = kind;
    socket->family = family;
    socket->fd = -1;
    self->sockets[self->count++] = socket;
    return socket;
}

void net_forget(net_socket_t *socket) {
    net_sandbox_t *self = socket->sandbox;
    for (uint32_t i = self->count; i > 0; i--)
        if (self->sockets[i - 1] == socket) {
            memmove(&self->sockets[i - 1], &self->sockets[i],
                    (self->count - i) * sizeof *self->sockets);
            self->count--;
            break;
        }
    if (socket->fd >= 0)
        self->open--;
    socket->sandbox = NULL;
}

bool net_count_open(net_sandbox_t *self) {
    if (self->open >= self->connections_max) {
        net_refuse(self, NET_SOCKET_LIMIT, "limit net_connections: %u are open already",
                   self->connections_max);
        return false;
    }
    if (self->total >= self->total_max) {
        net_refuse(self, NET_SOCKET_LIMIT,
                   "limit net_connections_total: this sandbox has made %llu already",
                   (unsigned long long)self->total);
        return false;
    }
    self->open++;
    self->total++;
    return true;
}

/* --- Names -------------------------------------------------------------------------------- */

void net_remember_name(net_sandbox_t *self, const char *name, const net_address_t *address) {
    if (!self->names)
        self->names = calloc(NAMES_MAX, sizeof *self->names);
    if (!self->names)
        return;
    for (uint32_t i = 0; i < self->name_count; i++) /* the newest is found first */
        if (net_address_equal(&self->names[i].address, address) &&
            strcmp(self->names[i].name, name) == 0)
            self->names[i].name[0] = '\0';
    known_name_t *known = &self->names[self->name_next];
    snprintf(known->name, sizeof known->name, "%s", name);
    known->address = *address;
    self->name_next = (self->name_next + 1) % NAMES_MAX;
    if (self->name_count < NAMES_MAX)
        self->name_count++;
}

/* The names of an address, the newest first. */
static size_t names_of(const net_sandbox_t *self, const net_address_t *address, const char **out) {
    size_t count = 0;
    for (uint32_t i = 0; i < self->name_count && count < KNOWN_MAX; i++) {
        const known_name_t *known = &self->names[(self->name_next + NAMES_MAX - 1 - i) % NAMES_MAX];
        if (known->name[0] && net_address_equal(&known->address, address))
            out[count++] = known->name;
    }
    return count;
}

bool net_permits(net_sandbox_t *self, net_protocol_t protocol, const net_address_t *address,
                 const char **name) {
    char ignored[NET_REASON_MAX];
    const char *names[KNOWN_MAX];
    size_t count = names_of(self, address, names);
    *name = count > 0 ? names[0] : "";
    if (!net_policy_address(&self->policy, protocol, address, names, count, self->reason))
        return false;
    /* The name that counts is one the rules grant by itself. */
    for (size_t i = 0; i < count; i++)
        if (net_policy_address(&self->policy, protocol, address, &names[i], 1, ignored)) {
            *name = names[i];
            break;
        }
    return true;
}

/* --- Reports ------------------------------------------------------------------------------ */

const char *net_reason(const net_sandbox_t *self) {
    return self->reason;
}

void net_set_reason(net_sandbox_t *self, const char *reason) {
    snprintf(self->reason, sizeof self->reason, "%s", reason);
}

int net_refuse(net_sandbox_t *self, net_error_t error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(self->reason, sizeof self->reason, format, arguments);
    va_end(arguments);
    return -(int)error;
}

/* A copy that may be told. */
static const char *told(const net_sandbox_t *self, const char *text, char copy[NET_REASON_MAX]) {
    if (!self->on_text)
        return text;
    snprintf(copy, NET_REASON_MAX, "%s", text);
    self->on_text(self->on_text_env, copy, strlen(copy));
    return copy;
}

void net_report(net_sandbox_t *self, eryx_net_event_kind_t kind, const net_socket_t *socket,
                bool allowed, const char *name, const char *address, const char *reason) {
    char told_name[NET_REASON_MAX], told_reason[NET_REASON_MAX];
    if (!self->hooks->on_event)
        return;
    eryx_net_event_t event = {
        .size = sizeof event,
        .kind = kind,
        .allowed = allowed,
        .socket = socket ? socket->number : 0,
        .name = told(self, name, told_name),
        .address = address,
        .bytes_in = socket ? socket->bytes_in : 0,
        .bytes_out = socket ? socket->bytes_out : 0,
        .reason = told(self, reason, told_reason),
    };
    self->hooks->on_event(self->hooks->env, &event);
}
