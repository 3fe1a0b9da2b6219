# datetime, zoneinfo, calendar, time formatting.
import calendar
import datetime
import time
import zoneinfo
from datetime import date, timedelta, timezone

moment = datetime.datetime(2024, 2, 29, 13, 45, 6, 789012)
print(moment.isoformat(), moment.strftime('%A %d %B %Y %H:%M:%S.%f %j %U %p'), moment.timetuple()[:6])
print(moment + timedelta(days=366, hours=-3), (date(2025, 1, 1) - moment.date()).days, moment.isocalendar())
print(datetime.datetime.strptime('03 Mar 2021 07:08 PM', '%d %b %Y %I:%M %p'), date.fromisoformat('2024-W05-3'))
print(datetime.datetime.fromisoformat('2024-01-02T03:04:05.678Z'), timedelta(seconds=98765.4321))
print(datetime.datetime.fromtimestamp(0, timezone.utc), datetime.datetime(2024, 1, 1, tzinfo=timezone.utc).timestamp())
print(datetime.datetime.fromtimestamp(2**33, timezone.utc), datetime.datetime.max, date.min)
for bad in ("date(2023, 2, 29)", "date.fromisoformat('nonsense')", "datetime.datetime.strptime('x', '%Y')",
            "date.max + timedelta(1)", "timedelta(days=10**10)", "moment < moment.astimezone(timezone.utc)"):
    try:
        print(eval(bad))
    except (ValueError, OverflowError, TypeError) as error:
        print(type(error).__name__, str(error)[:60])

berlin = zoneinfo.ZoneInfo('Europe/Berlin')
summer = datetime.datetime(2024, 7, 1, 12, tzinfo=berlin)
winter = datetime.datetime(2024, 1, 1, 12, tzinfo=berlin)
print(summer, winter.utcoffset(), summer.tzname(), summer.astimezone(zoneinfo.ZoneInfo('America/New_York')))
twice = datetime.datetime(2024, 10, 27, 2, 30, tzinfo=berlin)
print(twice.utcoffset(), twice.replace(fold=1).utcoffset(), (summer - winter).days)
print(datetime.datetime(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo('Asia/Kathmandu')).isoformat())
print(datetime.datetime(2500, 7, 1, tzinfo=zoneinfo.ZoneInfo('Australia/Sydney')).tzname(), len(zoneinfo.available_timezones()) > 400)
for bad in ('Nowhere/City', '../etc/passwd', '/etc/localtime', ''):
    try:
        zoneinfo.ZoneInfo(bad)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        print(type(error).__name__)

print(calendar.monthrange(2024, 2), calendar.isleap(1900), calendar.timegm((2024, 1, 1, 0, 0, 0)))
print(calendar.TextCalendar().formatmonth(2024, 2))
print(time.strftime('%Y-%m-%d', time.gmtime(86400)), time.gmtime(0).tm_wday, time.localtime(0)[:5])
print(time.mktime((2000, 1, 1, 0, 0, 0, 0, 1, 0)), time.asctime(time.gmtime(0)), time.tzname, time.timezone)
print(time.time() > 1_700_000_000, datetime.datetime.now().year >= 2024, time.time_ns() > 10**18)
