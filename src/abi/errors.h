/* Numbers of errors between guest and host: those of error-code in wasi:filesystem/types and one
 * more (so that none is 0), and above 63 what WASI has no number for. */
#ifndef ABI_ERRORS_H
#define ABI_ERRORS_H

#include <stdint.h>

/* The number of an errno value; that of EIO for one without. */
int error_to_code(int error);
/* And back. */
int error_from_code(int64_t code);

#endif
