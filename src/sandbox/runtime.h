/* The fields behind eryx_runtime_t. */
#ifndef SANDBOX_RUNTIME_H
#define SANDBOX_RUNTIME_H

#include <limits.h>
#include <stdatomic.h>

#include <eryx/runtime.h>

#include "base/process.h"
#include "image/image.h"
#include "net/net.h"
#include "sandbox/places.h"
#include "sandbox/pool.h"
#include "sandbox/watchdog.h"

struct eryx_runtime {
    atomic_uint references; /* the caller's and one a sandbox */
    unsigned generation;    /* of the process that opened it */
    places_t places;        /* of sandboxes */
    eryx_runtime_options_t options;
    image_footer_t footer;
    uint64_t file_bytes, code_bytes;
    char build_id[65];
    char path[PATH_MAX]; /* "" when opened from memory */
    engine_t *engine;
    memory_origin_t origin;
    pool_t pool;
    watchdog_t watchdog;
    net_t *net;
};

/* Whether this process is a child of the one that opened it. */
static inline bool runtime_foreign(const eryx_runtime_t *runtime) {
    return runtime->generation != process_generation();
}

void runtime_retain(eryx_runtime_t *runtime);

/* The path of the default runtime file (fuel: of the one that counts); an error if there is none.
 * Errors: ERYX_ERR_IO. */
int runtime_locate(bool fuel, char *out, size_t capacity, eryx_error_t *error);

#endif
