/* Time zones: files of zones and rules, for zone.c. */
#ifndef ERYX_WASI_ZONE_H
#define ERYX_WASI_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct zone_local {
    int32_t offset; /* seconds east of UTC */
    bool summer;
    const char *name; /* until another zone is loaded */
};

/* --- Rules, as TZ has them --- */

enum { ZONE_NAME_MOST = 16 };

struct zone_date {
    enum { ZONE_JULIAN, ZONE_ZERO_BASED, ZONE_WEEKDAY } kind;
    int month, week, day;
    int32_t time; /* seconds of the local day */
};
struct zone_rule {
    char names[2][ZONE_NAME_MOST + 1]; /* winter, summer */
    int32_t offsets[2];
    bool has_summer;
    struct zone_date begin, end; /* of summer time */
};

/* false: the text is not of this form. */
bool zone_rule_parse(struct zone_rule *rule, const char *text);
struct zone_local zone_rule_at(const struct zone_rule *rule, int64_t when);

/* Days from 1970-01-01 to the first of a month, 1 to 12. */
int64_t zone_days(int64_t year, int month);

/* --- Files --- */

struct zone_file {
    unsigned char *data;        /* owned */
    const unsigned char *times; /* of transitions, 64-bit, big-endian, ascending */
    const unsigned char *kinds; /* a byte for each of these: an index into types */
    const unsigned char *types; /* 6 bytes each */
    const char *names;          /* ends with a zero */
    size_t count, type_count, name_bytes;
};

/* Reads a zone by its name, such as Europe/Berlin, or absolute path. Returns the rule for times after the last
 * transition, which may be empty, or NULL without such a zone. */
const char *zone_file_read(struct zone_file *file, const char *name);
void zone_file_free(struct zone_file *file);

/* What holds at a time; false after the last transition if a rule says that. */
bool zone_file_at(const struct zone_file *file, int64_t when, bool has_rule,
                  struct zone_local *local);

#endif
