/* wasi:clocks: time comes from the host at every call, so that it is right after a fork or a
 * resume; how fine it is, is what the host promises. */
#include "wasi_internal.h"

WASI_IMPORT("wasi:clocks/monotonic-clock@0.2.0", "now") uint64_t host_monotonic_now(void);
WASI_IMPORT("wasi:clocks/wall-clock@0.2.0", "now") void host_wall_now(struct wasi_datetime *now);

uint64_t wasi_monotonic_clock(void)
{
    return host_monotonic_now();
}

struct vfs_time wasi_wall_clock(void)
{
    struct wasi_datetime now;
    host_wall_now(&now);
    return (struct vfs_time){(int64_t)now.seconds, now.nanoseconds};
}

WASI_EXPORT("wasi:clocks/monotonic-clock@0.2.0#now")
uint64_t wasi_monotonic_now(void)
{
    return host_monotonic_now();
}

WASI_EXPORT("wasi:clocks/monotonic-clock@0.2.0#resolution")
uint64_t wasi_monotonic_resolution(void)
{
    return 1;
}

WASI_EXPORT("wasi:clocks/wall-clock@0.2.0#now")
void wasi_wall_now(struct wasi_datetime *result)
{
    host_wall_now(result);
}

WASI_EXPORT("wasi:clocks/wall-clock@0.2.0#resolution")
void wasi_wall_resolution(struct wasi_datetime *result)
{
    *result = (struct wasi_datetime){.nanoseconds = 1};
}
