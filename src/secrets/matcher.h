/* An Aho-Corasick automaton over byte strings, each with a replacement of the same length.
 *
 * Sparse: a node has a list of children, only the root has a table. Built once, then read by any
 * thread. A state is the number of a node; 0 is the root. */
#ifndef SECRETS_MATCHER_H
#define SECRETS_MATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum pattern_kind {
    PATTERN_PLAIN,
    PATTERN_BASE64 /* the characters that the string alone decides; those beside it hold a part */
} pattern_kind_t;

typedef struct pattern {
    char *find, *replace; /* from malloc, owned by the matcher */
    uint32_t length;
    uint16_t secret;    /* index */
    uint8_t kind, unit; /* unit: bytes of a letter */
    /* PATTERN_BASE64: which bits of the character before (low ones) and after (high ones) belong to
     * the string, and what they are to become. */
    uint8_t front_mask, front_replace, back_mask, back_replace;
} pattern_t;

typedef struct matcher_node {
    uint32_t child, sibling, fail;
    uint32_t depth;
    int32_t through; /* a pattern that begins with this node's string; -1 for the root */
    int32_t found;   /* the longest pattern that ends here; -1: none */
    uint8_t byte;
} matcher_node_t;

typedef struct matcher {
    uint32_t root[256]; /* the root's children by byte, 0: none */
    matcher_node_t *nodes;
    uint32_t count, capacity;
    pattern_t *patterns;
    uint32_t pattern_count, pattern_capacity;
} matcher_t;

matcher_t *matcher_new(void);
void matcher_free(matcher_t *matcher);
/* Takes the pattern's strings, also when it fails; a string that is there already is dropped. False when
 * out of memory. */
bool matcher_add(matcher_t *matcher, pattern_t pattern);
/* After the last pattern. False when out of memory. */
bool matcher_finish(matcher_t *matcher);

static inline uint32_t matcher_depth(const matcher_t *matcher, uint32_t state) {
    return matcher->nodes[state].depth;
}

static inline uint32_t matcher_next(const matcher_t *matcher, uint32_t state, uint8_t byte) {
    const matcher_node_t *nodes = matcher->nodes;
    while (state != 0) {
        uint32_t child = nodes[state].child;
        while (child != 0 && nodes[child].byte != byte)
            child = nodes[child].sibling;
        if (child != 0)
            return child;
        state = nodes[state].fail;
    }
    return matcher->root[byte];
}

/* The state without what can no longer become longer. */
static inline uint32_t matcher_settle(const matcher_t *matcher, uint32_t state) {
    while (state != 0 && matcher->nodes[state].child == 0)
        state = matcher->nodes[state].fail;
    return state;
}

#endif
