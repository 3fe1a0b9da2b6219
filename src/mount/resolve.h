/* Paths below a directory of the host, without a way out of it.
 *
 * Follows no symbolic links, crosses no mounts, and knows no `..` (source_path_valid). Linux does
 * it in one step (openat2 with RESOLVE_BENEATH, _NO_SYMLINKS, _NO_XDEV); where the kernel or a
 * seccomp filter refuses that call, the path is walked one name at a time. Errors are negative
 * errno values: -ELOOP for a link in the way, -EACCES for a mount in the way. */
#ifndef MOUNT_RESOLVE_H
#define MOUNT_RESOLVE_H

#include <stdbool.h>
#include <sys/stat.h>

typedef struct resolve_root {
    int fd;       /* O_PATH */
    bool walking; /* openat2 cannot be used */
    dev_t device;
} resolve_root_t;

/* Takes fd over in *root. */
void resolve_init(resolve_root_t *root, int fd, dev_t device);

/* An O_PATH descriptor of what is at the path, be it a link itself. "" is the root. */
int resolve_path(const resolve_root_t *root, const char *path);

/* An O_PATH descriptor of the directory above, and in *name the last name. */
int resolve_parent(const resolve_root_t *root, const char *path, const char **name);

#endif
