#define _GNU_SOURCE
#include "package/lock.h"

#include <string.h>

#define HASH_MARK "--hash=sha256:"
#define INPUT_MARK "# requirements sha256:"

/* The text after the digits; NULL: there are not as many as a hash has. */
static const char *take_hash(const char *text, const char *end, lock_line_t *out) {
    size_t length = sizeof out->hash - 1;
    if ((size_t)(end - text) < length)
        return NULL;
    memcpy(out->hash, text, length);
    out->hash[length] = '\0';
    bool ends = text + length == end || text[length] == ' ';
    return ends && strspn(out->hash, "0123456789abcdef") == length ? text + length : NULL;
}

static lock_kind_t read_input(const char *text, const char *end, lock_line_t *out) {
    const char *name = take_hash(text, end, out);
    if (!name || name + 1 >= end || memchr(name, '\0', (size_t)(end - name)))
        return LOCK_DAMAGED;
    out->name = name + 1;
    out->name_length = (size_t)(end - out->name);
    return LOCK_INPUT;
}

static lock_kind_t read_package(const char *text, const char *end, lock_line_t *out) {
    const char *mark = memmem(text, (size_t)(end - text), HASH_MARK, strlen(HASH_MARK));
    return mark && take_hash(mark + strlen(HASH_MARK), end, out) ? LOCK_PACKAGE : LOCK_DAMAGED;
}

lock_kind_t lock_next(const char **at, const char *end, lock_line_t *out) {
    while (*at < end) {
        const char *line = *at, *line_end = memchr(line, '\n', (size_t)(end - line));
        if (!line_end)
            line_end = end;
        *at = line_end + (line_end < end);
        size_t mark = strlen(INPUT_MARK);
        if ((size_t)(line_end - line) >= mark && memcmp(line, INPUT_MARK, mark) == 0)
            return read_input(line + mark, line_end, out);
        if (line < line_end && *line != '#')
            return read_package(line, line_end, out);
    }
    return LOCK_END;
}
