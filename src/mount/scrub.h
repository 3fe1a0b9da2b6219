/* Files outside of a sandbox with secrets: values are replaced by placeholders in what a program reads
 * and in what it writes, also where a value is written in pieces, in any order.
 *
 * That works in place, since both are of one length: around each piece as many bytes are looked at
 * as a value can have. */
#ifndef MOUNT_SCRUB_H
#define MOUNT_SCRUB_H

#include "mount/mounts.h"

/* As the source's read and write, with mounts->scrub. */
ptrdiff_t scrub_read(const mounts_t *mounts, const open_file_t *file, uint64_t offset, void *buffer,
                     size_t length);
ptrdiff_t scrub_write(const mounts_t *mounts, const open_file_t *file, uint64_t offset,
                      const void *data, size_t length);

#endif
