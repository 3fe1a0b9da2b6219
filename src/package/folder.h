/* Folders of this machine as packages: read as they are at that moment. */
#ifndef PACKAGE_FOLDER_H
#define PACKAGE_FOLDER_H

#include <stdbool.h>

#include "image/sha256.h"
#include "mount/tree.h"

/* Whether it is a package itself, by its __init__.py. */
bool folder_is_package(const char *path);
/* What programs see of it, below prefix ("" or the name of a package): all but __pycache__ and names
 * that begin with a dot. The caller frees the tree. Errors: ERYX_ERR_IO, _LIMIT, _MEMORY. */
int folder_read(const char *path, const char *prefix, tree_t **out, eryx_error_t *error);
/* What the system says of all files in it, which changes whenever one is changed. *recent: something was
 * changed a moment ago, so that another change might not show. Errors: ERYX_ERR_IO, _LIMIT. */
int folder_stamp(const char *path, sha256_t *hash, bool *recent, eryx_error_t *error);
/* The same of one file. */
int file_stamp(const char *path, sha256_t *hash, bool *recent, eryx_error_t *error);

#endif
