/* One file out of a wheel (a zip archive). */
#ifndef LIBS_WHEEL_H
#define LIBS_WHEEL_H

#include "file.h"

/* Reads the member whose path ends with suffix, checking its CRC. Prints an error and returns
 * false if there is none, the archive is damaged, or the member is over max_bytes. */
bool wheel_read(const char *path, const char *suffix, size_t max_bytes, struct file_bytes *out);

#endif
