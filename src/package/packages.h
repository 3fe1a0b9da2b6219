/* The list behind eryx_packages_t, and what it is together. */
#ifndef PACKAGE_PACKAGES_H
#define PACKAGE_PACKAGES_H

#include <eryx/package.h>

#include "base/buffer.h"
#include "base/cache_folder.h"
#include "image/sha256.h"
#include "mount/tree.h"

typedef struct package {
    char *path;       /* absolute */
    const char *file; /* its last part */
    char *project;    /* of a wheel; NULL: a folder */
} package_t;

struct eryx_packages {
    package_t *items;
    size_t count;
};

/* All files together, and the names of modules at the top, each with a NUL. Errors: ERYX_ERR_ARGUMENT
 * (two packages have different files of one name), those of reading. */
int packages_read(const eryx_packages_t *packages, tree_t **out, buffer_t *modules,
                  eryx_error_t *error);
/* A hash of the content of all. If the system says that no file has changed, it comes from the folder. */
int packages_hash(const eryx_packages_t *packages, const cache_folder_t *cache,
                  uint8_t out[SHA256_BYTES], eryx_error_t *error);

#endif
