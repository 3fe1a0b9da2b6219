/* Entries are allocated one by one, since lists and the heap point to them, and are reused
 * through a free list. A subtask with an undelivered event is in its set's ready list. */
#define _GNU_SOURCE
#include "abi/waitables_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define KEEP_MAX 1024 /* entries that an idle table may keep */

static const char *const fault_full = "more than 65536 waitables";
static const char *const fault_memory = "the host is out of memory";
static const char *const fault_budget = "more than host_memory_bytes";
static const char *const fault_set = "no such waitable set";
static const char *const fault_subtask = "no such subtask";

bool waitables_reserve(waitables_t *self, uint32_t count) {
    if (count <= self->capacity)
        return true;
    uint32_t capacity = self->capacity > 0 ? self->capacity : 16;
    while (capacity < count)
        capacity *= 2;
    waitable_t **table = realloc(self->table, capacity * sizeof *table);
    if (!table)
        return false;
    self->table = table;
    self->capacity = capacity;
    return true;
}

bool waitables_charge(waitables_t *self, uint64_t bytes) {
    if (!budget_take(self->budget, bytes)) {
        self->over_budget = true;
        return false;
    }
    self->charged += bytes;
    return true;
}

static void leave_budget(waitables_t *self) {
    budget_give(self->budget, self->charged);
    self->budget = NULL;
    self->charged = 0;
    self->over_budget = false;
}

static const char *entry_new(waitables_t *self, waitable_kind_t kind, waitable_t **out) {
    waitable_t *entry = self->free;
    if (entry) {
        self->free = entry->next;
    } else {
        if (self->used == 0)
            self->used = 1;
        if (self->used > WAITABLES_MAX)
            return fault_full;
        if (!waitables_charge(self, sizeof *entry))
            return fault_budget;
        if (!waitables_reserve(self, self->used + 1))
            return fault_memory;
        entry = calloc(1, sizeof *entry);
        if (!entry)
            return fault_memory;
        entry->number = self->used;
        self->table[self->used++] = entry;
    }
    uint32_t number = entry->number;
    *entry = (waitable_t){.kind = kind, .number = number};
    *out = entry;
    return NULL;
}

void waitable_drop(waitables_t *self, waitable_t *entry) {
    entry->kind = KIND_FREE;
    entry->next = self->free;
    self->free = entry;
}

static waitable_t *find(const waitables_t *self, uint32_t number, waitable_kind_t kind) {
    if (number == 0 || number >= self->used || self->table[number]->kind != kind)
        return NULL;
    return self->table[number];
}

void waitable_ready(waitable_t *set, waitable_t *subtask) {
    subtask->next = NULL;
    subtask->previous = set->ready_last;
    if (set->ready_last)
        set->ready_last->next = subtask;
    else
        set->ready_first = subtask;
    set->ready_last = subtask;
}

static void ready_remove(waitable_t *set, waitable_t *subtask) {
    if (subtask->previous)
        subtask->previous->next = subtask->next;
    else
        set->ready_first = subtask->next;
    if (subtask->next)
        subtask->next->previous = subtask->previous;
    else
        set->ready_last = subtask->previous;
    subtask->next = subtask->previous = NULL;
}

static void leave_set(waitable_t *subtask) {
    waitable_t *set = subtask->set;
    if (!set)
        return;
    if (subtask->pending)
        ready_remove(set, subtask);
    set->members--;
    set->expected -= !subtask->delivered;
    subtask->set = NULL;
}

void waitable_resolve(waitables_t *self, waitable_t *subtask, subtask_state_t state) {
    heap_remove(&self->timers, &subtask->timer);
    subtask->state = state;
    subtask->pending = true;
    if (subtask->set)
        waitable_ready(subtask->set, subtask);
}

static void forget_owner(waitables_t *self, waitable_t *subtask) {
    void *owner = subtask->owner;
    subtask->owner = NULL;
    if (owner) {
        self->owned--;
        self->forget(owner);
    }
}

static void deliver(waitable_t *subtask) {
    if (subtask->set && subtask->pending)
        ready_remove(subtask->set, subtask);
    if (subtask->set)
        subtask->set->expected--;
    subtask->pending = false;
    subtask->delivered = true;
}

static void forget_all(waitables_t *self) {
    for (uint32_t i = 1; i < self->used; i++)
        if (self->table[i]->kind == KIND_SUBTASK)
            forget_owner(self, self->table[i]);
}

void waitables_clear(waitables_t *self) {
    forget_all(self);
    if (self->used > KEEP_MAX) {
        waitables_free(self);
        return;
    }
    leave_budget(self);
    self->timers.count = 0;
    self->free = NULL;
    for (uint32_t i = self->used; i > 1; i--)
        waitable_drop(self, self->table[i - 1]);
}

void waitables_free(waitables_t *self) {
    forget_all(self);
    for (uint32_t i = 1; i < self->used; i++)
        free(self->table[i]);
    free(self->table);
    heap_free(&self->timers);
    leave_budget(self);
    *self = (waitables_t){.forget = self->forget};
}

const char *waitables_set_new(waitables_t *self, uint32_t *out) {
    waitable_t *set;
    const char *fault = entry_new(self, KIND_SET, &set);
    if (!fault)
        *out = set->number;
    return fault;
}

