/* The fields behind eryx_runtime_t. */
#ifndef SANDBOX_RUNTIME_H
#define SANDBOX_RUNTIME_H

#include <limits.h>
#include <stdatomic.h>

#include <eryx/mount.h>
#include <eryx/runtime.h>

#include "base/process.h"
#include "image/image.h"
#include "net/net.h"
#include "sandbox/codes.h"
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
    codes_t codes;
    watchdog_t watchdog;
    net_t *net;
    image_part_t packages_bytes; /* mapped; length 0: it has none */
    eryx_source_t *packages;     /* of these bytes; NULL: none */
};

/* Whether this process is a child of the one that opened it. */
static inline bool runtime_foreign(const eryx_runtime_t *runtime) {
    return runtime->generation != process_generation();
}

/* What this library can load. */
extern const image_versions_t runtime_versions;

/* Opens what is in a file, which stays the caller's. options: whole and checked. */
int runtime_open_image(const image_t *image, const eryx_runtime_options_t *options,
                       eryx_runtime_t **out, eryx_error_t *error);

void runtime_retain(eryx_runtime_t *runtime);

/* The path of the default runtime file (fuel: of the one that counts); an error if there is none.
 * Errors: ERYX_ERR_IO. */
int runtime_locate(bool fuel, char *out, size_t capacity, eryx_error_t *error);

#endif
