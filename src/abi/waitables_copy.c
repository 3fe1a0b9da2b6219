/* A saved table: u32 count, then a record of 24 bytes an entry, ascending by number.
 *
 *     u32 number; u8 kind, state, flags, 0; u32 set, place; u64 remaining
 *
 * place: of a pending subtask in a set, its place in the order in which events are delivered, from
 * 1; remaining: nanoseconds of a timer. All little-endian, as are the machines we run on. */
#define _GNU_SOURCE
#include "abi/waitables_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { FLAG_PENDING = 1, FLAG_DELIVERED = 2, FLAG_OWNED = 4, FLAG_TIMER = 8, FLAGS_ALL = 15 };

typedef struct record {
    uint32_t number;
    uint8_t kind, state, flags, zero;
    uint32_t set, place;
    uint64_t remaining;
} record_t;

_Static_assert(sizeof(record_t) == 24, "no padding");

static const char *const fault_format = "a table of waitables that makes no sense";
static const char *const fault_memory = "the host is out of memory";

void *waitables_owner(const waitables_t *self, uint32_t number) {
    if (number == 0 || number >= self->used || self->table[number]->kind != KIND_SUBTASK)
        return NULL;
    return self->table[number]->owner;
}

uint32_t waitables_last(const waitables_t *self) {
    return self->used > 0 ? self->used - 1 : 0;
}

bool waitables_none(const waitables_t *self) {
    for (uint32_t i = 1; i < self->used; i++)
        if (self->table[i]->kind != KIND_FREE)
            return false;
    return true;
}

static record_t record_of(const waitable_t *entry, uint64_t now) {
    record_t record = {.number = entry->number, .kind = (uint8_t)entry->kind};
    if (entry->kind != KIND_SUBTASK)
        return record;
    record.state = (uint8_t)entry->state;
    record.set = entry->set ? entry->set->number : 0;
    record.flags =
        (uint8_t)((entry->pending ? FLAG_PENDING : 0) | (entry->delivered ? FLAG_DELIVERED : 0) |
                  (entry->owner ? FLAG_OWNED : 0));
    if (heap_contains(&entry->timer)) {
        record.flags |= FLAG_TIMER;
        record.remaining = entry->timer.key > now ? entry->timer.key - now : 0;
    }
    record.place = entry->pending && entry->set ? entry->place : 0;
    return record;
}

bool waitables_save(const waitables_t *self, uint64_t now, buffer_t *out) {
    uint32_t count = 0;
    for (uint32_t i = 1; i < self->used; i++) {
        uint32_t place = 0;
        count += self->table[i]->kind != KIND_FREE;
        if (self->table[i]->kind == KIND_SET)
            for (waitable_t *at = self->table[i]->ready_first; at; at = at->next)
                at->place = ++place;
    }
    if (!buffer_append(out, &count, sizeof count))
        return false;
    for (uint32_t i = 1; i < self->used; i++) {
        if (self->table[i]->kind == KIND_FREE)
            continue;
        record_t record = record_of(self->table[i], now);
        if (!buffer_append(out, &record, sizeof record))
            return false;
    }
    return true;
}

/* --- Restoring ---------------------------------------------------------------------------- */

static bool record_good(const record_t *record, uint32_t before) {
    if (record->number <= before || record->number > WAITABLES_MAX || record->zero != 0 ||
        record->flags & ~FLAGS_ALL)
        return false;
    if (record->kind == KIND_SET)
        return record->state == 0 && record->flags == 0 && record->set == 0 && record->place == 0;
    bool pending = record->flags & FLAG_PENDING, delivered = record->flags & FLAG_DELIVERED;
    bool over = record->state >= SUBTASK_RETURNED;
    return record->kind == KIND_SUBTASK && record->state >= SUBTASK_STARTED &&
           record->state <= SUBTASK_CANCELLED_BEFORE_RETURNED && !(pending && delivered) &&
           over == (pending || delivered) && (!(record->flags & FLAG_TIMER) || !over) &&
           (record->place > 0) == (pending && record->set != 0);
}

