/* Kinds of file systems. */
#ifndef BASE_FILE_SYSTEM_H
#define BASE_FILE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

/* Whether an open file lies on one of these (f_type of statfs, <linux/magic.h>); false also if that cannot
 * be told. */
bool file_system_among(int fd, const unsigned long *magics, size_t count);

#endif
