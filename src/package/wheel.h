/* Wheels: what their names say (PEP 427, PEP 425), and their files as they are seen in site-packages. */
#ifndef PACKAGE_WHEEL_H
#define PACKAGE_WHEEL_H

#include <stdbool.h>

#include "mount/tree.h"

/* Whether the name of a file ends like that of a wheel. */
bool wheel_is_named(const char *file);
/* Checks the tags in the name of a wheel, without folders; *project: its name as PEP 503 writes it, from
 * malloc. Errors: ERYX_ERR_ARGUMENT, _MEMORY. */
int wheel_check_name(const char *file, char **project, eryx_error_t *error);
/* Reads a wheel; the caller frees the tree. Errors: ERYX_ERR_FORMAT, _IO, _LIMIT, _MEMORY. */
int wheel_read(const char *path, const char *file, tree_t **out, eryx_error_t *error);

#endif
