/* One line a limit: what kind of value it takes and where it goes. */
#include "limits.h"

#include <stddef.h>
#include <stdint.h>

#include "commands.h"
#include "message.h"
#include "values.h"

enum kind { DURATION, SIZE, COUNT_32, COUNT_64 };

static const struct {
    const char *name; /* in the order of LIMITS_OPTIONS */
    enum kind kind;
    size_t offset;
} items[] = {
    {"--cpu-time", DURATION, offsetof(eryx_limits_t, cpu_time_ns)},
    {"--host-memory", SIZE, offsetof(eryx_limits_t, host_memory_bytes)},
    {"--max-output", SIZE, offsetof(eryx_limits_t, output_bytes)},
    {"--disk", SIZE, offsetof(eryx_limits_t, file_system_bytes)},
    {"--max-files", COUNT_32, offsetof(eryx_limits_t, files)},
    {"--max-open-files", COUNT_32, offsetof(eryx_limits_t, open_files)},
    {"--max-recursion", COUNT_32, offsetof(eryx_limits_t, recursion)},
    {"--max-calls", COUNT_64, offsetof(eryx_limits_t, total_calls)},
    {"--max-extensions", SIZE, offsetof(eryx_limits_t, extension_bytes)},
    {"--fuel", COUNT_64, offsetof(eryx_limits_t, fuel)},
    {"--net-connections", COUNT_32, offsetof(eryx_limits_t, net_connections)},
    {"--net-total", COUNT_64, offsetof(eryx_limits_t, net_connections_total)},
    {"--net-bytes-in", SIZE, offsetof(eryx_limits_t, net_bytes_in)},
    {"--net-bytes-out", SIZE, offsetof(eryx_limits_t, net_bytes_out)},
    {"--net-connect-time", DURATION, offsetof(eryx_limits_t, net_connect_time_ns)},
    {"--net-idle-time", DURATION, offsetof(eryx_limits_t, net_idle_time_ns)},
};
enum { ITEMS = sizeof items / sizeof items[0] };

bool limits_is_option(int option)
{
    return option >= LIMITS_FIRST && option < LIMITS_FIRST + ITEMS;
}

int limits_set(eryx_limits_t *limits, int option, const char *value)
{
    size_t index = (size_t)(option - LIMITS_FIRST);
    const char *name = items[index].name;
    char *field = (char *)limits + items[index].offset;
    uint64_t number;
    switch (items[index].kind) {
    case DURATION:
        if (!value_duration(value, (uint64_t *)field))
            return message_usage("run",
                                 "%s %s: a duration is needed, such as 10, 1.5s, 500ms, 2m, "
                                 "or none",
                                 name, value);
        break;
    case SIZE:
        if (!value_size(value, (uint64_t *)field))
            return message_usage("run", "%s %s: a size is needed, such as 256M or 1G", name, value);
        break;
    case COUNT_32:
    case COUNT_64:
        if (!value_count(value, items[index].kind == COUNT_32 ? UINT32_MAX : UINT64_MAX, &number))
            return message_usage("run", "%s %s: a number is needed, such as 1000", name, value);
        if (items[index].kind == COUNT_32)
            *(uint32_t *)field = (uint32_t)number;
        else
            *(uint64_t *)field = number;
        break;
    }
    if (field == (char *)&limits->output_bytes)
        limits->stop_on_output = true;
    return EXIT_OK;
}
