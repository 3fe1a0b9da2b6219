#include "net_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void wake(void *env) {
    struct rig *rig = env;
    pthread_mutex_lock(&rig->lock);
    rig->woken++;
    pthread_cond_signal(&rig->cond);
    pthread_mutex_unlock(&rig->lock);
}

static void on_event(void *env, const eryx_net_event_t *event) {
    static const char *const kinds[] = {"?",      "resolve",  "connect", "listen",
                                        "accept", "datagram", "close"};
    struct rig *rig = env;
    size_t used = strlen(rig->events);
    snprintf(rig->events + used, sizeof rig->events - used, "%s %s '%s' '%s' %llu/%llu %s\n",
             kinds[event->kind], event->allowed ? "yes" : "no", event->name, event->address,
             (unsigned long long)event->bytes_in, (unsigned long long)event->bytes_out,
             event->reason);
}

struct rig *rig_open(const eryx_net_options_t *options, const eryx_limits_t *limits) {
    struct rig *rig = calloc(1, sizeof *rig);
    eryx_net_options_t own = *options;
    eryx_limits_t defaults;
    eryx_error_t error;
    assert_non_null(rig);
    eryx_limits_init(&defaults);
    own.on_event = on_event;
    own.env = rig;
    pthread_mutex_init(&rig->lock, NULL);
    pthread_cond_init(&rig->cond, NULL);
    rig->mailbox = mailbox_new(wake, rig, NULL);
    rig->net = net_new();
    assert_non_null(rig->net);
    if (net_sandbox_new(rig->net, &own, limits ? limits : &defaults, rig->mailbox, &rig->sandbox,
                        &error) != ERYX_OK)
        fail_msg("%s", error.message);
    return rig;
}

void rig_free(struct rig *rig) {
    net_sandbox_free(rig->sandbox);
    net_free(rig->net);
    mailbox_close(rig->mailbox);
    pthread_cond_destroy(&rig->cond);
    pthread_mutex_destroy(&rig->lock);
    free(rig);
}

void rig_await(struct rig *rig, net_socket_t *socket, unsigned interest) {
    pending_t *pending;
    int ready = net_wait(socket, interest, &pending);
    assert_true(ready >= 0);
    if (ready > 0)
        return;
    bool found = false;
    while (!found) {
        pthread_mutex_lock(&rig->lock);
        while (rig->woken == 0)
            pthread_cond_wait(&rig->cond, &rig->lock);
        rig->woken--;
        pthread_mutex_unlock(&rig->lock);
        for (pending_t *item = mailbox_collect(rig->mailbox), *next; item; item = next) {
            next = item->next;
            found = found || item == pending;
            item->kind->release(item);
        }
    }
    pending->kind->done(pending);
}
