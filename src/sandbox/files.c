/* Files of a sandbox for the host: <eryx/fs.h> on top of the guest's file calls. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <eryx/fs.h>
#include <eryx/state.h>

#include "abi/files.h"
#include "base/error.h"
#include "mount/source.h"
#include "sandbox/files.h"
#include "sandbox/sandbox.h"
#include "secrets/secrets.h"

enum { WRITE_PART = 1 << 20 };

/* --- One call ----------------------------------------------------------------------------- */

int files_begin(files_session_t *files, eryx_sandbox_t *sandbox, const char *what, const char *path,
                eryx_error_t *error) {
    *files = (files_session_t){.sandbox = sandbox, .what = what, .error = error};
    if (!sandbox || !path)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", sandbox ? "path" : "sandbox");
    if (path[0] != '/' || strlen(path) >= SOURCE_PATH_MAX)
        return error_set(error, ERYX_ERR_ARGUMENT,
                         "%s %.150s: an absolute path of up to %u bytes is needed", what, path,
                         SOURCE_PATH_MAX - 1);
    return session_begin(sandbox, &files->status, error);
}

int files_call(files_session_t *files, guest_file_call_t *call) {
    if (files->status != GUEST_ENDED || files->result != ERYX_OK)
        return ERYX_ERR_GUEST; /* files_end tells */
    files->status = guest_file_call(&files->sandbox->instance->guest, call);
    if (files->status != GUEST_ENDED)
        return ERYX_ERR_GUEST;
    if (call->error)
        return files_fail(files, ERYX_ERR_IO, call->path, strerror(call->error));
    return ERYX_OK;
}

int files_fail(files_session_t *files, int code, const char *path, const char *why) {
    files->result =
        error_set(files->error, code, "cannot %s %.120s: %.100s", files->what, path, why);
    return files->result;
}

int files_end(files_session_t *files) {
    eryx_error_t other;
    bool failed = files->result != ERYX_OK; /* its message is to stay */
    int ended =
        session_end(files->sandbox, files->status, files->what, failed ? &other : files->error);
    return failed ? files->result : ended;
}

int files_stat(files_session_t *files, const char *path, eryx_file_stat_t *out) {
    guest_file_call_t call = {.operation = FILE_STAT, .path = path};
    int status = files_call(files, &call);
    if (status == ERYX_OK && !guest_file_stat(&call, out))
        status = files_fail(files, ERYX_ERR_GUEST, path, "the runtime's answer is malformed");
    return status;
}

static int simple(eryx_sandbox_t *sandbox, const char *what, enum file_operation operation,
                  const char *path, eryx_error_t *error) {
    files_session_t files;
    guest_file_call_t call = {.operation = operation, .path = path};
    int status = files_begin(&files, sandbox, what, path, error);
    if (status != ERYX_OK)
        return status;
    files_call(&files, &call);
    return files_end(&files);
}

/* --- Reading and writing ------------------------------------------------------------------ */

int files_read(files_session_t *files, const char *path, size_t max, buffer_t *out) {
    guest_file_call_t call = {.operation = FILE_READ, .path = path};
    out->length = 0;
    for (;;) {
        call.offset = out->length;
        int status = files_call(files, &call);
        if (status != ERYX_OK || call.answer_length == 0)
            return status;
        if (call.answer_length > max - out->length)
            return files_fail(files, ERYX_ERR_LIMIT, path, "it is larger than max_bytes");
        if (!buffer_append(out, call.answer, call.answer_length))
            return files_fail(files, ERYX_ERR_MEMORY, path, "out of memory");
    }
}

