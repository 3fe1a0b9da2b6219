/* Samples of where the program is (runtime/python/sample.c).
 *
 *   sample-begin(word, bit, wanted) 1: samples are wanted. With addresses they can be asked for from now
 *                                   on, as long as this execution runs: linear memory only grows meanwhile
 *   sample(frames, length, cut)     one */
#include "abi/imports.h"
#include "abi/lift.h"

static const char *const fault_pointer = "a pointer outside of memory";

static uint32_t *lift_word(guest_t *guest, uint32_t address) {
    void *word = address % 4 == 0 ? lift_writable(guest, address, 4) : NULL;
    return word;
}

static engine_reply_t import_sample_begin(void *context, engine_value_t *values) {
    guest_t *guest = context;
    const guest_streams_t *streams = &guest->streams;
    uint32_t bit = values[1].u32;
    if (!streams->sample_begin || values[0].u32 == 0) {
        values[0].u32 = streams->sample_begin != NULL;
        return ENGINE_RETURN;
    }
    uint32_t *word = lift_word(guest, values[0].u32), *wanted = lift_word(guest, values[2].u32);
    if (!word || !wanted)
        return guest_refuse(guest, "sample-begin", fault_pointer);
    values[0].u32 = streams->sample_begin(streams->env, word, bit, wanted);
    return ENGINE_RETURN;
}

static engine_reply_t import_sample(void *context, engine_value_t *values) {
    guest_t *guest = context;
    const guest_streams_t *streams = &guest->streams;
    uint32_t length = values[1].u32;
    const char *frames = lift_readable(guest, values[0].u32, length);
    if (!frames)
        return guest_refuse(guest, "sample", fault_pointer);
    if (streams->sample)
        streams->sample(streams->env, frames, length, values[2].u32 != 0);
    values[0].u32 = 0;
    return ENGINE_RETURN;
}

static const engine_import_t items[] = {
    {IMPORTS_PRIVATE, "sample-begin", "iii", "i", false, import_sample_begin},
    {IMPORTS_PRIVATE, "sample", "iii", "i", false, import_sample},
};
const engine_import_table_t imports_sample = {items, sizeof items / sizeof items[0]};
