/* --mount SRC:DST[:ro|rw|overlay]. */
#ifndef ERYX_CLI_MOUNT_OPTIONS_H
#define ERYX_CLI_MOUNT_OPTIONS_H

#include <stddef.h>

#include <eryx.h>

struct mount_options {
    eryx_mount_t *list; /* each owns its target and source */
    size_t count;
};

/* Adds one. EXIT_OK, or EXIT_USAGE after a message. */
int mount_options_add(struct mount_options *mounts, const char *value);
void mount_options_free(struct mount_options *mounts);

#endif
