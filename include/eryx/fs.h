/* Files of a sandbox, for the host, between executions.
 *
 * What programs see at a path is what these functions see: files in the sandbox's memory, the standard
 * library, and mounts (<eryx/mount.h>), where changes go where the program's would. Paths are
 * absolute, UTF-8 or not, up to 4,095 bytes; symbolic links are resolved as in the sandbox. Everything that a
 * program left there is to be distrusted: names, links, sizes.
 *
 * All functions are called by the thread that uses the sandbox, and run code of the sandbox, within its wall time limit. If that ends badly the session is rolled
 * back (or lost), as after an execution. Errors of all of them: ERYX_ERR_ARGUMENT (NULL, path not
 * absolute), _STATE (executing), _IO (the operation failed in the sandbox's file system: no such
 * file, no space, ...; the message tells), _LIMIT, _MEMORY, _ENGINE, _GUEST. */
#ifndef ERYX_FS_H
#define ERYX_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx/error.h>
#include <eryx/export.h>
#include <eryx/mount.h>
#include <eryx/sandbox.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Fills *out. Of a symbolic link itself, not of what it leads to. */
ERYX_API int eryx_fs_stat(eryx_sandbox_t *sandbox, const char *path, eryx_file_stat_t *out,
                          eryx_error_t *error);

/* The whole file: *data (a NUL follows) is the caller's, freed with eryx_bytes_free (<eryx/state.h>).
 * ERYX_ERR_LIMIT: it has more than max_bytes. */
ERYX_API int eryx_fs_read(eryx_sandbox_t *sandbox, const char *path, size_t max_bytes, void **data,
                          size_t *length, eryx_error_t *error);

/* Makes a file with this content, or replaces the content of the one there is. Its directory must
 * exist. On an error there may be a part of it. */
ERYX_API int eryx_fs_write(eryx_sandbox_t *sandbox, const char *path, const void *data,
                           size_t length, eryx_error_t *error);

/* Calls on_entry for each entry of a directory, `.` and `..` left out, until it returns false. It must not
 * call into the sandbox. */
ERYX_API int eryx_fs_list(eryx_sandbox_t *sandbox, const char *path,
                          bool (*on_entry)(void *env, const eryx_file_entry_t *entry), void *env,
                          eryx_error_t *error);

/* With parents: also the directories above; one that exists is then no error. */
ERYX_API int eryx_fs_make_directory(eryx_sandbox_t *sandbox, const char *path, bool parents,
                                    eryx_error_t *error);

/* A file, symbolic link or empty directory; recursive: with all that is in a directory. */
ERYX_API int eryx_fs_remove(eryx_sandbox_t *sandbox, const char *path, bool recursive,
                            eryx_error_t *error);

/* Takes some of an archive; false: it gives up. Must not call into the sandbox. */
typedef bool (*eryx_write_fn)(void *env, const void *data, size_t length);

/* Writes a directory with all below it, or a file, as a tar archive (POSIX.1 ustar, pax where names need it), in pieces. Names
 * are relative to path; devices and the like are left out, values of secrets too. max_bytes: of
 * contents, and 1 KiB an entry. Several names of one file become several files.
 * Errors also: ERYX_ERR_IO (libarchive is not installed; write gave up), _LIMIT (max_bytes). On an error
 * what was written is to be thrown away. */
ERYX_API int eryx_fs_export_tar(eryx_sandbox_t *sandbox, const char *path, uint64_t max_bytes,
                                eryx_write_fn write, void *env, eryx_error_t *error);

#ifdef __cplusplus
}
#endif
#endif
