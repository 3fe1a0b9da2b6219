/* Defaults and names of limits. */
#include <eryx/limits.h>

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
    };
}

const char *eryx_limit_name(eryx_limit_t limit) {
    switch (limit) {
    case ERYX_LIMIT_WALL_TIME:
        return "wall time";
    case ERYX_LIMIT_OUTPUT:
        return "output";
    case ERYX_LIMIT_NONE:
        break;
    }
    return "none";
}
