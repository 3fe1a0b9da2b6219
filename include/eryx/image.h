/* Runtime files of one's own: sandboxes begin where a session was. */
#ifndef ERYX_IMAGE_H
#define ERYX_IMAGE_H

#include <eryx/error.h>
#include <eryx/export.h>
#include <eryx/sandbox.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the session of a sandbox at rest as a runtime file (eryx_runtime_open). Sandboxes of it begin
 * with the session's imports, names and files, and with the native extensions it has loaded (their code is
 * in the file), as fast as those of the file that this runtime was opened from, and with as much memory as
 * the session has now. Packages of the runtime (<eryx/package.h>) are in the file, too; other mounts are
 * not. eryx_sandbox_clear forgets the names and keeps the imports. What the session has made stays in
 * memory for good, in this sandbox, too: free it afterwards. `random` and what uses it are seeded anew in
 * each sandbox; a random.Random() of the session's own is not. The file is replaced as a whole; it
 * belongs to the library, the engine and the machine that the runtime's file belongs to.
 * Errors: ERYX_ERR_ARGUMENT (NULL; the sandbox has secrets), _STATE (executing), _LIMIT (more than
 * 256 MiB of memory), _IO, _MEMORY, _ENGINE, _GUEST. */
ERYX_API int eryx_image_build(eryx_sandbox_t *sandbox, const char *path, eryx_error_t *error);

#ifdef __cplusplus
}
#endif
#endif
