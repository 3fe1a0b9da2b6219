/* Changed pages that lie together are looked at together, in windows that overlap by more than any
 * encoding of a value can have. */
#include "checkpoint/leaks.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/wipe.h"

#define WINDOW ((size_t)512 << 10)
#define OVERLAP ((size_t)8 * SECRET_VALUE_MAX)

static bool window_leaks(const secrets_t *secrets, const uint8_t *data, size_t length,
                         char *window) {
    memcpy(window, data, length);
    return secrets_scrub(secrets, window, length);
}

static bool run_leaks(const secrets_t *secrets, const uint8_t *data, size_t length, char *window) {
    for (size_t at = 0; at < length; at += WINDOW - OVERLAP) {
        size_t part = length - at < WINDOW ? length - at : WINDOW;
        if (window_leaks(secrets, data + at, part, window))
            return true;
        if (at + part == length)
            break;
    }
    return false;
}

static bool memory_leaks(const secrets_t *secrets, memory_slot_t *slot, char *window) {
    const page_set_t *changed, *unsaved;
    size_t page = slot->origin->page, end = slot->size / page;
    slot_collect(slot, &changed, &unsaved);
    for (size_t i = page_set_next(changed, 0); i < end;) {
        size_t first = i;
        while (i < end && page_set_has(changed, i))
            i++;
        if (run_leaks(secrets, slot->base + first * page, (i - first) * page, window))
            return true;
        i = page_set_next(changed, i);
    }
    return false;
}

int leaks_check(eryx_sandbox_t *sandbox, eryx_error_t *error) {
    if (!sandbox->secrets)
        return ERYX_OK;
    char *window = malloc(WINDOW);
    if (!window)
        return error_set(error, ERYX_ERR_MEMORY, "out of memory for a checkpoint");
    bool found = memory_leaks(sandbox->secrets, sandbox->instance->slot, window);
    wipe(window, WINDOW);
    free(window);
    if (!found)
        return ERYX_OK;
    return error_set(error, ERYX_ERR_STATE,
                     "the session's memory holds the value of a secret, which must not get into a "
                     "checkpoint");
}
