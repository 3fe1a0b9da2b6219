/* Lock files of requirements (docs/packages.md): what a line says. The bytes may be anything. */
#ifndef PACKAGE_LOCK_H
#define PACKAGE_LOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "image/sha256.h"

typedef enum lock_kind {
    LOCK_END,
    LOCK_INPUT,   /* "# requirements sha256:HEX NAME": a file it was made for, beside it */
    LOCK_PACKAGE, /* "NAME==VERSION --hash=sha256:HEX # FILE" */
    LOCK_DAMAGED  /* neither, nor a comment */
} lock_kind_t;

typedef struct lock_line {
    char hash[2 * SHA256_BYTES + 1]; /* in hex digits */
    const char *name;                /* of LOCK_INPUT; in the text, without NUL at its end */
    size_t name_length;
} lock_line_t;

/* The next line that says something; moves *at, which ends at end. out is set of inputs and packages. */
lock_kind_t lock_next(const char **at, const char *end, lock_line_t *out);

#endif