const char *waitables_set_drop(waitables_t *self, uint32_t number) {
    waitable_t *set = find(self, number, KIND_SET);
    if (!set)
        return fault_set;
    if (set->members > 0)
        return "a waitable set with members was dropped";
    waitable_drop(self, set);
    return NULL;
}

const char *waitables_join(waitables_t *self, uint32_t number, uint32_t set_number) {
    waitable_t *subtask = find(self, number, KIND_SUBTASK);
    if (!subtask)
        return fault_subtask;
    waitable_t *set = find(self, set_number, KIND_SET);
    if (set_number != 0 && !set)
        return fault_set;
    leave_set(subtask);
    if (!set)
        return NULL;
    subtask->set = set;
    set->members++;
    set->expected += !subtask->delivered;
    if (subtask->pending)
        waitable_ready(set, subtask);
    return NULL;
}

const char *waitables_timer_new(waitables_t *self, uint64_t time, uint32_t *out) {
    if (!heap_reserve(&self->timers, self->timers.count + 1))
        return fault_memory;
    waitable_t *subtask;
    const char *fault = entry_new(self, KIND_SUBTASK, &subtask);
    if (fault)
        return fault;
    subtask->state = SUBTASK_STARTED;
    heap_insert(&self->timers, &subtask->timer, time);
    *out = subtask->number;
    return NULL;
}

const char *waitables_call_new(waitables_t *self, void *owner, waitable_t **out) {
    const char *fault = entry_new(self, KIND_SUBTASK, out);
    if (fault)
        return fault;
    (*out)->state = SUBTASK_STARTED;
    (*out)->owner = owner;
    self->owned += owner != NULL;
    return NULL;
}

uint32_t waitables_number(const waitable_t *waitable) {
    return waitable->number;
}

void waitables_return(waitables_t *self, waitable_t *subtask) {
    if (!subtask->pending && !subtask->delivered)
        waitable_resolve(self, subtask, SUBTASK_RETURNED);
}

const char *waitables_subtask_drop(waitables_t *self, uint32_t number) {
    waitable_t *subtask = find(self, number, KIND_SUBTASK);
    if (!subtask)
        return fault_subtask;
    if (!subtask->delivered)
        return "a subtask was dropped before its end was delivered";
    leave_set(subtask);
    waitable_drop(self, subtask);
    return NULL;
}

const char *waitables_subtask_cancel(waitables_t *self, uint32_t number, uint32_t *state) {
    waitable_t *subtask = find(self, number, KIND_SUBTASK);
    if (!subtask)
        return fault_subtask;
    if (subtask->delivered)
        return "a subtask was cancelled after its end was delivered";
    if (!subtask->pending)
        waitable_resolve(self, subtask, SUBTASK_CANCELLED_BEFORE_RETURNED);
    else if (subtask->owner) /* its result is not written yet */
        subtask->state = SUBTASK_CANCELLED_BEFORE_RETURNED;
    deliver(subtask);
    forget_owner(self, subtask);
    *state = subtask->state;
    return NULL;
}

static waitable_t *of_timer(heap_item_t *item) {
    return (waitable_t *)((char *)item - offsetof(waitable_t, timer));
}

void waitables_expire(waitables_t *self, uint64_t now) {
    for (;;) {
        heap_item_t *first = heap_first(&self->timers);
        if (!first || first->key > now)
            return;
        waitable_resolve(self, of_timer(first), SUBTASK_RETURNED);
    }
}

const char *waitables_peek(const waitables_t *self, uint32_t number, event_t *out, void **owner) {
    waitable_t *set = find(self, number, KIND_SET);
    if (!set)
        return fault_set;
    *out = (event_t){EVENT_NONE, 0, 0};
    *owner = NULL;
    waitable_t *subtask = set->ready_first;
    if (!subtask)
        return NULL;
    *out = (event_t){EVENT_SUBTASK, subtask->number, (uint32_t)subtask->state};
    *owner = subtask->owner;
    return NULL;
}

void waitables_take(waitables_t *self, uint32_t number) {
    waitable_t *subtask = self->table[number]->ready_first;
    deliver(subtask);
    self->owned -= subtask->owner != NULL;
    subtask->owner = NULL;
}

void waitables_abandon(waitables_t *self) {
    for (uint32_t i = 1; i < self->used; i++) {
        waitable_t *subtask = self->table[i];
        if (subtask->kind != KIND_SUBTASK || !subtask->owner)
            continue;
        if (!subtask->pending)
            waitable_resolve(self, subtask, SUBTASK_CANCELLED_BEFORE_RETURNED);
        subtask->state = SUBTASK_CANCELLED_BEFORE_RETURNED;
        forget_owner(self, subtask);
    }
}

bool waitables_can_wait(const waitables_t *self, uint32_t number) {
    const waitable_t *set = find(self, number, KIND_SET);
    return set && set->expected > 0;
}

bool waitables_ready(const waitables_t *self, uint32_t number) {
    const waitable_t *set = find(self, number, KIND_SET);
    return set && set->ready_first;
}

uint64_t waitables_deadline(const waitables_t *self) {
    const heap_item_t *first = heap_first(&self->timers);
    return first ? first->key : CLOCK_NEVER;
}
