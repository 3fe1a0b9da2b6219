/* Local time. libc here has only UTC: these are its localtime_r and mktime, which look at TZ as POSIX tells
 * (IEEE 1003.1, "Other Environment Variables"): a name among the image's zones (zone_file.c, RFC 9636),
 * or a rule such as CET-1CEST,M3.5.0,M10.5.0/3 (zone_rule.c). A zone that is not known is UTC. */
#include "zone.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "wasi_internal.h"

#define DAY 86400

WASI_VISIBLE struct tm *localtime_r(const time_t *restrict when, struct tm *restrict result);
WASI_VISIBLE struct tm *localtime(const time_t *when);
WASI_VISIBLE time_t mktime(struct tm *fields);

static const struct zone_local utc = {0, false, "UTC"};

static struct {
    char *text; /* TZ that the rest was made of; NULL: none */
    bool has_file, has_rule;
    struct zone_file file;
    struct zone_rule rule;
} zone;

static void load(const char *text)
{
    const char *footer;
    zone_file_free(&zone.file);
    zone.has_rule = zone.has_file = false;
    if (text == NULL || *text == '\0') {
        return;
    }
    if (*text != ':' && zone_rule_parse(&zone.rule, text)) {
        zone.has_rule = true;
        return;
    }
    footer = zone_file_read(&zone.file, *text == ':' ? text + 1 : text);
    zone.has_file = footer != NULL;
    zone.has_rule = zone.has_file && zone_rule_parse(&zone.rule, footer);
}

/* Programs change TZ as they like, so it is looked at each time, as libc of other systems does. */
static void look(void)
{
    const char *text = getenv("TZ");
    if (text == zone.text || (text != NULL && zone.text != NULL && strcmp(text, zone.text) == 0)) {
        return;
    }
    free(zone.text);
    zone.text = text == NULL ? NULL : strdup(text);
    load(zone.text);
}

static struct zone_local at(int64_t when)
{
    struct zone_local result = utc;
    if (zone.has_file && zone_file_at(&zone.file, when, zone.has_rule, &result)) {
        return result;
    }
    return zone.has_rule ? zone_rule_at(&zone.rule, when) : result;
}

struct tm *localtime_r(const time_t *restrict when, struct tm *restrict result)
{
    struct zone_local local;
    time_t shifted;
    look();
    local = at(*when);
    if (__builtin_add_overflow(*when, local.offset, &shifted)) {
        errno = EOVERFLOW;
        return NULL;
    }
    if (gmtime_r(&shifted, result) == NULL) {
        return NULL;
    }
    result->tm_isdst = local.summer;
    result->tm_gmtoff = local.offset;
    result->tm_zone = local.name;
    return result;
}

struct tm *localtime(const time_t *when)
{
    static struct tm result;
    return localtime_r(when, &result);
}

/* Seconds since 1970 if the fields were UTC; they may be out of their ranges. */
static int64_t count_seconds(const struct tm *fields)
{
    int64_t month = fields->tm_mon, year = (int64_t)fields->tm_year + 1900;
    year += month / 12;
    month %= 12;
    if (month < 0) {
        month += 12;
        year--;
    }
    return (zone_days(year, (int)month + 1) + fields->tm_mday - 1) * DAY +
           fields->tm_hour * 3600LL + fields->tm_min * 60LL + fields->tm_sec;
}

/* The offset in winter or summer time that is in use nearest to a time; else `otherwise`. */
static int32_t offset_near(int64_t when, bool summer, int32_t otherwise)
{
    for (int quarter = 1; quarter <= 4; quarter++) {
        for (int side = -1; side <= 1; side += 2) {
            struct zone_local local = at(when + side * quarter * 91LL * DAY);
            if (local.summer == summer) {
                return local.offset;
            }
        }
    }
    return otherwise;
}

/* The time that a clock shows `shown` at. Twice a year there are two or none: tm_isdst decides, or
 * else what held before. */
static int64_t unlocal(int64_t shown, int summer)
{
    struct zone_local before = at(shown - DAY), after = at(shown + DAY);
    int64_t first = shown - before.offset, second = shown - after.offset;
    struct zone_local found[] = {at(first), at(second)};
    bool good[] = {found[0].offset == before.offset, found[1].offset == after.offset};
    int64_t result = good[0] || !good[1] ? first : second;
    if (summer < 0) {
        return result;
    }
    for (int i = 0; i < 2; i++) {
        if (good[i] && found[i].summer == (summer > 0)) {
            return i == 0 ? first : second;
        }
    }
    struct zone_local chosen = at(result);
    if (chosen.summer == (summer > 0)) {
        return result;
    }
    return shown - offset_near(result, summer > 0,
                               shown - result > INT32_MAX ? 0 : (int32_t)(shown - result));
}

time_t mktime(struct tm *fields)
{
    struct tm result;
    time_t when;
    look();
    when = (time_t)unlocal(count_seconds(fields), fields->tm_isdst);
    if (localtime_r(&when, &result) == NULL) {
        return -1;
    }
    *fields = result;
    return when;
}
