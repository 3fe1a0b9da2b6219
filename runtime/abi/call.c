/* See call.h. The numbers that hosts give to subtasks are small and reused, so the table
 * is an array indexed by them. */
#include "call.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

enum { TABLE_STEP = 64, TABLE_MAX = 1 << 20 };

static struct {
    struct abi_call **slots;
    uint32_t capacity, count;
} table;

static bool table_reserve(uint32_t subtask)
{
    uint32_t capacity = (subtask / TABLE_STEP + 1) * TABLE_STEP;
    struct abi_call **slots;
    if (subtask < table.capacity) {
        return true;
    }
    if (subtask >= TABLE_MAX) {
        return false;
    }
    if (capacity < table.capacity * 2) {
        capacity = table.capacity * 2;
    }
    slots = realloc(table.slots, capacity * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    memset(slots + table.capacity, 0, (capacity - table.capacity) * sizeof *slots);
    table.slots = slots;
    table.capacity = capacity;
    return true;
}

struct abi_call *abi_call_start(wit_string_t name, wit_string_t json, uint32_t set)
{
    struct abi_call *call = abi_arena_reserve(0) ? calloc(1, sizeof *call) : NULL;
    uint32_t started;
    if (call == NULL) {
        return NULL;
    }
    started = import_invoke(name.ptr, name.len, json.ptr, json.len, &call->result);
    if ((started & 0xf) == WIT_SUBTASK_RETURNED) {
        return call;
    }
    call->subtask = started >> 4;
    if (!table_reserve(call->subtask)) {
        subtask_cancel(call->subtask);
        subtask_drop(call->subtask);
        abi_call_free(call);
        return NULL;
    }
    waitable_join(call->subtask, set);
    table.slots[call->subtask] = call;
    table.count++;
    return call;
}

struct abi_call *abi_call_find(uint32_t subtask)
{
    return subtask < table.capacity ? table.slots[subtask] : NULL;
}

void abi_call_end(struct abi_call *call)
{
    subtask_drop(call->subtask);
    table.slots[call->subtask] = NULL;
    table.count--;
    call->subtask = 0;
}

void abi_call_cancel(struct abi_call *call)
{
    waitable_join(call->subtask, 0);
    subtask_cancel(call->subtask);
    abi_call_end(call);
}

void abi_call_free(struct abi_call *call)
{
    if (abi_arena_holds(call->result.ok.ptr)) {
        abi_arena_trim();
    } else {
        free((char *)call->result.ok.ptr);
    }
    free(call);
}

uint32_t abi_call_count(void)
{
    return table.count;
}

struct abi_call *abi_call_any(void)
{
    for (uint32_t i = 0; table.count != 0 && i < table.capacity; i++) {
        if (table.slots[i] != NULL) {
            return table.slots[i];
        }
    }
    return NULL;
}
