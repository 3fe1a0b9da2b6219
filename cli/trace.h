/* The file of `eryx run --trace`: a line of JSON for each event of the program. */
#ifndef ERYX_CLI_TRACE_H
#define ERYX_CLI_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <eryx.h>

/* Traces go to path from now on; "-" is stderr. After limit bytes events are only counted. A
 * regular file is written beside path and takes its place in trace_finish; anything else (a pipe,
 * a device) gets each event at once. Prints its own message and returns false on failure. */
bool trace_begin(const char *path, uint64_t limit);

/* For eryx_sandbox_options_t. What cannot be written ends this process. */
void trace_on_event(void *env, uint32_t lineno, const char *event_json, size_t event_length,
                    const char *context_json, size_t context_length);

/* Writes what is left and puts the file in its place. Prints its own message and returns false on
 * failure. Does nothing if nothing was begun, as trace_abandon. */
bool trace_finish(void);

/* Removes the unfinished file: nothing will come of it. Any thread. */
void trace_abandon(void);

#endif
