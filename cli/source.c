/* The program to run. Python source is UTF-8 here: a byte order mark is dropped, an
 * encoding declaration (PEP 263) that says something else is refused unless all
 * bytes are ASCII, and bytes that are not UTF-8 are reported with their place. */
#include "source.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "message.h"
#include "values.h"

#define SOURCE_MAX ((size_t)64 << 20)
enum { FIRST_CAPACITY = 64 << 10, ENCODING_MAX = 40 };

/* Reads fd to its end; hint is the expected size. */
static bool read_all(int fd, const char *name, size_t hint, struct source *out)
{
    size_t capacity = hint + 1 > FIRST_CAPACITY ? hint + 1 : FIRST_CAPACITY;
    size_t length = 0;
    char *memory = malloc(capacity);
    while (memory) {
        ssize_t got = read(fd, memory + length, capacity - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            message_error("cannot read %s: %s", name, strerror(errno));
            free(memory);
            return false;
        }
        if (got == 0)
            break;
        length += (size_t)got;
        if (length > SOURCE_MAX) {
            message_error("%s is larger than 64 MiB, the most a program may have", name);
            free(memory);
            return false;
        }
        if (length == capacity) {
            capacity *= 2;
            char *grown = realloc(memory, capacity);
            if (!grown)
                free(memory);
            memory = grown;
        }
    }
    if (!memory) {
        message_error("out of memory while reading %s", name);
        return false;
    }
    *out = (struct source){.name = name, .text = memory, .length = length, .memory = memory};
    return true;
}

/* Finds the encoding that a line declares, as PEP 263 defines it; "" if none. */
static void declared_encoding(const char *line, const char *end, char encoding[ENCODING_MAX])
{
    encoding[0] = 0;
    const char *p = line;
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\f'))
        p++;
    if (p == end || *p != '#')
        return;
    for (; end - p > 7; p++) {
        if (memcmp(p, "coding", 6) != 0 || (p[6] != ':' && p[6] != '='))
            continue;
        p += 7;
        while (p < end && (*p == ' ' || *p == '\t'))
            p++;
        size_t n = 0;
        while (p < end && (isalnum((unsigned char)*p) || strchr("-_.", *p)) && *p &&
               n + 1 < ENCODING_MAX)
            encoding[n++] = *p == '_' ? '-' : *p, p++;
        encoding[n] = 0;
        return;
    }
}

/* True for a line with nothing but white space and a comment. */
static bool line_is_blank(const char *line, const char *end)
{
    while (line < end && (*line == ' ' || *line == '\t' || *line == '\f' || *line == '\r'))
        line++;
    return line == end || *line == '#';
}

static bool encoding_is_utf8(const char *encoding)
{
    return encoding[0] == 0 || strcasecmp(encoding, "utf8") == 0 ||
           strcasecmp(encoding, "u8") == 0 || strncasecmp(encoding, "utf-8", 5) == 0;
}

static bool all_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] >= 0x80)
            return false;
    }
    return true;
}

/* A declaration counts in the first line, or in the second after a blank or comment. */
static bool check_encoding(const struct source *source)
{
    char encoding[ENCODING_MAX];
    const char *line = source->text, *end = source->text + source->length;
    for (int number = 1; number <= 2 && line < end; number++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = newline ? newline : end;
        declared_encoding(line, line_end, encoding);
        if (!encoding_is_utf8(encoding) && !all_ascii(source->text, source->length)) {
            message_error("%s, line %d, declares the encoding '%s', but programs must be UTF-8: "
                          "convert it, for example with iconv -f %s -t utf-8",
                          source->name, number, encoding, encoding);
            return false;
        }
        if (encoding[0] || !line_is_blank(line, line_end) || !newline)
            break;
        line = newline + 1;
    }
    return true;
}

static bool check_utf8(const struct source *source)
{
    size_t good = value_utf8_prefix(source->text, source->length);
    if (good == source->length)
        return true;
    size_t line = 1;
    for (size_t i = 0; i < good; i++)
        line += source->text[i] == '\n';
    size_t mark = source->memory ? (size_t)(source->text - source->memory) : 0;
    message_error("%s is not UTF-8: byte 0x%02X at offset %zu (line %zu)", source->name,
                  (unsigned)(unsigned char)source->text[good], good + mark, line);
    return false;
}

/* Drops the byte order mark and checks the text; frees it if that fails. */
static bool finish(struct source *source)
{
    if (source->length >= 3 && memcmp(source->text, "\xEF\xBB\xBF", 3) == 0) {
        source->text += 3;
        source->length -= 3;
    }
    if (check_encoding(source) && check_utf8(source))
        return true;
    source_free(source);
    return false;
}

bool source_from_file(const char *path, struct source *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        message_error("cannot open %s: %s", path, strerror(errno));
        return false;
    }
    struct stat status;
    bool done = false;
    if (fstat(fd, &status) != 0)
        message_error("cannot read %s: %s", path, strerror(errno));
    else if (S_ISDIR(status.st_mode))
        message_error("%s is a directory; name a Python file in it", path);
    else if (S_ISREG(status.st_mode) && (uint64_t)status.st_size > SOURCE_MAX)
        message_error("%s is larger than 64 MiB, the most a program may have", path);
    else
        done = read_all(fd, path, S_ISREG(status.st_mode) ? (size_t)status.st_size : 0, out);
    close(fd);
    return done && finish(out);
}

bool source_from_stdin(struct source *out)
{
    return read_all(STDIN_FILENO, "<stdin>", 0, out) && finish(out);
}

bool source_from_argument(const char *code, struct source *out)
{
    *out = (struct source){.name = "<string>", .text = code, .length = strlen(code)};
    return finish(out);
}

void source_free(struct source *source)
{
    free(source->memory);
    *source = (struct source){0};
}
