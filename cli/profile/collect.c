/* Samples become a tree of calls and a table of lines; calls of callbacks are kept one by one. */
#include "collect.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GAP_NS = 3000000 }; /* less between two samples is no pause of the program */

struct profile profile = {.calls_mutex = PTHREAD_MUTEX_INITIALIZER};

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static bool index_allocate(struct index *index, size_t most)
{
    index->capacity = 1;
    while (index->capacity < 2 * most)
        index->capacity *= 2;
    index->slots = calloc(index->capacity, sizeof *index->slots);
    return index->slots;
}

bool profile_allocate(void)
{
    profile.functions = calloc(FUNCTIONS_MAX, sizeof *profile.functions);
    profile.nodes = calloc(NODES_MAX, sizeof *profile.nodes);
    profile.lines = calloc(LINES_MAX, sizeof *profile.lines);
    profile.busy = calloc(BUSY_MAX, sizeof *profile.busy);
    profile.calls = calloc(CALLS_MAX, sizeof *profile.calls);
    profile.call_names = calloc(CALL_NAMES_MAX, sizeof *profile.call_names);
    profile.node_count = 1;
    return profile.functions && profile.nodes && profile.lines && profile.busy && profile.calls &&
           profile.call_names && index_allocate(&profile.function_index, FUNCTIONS_MAX) &&
           index_allocate(&profile.node_index, NODES_MAX) &&
           index_allocate(&profile.line_index, LINES_MAX);
}

/* --- Finding things again ----------------------------------------------------------------- */

static const uint64_t hash_start = UINT64_C(0xcbf29ce484222325);

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t length)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t hash_pair(uint32_t first, uint32_t second)
{
    uint64_t pair = (uint64_t)first << 32 | second;
    return hash_bytes(hash_start, &pair, sizeof pair);
}

/* The slot with a number for which `same` holds, or the empty one where it belongs: the tables are twice
 * as large as what they hold. */
static uint32_t *index_find(struct index *index, uint64_t hash,
                            bool (*same)(uint32_t number, const void *key), const void *key)
{
    size_t at = (hash ^ hash >> 29) & (index->capacity - 1);
    while (index->slots[at] && !same(index->slots[at] - 1, key))
        at = (at + 1) & (index->capacity - 1);
    return &index->slots[at];
}

static bool same_function(uint32_t number, const void *key)
{
    const struct profile_function *function = &profile.functions[number];
    const eryx_frame_t *frame = key;
    return function->first_line == frame->first_line &&
           strcmp(function->name, frame->function) == 0 && strcmp(function->file, frame->file) == 0;
}

static bool same_node(uint32_t number, const void *key)
{
    const struct profile_node *node = &profile.nodes[number], *wanted = key;
    return node->parent == wanted->parent && node->function == wanted->function;
}

static bool same_line(uint32_t number, const void *key)
{
    const struct profile_line *line = &profile.lines[number], *wanted = key;
    return line->function == wanted->function && line->line == wanted->line;
}

/* --- Samples ------------------------------------------------------------------------------ */

static bool find_function(const eryx_frame_t *frame, uint32_t *number)
{
    uint64_t hash = hash_bytes(hash_start, frame->function, strlen(frame->function));
    hash = hash_bytes(hash, frame->file, strlen(frame->file));
    hash = hash_bytes(hash, &frame->first_line, sizeof frame->first_line);
    uint32_t *slot = index_find(&profile.function_index, hash, same_function, frame);
    if (!*slot) {
        struct profile_function function = {NULL, NULL, frame->first_line};
        if (profile.function_count == FUNCTIONS_MAX)
            return false;
        function.name = strdup(frame->function);
        function.file = strdup(frame->file);
        if (!function.name || !function.file) {
            free(function.name);
            free(function.file);
            return false;
        }
        profile.functions[profile.function_count++] = function;
        *slot = (uint32_t)profile.function_count;
    }
    *number = *slot - 1;
    return true;
}

