/* JSON that is written piece by piece. */
#ifndef ERYX_PYTHON_JSON_TEXT_H
#define ERYX_PYTHON_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api.h"

struct json_text {
    char *data;
    size_t length, capacity;
    bool failed; /* out of memory: the rest is missing */
};

void json_add(struct json_text *text, const char *data, size_t length);
void json_literal(struct json_text *text, const char *literal);
/* The inside of a JSON string: at most `room` bytes of the str, before escaping. Returns how many;
 * 0, without an exception, if it is NULL or no str. */
size_t json_string(struct json_text *text, PyObject *string, size_t room);
/* At most 10 characters; returns how many. */
size_t json_decimal(char *to, uint32_t number);
void json_free(struct json_text *text);

#endif
