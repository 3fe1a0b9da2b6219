/* Status codes and error details. */
#ifndef ERYX_ERROR_H
#define ERYX_ERROR_H

#include <eryx/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a function of the library returns: ERYX_OK or a negative code. A Python
 * exception is no error of the library: it is an outcome, see <eryx/outcome.h>. */
typedef enum eryx_status {
    ERYX_OK = 0,
    ERYX_ERR_ARGUMENT = -1, /* an argument is NULL, out of range, or of another version */
    ERYX_ERR_MEMORY = -2,   /* the host is out of memory or address space */
    ERYX_ERR_IO = -3,       /* a file could not be opened, read or mapped */
    ERYX_ERR_FORMAT = -4,   /* not a runtime file, truncated, or corrupt */
    ERYX_ERR_VERSION = -5,  /* a runtime file of another eryx version, build or machine */
    ERYX_ERR_STATE = -6,    /* not possible now: executing already, execution finished, ... */
    ERYX_ERR_LIMIT = -7,    /* a limit of the host side is reached (pool size, ...) */
    ERYX_ERR_ENGINE = -8,   /* the WebAssembly engine refused; the message is the engine's */
    ERYX_ERR_GUEST = -9     /* the runtime inside the sandbox broke the contract */
} eryx_status_t;

/* Details of a failure, filled only when a function returns a negative code.
 * Owned by the caller; may be NULL wherever it is accepted. */
typedef struct eryx_error {
    int code;          /* the returned eryx_status_t */
    char message[256]; /* what, where and what to do; UTF-8, NUL-terminated */
} eryx_error_t;

/* "ERYX_ERR_IO" for -3, ...; "unknown" otherwise. Static storage. Any thread. */
ERYX_API const char *eryx_status_name(int status);

#ifdef __cplusplus
}
#endif
#endif