static bool find_node(uint32_t parent, uint32_t function, uint32_t *number)
{
    struct profile_node node = {.parent = parent, .function = function};
    uint32_t *slot = index_find(&profile.node_index, hash_pair(parent, function), same_node, &node);
    if (!*slot) {
        if (profile.node_count == NODES_MAX)
            return false;
        profile.nodes[profile.node_count++] = node;
        *slot = (uint32_t)profile.node_count;
    }
    *number = *slot - 1;
    return true;
}

static bool add_line(uint32_t function, uint32_t number, uint64_t self_ns)
{
    struct profile_line line = {.function = function, .line = number};
    uint32_t *slot = index_find(&profile.line_index, hash_pair(function, number), same_line, &line);
    if (!*slot) {
        if (profile.line_count == LINES_MAX)
            return false;
        profile.lines[profile.line_count++] = line;
        *slot = (uint32_t)profile.line_count;
    }
    profile.lines[*slot - 1].self_ns += self_ns;
    profile.lines[*slot - 1].samples++;
    return true;
}

/* A sample stands for the time before it. */
static void add_busy(const eryx_sample_t *sample)
{
    uint64_t begin = sample->time_ns - sample->cpu_ns;
    struct profile_busy *last = profile.busy_count ? &profile.busy[profile.busy_count - 1] : NULL;
    if (last && (begin < last->end_ns + GAP_NS || profile.busy_count == BUSY_MAX))
        last->end_ns = sample->time_ns;
    else
        profile.busy[profile.busy_count++] = (struct profile_busy){begin, sample->time_ns};
}

void profile_on_sample(void *env, const eryx_sample_t *sample)
{
    static const eryx_frame_t outer = {"(frames further out)", "", 0, 0};
    uint32_t function, node = 0;
    bool whole = true;
    (void)env;
    profile.samples++;
    profile.sampled_ns += sample->cpu_ns;
    add_busy(sample);
    if (sample->cut)
        whole = find_function(&outer, &function) && find_node(node, function, &node);
    for (size_t i = sample->count; whole && i-- > 0;) {
        const eryx_frame_t *frame = &sample->frames[i];
        whole = find_function(frame, &function) && find_node(node, function, &node) &&
                (i > 0 || add_line(function, frame->line, sample->cpu_ns));
    }
    profile.nodes[node].self_ns += sample->cpu_ns;
    profile.nodes[node].samples++;
    profile.short_samples += !whole;
}

/* --- Calls -------------------------------------------------------------------------------- */

/* CALL_NAMES_MAX: there is no room. */
static uint32_t find_name(const char *name)
{
    uint32_t number = 0;
    while (number < profile.call_name_count && strcmp(profile.call_names[number], name) != 0)
        number++;
    if (number < profile.call_name_count || number == CALL_NAMES_MAX)
        return number;
    profile.call_names[number] = strdup(name);
    if (!profile.call_names[number])
        return CALL_NAMES_MAX;
    profile.call_name_count++;
    return number;
}

void profile_call(const char *name, uint64_t made_ns, uint64_t began_ns, enum profile_call_end end)
{
    if (!profile_wanted())
        return;
    pthread_mutex_lock(&profile.calls_mutex);
    uint32_t number = profile.call_count < CALLS_MAX ? find_name(name) : CALL_NAMES_MAX;
    if (number == CALL_NAMES_MAX)
        profile.calls_dropped++;
    else
        profile.calls[profile.call_count++] =
            (struct profile_made_call){number, made_ns, began_ns, read_clock(CLOCK_MONOTONIC), end};
    pthread_mutex_unlock(&profile.calls_mutex);
}

void profile_begin(void)
{
    profile.begin_ns = read_clock(CLOCK_MONOTONIC);
    profile.cpu_begin_ns = read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void profile_end(void)
{
    profile.end_ns = read_clock(CLOCK_MONOTONIC);
    profile.cpu_end_ns = read_clock(CLOCK_THREAD_CPUTIME_ID);
}
