/* What can be mounted: a provider's functions and the reference count around them. */
#ifndef MOUNT_SOURCE_H
#define MOUNT_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>

#include <eryx/mount.h>

#define SOURCE_PATH_MAX 4096u /* with a NUL */
#define SOURCE_NAME_MAX 255u

struct eryx_source {
    atomic_uint references;
    eryx_provider_t provider;
    void *env;
};

eryx_source_t *source_new(const eryx_provider_t *provider, void *env);
void source_retain(eryx_source_t *source);

/* Whether this is a path as providers get them (<eryx/mount.h>). */
bool source_path_valid(const char *path, size_t length);

#endif
