/* Colours a traceback line by line, with the colours that Python's own prompt uses: places magenta,
 * carets red, the exception's type bold. It reads the text only; what it does not know stays plain.
 */
#define _GNU_SOURCE
#include "paint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../streams.h"

#define RED "\033[1;31m"
#define MAGENTA "\033[35m"
#define BOLD_MAGENTA "\033[1;35m"
#define RESET "\033[0m"

bool paint_wanted(enum paint_mode mode)
{
    const char *no = getenv("NO_COLOR"), *force = getenv("FORCE_COLOR"), *term = getenv("TERM");
    if (mode != PAINT_AUTO)
        return mode == PAINT_ALWAYS;
    if (no && *no)
        return false;
    if (force && *force)
        return true;
    return isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
}

/* `  File "NAME", line N, in F`: the three in magenta. */
static bool place_line(FILE *out, const char *line, size_t length)
{
    const char *end = line + length;
    const char *start = memmem(line, length, "File \"", 6);
    if (!start || strspn(line, " |+-") < (size_t)(start - line))
        return false;
    const char *name = start + 5;
    const char *middle = memmem(name, (size_t)(end - name), "\", line ", 8);
    if (!middle)
        return false;
    const char *number = middle + 8;
    size_t digits = strspn(number, "0123456789");
    const char *rest = number + digits;
    fwrite(line, 1, (size_t)(name - line), out);
    fprintf(out, MAGENTA "%.*s" RESET "%.*s" MAGENTA "%.*s" RESET, (int)(middle + 1 - name), name,
            7, middle + 1, (int)digits, number);
    if (end - rest > 5 && memcmp(rest, ", in ", 5) == 0)
        fprintf(out, ", in " MAGENTA "%.*s" RESET "\n", (int)(end - rest - 5), rest + 5);
    else
        fprintf(out, "%.*s\n", (int)(end - rest), rest);
    return true;
}

static bool caret_line(FILE *out, const char *line, size_t length)
{
    size_t blank = strspn(line, " |");
    if (blank < 4 || blank + strspn(line + blank, "~^ ") < length || !memchr(line, '^', length))
        return false;
    fprintf(out, "%.*s" RED "%.*s" RESET "\n", (int)blank, line, (int)(length - blank),
            line + blank);
    return true;
}

/* `Type: message` or `Type`, at the beginning of a line. */
static bool exception_line(FILE *out, const char *line, size_t length)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.<>";
    size_t type = strspn(line, letters);
    type = type < length ? type : length;
    if (type == 0 || (type < length && line[type] != ':'))
        return false;
    fprintf(out, BOLD_MAGENTA "%.*s" RESET, (int)type, line);
    if (type < length)
        fprintf(out, ":" MAGENTA "%.*s" RESET, (int)(length - type - 1), line + type + 1);
    fputc('\n', out);
    return true;
}

static void paint_line(FILE *out, const char *line, size_t length)
{
    if (!place_line(out, line, length) && !caret_line(out, line, length) &&
        !exception_line(out, line, length))
        fprintf(out, "%.*s\n", (int)length, line);
}

void paint_traceback(const char *text, bool colour)
{
    char *painted = NULL;
    size_t length = 0;
    FILE *out = colour ? open_memstream(&painted, &length) : NULL;
    if (!out) {
        streams_write(STDERR_FILENO, text, strlen(text));
        return;
    }
    while (*text) {
        size_t line = strcspn(text, "\n");
        paint_line(out, text, line);
        text += line + (text[line] == '\n');
    }
    if (fclose(out) == 0)
        streams_write(STDERR_FILENO, painted, length);
    free(painted);
}
