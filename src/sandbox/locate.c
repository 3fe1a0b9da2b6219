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
static const char *const candidates[] = {"eryx", "../lib/eryx", "runtime", "../runtime"};

int runtime_locate(bool fuel, char *out, size_t capacity, eryx_error_t *error) {
    const char *variable = fuel ? "ERYX_RUNTIME_FUEL" : "ERYX_RUNTIME";
    const char *file = fuel ? "runtime-fuel.cwasm" : "runtime.cwasm";
    const char *given = getenv(variable);
    char folder[PATH_MAX] = "";
    if (given && *given) {
        if ((size_t)snprintf(out, capacity, "%s", given) < capacity)
            return ERYX_OK;
        return error_set(error, ERYX_ERR_IO, "%s is too long", variable);
    }
    for (size_t i = 0; object_folder((void *)(uintptr_t)runtime_locate, folder) &&
                       i < sizeof candidates / sizeof *candidates;
         i++)
        if ((size_t)snprintf(out, capacity, "%s/%s/%s", folder, candidates[i], file) < capacity &&
            access(out, R_OK) == 0)
            return ERYX_OK;
    return error_set(error, ERYX_ERR_IO, "no %s near %.120s; set %s or give its path", file, folder,
                     variable);
}
