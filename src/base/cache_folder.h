/* A folder of files that can be made again: compiled extensions, images with packages.
 *
 * What is in it is machine code that is trusted like a shared library. So the folder must belong to the
 * user alone, otherwise it is not used; files appear under their names only when they are
 * complete. The total size is bounded: the files used longest ago go first. Several processes may use
 * it at once. Names are 64 hexadecimal digits (a hash of all that a file depends on) and a suffix. */
#ifndef BASE_CACHE_FOLDER_H
#define BASE_CACHE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_HASH_BYTES 32u
#define CACHE_SUFFIX_MAX 16u
#define CACHE_NAME_BYTES (2 * CACHE_HASH_BYTES + CACHE_SUFFIX_MAX)

typedef struct cache_folder {
    char *path; /* NULL: nothing is kept */
    uint64_t bytes_max;
} cache_folder_t;

/* given NULL: $XDG_CACHE_HOME/eryx/NAME or ~/.cache/eryx/NAME; "": no cache. It is made when
 * something is kept. False when out of memory. */
bool cache_folder_init(cache_folder_t *folder, const char *given, const char *name,
                       uint64_t bytes_max);
void cache_folder_free(cache_folder_t *folder);

/* A descriptor of the folder, if only the user can have written to it; -1 otherwise. */
int cache_folder_open(const cache_folder_t *folder);
/* Same, and makes it. */
int cache_folder_make(const cache_folder_t *folder);
void cache_name(const uint8_t hash[CACHE_HASH_BYTES], const char *suffix,
                char out[CACHE_NAME_BYTES]);
/* Opens a file of the folder for reading that only the user can have written to, and notes that it is
 * used; -1 if there is none. */
int cache_file_open(int folder, const char *name);

/* Makes room for that many bytes, and a temporary file, whose name is put into temporary. -1: it cannot be
 * kept. */
int cache_file_begin(const cache_folder_t *folder, int fd, uint64_t bytes,
                     char temporary[CACHE_NAME_BYTES]);
/* Closes it and gives it its name; done false: removes it. Whether it is there. */
bool cache_file_end(int folder, int file, const char *temporary, const char *name, bool done);

bool cache_write(int fd, const void *data, size_t length);

#endif
