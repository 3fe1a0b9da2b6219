/* A list under a lock, and a flag that spares taking the lock when there is nothing. */
#include "abi/mailbox.h"

#include <stdlib.h>

mailbox_t *mailbox_new(void (*wake)(void *env), void *env, budget_t *budget) {
    mailbox_t *mailbox = calloc(1, sizeof *mailbox);
    if (!mailbox)
        return NULL;
    if (pthread_mutex_init(&mailbox->lock, NULL) != 0) {
        free(mailbox);
        return NULL;
    }
    atomic_init(&mailbox->references, 1);
    mailbox->wake = wake;
    mailbox->env = env;
    mailbox->budget = budget_retain(budget);
    return mailbox;
}

void mailbox_retain(mailbox_t *mailbox) {
    atomic_fetch_add_explicit(&mailbox->references, 1, memory_order_relaxed);
}

void mailbox_release(mailbox_t *mailbox) {
    if (atomic_fetch_sub(&mailbox->references, 1) != 1)
        return;
    pthread_mutex_destroy(&mailbox->lock);
    budget_release(mailbox->budget);
    free(mailbox);
}

static void release_all(pending_t *pending) {
    while (pending) {
        pending_t *next = pending->next;
        pending->kind->release(pending);
        pending = next;
    }
}

void mailbox_close(mailbox_t *mailbox) {
    if (!mailbox)
        return;
    pthread_mutex_lock(&mailbox->lock);
    mailbox->wake = NULL;
    pthread_mutex_unlock(&mailbox->lock);
    release_all(mailbox_collect(mailbox));
    mailbox_release(mailbox);
}

bool mailbox_post(mailbox_t *mailbox, pending_t *pending) {
    pthread_mutex_lock(&mailbox->lock);
    bool open = mailbox->wake != NULL;
    if (open) {
        pending->kind->retain(pending);
        pending->next = NULL;
        if (mailbox->last)
            mailbox->last->next = pending;
        else
            mailbox->first = pending;
        mailbox->last = pending;
        atomic_store(&mailbox->filled, true);
        mailbox->wake(mailbox->env);
    }
    pthread_mutex_unlock(&mailbox->lock);
    return open;
}

pending_t *mailbox_collect(mailbox_t *mailbox) {
    if (!atomic_load(&mailbox->filled))
        return NULL;
    pthread_mutex_lock(&mailbox->lock);
    pending_t *first = mailbox->first;
    mailbox->first = mailbox->last = NULL;
    atomic_store(&mailbox->filled, false);
    pthread_mutex_unlock(&mailbox->lock);
    return first;
}
