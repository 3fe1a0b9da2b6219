/* Calls of guest exports that return at once, and lowering of their arguments. */
#ifndef ABI_CALLS_H
#define ABI_CALLS_H

#include "abi/guest.h"

enum guest_export {
    EXPORT_EXECUTE,
    EXPORT_CALLBACK,
    EXPORT_REALLOC,
    EXPORT_CONFIGURE,
    EXPORT_LIMIT,
    EXPORT_EXCEPTION,
    EXPORT_EXCEPTION_POST,
    EXPORT_RESULT,
    EXPORT_RESULT_POST,
    EXPORT_SNAPSHOT,
    EXPORT_SNAPSHOT_POST,
    EXPORT_RESTORE,
    EXPORT_RESTORE_POST,
    EXPORT_CLEAR,
    EXPORT_SETTLE,
    EXPORT_WAKE,
    EXPORT_FILE
};

/* Calls an export that returns at once. */
guest_status_t call_helper(guest_t *guest, size_t export, const engine_value_t *arguments,
                           engine_value_t *result);
/* Copies bytes into memory that the guest allocates. GUEST_ENDED: *address is where. */
guest_status_t call_lower(guest_t *guest, const char *data, size_t length, uint32_t *address);

#endif
