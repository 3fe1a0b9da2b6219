/* One pass over the bytes with up to two states of the automaton: one that sees everything, and,
 * while a match may go on behind a boundary of chunks, one that does not see the boundaries.
 *
 * FILTER_INSERT also blanks the value of Accept-Encoding headers: an answer that is compressed could
 * not be scrubbed. */
#include "secrets/filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "secrets/encode.h"

#define BOUNDARY_MAX 64 /* bytes of a boundary, chunk extensions included */

enum boundary {
    BOUNDARY_NONE,
    BOUNDARY_CR,
    BOUNDARY_LF,
    BOUNDARY_SIZE,
    BOUNDARY_EXTENSION,
    BOUNDARY_CR_AGAIN
};

static const char header_name[] = "\naccept-encoding";
enum { HEADER_NAME_READ = sizeof header_name - 1, HEADER_VALUE };

/* The bytes that a call works on: stream positions base to end, at data. */
typedef struct window {
    char *data;
    uint64_t base, end;
} window_t;

void filter_init(filter_t *filter, const secrets_t *secrets, filter_direction_t direction,
                 uint64_t allowed) {
    *filter = (filter_t){
        .matcher = direction == FILTER_INSERT ? secrets->insert : secrets->scrub,
        .direction = direction,
        .allowed = allowed,
        .back = -1,
    };
}

void filter_free(filter_t *filter) {
    if (filter->held.data)
        wipe(filter->held.data, filter->held.capacity);
    buffer_free(&filter->held);
    free(filter->gaps);
    filter->gaps = NULL;
    filter->gap_count = filter->gap_capacity = 0;
}

/* --- Positions ---------------------------------------------------------------------------- */

/* Where the `count` bytes before `end` begin, boundaries not counted. */
static uint64_t begin_of(const filter_t *filter, uint64_t end, uint64_t count, bool joined) {
    if (!joined)
        return count < end ? end - count : 0;
    for (size_t gap = filter->gap_count; gap > 0; gap--) {
        const filter_gap_t *at = &filter->gaps[gap - 1];
        if (at->end > end)
            continue;
        uint64_t between = end - at->end;
        if (count <= between)
            break;
        count -= between;
        end = at->start;
    }
    return count < end ? end - count : 0;
}

static bool add_gap(filter_t *filter, uint64_t start, uint64_t end) {
    if (filter->gap_count == filter->gap_capacity) {
        size_t capacity = filter->gap_capacity > 0 ? 2 * filter->gap_capacity : 8;
        filter_gap_t *gaps = realloc(filter->gaps, capacity * sizeof *gaps);
        if (!gaps)
            return false;
        filter->gaps = gaps;
        filter->gap_capacity = capacity;
    }
    filter->gaps[filter->gap_count++] = (filter_gap_t){start, end};
    return true;
}

/* Forgets boundaries that lie before what is held. */
static void drop_gaps(filter_t *filter, uint64_t base) {
    size_t kept = 0;
    if (filter->joined != 0 || filter->boundary != BOUNDARY_NONE)
        for (size_t i = 0; i < filter->gap_count; i++)
            if (filter->gaps[i].end > base)
                filter->gaps[kept++] = filter->gaps[i];
    filter->gap_count = kept;
}

/* --- Replacing ---------------------------------------------------------------------------- */

static void patch(char *character, uint8_t mask, uint8_t bits, const pattern_t *pattern) {
    int value = base64_value(*character);
    if (value < 0 || mask == 0)
        return;
    bool url = *character == '-' || *character == '_' ||
               memchr(pattern->replace, '-', pattern->length) ||
               memchr(pattern->replace, '_', pattern->length);
    *character = base64_character(((unsigned)value & ~(unsigned)mask) | bits, url);
}

/* Puts the first `count` bytes of the pattern's replacement before `end`. */
static void overwrite(const filter_t *filter, window_t *window, const pattern_t *pattern,
                      uint64_t end, uint64_t count, bool joined) {
    size_t gap = joined ? filter->gap_count : 0;
    uint64_t position = end;
    while (count > 0 && position > window->base) {
        while (gap > 0 && filter->gaps[gap - 1].end > position)
            gap--;
        if (gap > 0 && filter->gaps[gap - 1].end == position) {
            position = filter->gaps[--gap].start;
            continue;
        }
        position--;
        count--;
        window->data[position - window->base] = pattern->replace[count];
    }
}

static void found(filter_t *filter, window_t *window, uint32_t state, bool joined) {
    int32_t index = filter->matcher->nodes[state].found;
    if (index < 0)
        return;
    const pattern_t *pattern = &filter->matcher->patterns[index];
    if (filter->direction == FILTER_INSERT && !(filter->allowed >> pattern->secret & 1))
        return;
    uint64_t end = filter->position + 1;
    overwrite(filter, window, pattern, end, pattern->length, joined);
    filter->replaced = true;
    if (pattern->kind != PATTERN_BASE64)
        return;
    uint64_t start = begin_of(filter, end, pattern->length, joined);
    if (start > window->base)
        patch(&window->data[start - 1 - window->base], pattern->front_mask, pattern->front_replace,
              pattern);
    if (pattern->back_mask != 0)
        filter->back = index;
}

