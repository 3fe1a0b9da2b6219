/* Spans of units: best fit among the free ones, which join with their neighbours.
 *
 * Free spans are in bins by length, found by a bitmap. First and last unit of a free span have
 * its length, so that neighbours find it. */
#include "heap_internal.h"

#include <string.h>

enum { EXACT_BINS = 32, STEPS = 4, BINS = EXACT_BINS + (32 - UNIT_BITS - 5) * STEPS + 1 };
enum { GROWTH = 64, PAGE_UNITS = 65536 / UNIT_BYTES };

struct span heap_spans[UNITS + 1]; /* the last is that of no unit */

static struct {
    uint32_t first[BINS]; /* unit, 0: empty */
    uint64_t filled[(BINS + 63) / 64];
    uint32_t touched; /* units from here on have never been used */
    uint32_t end;     /* of the memory added last */
} bins;

/* Lengths under EXACT_BINS have a bin each, others four for each power of two. */
static uint32_t bin_of(uint32_t count)
{
    uint32_t top;
    if (count < EXACT_BINS) {
        return count;
    }
    top = 31 - (uint32_t)__builtin_clz(count);
    return EXACT_BINS + (top - 5) * STEPS + ((count >> (top - 2)) & (STEPS - 1));
}

static void link_free(uint32_t unit, uint32_t count)
{
    uint32_t bin = bin_of(count), next = bins.first[bin];
    struct span *span = &heap_spans[unit], *last = &heap_spans[unit + count - 1];
    last->state = span->state = SPAN_FREE;
    last->value = span->value = count;
    span->previous = 0;
    span->next = next;
    if (next != 0) {
        heap_spans[next].previous = unit;
    }
    bins.first[bin] = unit;
    bins.filled[bin / 64] |= 1ULL << bin % 64;
}

static void unlink_free(uint32_t unit)
{
    struct span *span = &heap_spans[unit];
    uint32_t bin = bin_of(span->value);
    if (span->previous != 0) {
        heap_spans[span->previous].next = span->next;
    } else {
        bins.first[bin] = span->next;
        if (span->next == 0) {
            bins.filled[bin / 64] &= ~(1ULL << bin % 64);
        }
    }
    if (span->next != 0) {
        heap_spans[span->next].previous = span->previous;
    }
    heap_spans[unit + span->value - 1].state = SPAN_NONE;
    span->state = SPAN_NONE;
}

/* The first filled bin at or after `bin`; BINS: none. */
static uint32_t filled_from(uint32_t bin)
{
    uint32_t word = bin / 64;
    uint64_t bits = bins.filled[word] >> bin % 64;
    if (bits != 0) {
        return bin + (uint32_t)__builtin_ctzll(bits);
    }
    while (++word < sizeof bins.filled / sizeof *bins.filled) {
        if (bins.filled[word] != 0) {
            return word * 64 + (uint32_t)__builtin_ctzll(bins.filled[word]);
        }
    }
    return BINS;
}

/* The shortest span of a bin that has `count` units, the lowest of these; 0: none. */
static uint32_t best_of(uint32_t bin, uint32_t count)
{
    uint32_t best = 0, length = UINT32_MAX;
    if (bin < EXACT_BINS) {
        return bins.first[bin];
    }
    for (uint32_t unit = bins.first[bin]; unit != 0; unit = heap_spans[unit].next) {
        uint32_t has = heap_spans[unit].value;
        if (has >= count && (has < length || (has == length && unit < best))) {
            best = unit;
            length = has;
        }
    }
    return best;
}

static uint32_t find(uint32_t count)
{
    for (uint32_t bin = filled_from(bin_of(count)); bin < BINS; bin = filled_from(bin + 1)) {
        uint32_t unit = best_of(bin, count);
        if (unit != 0) {
            return unit;
        }
    }
    return 0;
}

void heap_add(uintptr_t start, uintptr_t end)
{
    uint32_t first = unit_of(start + UNIT_BYTES - 1), after = unit_of(end);
    if (first < after) {
        first = mixed_reserve(first, after);
        if (bins.touched < first) {
            bins.touched = first;
        }
        spans_give(first, after - first);
        bins.end = after;
    }
}

static bool add_more(uint32_t count)
{
    size_t bytes = ((size_t)count + PAGE_UNITS - 1) / PAGE_UNITS * PAGE_UNITS * UNIT_BYTES;
    uintptr_t start = heap_more(bytes);
    if (start == 0) {
        return false;
    }
    heap_add(start, start + bytes);
    return true;
}

/* More memory, so much that with what is free at its end there are `count` units. */
static bool make_room(uint32_t count)
{
    const struct span *last = &heap_spans[bins.end - (bins.end != 0)];
    uint32_t lacking =
        last->state == SPAN_FREE && last->value < count ? count - last->value : count;
    return (lacking < GROWTH && add_more(GROWTH)) || add_more(lacking);
}

uint32_t spans_take(uint32_t count)
{
    uint32_t unit = find(count), has;
    /* Twice, because the new memory need not follow on what is free at the end of the old. */
    for (int attempt = 0; unit == 0 && attempt < 2; attempt++) {
        if (!make_room(count) && !heap_trim()) {
            return 0;
        }
        unit = find(count);
    }
    if (unit == 0) {
        return 0;
    }
    has = heap_spans[unit].value;
    unlink_free(unit);
    if (has > count) {
        link_free(unit + count, has - count);
    }
    return unit;
}

void spans_give(uint32_t first, uint32_t count)
{
    uint32_t after = first + count;
    if (heap_spans[first - 1].state == SPAN_FREE) {
        uint32_t before = heap_spans[first - 1].value;
        first -= before;
        count += before;
        unlink_free(first);
    }
    if (heap_spans[after].state == SPAN_FREE) {
        count += heap_spans[after].value;
        unlink_free(after);
    }
    link_free(first, count);
}

bool spans_extend(uint32_t first, uint32_t count, uint32_t wanted)
{
    uint32_t after = first + count, has = 0;
    if (heap_spans[after].state == SPAN_FREE) {
        has = heap_spans[after].value;
    }
    if (count + has < wanted) {
        if (after + has != bins.end || !make_room(wanted - count) ||
            heap_spans[after].state != SPAN_FREE || count + heap_spans[after].value < wanted) {
            return false;
        }
        has = heap_spans[after].value;
    }
    unlink_free(after);
    if (count + has > wanted) {
        link_free(first + wanted, count + has - wanted);
    }
    return true;
}

void heap_clean(void)
{
    uint32_t last = bins.end - (bins.end != 0);
    heap_trim();
    for (uint32_t bin = 0; bin < BINS; bin++) {
        for (uint32_t unit = bins.first[bin]; unit != 0; unit = heap_spans[unit].next) {
            size_t dirty = bins.touched > unit ? bins.touched - unit : 0;
            size_t count = heap_spans[unit].value;
            memset((void *)address_of(unit), 0, (dirty < count ? dirty : count) * UNIT_BYTES);
        }
    }
    if (heap_spans[last].state == SPAN_FREE && bins.touched > bins.end - heap_spans[last].value) {
        bins.touched = bins.end - heap_spans[last].value;
    }
}

size_t spans_touch(uint32_t first, uint32_t count)
{
    uint32_t touched = bins.touched, after = first + count;
    if (after > touched) {
        bins.touched = after;
    }
    if (touched <= first) {
        return 0;
    }
    return (size_t)((touched < after ? touched : after) - first) * UNIT_BYTES;
}
