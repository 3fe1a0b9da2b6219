/* What a profile has gathered. */
#ifndef ERYX_CLI_PROFILE_COLLECT_H
#define ERYX_CLI_PROFILE_COLLECT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile.h"

enum {
    FUNCTIONS_MAX = 20000,
    NODES_MAX = 100000,
    LINES_MAX = 50000,
    BUSY_MAX = 20000,
    CALLS_MAX = 20000,
    CALL_NAMES_MAX = 1000
};

/* A table of numbered things, found again by a hash of what they are. */
struct index {
    uint32_t *slots; /* number + 1; 0: empty */
    size_t capacity; /* a power of two */
};

struct profile_function {
    char *name, *file;
    uint32_t first_line;
};

/* A function as called by another: of the tree of calls. */
struct profile_node {
    uint32_t parent; /* a node's number; node 0 is the root, its own parent */
    uint32_t function;
    uint32_t samples; /* that ended here */
    uint64_t self_ns;
};

struct profile_line {
    uint32_t function, line, samples;
    uint64_t self_ns;
};

/* When the program was at work. */
struct profile_busy {
    uint64_t begin_ns, end_ns;
};

struct profile_made_call {
    uint32_t name;
    uint64_t made_ns, began_ns, ended_ns;
    enum profile_call_end end;
};

struct profile {
    uint64_t begin_ns, end_ns;         /* CLOCK_MONOTONIC */
    uint64_t cpu_begin_ns, cpu_end_ns; /* of the executing thread */
    struct profile_function *functions;
    struct profile_node *nodes;
    struct profile_line *lines;
    struct profile_busy *busy;
    struct profile_made_call *calls;
    char **call_names;
    size_t function_count, node_count, line_count, busy_count, call_count, call_name_count;
    struct index function_index, node_index, line_index;
    uint64_t samples, sampled_ns;
    uint64_t short_samples; /* of which not all was kept */
    uint64_t calls_dropped;
    pthread_mutex_t calls_mutex;
};

extern struct profile profile;

/* Makes room for what all of it takes at most. Address space that is not used costs no memory. */
bool profile_allocate(void);

#endif
