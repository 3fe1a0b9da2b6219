/* Calls of the guest's files in a row, for one public function: files_begin, any calls, files_end.
 * After one that failed the others do nothing, and files_end returns that failure. */
#ifndef SANDBOX_FILES_H
#define SANDBOX_FILES_H

#include "abi/files.h"
#include "base/buffer.h"

typedef struct files_session {
    eryx_sandbox_t *sandbox;
    const char *what; /* "read", for messages */
    guest_status_t status;
    int result;
    eryx_error_t *error;
} files_session_t;

/* After ERYX_OK files_end must be called. path: the first one; checked. */
int files_begin(files_session_t *files, eryx_sandbox_t *sandbox, const char *what, const char *path,
                eryx_error_t *error);
/* ERYX_ERR_IO: call->error tells why; setting files->result to ERYX_OK forgives it. */
int files_call(files_session_t *files, guest_file_call_t *call);
int files_fail(files_session_t *files, int code, const char *path, const char *why);
int files_end(files_session_t *files);

int files_stat(files_session_t *files, const char *path, eryx_file_stat_t *out);
/* The whole file; *out is emptied first. */
int files_read(files_session_t *files, const char *path, size_t max, buffer_t *out);
typedef bool (*files_entry_fn)(void *env, const eryx_file_entry_t *entry);
int files_list(files_session_t *files, const char *path, files_entry_fn on_entry, void *env);

#endif
