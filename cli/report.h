/* Says how a program ended. */
#ifndef ERYX_CLI_REPORT_H
#define ERYX_CLI_REPORT_H

#include <eryx.h>

/* Messages and tracebacks on stderr, and the result, if one was asked for, on stdout. extra_ns: what
 * the program had beyond the time limit that its user gave. Returns the exit code for the process. */
int report_text(const eryx_outcome_t *outcome, const char *result_name, uint64_t extra_ns);

/* One JSON object on stdout, and the same exit code. */
int report_json(const eryx_outcome_t *outcome, const char *result_name, uint64_t extra_ns);

#endif
