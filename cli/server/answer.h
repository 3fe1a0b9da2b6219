/* What came of a job, as JSON and as text for people and models. */
#ifndef ERYX_CLI_SERVER_ANSWER_H
#define ERYX_CLI_SERVER_ANSWER_H

#include <stddef.h>

#include <jansson.h>

#include "service.h"

/* A JSON string of bytes that may not be UTF-8: what is wrong becomes U+FFFD. New reference. */
json_t *answer_string(const char *data, size_t length);

/* The members of `eryx run --json`, and session_lost; new reference. For an execution that has an
 * outcome, whose status is not JOB_OK if somebody has stopped it. */
json_t *answer_object(const struct job *job);

/* The same as one text, of at most max bytes of what the program wrote: the middle is left out. New
 * reference of a JSON string. */
json_t *answer_text(const struct job *job, size_t max);

#endif
