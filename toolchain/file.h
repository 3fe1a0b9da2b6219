/* Files and messages of the build steps.
 *
 * Whole files are read into memory. Outputs go to a temporary name beside the target
 * and are renamed when complete, so that no half-written artifact is ever seen. Errors are
 * printed here, as "eryx-build STEP: what: file: why; what to do"; callers only pass on false. */
#ifndef TOOLCHAIN_FILE_H
#define TOOLCHAIN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names the running step in messages. The string must live as long as the process. */
void step_set(const char *name);

/* Prints "eryx-build STEP: " and the message to stderr. */
void step_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Bytes from malloc, owned by whoever holds the struct. */
struct file_bytes {
    uint8_t *data; /* a NUL follows the last byte */
    size_t size;
};

bool file_read(const char *path, struct file_bytes *out);
void file_bytes_free(struct file_bytes *bytes);

/* An output in the making. Until file_output_commit the target is untouched. */
struct file_output {
    int fd;
    char *path, *temporary;
};

bool file_output_open(const char *path, struct file_output *out);
bool file_output_write(struct file_output *output, const void *data, size_t size);
/* Renames to the target. On failure the temporary file is removed. Frees in both cases. */
bool file_output_commit(struct file_output *output);
/* Removes the temporary file and frees. */
void file_output_abort(struct file_output *output);

/* Open, write, commit. */
bool file_write(const char *path, const void *data, size_t size);

#endif