/* Entries up to a number, free ones first, so that each record finds its own. */
static bool make_entries(waitables_t *self, uint32_t last) {
    if (!waitables_reserve(self, last + 1))
        return false;
    if (self->used == 0)
        self->used = 1;
    while (self->used <= last) {
        if (!waitables_charge(self, sizeof(waitable_t)))
            return false;
        waitable_t *entry = calloc(1, sizeof *entry);
        if (!entry)
            return false;
        entry->number = self->used;
        self->table[self->used++] = entry;
    }
    return true;
}

static void fill_entry(waitable_t *entry, const record_t *record) {
    *entry = (waitable_t){
        .kind = (waitable_kind_t)record->kind,
        .number = record->number,
        .state = (subtask_state_t)record->state,
        .pending = record->flags & FLAG_PENDING,
        .delivered = record->flags & FLAG_DELIVERED,
        .owned = record->flags & FLAG_OWNED,
    };
}

/* Subtasks join their sets, timers start; all entries are filled. */
static const char *connect(waitables_t *self, const record_t *record, uint64_t now) {
    waitable_t *entry = self->table[record->number];
    if (record->flags & FLAG_TIMER &&
        !heap_insert(&self->timers, &entry->timer, clock_add(now, record->remaining)))
        return fault_memory;
    if (record->set == 0)
        return NULL;
    if (record->set >= self->used || self->table[record->set]->kind != KIND_SET)
        return fault_format;
    entry->set = self->table[record->set];
    entry->set->members++;
    entry->set->expected += !entry->delivered;
    return NULL;
}

static int by_place(const void *left, const void *right) {
    const record_t *a = left, *b = right;
    return (a->place > b->place) - (a->place < b->place); /* of several sets, mixed */
}

/* Ready lists in the order they had. records may be sorted now. */
static void order_ready(waitables_t *self, record_t *records, uint32_t count) {
    qsort(records, count, sizeof *records, by_place);
    for (uint32_t i = 0; i < count; i++)
        if (records[i].place > 0)
            waitable_ready(self->table[records[i].number]->set, self->table[records[i].number]);
}

static const char *restore(waitables_t *self, record_t *records, uint32_t count, uint64_t now) {
    uint32_t last = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!record_good(&records[i], last))
            return fault_format;
        last = records[i].number;
    }
    self->free = NULL;
    if (!make_entries(self, last))
        return fault_memory;
    for (uint32_t i = 0; i < count; i++)
        fill_entry(self->table[records[i].number], &records[i]);
    for (uint32_t i = self->used - 1; i > 0; i--)
        if (self->table[i]->kind == KIND_FREE)
            waitable_drop(self, self->table[i]);
    const char *fault = NULL;
    for (uint32_t i = 0; i < count && !fault; i++)
        fault = connect(self, &records[i], now);
    if (!fault)
        order_ready(self, records, count);
    return fault;
}

const char *waitables_restore(waitables_t *self, const void *data, size_t length, uint64_t now,
                              size_t *used) {
    uint32_t count;
    budget_t *budget = self->budget;
    waitables_clear(self);
    self->budget = budget;
    if (length < sizeof count)
        return fault_format;
    memcpy(&count, data, sizeof count);
    if (count > WAITABLES_MAX || (length - sizeof count) / sizeof(record_t) < count)
        return fault_format;
    *used = sizeof count + count * sizeof(record_t);
    if (count == 0)
        return NULL;
    record_t *records = malloc(count * sizeof *records);
    if (!records)
        return fault_memory;
    memcpy(records, (const char *)data + sizeof count, count * sizeof *records);
    const char *fault = restore(self, records, count, now);
    free(records);
    if (fault)
        waitables_free(self);
    return fault;
}

bool waitables_own(waitables_t *self, uint32_t number, void *owner, waitable_t **out) {
    if (number == 0 || number >= self->used)
        return false;
    waitable_t *entry = self->table[number];
    if (entry->kind != KIND_SUBTASK || !entry->owned || entry->owner)
        return false;
    entry->owner = owner;
    self->owned++;
    *out = entry;
    return true;
}

void waitables_settle(waitables_t *self) {
    for (uint32_t i = 1; i < self->used; i++) {
        waitable_t *entry = self->table[i];
        if (entry->kind == KIND_SUBTASK && entry->owned && !entry->owner && !entry->pending &&
            !entry->delivered)
            waitable_resolve(self, entry, SUBTASK_CANCELLED_BEFORE_RETURNED);
    }
}