int eryx_fs_read(eryx_sandbox_t *sandbox, const char *path, size_t max_bytes, void **data,
                 size_t *length, eryx_error_t *error) {
    files_session_t files;
    buffer_t bytes = {0};
    if (!data || !length)
        return error_set(error, ERYX_ERR_ARGUMENT, "%s is NULL", data ? "length" : "data");
    *data = NULL;
    *length = 0;
    int status = files_begin(&files, sandbox, "read", path, error);
    if (status != ERYX_OK)
        return status;
    files_read(&files, path, max_bytes, &bytes);
    status = files_end(&files);
    if (status == ERYX_OK && !buffer_append(&bytes, "", 1))
        status = error_set(error, ERYX_ERR_MEMORY, "cannot read %.150s: out of memory", path);
    if (status != ERYX_OK) {
        buffer_free(&bytes);
        return status;
    }
    secrets_scrub(sandbox->secrets, bytes.data, bytes.length - 1);
    *data = bytes.data;
    *length = bytes.length - 1;
    return ERYX_OK;
}

int eryx_fs_write(eryx_sandbox_t *sandbox, const char *path, const void *data, size_t length,
                  eryx_error_t *error) {
    files_session_t files;
    guest_file_call_t call = {.operation = FILE_CREATE, .path = path};
    if (!data && length > 0)
        return error_set(error, ERYX_ERR_ARGUMENT, "data is NULL");
    int status = files_begin(&files, sandbox, "write", path, error);
    if (status != ERYX_OK)
        return status;
    status = files_call(&files, &call);
    call.operation = FILE_WRITE;
    for (size_t done = 0; status == ERYX_OK && done < length; done += call.length) {
        call.offset = done;
        call.data = (const char *)data + done;
        call.length = length - done < WRITE_PART ? length - done : WRITE_PART;
        status = files_call(&files, &call);
    }
    return files_end(&files);
}

int eryx_fs_stat(eryx_sandbox_t *sandbox, const char *path, eryx_file_stat_t *out,
                 eryx_error_t *error) {
    files_session_t files;
    if (!out)
        return error_set(error, ERYX_ERR_ARGUMENT, "out is NULL");
    int status = files_begin(&files, sandbox, "stat", path, error);
    if (status != ERYX_OK)
        return status;
    files_stat(&files, path, out);
    return files_end(&files);
}

/* --- Directories -------------------------------------------------------------------------- */

int files_list(files_session_t *files, const char *path, files_entry_fn on_entry, void *env) {
    guest_file_call_t call = {.operation = FILE_LIST, .path = path};
    for (;;) {
        int status = files_call(files, &call);
        if (status != ERYX_OK)
            return status;
        uint64_t next = 0;
        eryx_file_entry_t entry;
        size_t at = FILE_ENTRIES;
        bool bad = call.answer_length < FILE_ENTRIES, more = !bad;
        if (!bad)
            memcpy(&next, call.answer, sizeof next);
        while (more && guest_file_entry(&call, &at, &entry, &bad))
            more = on_entry(env, &entry);
        if (bad)
            return files_fail(files, ERYX_ERR_GUEST, path, "the runtime's answer is malformed");
        if (!more || call.answer_length == FILE_ENTRIES || next == call.offset)
            return ERYX_OK;
        call.offset = next;
    }
}

/* Names as the host is to see them. */
typedef struct shown {
    const secrets_t *secrets;
    bool (*on_entry)(void *env, const eryx_file_entry_t *entry);
    void *env;
} shown_t;

static bool show_entry(void *env, const eryx_file_entry_t *entry) {
    const shown_t *shown = env;
    char name[SOURCE_NAME_MAX + 1];
    eryx_file_entry_t copy = *entry;
    if (!shown->secrets || entry->length > SOURCE_NAME_MAX)
        return shown->on_entry(shown->env, entry);
    memcpy(name, entry->name, entry->length);
    name[entry->length] = '\0';
    if (!secrets_scrub_piece(shown->secrets, name, entry->length))
        memset(name, '*', entry->length);
    copy.name = name;
    return shown->on_entry(shown->env, &copy);
}

