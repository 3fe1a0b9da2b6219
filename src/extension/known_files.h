/* Which files of this machine were seen to have which sha256, so that a large extension is not read and
 * hashed in each process that loads it. A file is known by its device, inode, size, and times of
 * modification and of change.
 *
 * The last cannot be set, not by a guest either that may write there: whatever changes a file changes it.
 * Two exceptions make a file unknown: one that was changed so lately that a second change could have
 * the same time, and one on a file system that is not known to keep that time itself (FUSE, networks).
 * The worst of a mistake is that a program gets the code of what the same file was before. */
#ifndef EXTENSION_KNOWN_FILES_H
#define EXTENSION_KNOWN_FILES_H

#include "base/cache_folder.h"

typedef struct file_identity {
    uint8_t key[32];
    uint64_t size;
    bool lasting; /* the key tells what is in the file */
} file_identity_t;

/* Of a regular file; false: it is none. */
bool file_identity(int fd, file_identity_t *out);
/* A file of the cache's folder with a fixed number of places: what is remembered may be forgotten. */
bool known_files_find(const cache_folder_t *cache, const file_identity_t *identity,
                      uint8_t sha256[32]);
void known_files_keep(const cache_folder_t *cache, const file_identity_t *identity,
                      const uint8_t sha256[32]);

#endif
