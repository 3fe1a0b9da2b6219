/* Building the automaton: a trie, then fail links in the order of depth. */
#include "secrets/matcher.h"

#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"

#define NODES_MAX ((uint32_t)1 << 23)

static bool node_new(matcher_t *matcher, uint8_t byte, uint32_t depth, int32_t through,
                     uint32_t *out) {
    if (matcher->count == matcher->capacity) {
        if (matcher->count >= NODES_MAX)
            return false;
        uint32_t capacity = 2 * matcher->capacity;
        matcher_node_t *nodes = malloc(capacity * sizeof *nodes);
        if (!nodes)
            return false;
        memcpy(nodes, matcher->nodes, matcher->count * sizeof *nodes);
        wipe(matcher->nodes, matcher->count * sizeof *nodes);
        free(matcher->nodes);
        matcher->nodes = nodes;
        matcher->capacity = capacity;
    }
    *out = matcher->count++;
    matcher->nodes[*out] =
        (matcher_node_t){.byte = byte, .depth = depth, .through = through, .found = -1};
    return true;
}

matcher_t *matcher_new(void) {
    matcher_t *matcher = calloc(1, sizeof *matcher);
    if (!matcher)
        return NULL;
    matcher->capacity = 256;
    matcher->nodes = malloc(matcher->capacity * sizeof *matcher->nodes);
    uint32_t root;
    if (matcher->nodes && node_new(matcher, 0, 0, -1, &root))
        return matcher;
    free(matcher);
    return NULL;
}

static void pattern_free(pattern_t *pattern) {
    if (pattern->find)
        wipe(pattern->find, pattern->length);
    if (pattern->replace)
        wipe(pattern->replace, pattern->length);
    free(pattern->find);
    free(pattern->replace);
}

void matcher_free(matcher_t *matcher) {
    if (!matcher)
        return;
    for (uint32_t i = 0; i < matcher->pattern_count; i++)
        pattern_free(&matcher->patterns[i]);
    wipe(matcher->nodes, matcher->count * sizeof *matcher->nodes);
    free(matcher->patterns);
    free(matcher->nodes);
    free(matcher);
}

static bool reserve_pattern(matcher_t *matcher) {
    if (matcher->pattern_count < matcher->pattern_capacity)
        return true;
    uint32_t capacity = matcher->pattern_capacity > 0 ? 2 * matcher->pattern_capacity : 16;
    pattern_t *patterns = realloc(matcher->patterns, capacity * sizeof *patterns);
    if (!patterns)
        return false;
    matcher->patterns = patterns;
    matcher->pattern_capacity = capacity;
    return true;
}

/* The child of a node, made if there is none. */
static bool descend(matcher_t *matcher, uint32_t node, uint8_t byte, int32_t pattern,
                    uint32_t *out) {
    uint32_t child = node == 0 ? matcher->root[byte] : matcher->nodes[node].child;
    while (node != 0 && child != 0 && matcher->nodes[child].byte != byte)
        child = matcher->nodes[child].sibling;
    if (child == 0) {
        if (!node_new(matcher, byte, matcher->nodes[node].depth + 1, pattern, &child))
            return false;
        if (node == 0) {
            matcher->root[byte] = child;
        } else {
            matcher->nodes[child].sibling = matcher->nodes[node].child;
            matcher->nodes[node].child = child;
        }
    }
    *out = child;
    return true;
}

bool matcher_add(matcher_t *matcher, pattern_t pattern) {
    if (!pattern.find || !pattern.replace || pattern.length == 0 || !reserve_pattern(matcher)) {
        bool nothing = pattern.find && pattern.replace && pattern.length == 0;
        pattern_free(&pattern);
        return nothing;
    }
    int32_t index = (int32_t)matcher->pattern_count;
    uint32_t node = 0;
    for (uint32_t i = 0; i < pattern.length; i++) {
        if (!descend(matcher, node, (uint8_t)pattern.find[i], index, &node)) {
            pattern_free(&pattern);
            return false;
        }
    }
    if (matcher->nodes[node].found >= 0) {
        pattern_free(&pattern);
        return true;
    }
    matcher->nodes[node].found = index;
    matcher->patterns[matcher->pattern_count++] = pattern;
    return true;
}

static void link_child(matcher_t *matcher, uint32_t parent, uint32_t child) {
    matcher_node_t *node = &matcher->nodes[child];
    node->fail = parent == 0 ? 0 : matcher_next(matcher, matcher->nodes[parent].fail, node->byte);
    if (node->found < 0)
        node->found = matcher->nodes[node->fail].found;
}

bool matcher_finish(matcher_t *matcher) {
    uint32_t *queue = malloc(matcher->count * sizeof *queue);
    if (!queue)
        return false;
    uint32_t begin = 0, end = 0;
    for (size_t byte = 0; byte < 256; byte++) {
        if (matcher->root[byte] == 0)
            continue;
        link_child(matcher, 0, matcher->root[byte]);
        queue[end++] = matcher->root[byte];
    }
    while (begin < end) {
        uint32_t parent = queue[begin++];
        for (uint32_t child = matcher->nodes[parent].child; child != 0;
             child = matcher->nodes[child].sibling) {
            link_child(matcher, parent, child);
            queue[end++] = child;
        }
    }
    free(queue);
    return true;
}
