/* A recursive descent over the text, of bounded depth. */
#include "base/json.h"

#include <string.h>

#define DEPTH_MAX 256

typedef struct reader {
    const char *at, *end;
} reader_t;

static void skip_space(reader_t *self) {
    while (self->at < self->end &&
           (*self->at == ' ' || *self->at == '\n' || *self->at == '\r' || *self->at == '\t'))
        self->at++;
}

static bool skip_char(reader_t *self, char wanted) {
    if (self->at >= self->end || *self->at != wanted)
        return false;
    self->at++;
    return true;
}

static bool skip_word(reader_t *self, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(self->end - self->at) < length || memcmp(self->at, word, length) != 0)
        return false;
    self->at += length;
    return true;
}

static bool skip_digits(reader_t *self) {
    const char *start = self->at;
    while (self->at < self->end && *self->at >= '0' && *self->at <= '9')
        self->at++;
    return self->at > start;
}

static bool skip_number(reader_t *self) {
    skip_char(self, '-');
    if (!skip_char(self, '0') && !skip_digits(self))
        return false;
    if (skip_char(self, '.') && !skip_digits(self))
        return false;
    if (skip_char(self, 'e') || skip_char(self, 'E')) {
        if (!skip_char(self, '-'))
            skip_char(self, '+');
        return skip_digits(self);
    }
    return true;
}

static bool skip_escape(reader_t *self) {
    if (self->at >= self->end)
        return false;
    char kind = *self->at++;
    if (kind != 'u')
        return kind && strchr("\"\\/bfnrt", kind);
    for (int i = 0; i < 4; i++, self->at++)
        if (self->at >= self->end || !memchr("0123456789abcdefABCDEF", *self->at, 22))
            return false;
    return true;
}

static bool skip_string(reader_t *self) {
    if (!skip_char(self, '"'))
        return false;
    while (self->at < self->end && (unsigned char)*self->at >= 0x20) {
        char next = *self->at++;
        if (next == '"')
            return true;
        if (next == '\\' && !skip_escape(self))
            return false;
    }
    return false;
}

static bool skip_value(reader_t *self, unsigned depth);

/* The members of an object or array after its opening bracket. */
static bool skip_members(reader_t *self, char close, unsigned depth) {
    skip_space(self);
    if (skip_char(self, close))
        return true;
    do {
        skip_space(self);
        if (close == '}') {
            if (!skip_string(self))
                return false;
            skip_space(self);
            if (!skip_char(self, ':'))
                return false;
        }
        if (!skip_value(self, depth))
            return false;
    } while (skip_char(self, ','));
    return skip_char(self, close);
}

static bool skip_value(reader_t *self, unsigned depth) {
    bool good;
    if (depth > DEPTH_MAX)
        return false;
    skip_space(self);
    if (skip_char(self, '{'))
        good = skip_members(self, '}', depth + 1);
    else if (skip_char(self, '['))
        good = skip_members(self, ']', depth + 1);
    else if (self->at < self->end && *self->at == '"')
        good = skip_string(self);
    else
        good = skip_word(self, "true") || skip_word(self, "false") || skip_word(self, "null") ||
               skip_number(self);
    skip_space(self);
    return good;
}

bool json_is_object(const char *text, size_t length, size_t *at) {
    reader_t reader = {text, text + length};
    skip_space(&reader);
    bool good = skip_char(&reader, '{') && skip_members(&reader, '}', 1);
    if (good)
        skip_space(&reader);
    if (at)
        *at = (size_t)(reader.at - text);
    return good && reader.at == reader.end;
}
