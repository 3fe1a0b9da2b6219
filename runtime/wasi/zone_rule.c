/* The rules of TZ: std offset [dst [offset] [,start[/time],end[/time]]]. */
#include "zone.h"

#include <string.h>

#define DAY 86400

/* Days since 1970-01-01, of the proleptic Gregorian calendar. */
int64_t zone_days(int64_t year, int month)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t y = year - 1; /* whole years before this one */
    int64_t fours = y >= 0 ? y / 4 : (y - 3) / 4, hundreds = y >= 0 ? y / 100 : (y - 99) / 100;
    int64_t cycles = y >= 0 ? y / 400 : (y - 399) / 400;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return y * 365 + fours - hundreds + cycles - 719162 + before[month - 1] + (leap && month > 2);
}

/* The year of a time in UTC. */
static int64_t year_of(int64_t when)
{
    int64_t days = when / DAY - (when % DAY < 0);
    int64_t year = 1970 + days / 366; /* at most some years too near to 1970 */
    if (days < 0) {
        year = 1970 + days / 365 - 1;
    }
    for (int64_t step = INT64_C(1) << 40; step > 0; step >>= 1) {
        while (zone_days(year + step, 1) <= days) {
            year += step;
        }
    }
    return year;
}

/* --- Reading -------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool read_number(const char **at, int most, int *number)
{
    int value = 0;
    if (!is_digit(**at)) {
        return false;
    }
    while (is_digit(**at)) {
        value = value * 10 + (*(*at)++ - '0');
        if (value > most) {
            return false;
        }
    }
    *number = value;
    return true;
}

/* [+-]hours[:minutes[:seconds]] */
static bool read_time(const char **at, int hours_most, int32_t *seconds)
{
    int sign = **at == '-' ? -1 : 1, parts[3] = {0, 0, 0};
    *at += **at == '-' || **at == '+';
    if (!read_number(at, hours_most, &parts[0])) {
        return false;
    }
    for (int i = 1; i < 3 && **at == ':'; i++) {
        (*at)++;
        if (!read_number(at, 59, &parts[i])) {
            return false;
        }
    }
    *seconds = sign * (parts[0] * 3600 + parts[1] * 60 + parts[2]);
    return true;
}

static bool read_name(const char **at, char *name)
{
    bool quoted = **at == '<';
    const char *begin = *at += quoted;
    size_t length;
    while (is_letter(**at) || (quoted && (is_digit(**at) || **at == '+' || **at == '-'))) {
        (*at)++;
    }
    length = (size_t)(*at - begin);
    if (length < 3 || length > ZONE_NAME_MOST || (quoted && *(*at)++ != '>')) {
        return false;
    }
    memcpy(name, begin, length);
    name[length] = '\0';
    return true;
}

static bool read_date(const char **at, struct zone_date *date)
{
    bool good;
    if (*(*at)++ != ',') {
        return false;
    }
    if (**at == 'M') {
        (*at)++;
        date->kind = ZONE_WEEKDAY;
        good = read_number(at, 12, &date->month) && *(*at)++ == '.' &&
               read_number(at, 5, &date->week) && *(*at)++ == '.' &&
               read_number(at, 6, &date->day) && date->month >= 1 && date->week >= 1;
    } else if (**at == 'J') {
        (*at)++;
        date->kind = ZONE_JULIAN;
        good = read_number(at, 365, &date->day) && date->day >= 1;
    } else {
        date->kind = ZONE_ZERO_BASED;
        good = read_number(at, 365, &date->day);
    }
    date->time = 2 * 3600;
    if (good && **at == '/') {
        (*at)++;
        good = read_time(at, 167, &date->time);
    }
    return good;
}

bool zone_rule_parse(struct zone_rule *rule, const char *text)
{
    const char *at = text;
    memset(rule, 0, sizeof *rule);
    if (!read_name(&at, rule->names[0]) || !read_time(&at, 24, &rule->offsets[0])) {
        return false;
    }
    rule->offsets[0] = -rule->offsets[0];
    if (*at == '\0') {
        return true;
    }
    rule->has_summer = true;
    rule->offsets[1] = rule->offsets[0] + 3600;
    if (!read_name(&at, rule->names[1])) {
        return false;
    }
    if (*at != '\0' && *at != ',') {
        if (!read_time(&at, 24, &rule->offsets[1])) {
            return false;
        }
        rule->offsets[1] = -rule->offsets[1];
    }
    if (*at == '\0') {
        at = ",M3.2.0,M11.1.0"; /* as libc of other systems does: POSIX leaves it open */
    }
    return read_date(&at, &rule->begin) && read_date(&at, &rule->end) && *at == '\0';
}

/* --- Applying ------------------------------------------------------------------------------- */

/* When a date is in a year, in seconds of the local clock. */
static int64_t date_in(const struct zone_date *date, int64_t year)
{
    int64_t day = zone_days(year, 1);
    if (date->kind == ZONE_WEEKDAY) {
        int64_t first = zone_days(year, date->month);
        int64_t after =
            date->month == 12 ? zone_days(year + 1, 1) : zone_days(year, date->month + 1);
        int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
        day = first + ((date->day - weekday) % 7 + 7) % 7 + (date->week - 1) * 7;
        day -= day >= after ? 7 : 0;
    } else if (date->kind == ZONE_ZERO_BASED) {
        day += date->day;
    } else { /* 29 February is not counted */
        day += date->day - 1 + (date->day >= 60 && zone_days(year, 3) - day == 60);
    }
    return day * DAY + date->time;
}

struct zone_local zone_rule_at(const struct zone_rule *rule, int64_t when)
{
    bool summer = false;
    const int64_t farthest =
        INT64_C(70000000000000000); /* years of more than 31 bits are no dates */
    if (rule->has_summer && when > -farthest && when < farthest) {
        int64_t year = year_of(when + rule->offsets[0]);
        int64_t begin = date_in(&rule->begin, year) - rule->offsets[0];
        int64_t end = date_in(&rule->end, year) - rule->offsets[1];
        summer = begin < end ? when >= begin && when < end : when >= begin || when < end;
    }
    return (struct zone_local){rule->offsets[summer], summer, rule->names[summer]};
}
