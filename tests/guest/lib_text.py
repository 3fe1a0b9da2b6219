# Text: csv, json, re, string, textwrap, difflib, html, unicodedata, encodings, base64.
import base64
import codecs
import csv
import difflib
import html
import io
import json
import re
import string
import textwrap
import unicodedata

rows = list(csv.reader(io.StringIO('a,"b ""quoted""",c\r\n"multi\nline",,\n')))
print(rows)
out = io.StringIO()
writer = csv.DictWriter(out, ['name', 'n'], quoting=csv.QUOTE_NONNUMERIC)
writer.writeheader()
writer.writerow({'name': 'x, y', 'n': 1.5})
print(repr(out.getvalue()), csv.Sniffer().sniff('a;b;c\n1;2;3').delimiter)

value = {'a': [1, 2.5, None, True, 'ä"\n'], 'big': 10**30, 'nested': {'x': []}}
text = json.dumps(value, sort_keys=True)
print(text, json.loads(text) == value)
print(json.dumps(value['a'], ensure_ascii=False, indent=2))
for bad in ('{', '[1,]', '{"a" 1}', 'nul', '"\x01"'):
    try:
        json.loads(bad)
    except json.JSONDecodeError as error:
        print(error)
print(json.loads('[1e5, -0.0, 1E400, "\\ud83d\\ude00"]'), json.loads('1.10', parse_float=str))

print(re.findall(r'(?P<key>\w+)=(?P<value>"[^"]*"|\S+)', 'a=1 b="x y" ä=ö'))
print(re.sub(r'(\d+)', lambda match: str(int(match[1]) * 2), 'a1b22c333'))
print(re.split(r'\s*[,;]\s*', 'a , b;c'), re.fullmatch(r'(?i)HELLO', 'hello') is not None)
print(re.search(r'(?<=€)\d+(?=\.)', 'costs €42.50').group(), re.escape('a.b*c'))
print(re.match(r'(?P<y>\d{4})-(?P<m>\d\d)', '2024-06').groupdict())
print(re.compile(r'''
    ^\s* (\w+)   # word
    \s* : \s* (.*?) \s* $''', re.VERBOSE | re.MULTILINE).findall('a: 1\n b : two words \n'))
try:
    re.compile('(unclosed')
except re.error as error:
    print(error)

print(string.Template('$who likes ${what}').substitute(who='tim', what='kung pao'))
print('{0:>10}|{1:<8}|{2:^9}|{3:+.2e}|{4:#x}|{5:,}'.format('r', 'l', 'm', 12345.678, 255, 10**9))
print(f'{3.14159:.3f} {42:08b} {"x"!r:>5} {1/3:.1%} {1_000_000:_}')
print(textwrap.fill('the quick brown fox jumps over the lazy dog', 20))
print(textwrap.dedent('''
    a
      b
''').strip(), textwrap.shorten('hello wonderful world', 12))
print('\n'.join(difflib.unified_diff(['a', 'b', 'c'], ['a', 'x', 'c'], lineterm='')))
print(difflib.get_close_matches('appel', ['ape', 'apple', 'peach']))
print(html.escape('<a href="x">&</a>'), html.unescape('&lt;&eacute;&#x1F40D;'))

print(unicodedata.name('é'), unicodedata.normalize('NFD', 'é').encode(), unicodedata.category('€'))
print('ß'.upper(), 'İ'.lower().encode(), 'Straße'.casefold(), '１２'.isdigit(), int('１２'))
print('🐍'.encode('utf-16-le'), '🐍'.encode('unicode_escape'), len('👨‍👩‍👧'), 'héllo'[::-1])
for name in ('utf-8', 'utf-16', 'utf-32-be', 'latin-1', 'cp1252', 'cp437', 'iso8859-15', 'koi8-r',
             'shift_jis', 'euc_jp', 'gb18030', 'big5', 'utf-7', 'idna', 'punycode', 'rot13', 'hex'):
    try:
        info = codecs.lookup(name)
        print(info.name, end=' ')
    except LookupError as error:
        print(error, end=' ')
print()
print('€'.encode('cp1252'), 'ñ'.encode('ascii', 'xmlcharrefreplace'), b'\xff'.decode('utf-8', 'surrogateescape').encode('utf-8', 'surrogateescape'))
try:
    b'ab\xff'.decode()
except UnicodeDecodeError as error:
    print(error)
try:
    '\ud800'.encode()
except UnicodeEncodeError as error:
    print(error)
print(base64.b64encode(b'hello\xff'), base64.urlsafe_b64decode('_-8='), base64.b32encode(b'x'), base64.b85encode(b'hello'))
try:
    base64.b64decode('abc')
except ValueError as error:
    print(error)
