/* --mount SOURCE:TARGET[:ro|rw|overlay], --mount-archive SOURCE:TARGET[:ro|overlay]. */
#ifndef ERYX_CLI_MOUNT_OPTIONS_H
#define ERYX_CLI_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include <eryx.h>

struct mount_options {
    eryx_mount_t *list; /* each owns its target and source */
    size_t count;
};

/* Adds one. EXIT_OK, or EXIT_USAGE after a message. */
int mount_options_add(struct mount_options *mounts, bool archive, const char *value);
void mount_options_free(struct mount_options *mounts);

#endif
