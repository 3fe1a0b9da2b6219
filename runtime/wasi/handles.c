/* Table of resource handles, with a free list through the unused ones. */
#include "wasi_internal.h"

#include <stdlib.h>

static struct handle *table;
static uint32_t slots, used, first_free; /* first_free: number of a handle, 0: none */

static struct handle *slot(uint32_t number)
{
    return &table[number - HANDLE_FIRST];
}

static int grow(void)
{
    uint32_t wanted = slots ? slots * 2 : 64;
    if (wanted > HANDLE_MAX) {
        return -1;
    }
    struct handle *moved = realloc(table, wanted * sizeof *table);
    if (!moved) {
        return -1;
    }
    table = moved;
    slots = wanted;
    return 0;
}

uint32_t handle_new(struct handle value)
{
    uint32_t number = first_free;
    if (number) {
        first_free = slot(number)->next_free;
    } else {
        if (used == slots && grow()) {
            return 0;
        }
        number = HANDLE_FIRST + used++;
    }
    *slot(number) = value;
    return number;
}

struct handle *handle_get(uint32_t number, enum handle_kind kind)
{
    if (number < HANDLE_FIRST || number - HANDLE_FIRST >= used) {
        return NULL;
    }
    struct handle *handle = slot(number);
    return handle->kind == kind ? handle : NULL;
}

struct handle *handle_must(uint32_t number, enum handle_kind kind)
{
    struct handle *handle = handle_get(number, kind);
    if (!handle) {
        __builtin_trap();
    }
    return handle;
}

void handle_drop(uint32_t number)
{
    *slot(number) = (struct handle){.kind = HANDLE_FREE, .next_free = first_free};
    first_free = number;
}
