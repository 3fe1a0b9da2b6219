/* Checkpoint files: written whole or not at all. */
#ifndef CHECKPOINT_FILE_H
#define CHECKPOINT_FILE_H

#include <stddef.h>

#include <eryx/error.h>

/* Replaces the file: a temporary one beside it, synced, then renamed. Whatever happens, there is the
 * old file or the new one. Errors: ERYX_ERR_IO. */
int file_replace(const char *path, const void *data, size_t length, eryx_error_t *error);

/* Maps a regular file, private and read-only. Errors: ERYX_ERR_IO, _FORMAT (empty). */
int file_map(const char *path, void **data, size_t *length, eryx_error_t *error);
void file_unmap(void *data, size_t length);

/* Puts the path in front of the message of a failure; returns status. */
int file_name_error(int status, const char *path, eryx_error_t *error);

#endif
