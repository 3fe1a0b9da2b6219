# TZ: names of zones, rules, and what is neither; time.tzset.
import datetime
import os
import time

SUMMER, WINTER = 1751371200, 1736942400  # 2025-07-01 12:00 and 2025-01-15 12:00, UTC


def show(zone):
    if zone is None:
        os.environ.pop('TZ', None)
    else:
        os.environ['TZ'] = zone
    local = time.localtime(SUMMER)  # looks at TZ itself, without tzset
    time.tzset()
    print(repr(zone), time.tzname, time.timezone, time.altzone, time.daylight)
    print('  ', time.strftime('%Y-%m-%d %H:%M:%S %Z %z', local), local.tm_isdst,
          time.strftime('%H:%M %Z', time.localtime(WINTER)), datetime.datetime.fromtimestamp(SUMMER),
          datetime.datetime.fromtimestamp(WINTER).astimezone().isoformat())
    print('  ', [int(time.mktime(time.localtime(at))) - at for at in (SUMMER, WINTER)],
          int(time.mktime((2025, 7, 1, 12, 0, 0, 0, 0, -1))) - SUMMER)


for zone in ('Europe/Berlin', 'America/New_York', 'Asia/Kolkata', ':Australia/Lord_Howe', 'EST+05EDT,M3.2.0,M11.1.0',
             '<+0330>-3:30', 'XXX3YYY,J60/1,300/5', 'UTC', '', 'no/such', '../../etc/zone', 'CET-1CEST,M13.1.1,M1.1.1', None):
    show(zone)

# The hour that is shown twice, and the one that is not.
os.environ['TZ'] = 'Europe/Berlin'
print([int(time.mktime((2025, 10, 26, 2, 30, 0, 0, 0, summer))) for summer in (1, 0, -1)],
      time.ctime(time.mktime((2025, 3, 30, 2, 30, 0, 0, 0, -1))))
print(time.mktime((2025, 14, 1, 12, 0, 0, 0, 0, -1)) - time.mktime((2026, 2, 1, 12, 0, 0, 0, 0, -1)))
print(time.localtime(-3000000000)[:6], time.localtime(4102444800).tm_zone, time.localtime(10 ** 11)[:6])
for broken in 2 ** 62, -2 ** 62:
    try:
        print(time.localtime(broken))
    except (OverflowError, OSError) as error:
        print(type(error).__name__)

# A file that is no zone, or a cut one, is UTC.
data = open('/usr/share/zoneinfo/Europe/Berlin', 'rb').read()
for size in 0, 10, 44, 60, len(data) // 2, len(data) - 30, len(data):
    with open('/tmp/zone', 'wb') as file:
        file.write(data[:size])
    os.environ['TZ'] = ':/tmp/zone'
    print(size == len(data), time.localtime(SUMMER).tm_zone)
    os.environ['TZ'] = 'UTC'
    time.localtime()
