/* Values of options: durations, sizes, texts. */
#ifndef ERYX_CLI_VALUES_H
#define ERYX_CLI_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "10", "1.5s", "500ms", "2m", "1h" to nanoseconds; "none" to 0. */
bool value_duration(const char *text, uint64_t *nanoseconds);

/* "1048576", "256M", "1.5G", "64KiB" to bytes; suffixes are powers of 1024. */
bool value_size(const char *text, uint64_t *bytes);

/* "1000" to a number up to max. */
bool value_count(const char *text, uint64_t max, uint64_t *count);

/* Writes "1.5 s", "500 ms", "2 min" into buffer and returns it. */
const char *value_duration_text(uint64_t nanoseconds, char *buffer, size_t capacity);

/* Length of the longest prefix of data that is well-formed UTF-8 (RFC 3629). */
size_t value_utf8_prefix(const char *data, size_t length);

#endif
