/* Where the runtime file is when the program does not say. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/object_folder.h"
#include "sandbox/runtime.h"

/* Beside the library or, when that is linked statically, the program: installed in
 * <prefix>/lib or <prefix>/bin, or in the build tree. */
static const char *const candidates[] = {
    "eryx/runtime.cwasm",
    "../lib/eryx/runtime.cwasm",
    "runtime/runtime.cwasm",
    "../runtime/runtime.cwasm",
};

int runtime_locate(char *out, size_t capacity, eryx_error_t *error) {
    const char *given = getenv("ERYX_RUNTIME");
    char folder[PATH_MAX] = "";
    if (given && *given) {
        if ((size_t)snprintf(out, capacity, "%s", given) < capacity)
            return ERYX_OK;
        return error_set(error, ERYX_ERR_IO, "ERYX_RUNTIME is too long");
    }
    for (size_t i = 0; object_folder((void *)(uintptr_t)runtime_locate, folder) &&
                       i < sizeof candidates / sizeof *candidates; i++)
        if ((size_t)snprintf(out, capacity, "%s/%s", folder, candidates[i]) < capacity &&
            access(out, R_OK) == 0)
            return ERYX_OK;
    return error_set(error, ERYX_ERR_IO,
                     "no runtime.cwasm near %.120s; set ERYX_RUNTIME or give its path", folder);
}