int eryx_fs_list(eryx_sandbox_t *sandbox, const char *path,
                 bool (*on_entry)(void *env, const eryx_file_entry_t *entry), void *env,
                 eryx_error_t *error) {
    files_session_t files;
    if (!on_entry)
        return error_set(error, ERYX_ERR_ARGUMENT, "on_entry is NULL");
    int status = files_begin(&files, sandbox, "list", path, error);
    if (status != ERYX_OK)
        return status;
    shown_t shown = {sandbox->secrets, on_entry, env};
    files_list(&files, path, show_entry, &shown);
    return files_end(&files);
}

/* Directories that exist, or that links to directories stand for, are fine. */
static int make_parents(files_session_t *files, char *path) {
    guest_file_call_t call = {.operation = FILE_MKDIR, .path = path};
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = '\0';
        int status = files_call(files, &call);
        if (status == ERYX_ERR_IO && call.error == EEXIST) {
            status = files->result = ERYX_OK;
        }
        if (slash)
            *slash = '/';
        if (status != ERYX_OK || !slash)
            return status;
    }
}

int eryx_fs_make_directory(eryx_sandbox_t *sandbox, const char *path, bool parents,
                           eryx_error_t *error) {
    if (!parents)
        return simple(sandbox, "make directory", FILE_MKDIR, path, error);
    files_session_t files;
    int status = files_begin(&files, sandbox, "make directory", path, error);
    if (status != ERYX_OK)
        return status;
    char *copy = strdup(path);
    if (copy)
        make_parents(&files, copy);
    else
        files_fail(&files, ERYX_ERR_MEMORY, path, "out of memory");
    free(copy);
    return files_end(&files);
}

/* --- Removing ----------------------------------------------------------------------------- */

static bool take_first(void *env, const eryx_file_entry_t *entry) {
    char *name = env;
    memcpy(name, entry->name, entry->length);
    name[entry->length] = '\0';
    return false;
}

/* Empties a directory without recursion: goes down to a first entry, removes it, goes up when there
 * is none. path has room for SOURCE_PATH_MAX. */
static int remove_tree(files_session_t *files, char *path) {
    size_t top = strlen(path);
    for (;;) {
        char name[SOURCE_NAME_MAX + 1] = "";
        guest_file_call_t call = {.operation = FILE_UNLINK, .path = path};
        int status = files_call(files, &call);
        if (status == ERYX_ERR_IO && call.error == EISDIR) {
            files->result = ERYX_OK;
            status = files_list(files, path, take_first, name);
            if (status == ERYX_OK && name[0] == '\0') {
                call.operation = FILE_RMDIR;
                status = files_call(files, &call);
            }
        }
        if (status != ERYX_OK)
            return status;
        size_t length = strlen(path);
        if (name[0] != '\0') {
            if (length + 1 + strlen(name) >= SOURCE_PATH_MAX)
                return files_fail(files, ERYX_ERR_IO, path, strerror(ENAMETOOLONG));
            path[length] = '/';
            strcpy(path + length + 1, name);
        } else if (length == top) {
            return ERYX_OK;
        } else {
            *strrchr(path, '/') = '\0';
        }
    }
}

static int remove_one(files_session_t *files, const char *path) {
    guest_file_call_t call = {.operation = FILE_UNLINK, .path = path};
    int status = files_call(files, &call);
    if (status != ERYX_ERR_IO || call.error != EISDIR)
        return status;
    files->result = ERYX_OK;
    call.operation = FILE_RMDIR;
    return files_call(files, &call);
}

int eryx_fs_remove(eryx_sandbox_t *sandbox, const char *path, bool recursive, eryx_error_t *error) {
    files_session_t files;
    char copy[SOURCE_PATH_MAX];
    int status = files_begin(&files, sandbox, "remove", path, error);
    if (status != ERYX_OK)
        return status;
    strcpy(copy, path);
    if (recursive)
        remove_tree(&files, copy);
    else
        remove_one(&files, copy);
    return files_end(&files);
}
