/* Files that are written whole or not at all. */
#ifndef CHECKPOINT_FILE_H
#define CHECKPOINT_FILE_H

#include <stddef.h>

#include <eryx/error.h>

/* A file that is to replace another. */
typedef struct file_new {
    const char *path;
    char temporary[4096];
    int fd;
} file_new_t;

/* Makes a temporary file beside path, which must outlive it. Errors: ERYX_ERR_IO. */
int file_begin(const char *path, file_new_t *file, eryx_error_t *error);
/* status ERYX_OK: syncs it and renames it to path; else removes it. Returns status, or ERYX_ERR_IO. */
int file_end(file_new_t *file, int status, eryx_error_t *error);

/* Replaces the file: a temporary one beside it, synced, then renamed. Whatever happens, there is the
 * old file or the new one. Errors: ERYX_ERR_IO. */
int file_replace(const char *path, const void *data, size_t length, eryx_error_t *error);

/* Maps a regular file, private and read-only. Errors: ERYX_ERR_IO, _FORMAT (empty). */
int file_map(const char *path, void **data, size_t *length, eryx_error_t *error);
void file_unmap(void *data, size_t length);

/* Puts the path in front of the message of a failure; returns status. */
int file_name_error(int status, const char *path, eryx_error_t *error);

#endif
