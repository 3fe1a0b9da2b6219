/* Values of options: durations, sizes, texts. Numbers are decimal with an optional
 * fraction; what strtod takes beyond that (hexadecimal, inf, nan, signs, spaces) is
 * refused, because a limit that was not meant must not be guessed. */
#include "values.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *suffix;
    double factor;
};

static const struct unit duration_units[] = {
    {"", 1e9},   {"s", 1e9},    {"ms", 1e6},   {"us", 1e3},
    {"m", 6e10}, {"min", 6e10}, {"h", 3.6e12}, {NULL, 0},
};

static const struct unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"K", 1024.0},
    {"KB", 1024.0},
    {"KiB", 1024.0},
    {"M", 1048576.0},
    {"MB", 1048576.0},
    {"MiB", 1048576.0},
    {"G", 1073741824.0},
    {"GB", 1073741824.0},
    {"GiB", 1073741824.0},
    {NULL, 0},
};

static bool parse(const char *text, const struct unit *units, double limit, uint64_t *value)
{
    size_t digits = strspn(text, "0123456789.");
    if (digits == 0 || digits > 24 || text[0] == '.' || strchr(text, '.') != strrchr(text, '.'))
        return false;
    const char *suffix = text + digits;
    while (units->suffix && strcmp(units->suffix, suffix) != 0)
        units++;
    if (!units->suffix)
        return false;
    double number = strtod(text, NULL) * units->factor;
    if (!(number < limit))
        return false;
    *value = (uint64_t)(number + 0.5);
    return true;
}

bool value_duration(const char *text, uint64_t *nanoseconds)
{
    if (strcmp(text, "none") == 0) {
        *nanoseconds = 0;
        return true;
    }
    /* 0 means "no limit" to the library: here it is a mistake, as "0.1ns" is. */
    return parse(text, duration_units, 1e18, nanoseconds) && *nanoseconds > 0;
}

bool value_size(const char *text, uint64_t *bytes)
{
    return parse(text, size_units, 9e18, bytes) && *bytes > 0;
}

bool value_count(const char *text, uint64_t max, uint64_t *count)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 19 || text[digits] != '\0')
        return false;
    *count = strtoull(text, NULL, 10);
    return *count <= max;
}

const char *value_duration_text(uint64_t nanoseconds, char *buffer, size_t capacity)
{
    if (nanoseconds >= 60 * UINT64_C(1000000000) && nanoseconds % UINT64_C(60000000000) == 0)
        snprintf(buffer, capacity, "%" PRIu64 " min", nanoseconds / UINT64_C(60000000000));
    else if (nanoseconds >= UINT64_C(1000000000))
        snprintf(buffer, capacity, "%g s", (double)nanoseconds / 1e9);
    else
        snprintf(buffer, capacity, "%g ms", (double)nanoseconds / 1e6);
    return buffer;
}

/* Bytes of the well-formed sequence at p (of at most left bytes), 0 if there is none. */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    size_t length = p[0] >= 0xC2 && p[0] <= 0xDF   ? 2
                    : p[0] >= 0xE0 && p[0] <= 0xEF ? 3
                    : p[0] >= 0xF0 && p[0] <= 0xF4 ? 4
                                                   : 0;
    if (length == 0 || length > left)
        return 0;
    unsigned low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
    unsigned high = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++) {
        if (p[i] < 0x80 || p[i] > 0xBF)
            return 0;
    }
    return length;
}

size_t value_utf8_prefix(const char *data, size_t length)
{
    size_t at = 0;
    while (at < length) {
        uint64_t word;
        if (length - at >= sizeof word) {
            memcpy(&word, data + at, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof word;
                continue;
            }
        }
        size_t step = utf8_sequence((const unsigned char *)data + at, length - at);
        if (step == 0)
            return at;
        at += step;
    }
    return length;
}
