/* The mounts of one sandbox, and what its guest does with them.
 *
 * All that comes in here is from the guest: mount numbers, paths, file numbers. Each is checked,
 * modes and quotas are enforced here, and the source is called only with what <eryx/mount.h>
 * promises providers. Results are 0, a count, or a negative errno value; -ESTALE is a file number
 * that this sandbox does not have (any more). Used by the thread that uses the sandbox. */
#ifndef MOUNT_MOUNTS_H
#define MOUNT_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/mount.h>

#include "mount/files.h"

#define MOUNTS_MAX 64u

typedef struct mount {
    uint32_t number;
    char *target;
    size_t target_length;
    eryx_source_t *source;
    eryx_mount_mode_t mode;
    bool is_file;
    uint64_t max_bytes, max_files;
    int64_t bytes, files; /* how much more there is than at first; of what the sandbox did */
} mount_t;

/* Replaces what the host keeps from programs (values of secrets) in a piece of a file, in place; of
 * `span` bytes on either side of a piece it wants to see as many as there are. False: out of memory.
 * piece NULL: nothing is replaced. */
typedef struct mounts_scrub {
    bool (*piece)(const void *env, char *text, size_t length);
    const void *env;
    size_t span;
} mounts_scrub_t;

/* All zero: no mounts, and none can be opened before mounts_init. */
typedef struct mounts {
    mount_t *items;
    size_t count;
    uint32_t last_number;
    files_t files;
    mounts_scrub_t scrub;
    char *bounce; /* MOUNTS_BOUNCE bytes, made when first needed */
} mounts_t;

#define MOUNTS_BOUNCE 65536u

/* How many files may be open at once, and what pays for them (see budget.h). */
void mounts_init(mounts_t *mounts, uint32_t open_max, budget_t *budget);
void mounts_free(mounts_t *mounts);
/* The host's side: see <eryx/mount.h>. */
int mounts_add(mounts_t *mounts, const eryx_mount_t *mount, eryx_error_t *error);
/* The same mounts by the same numbers, for a fork; there are none yet. */
int mounts_share(mounts_t *mounts, const mounts_t *from, eryx_error_t *error);
int mounts_remove(mounts_t *mounts, const char *target, eryx_error_t *error);
/* Closes all files: the guest's memory is no longer the one that opened them. */
void mounts_forget_files(mounts_t *mounts);

/* Whether programs may change what is in it. */
bool mount_writable(const mount_t *mount);

/* A path in a mount, from the guest; need not end in NUL. */
typedef struct mount_path {
    uint32_t mount;
    const char *text;
    size_t length;
} mount_path_t;

enum mount_change {
    MOUNT_MKDIR = 1,
    MOUNT_RMDIR = 2,
    MOUNT_UNLINK = 3,
    MOUNT_RENAME = 4,
    MOUNT_LINK = 5,
    MOUNT_SYMLINK = 6
};

int mounts_stat(mounts_t *mounts, mount_path_t path, eryx_file_stat_t *out);
int mounts_open(mounts_t *mounts, mount_path_t path, uint32_t flags, uint64_t *file,
                eryx_file_stat_t *out);
int mounts_close(mounts_t *mounts, uint64_t file);
int mounts_status(mounts_t *mounts, uint64_t file, eryx_file_stat_t *out);
ptrdiff_t mounts_read(mounts_t *mounts, uint64_t file, uint64_t offset, void *buffer,
                      size_t length);
/* A descriptor to read the same bytes from, until the file is closed; -1: there is none, since they are no
 * file of this machine, or are not shown as they are. */
int mounts_descriptor(const mounts_t *mounts, uint64_t file);
ptrdiff_t mounts_write(mounts_t *mounts, uint64_t file, uint64_t offset, const void *data,
                       size_t length);
int mounts_resize(mounts_t *mounts, uint64_t file, uint64_t size);
int mounts_sync(mounts_t *mounts, uint64_t file);
/* Next entries as kind, length of the name (a byte each), name. At least 257 bytes of capacity. */
ptrdiff_t mounts_entries(mounts_t *mounts, uint64_t file, uint8_t *buffer, size_t capacity);
ptrdiff_t mounts_readlink(mounts_t *mounts, mount_path_t path, char *buffer, size_t capacity);
int mounts_set_times(mounts_t *mounts, mount_path_t path, const int64_t *accessed_ns,
                     const int64_t *modified_ns);
/* other: of rename and link in the same mount, the target of symlink; else empty. */
int mounts_change(mounts_t *mounts, enum mount_change change, mount_path_t path, const char *other,
                  size_t other_length);

#endif
