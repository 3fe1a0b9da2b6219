/* What archives are read into, for those that look into them before they are mounted. */
#ifndef MOUNT_ARCHIVE_H
#define MOUNT_ARCHIVE_H

#include "mount/tree.h"

/* As eryx_source_new_archive. The caller frees the tree. */
int archive_tree(const void *data, size_t length, const eryx_archive_options_t *options,
                 tree_t **out, eryx_error_t *error);
/* A whole regular file, from malloc. Errors: ERYX_ERR_IO, _MEMORY. */
int archive_read_file(const char *path, char **data, size_t *length, eryx_error_t *error);

#endif
