/* See watch.h. liberyx has at most 65,536 waitables in a sandbox. */
#include "watch.h"

#include "guest_bindings.h"

enum { NUMBERS = 65537 };

static struct {
    uint8_t bits[NUMBERS / 8 + 1];
    uint32_t count;
} watched;

static bool is_watched(uint32_t subtask)
{
    return subtask < NUMBERS && watched.bits[subtask / 8] >> subtask % 8 & 1;
}

static void forget(uint32_t subtask)
{
    watched.bits[subtask / 8] &= (uint8_t)~(1u << subtask % 8);
    watched.count--;
    subtask_drop(subtask);
}

bool abi_watch_add(uint32_t subtask, uint32_t set)
{
    if (subtask >= NUMBERS) {
        subtask_cancel(subtask);
        subtask_drop(subtask);
        return false;
    }
    waitable_join(subtask, set);
    watched.bits[subtask / 8] |= (uint8_t)(1u << subtask % 8);
    watched.count++;
    return true;
}

bool abi_watch_end(uint32_t subtask)
{
    if (!is_watched(subtask)) {
        return false;
    }
    forget(subtask);
    return true;
}

void abi_watch_cancel(uint32_t subtask)
{
    if (is_watched(subtask)) {
        waitable_join(subtask, 0);
        subtask_cancel(subtask);
        forget(subtask);
    }
}

void abi_watch_cancel_all(void)
{
    for (uint32_t i = 0; watched.count && i < NUMBERS; i++) {
        abi_watch_cancel(i);
    }
}

uint32_t abi_watch_count(void)
{
    return watched.count;
}
