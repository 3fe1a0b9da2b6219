/* Mounts of a sandbox: the public functions, those of its options, the packages of its runtime. */
#include <eryx/package.h>

#include "base/error.h"
#include "sandbox/sandbox.h"

int sandbox_add_mounts(eryx_sandbox_t *sandbox, const eryx_sandbox_options_t *options,
                       eryx_error_t *error) {
    int status = ERYX_OK;
    if (sandbox->runtime->packages) {
        eryx_mount_t packages;
        eryx_mount_init(&packages);
        packages.target = ERYX_PACKAGES_TARGET;
        packages.source = sandbox->runtime->packages;
        status = mounts_add(&sandbox->mounts, &packages, error);
    }
    for (size_t i = 0; i < options->mount_count && status == ERYX_OK; i++)
        status = mounts_add(&sandbox->mounts, &options->mounts[i], error);
    return status;
}

int sandbox_share_mounts(eryx_sandbox_t *sandbox, const eryx_sandbox_t *like, eryx_error_t *error) {
    return mounts_share(&sandbox->mounts, &like->mounts, error);
}

/* The guest asks for the list when it is configured. */
static int changed(eryx_sandbox_t *sandbox, int status) {
    if (status == ERYX_OK && sandbox->instance)
        sandbox->instance->configured = false;
    return status;
}

int eryx_sandbox_add_mount(eryx_sandbox_t *sandbox, const eryx_mount_t *mount,
                           eryx_error_t *error) {
    if (!sandbox)
        return error_set(error, ERYX_ERR_ARGUMENT, "sandbox is NULL");
    int status = sandbox_idle(sandbox, error);
    return status != ERYX_OK ? status
                             : changed(sandbox, mounts_add(&sandbox->mounts, mount, error));
}

int eryx_sandbox_remove_mount(eryx_sandbox_t *sandbox, const char *target, eryx_error_t *error) {
    if (!sandbox || !target)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", sandbox ? "target" : "sandbox");
    int status = sandbox_idle(sandbox, error);
    return status != ERYX_OK ? status
                             : changed(sandbox, mounts_remove(&sandbox->mounts, target, error));
}
