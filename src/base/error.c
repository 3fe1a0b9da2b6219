/* Status names and error details. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(eryx_error_t *error, int code, const char *format, ...) {
    if (!error)
        return code;
    error->code = code;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return code;
}

const char *eryx_status_name(int status) {
    switch (status) {
    case ERYX_OK:
        return "ERYX_OK";
    case ERYX_ERR_ARGUMENT:
        return "ERYX_ERR_ARGUMENT";
    case ERYX_ERR_MEMORY:
        return "ERYX_ERR_MEMORY";
    case ERYX_ERR_IO:
        return "ERYX_ERR_IO";
    case ERYX_ERR_FORMAT:
        return "ERYX_ERR_FORMAT";
    case ERYX_ERR_VERSION:
        return "ERYX_ERR_VERSION";
    case ERYX_ERR_STATE:
        return "ERYX_ERR_STATE";
    case ERYX_ERR_LIMIT:
        return "ERYX_ERR_LIMIT";
    case ERYX_ERR_ENGINE:
        return "ERYX_ERR_ENGINE";
    case ERYX_ERR_GUEST:
        return "ERYX_ERR_GUEST";
    default:
        return "unknown";
    }
}
