/* The log is written as things happen, a line an event, so that it also tells of a program that
 * never ends. */
#include "network.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "commands.h"
#include "message.h"

static FILE *log_file;
static bool log_failed;

bool network_init(struct network *net, int argc)
{
    *net = (struct network){0};
    net->allow = calloc((size_t)argc, sizeof *net->allow);
    net->deny = calloc((size_t)argc, sizeof *net->deny);
    net->names = calloc((size_t)argc, sizeof *net->names);
    return net->allow && net->deny && net->names;
}

void network_free(struct network *net)
{
    free(net->allow);
    free(net->deny);
    free(net->names);
}

int network_add_rule(struct network *net, bool deny, const char *rule)
{
    eryx_error_t error = {0};
    if (eryx_net_check_rule(rule, deny, &error) != ERYX_OK)
        return message_usage("run", "%s: %s", deny ? "--deny-net" : "--allow-net", error.message);
    if (deny)
        net->deny[net->deny_count++] = rule;
    else
        net->allow[net->allow_count++] = rule;
    net->wanted = true;
    return EXIT_OK;
}

int network_add_name(struct network *net, const char *value)
{
    const char *equals = strchr(value, '=');
    if (!equals || equals == value || !equals[1])
        return message_usage("run", "--net-name %s: NAME=ADDRESS[,ADDRESS] is needed", value);
    net->names[net->name_count++] = value;
    return EXIT_OK;
}

/* --- The log ------------------------------------------------------------------------------ */

bool network_begin(const struct network *net)
{
    if (!net->log_path)
        return true;
    log_file = strcmp(net->log_path, "-") == 0 ? stderr : fopen(net->log_path, "w");
    if (!log_file) {
        message_error("cannot write --net-log %s: %s", net->log_path, strerror(errno));
        return false;
    }
    return true;
}

bool network_finish(void)
{
    FILE *file = log_file;
    log_file = NULL;
    if (!file)
        return true;
    bool written = !log_failed && fflush(file) == 0;
    if (file != stderr && fclose(file) != 0)
        written = false;
    if (!written)
        message_error("--net-log could not be written in full");
    return written;
}

static void on_event(void *env, const eryx_net_event_t *event)
{
    static const char *const kinds[] = {"",       "resolve",  "connect", "listen",
                                        "accept", "datagram", "close"};
    (void)env;
    if (!log_file)
        return;
    json_t *object =
        json_pack("{s:s, s:b, s:I, s:s, s:s, s:I, s:I, s:s}", "event", kinds[event->kind],
                  "allowed", event->allowed, "socket", (json_int_t)event->socket, "name",
                  event->name, "address", event->address, "bytes_in", (json_int_t)event->bytes_in,
                  "bytes_out", (json_int_t)event->bytes_out, "reason", event->reason);
    if (!object || json_dumpf(object, log_file, JSON_COMPACT) != 0 || putc('\n', log_file) == EOF ||
        fflush(log_file) != 0)
        log_failed = true;
    json_decref(object);
}

/* --- Fixed names -------------------------------------------------------------------------- */

/* The addresses after NAME= ; any thread. */
static int on_resolve(void *env, const char *name, eryx_net_address_t *out, size_t capacity)
{
    const struct network *net = env;
    size_t length = strlen(name), count = 0;
    for (size_t i = 0; i < net->name_count; i++) {
        const char *at = net->names[i];
        if (strncasecmp(at, name, length) != 0 || at[length] != '=')
            continue;
        for (at += length + 1; *at && count < capacity; at += *at == ',') {
            size_t part = strcspn(at, ",");
            snprintf(out[count].text, sizeof out[count].text, "%.*s", (int)part, at);
            at += part;
            count++;
        }
    }
    return count > 0 ? (int)count : ERYX_NET_SYSTEM;
}

void network_options(const struct network *net, eryx_net_options_t *options)
{
    eryx_net_options_init(options);
    options->allow = net->allow;
    options->allow_count = net->allow_count;
    options->deny = net->deny;
    options->deny_count = net->deny_count;
    options->allow_local = net->allow_local;
    options->on_event = net->log_path ? on_event : NULL;
    options->on_resolve = net->name_count > 0 ? on_resolve : NULL;
    options->env = (void *)(uintptr_t)net;
}
