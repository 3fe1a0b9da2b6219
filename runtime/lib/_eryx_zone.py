"""time.tzset, which CPython leaves out on WASI. time.localtime and time.mktime look at TZ themselves
(runtime/wasi/zone.c)."""

import time
from time import localtime, time as now  # a program may replace those of the module

_YEAR = (365 * 24 + 6) * 3600


def tzset():
    """tzset()

Initialize, or reinitialize, the local timezone to the value stored in
os.environ['TZ']."""
    start = int(now()) // _YEAR * _YEAR
    winter, summer = localtime(start), localtime(start + _YEAR // 2)
    if winter.tm_gmtoff > summer.tm_gmtoff:
        winter, summer = summer, winter
    time.timezone, time.altzone = -winter.tm_gmtoff, -summer.tm_gmtoff
    time.daylight = int(winter.tm_gmtoff != summer.tm_gmtoff)
    time.tzname = winter.tm_zone, summer.tm_zone


def install():
    tzset.__module__ = "time"
    time.tzset = tzset
