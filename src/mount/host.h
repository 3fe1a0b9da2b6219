/* A directory or file of this machine as a source. */
#ifndef MOUNT_HOST_H
#define MOUNT_HOST_H

#include <eryx/mount.h>

#include "mount/resolve.h"

typedef struct host_files {
    resolve_root_t root; /* of a single file: the file, O_PATH */
    bool is_file;
} host_files_t;

/* An open one. */
typedef struct host_file {
    int fd;
    void *directory; /* DIR of a directory, which then owns fd */
} host_file_t;

void host_put_stat(const struct stat *from, eryx_file_stat_t *to);
/* An O_PATH descriptor. */
int host_resolve(const host_files_t *files, const char *path);
/* Opens what an O_PATH descriptor stands for, with access flags only. */
int host_reopen(int fd, int flags);

/* The descriptor of an open file, which stays its; -1: it is a directory, of another source, or cannot be
 * read. */
int host_descriptor(const eryx_source_t *source, const void *opened);

/* host_write.c: what changes files. */
int host_create(const host_files_t *files, const char *path, int flags, host_file_t *out);
ptrdiff_t host_write(void *env, void *file, uint64_t offset, const void *data, size_t length);
int host_resize(void *env, void *file, uint64_t size);
int host_sync(void *env, void *file);
int host_set_times(void *env, const char *path, const int64_t *accessed_ns,
                   const int64_t *modified_ns);
int host_make_directory(void *env, const char *path);
int host_remove_directory(void *env, const char *path);
int host_remove_file(void *env, const char *path);
int host_rename(void *env, const char *from, const char *to);
int host_link(void *env, const char *from, const char *to);

/* For tests: never uses openat2. */
void host_force_walk(eryx_source_t *source);

#endif
