/* The fields behind eryx_outcome_t. */
#ifndef SANDBOX_OUTCOME_H
#define SANDBOX_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/outcome.h>

#include "base/buffer.h"

struct eryx_outcome {
    eryx_outcome_kind_t kind;
    buffer_t output[2]; /* stdout, stderr */
    uint64_t output_dropped;
    char *type, *message, *traceback; /* from malloc; NULL is "" */
    int exit_code;
    eryx_limit_t limit;
    uint64_t limit_value, limit_used;
    uint64_t wall_time_ns;
    uint64_t fuel_used;
    bool session_lost;
    char *result, *result_error; /* from malloc; NULL: none */
    size_t result_length;
};

#endif
