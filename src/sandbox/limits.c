/* Defaults, names and messages of limits. */
#define _GNU_SOURCE
#include "sandbox/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void eryx_limits_init(eryx_limits_t *limits) {
    *limits = (eryx_limits_t){
        .size = sizeof *limits,
        .wall_time_ns = (uint64_t)60 * 1000000000u,
        .memory_bytes = (uint64_t)512 << 20,
        .output_bytes = (uint64_t)16 << 20,
        .pending_calls = 16384,
        .total_calls = 1000000,
        .call_argument_bytes = (uint64_t)64 << 20,
        .call_result_bytes = (uint64_t)64 << 20,
        .result_bytes = (uint64_t)64 << 20,
        .snapshot_bytes = (uint64_t)256 << 20,
        .host_memory_bytes = (uint64_t)256 << 20,
        .net_connections = 64,
        .net_connections_total = 10000,
        .net_bytes_in = (uint64_t)1 << 30,
        .net_bytes_out = (uint64_t)1 << 30,
        .net_connect_time_ns = (uint64_t)30 * 1000000000u,
        .net_idle_time_ns = (uint64_t)300 * 1000000000u,
        .file_system_bytes = (uint64_t)1 << 30,
        .files = 200000,
        .open_files = 1000,
        .recursion = 1000000,
        .extension_bytes = (uint64_t)64 << 20,
    };
}

const char *eryx_limit_name(eryx_limit_t limit) {
    switch (limit) {
    case ERYX_LIMIT_WALL_TIME:
        return "wall time";
    case ERYX_LIMIT_OUTPUT:
        return "output";
    case ERYX_LIMIT_CPU_TIME:
        return "CPU time";
    case ERYX_LIMIT_HOST_MEMORY:
        return "host memory";
    case ERYX_LIMIT_FUEL:
        return "fuel";
    case ERYX_LIMIT_NONE:
        break;
    }
    return "none";
}

void limits_end(eryx_outcome_t *outcome, eryx_limit_t limit, uint64_t value, uint64_t used) {
    char message[96];
    const char *name = eryx_limit_name(limit);
    if (limit == ERYX_LIMIT_WALL_TIME || limit == ERYX_LIMIT_CPU_TIME)
        snprintf(message, sizeof message, "%s limit of %g s exceeded", name, (double)value / 1e9);
    else
        snprintf(message, sizeof message, "%s limit of %llu%s exceeded", name,
                 (unsigned long long)value, limit == ERYX_LIMIT_FUEL ? "" : " bytes");
    outcome->kind = ERYX_OUTCOME_LIMIT;
    outcome->exit_code = 1;
    outcome->limit = limit;
    outcome->limit_value = value;
    outcome->limit_used = used;
    free(outcome->message);
    outcome->message = strdup(message);
}
