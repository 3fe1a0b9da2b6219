"""Reads a web server's access log on stdin, keeps it as JSON lines, and reports on it.

    eryx run --stdin examples/text_report.py < examples/data/access.log

Uses dataclasses, regular expressions, json, decimal, datetime with zoneinfo, pathlib and
tempfile: all of it works as in any other CPython, with files that live in the sandbox.
"""
import json
import re
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

LINE = re.compile(r'''
    (?P<address>\d{1,3}(?:\.\d{1,3}){3}) \s - \s - \s
    \[(?P<moment>[^\]]+)\] \s
    "(?P<method>[A-Z]+) \s (?P<path>[^ ?"]+)(?:\?(?P<query>[^ "]*))? \s HTTP/[\d.]+" \s
    (?P<status>\d{3}) \s (?P<size>\d+) \s (?P<seconds>\d+\.\d+)''', re.VERBOSE)
PRICE_PER_GB = Decimal('0.085')
SHOP = ZoneInfo('Europe/Berlin')


@dataclass(frozen=True)
class Request:
    address: str
    moment: datetime
    method: str
    path: str
    status: int
    size: int
    seconds: Decimal

    @classmethod
    def parse(cls, line):
        match = LINE.fullmatch(line)
        if match is None:
            return None
        return cls(match['address'], datetime.strptime(match['moment'], '%d/%b/%Y:%H:%M:%S %z'),
                   match['method'], match['path'], int(match['status']), int(match['size']),
                   Decimal(match['seconds']))

    def to_json(self):
        return json.dumps(asdict(self) | {'moment': self.moment.isoformat(), 'seconds': str(self.seconds)})

    @classmethod
    def from_json(cls, text):
        values = json.loads(text)
        return cls(**values | {'moment': datetime.fromisoformat(values['moment']),
                               'seconds': Decimal(values['seconds'])})


@dataclass
class Page:
    hits: int = 0
    bytes: int = 0
    times: list[Decimal] = field(default_factory=list)

    def add(self, request):
        self.hits += 1
        self.bytes += request.size
        self.times.append(request.seconds)

    def percentile(self, share):
        return sorted(self.times)[int(share * (len(self.times) - 1))]


def split_by_day(lines, folder):
    """One file of JSON lines for each local day; returns how many lines were no requests."""
    files, bad = {}, 0
    for line in lines:
        request = Request.parse(line.rstrip('\n'))
        if request is None:
            bad += 1
            continue
        day = request.moment.astimezone(SHOP).date()
        if day not in files:
            files[day] = (folder / f'{day}.jsonl').open('w')
        print(request.to_json(), file=files[day])
    for file in files.values():
        file.close()
    return bad


def report(folder, bad):
    pages, statuses, hours, visitors = defaultdict(Page), Counter(), Counter(), Counter()
    for path in sorted(folder.glob('*.jsonl')):
        requests = [Request.from_json(line) for line in path.read_text().splitlines()]
        first, last = requests[0].moment.astimezone(SHOP), requests[-1].moment.astimezone(SHOP)
        print(f'{path.stem}: {len(requests):5} requests, {first:%H:%M:%S %Z} to {last:%H:%M:%S %Z}, '
              f'UTC{first:%:z} to UTC{last:%:z}')
        for request in requests:
            pages[request.path].add(request)
            statuses[request.status] += 1
            hours[request.moment.astimezone(SHOP).hour] += 1
            visitors[request.address] += 1

    total = sum(page.bytes for page in pages.values())
    cost = (Decimal(total) / 10**9 * PRICE_PER_GB).quantize(Decimal('0.00001'), ROUND_HALF_UP)
    print(f'\n{sum(statuses.values()):,} requests of {len(visitors)} visitors, {bad} other lines, '
          f'{total:,} bytes, {cost} EUR')
    print('\npage                  hits      bytes   median      p95')
    for name, page in sorted(pages.items(), key=lambda item: -item[1].hits):
        print(f'{name:20} {page.hits:5} {page.bytes:10,} {page.percentile(0.5):7.3f}s {page.percentile(0.95):7.3f}s')
    print('\nstatus ', ', '.join(f'{status}: {n}' for status, n in sorted(statuses.items())))
    print('visitors', ', '.join(f'{address} ({n})' for address, n in visitors.most_common(3)))
    print('\nlocal hour')
    for hour, n in sorted(hours.items()):
        print(f'  {hour:02}  {n:4} {"#" * round(n / 4)}')


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    unreadable = split_by_day(sys.stdin, folder)
    if not any(folder.iterdir()):
        sys.exit('no requests on stdin')
    report(folder, unreadable)
print('\ntemporary files left:', Path(name).exists())