/* --- Boundaries of chunks ----------------------------------------------------------------- */

static bool hexadecimal(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* What comes after byte c of a boundary; BOUNDARY_NONE: it is none. *done: it is complete. */
static uint8_t boundary_next(uint8_t boundary, char c, bool *done) {
    switch (boundary) {
    case BOUNDARY_CR:
        return c == '\n' ? BOUNDARY_LF : BOUNDARY_NONE;
    case BOUNDARY_LF:
        return hexadecimal(c) ? BOUNDARY_SIZE : BOUNDARY_NONE;
    case BOUNDARY_SIZE:
        if (hexadecimal(c))
            return BOUNDARY_SIZE;
        if (c == ';' || c == ' ' || c == '\t')
            return BOUNDARY_EXTENSION;
        return c == '\r' ? BOUNDARY_CR_AGAIN : BOUNDARY_NONE;
    case BOUNDARY_EXTENSION:
        if (c == '\r')
            return BOUNDARY_CR_AGAIN;
        return c == '\n' ? BOUNDARY_NONE : BOUNDARY_EXTENSION;
    default:
        *done = c == '\n';
        return BOUNDARY_NONE;
    }
}

/* The byte of a boundary that is being read. */
static void read_boundary(filter_t *filter, char c) {
    bool done = false;
    filter->boundary = boundary_next(filter->boundary, c, &done);
    if (++filter->boundary_length > BOUNDARY_MAX)
        filter->boundary = BOUNDARY_NONE;
    if (filter->boundary != BOUNDARY_NONE)
        return;
    if (!done)
        filter->back = -1;
    else if (add_gap(filter, filter->boundary_start, filter->position + 1))
        filter->joined = filter->before;
    else
        filter->failed = true;
}

static void begin_boundary(filter_t *filter, uint32_t before) {
    filter->before = before;
    filter->boundary = BOUNDARY_CR;
    filter->boundary_length = 1;
    filter->boundary_start = filter->position;
    filter->joined = 0;
}

/* The state that does not see boundaries. `before`: the other one, before this byte. */
static void step_joined(filter_t *filter, window_t *window, char c, uint32_t before) {
    if (filter->boundary != BOUNDARY_NONE) {
        read_boundary(filter, c);
        return;
    }
    uint32_t deeper = filter->joined != 0 ? filter->joined : before;
    if (c == '\r' && (deeper != 0 || filter->back >= 0)) {
        begin_boundary(filter, deeper);
        return;
    }
    if (filter->joined == 0)
        return;
    filter->joined = matcher_next(filter->matcher, filter->joined, (uint8_t)c);
    if (filter->joined == filter->state)
        filter->joined = 0;
    else if (filter->joined != 0)
        found(filter, window, filter->joined, true);
    filter->joined = matcher_settle(filter->matcher, filter->joined);
}

/* --- The pass ----------------------------------------------------------------------------- */

static void step_header(filter_t *filter, char *c) {
    char lower = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
    if (filter->header == HEADER_VALUE) {
        if (*c == '\r' || *c == '\n')
            filter->header = *c == '\n';
        else
            *c = ' ';
    } else if (filter->header == HEADER_NAME_READ) {
        if (*c == ':')
            filter->header = HEADER_VALUE;
        else if (*c != ' ' && *c != '\t')
            filter->header = *c == '\n';
    } else if (lower == header_name[filter->header]) {
        filter->header++;
    } else {
        filter->header = *c == '\n';
    }
}

static void step(filter_t *filter, window_t *window) {
    char *at = &window->data[filter->position - window->base];
    const char c = *at;
    uint32_t before = filter->state;
    if (filter->back >= 0 && filter->boundary == BOUNDARY_NONE && c != '\r') {
        const pattern_t *pattern = &filter->matcher->patterns[filter->back];
        patch(at, pattern->back_mask, pattern->back_replace, pattern);
        filter->back = -1;
    }
    if (filter->direction == FILTER_INSERT)
        step_header(filter, at);
    filter->state = matcher_next(filter->matcher, before, (uint8_t)c);
    found(filter, window, filter->state, false);
    filter->state = matcher_settle(filter->matcher, filter->state);
    if (before != 0 || filter->joined != 0 || filter->boundary != BOUNDARY_NONE ||
        filter->back >= 0)
        step_joined(filter, window, c, before);
    filter->position++;
}

/* Nothing is remembered: bytes that begin no pattern change nothing. */
static bool idle(const filter_t *filter) {
    return filter->state == 0 && filter->joined == 0 && filter->boundary == BOUNDARY_NONE &&
           filter->back < 0 && filter->header == 0;
}

static void process(filter_t *filter, window_t *window) {
    const uint32_t *root = filter->matcher->root;
    while (filter->position < window->end) {
        if (idle(filter)) {
            const char *at = &window->data[filter->position - window->base];
            const char *stop = &window->data[window->end - window->base];
            bool headers = filter->direction == FILTER_INSERT;
            const char *from = at;
            while (at < stop && root[(uint8_t)*at] == 0 && !(headers && *at == '\n'))
                at++;
            filter->position += (uint64_t)(at - from);
            if (at == stop)
                return;
        }
        step(filter, window);
    }
}

/* --- What is held ------------------------------------------------------------------------- */

/* Where what may be a match begins. */
static uint64_t hold_from(const filter_t *filter, const window_t *window) {
    const matcher_t *matcher = filter->matcher;
    uint64_t end = window->end, from = end - matcher_depth(matcher, filter->state), other = from;
    if (filter->joined != 0)
        other = begin_of(filter, end, matcher_depth(matcher, filter->joined), true);
    else if (filter->boundary != BOUNDARY_NONE)
        other =
            begin_of(filter, filter->boundary_start, matcher_depth(matcher, filter->before), true);
    if (other < from)
        from = other;
    if (from < window->base || from > end)
        from = window->base;
    /* The character before a match in base64 has to be changed, too. */
    if (from > window->base && (from < end || filter->direction == FILTER_INSERT) &&
        base64_value(window->data[from - 1 - window->base]) >= 0)
        from--;
    return from;
}

bool filter_push(filter_t *filter, const void *data, size_t length, buffer_t *out) {
    if (filter->failed)
        return false;
    size_t start = out->length, held = filter->held.length;
    if (length == 0)
        return true;
    if (!buffer_append(out, filter->held.data, held) || !buffer_append(out, data, length)) {
        filter->failed = true;
        return false;
    }
    window_t window = {out->data + start, filter->position - held, filter->position + length};
    process(filter, &window);
    uint64_t from = hold_from(filter, &window);
    size_t keep = (size_t)(window.end - from);
    filter->held.length = 0;
    if (filter->failed ||
        (keep > 0 && !buffer_append(&filter->held, window.data + (from - window.base), keep))) {
        filter->failed = true;
        return false;
    }
    out->length -= keep;
    out->data[out->length] = '\0';
    drop_gaps(filter, from);
    return true;
}

static void mask(filter_t *filter, window_t *window, uint32_t state, uint64_t end, bool joined) {
    const matcher_t *matcher = filter->matcher;
    const matcher_node_t *node = &matcher->nodes[state];
    if (state == 0)
        return;
    const pattern_t *pattern = &matcher->patterns[node->through];
    bool whole = node->found >= 0 && matcher->patterns[node->found].length == node->depth;
    if (node->depth > FILTER_SHOWN_MAX * pattern->unit && !whole)
        overwrite(filter, window, pattern, end, node->depth, joined);
}

static void mask_all(filter_t *filter, window_t *window) {
    if (filter->boundary != BOUNDARY_NONE)
        mask(filter, window, filter->before, filter->boundary_start, true);
    if (filter->joined != 0)
        mask(filter, window, filter->joined, window->end, true);
    mask(filter, window, filter->state, window->end, false);
}

static void forget(filter_t *filter) {
    filter->state = filter->joined = filter->before = 0;
    filter->boundary = BOUNDARY_NONE;
    filter->gap_count = 0;
    filter->back = -1;
}

bool filter_release(filter_t *filter, buffer_t *out) {
    size_t held = filter->held.length;
    if (filter->failed)
        return false;
    window_t window = {filter->held.data, filter->position - held, filter->position};
    if (filter->direction == FILTER_SCRUB)
        mask_all(filter, &window);
    else if (held > 0)
        forget(filter);
    if (held > 0 && !buffer_append(out, filter->held.data, held)) {
        filter->failed = true;
        return false;
    }
    filter->held.length = 0;
    return true;
}

bool filter_finish(filter_t *filter, buffer_t *out) {
    bool done = filter_release(filter, out);
    forget(filter);
    filter->header = 0;
    return done;
}

bool filter_piece(filter_t *filter, char *text, size_t length) {
    window_t window = {text, filter->position, filter->position + length};
    process(filter, &window);
    forget(filter);
    return !filter->failed;
}

void filter_text(filter_t *filter, char *text, size_t length) {
    window_t window = {text, filter->position, filter->position + length};
    process(filter, &window);
    mask_all(filter, &window);
    forget(filter);
    if (filter->failed && length > 0)
        memset(text, '*', length);
}
