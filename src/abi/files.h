/* Files of the sandbox through the guest's eryx_file_call (runtime/wasi/file_calls.c). */
#ifndef ABI_FILES_H
#define ABI_FILES_H

#include <eryx/mount.h>

#include "abi/guest.h"

enum file_operation {
    FILE_STAT = 1,
    FILE_READ,
    FILE_CREATE,
    FILE_WRITE,
    FILE_LIST,
    FILE_MKDIR,
    FILE_UNLINK,
    FILE_RMDIR,
    FILE_READLINK,
    FILE_SET_TIME
};

typedef struct guest_file_call {
    enum file_operation operation;
    const char *path;
    uint64_t offset; /* of READ and WRITE; cursor of LIST; time of SET_TIME */
    const void *data;
    size_t length;
    /* Out: 0 or an errno value; what the guest answered, valid until the guest runs again. */
    int error;
    const uint8_t *answer;
    size_t answer_length;
} guest_file_call_t;

/* GUEST_ENDED, _EXITED, _TRAPPED or _REFUSED; between executions. */
guest_status_t guest_file_call(guest_t *guest, guest_file_call_t *call);

/* From the answer to STAT; false if it is malformed. */
bool guest_file_stat(const guest_file_call_t *call, eryx_file_stat_t *out);

/* The entry at *at in the answer to LIST, which is moved on; begins at FILE_ENTRIES. *bad: the
 * answer is malformed. */
#define FILE_ENTRIES 8u
bool guest_file_entry(const guest_file_call_t *call, size_t *at, eryx_file_entry_t *out, bool *bad);

#endif
