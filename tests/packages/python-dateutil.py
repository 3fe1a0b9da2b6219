from datetime import datetime, timezone

from dateutil import easter, parser, relativedelta, rrule, tz, utils

base = datetime(2024, 2, 29, 12, 30)
for text in ("Thu Sep 25 10:36:28 2003", "2003-09-25T10:49:41.5-03:00", "25 Sep 2003", "10h36m28.5s", "20030925T104941",
             "September of 1998", "3/4/05"):
    print(parser.parse(text, default=base))
print(parser.parse("1/2/2020", dayfirst=True).date(), parser.isoparse("2018-W05-3"))
try:
    parser.parse("no date at all")
except parser.ParserError as error:
    print(error)
delta = relativedelta.relativedelta
print(base + delta(years=1), base + delta(months=+1, weekday=relativedelta.FR(-1)), delta(datetime(2025, 1, 1), base))
print([d.date().isoformat() for d in rrule.rrule(rrule.MONTHLY, count=4, byweekday=rrule.MO(-1), dtstart=base)])
print(list(rrule.rrulestr("DTSTART:20200101T090000\nRRULE:FREQ=DAILY;INTERVAL=10;COUNT=3"))[-1])
print(easter.easter(2025), utils.default_tzinfo(base, tz.UTC).isoformat())
rome = tz.gettz("Europe/Rome")
print(datetime(2024, 7, 1, tzinfo=rome).utcoffset(), datetime(2024, 1, 1, tzinfo=rome).tzname(),
      tz.datetime_ambiguous(datetime(2024, 10, 27, 2, 30), rome),
      base.replace(tzinfo=timezone.utc).astimezone(rome).isoformat())
