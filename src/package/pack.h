/* A tree of files as one run of bytes that is used where it lies: the section `packages` of a runtime
 * file, mapped when the runtime is opened, which costs nothing until a program reads a file.
 *
 *     header, nodes (the root first; entries of a directory lie together, by name), names, contents
 *
 * A runtime file is trusted; the bytes are checked all the same before they are used, so that a
 * damaged one gives errors. */
#ifndef PACKAGE_PACK_H
#define PACKAGE_PACK_H

#include "base/buffer.h"
#include "mount/tree.h"

/* All of a tree. Errors: ERYX_ERR_MEMORY, _LIMIT. */
int pack_write(const tree_t *tree, buffer_t *out, eryx_error_t *error);

/* A source of these bytes. release is called once with them when the source is not used any more; not
 * if this fails. Errors: ERYX_ERR_FORMAT, _MEMORY. */
int pack_source(const void *data, size_t length, void (*release)(const void *data, size_t length),
                eryx_source_t **out, eryx_error_t *error);

#endif
