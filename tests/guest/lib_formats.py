# File formats and tools: xml, email, urllib.parse, configparser, tomllib, argparse, logging, warnings, shlex.
import argparse
import ast
import configparser
import email
import email.message
import email.policy
import fnmatch
import html.parser
import http.cookies
import io
import ipaddress
import locale
import logging
import mimetypes
import pprint
import shlex
import sys
import tomllib
import urllib.parse
import warnings
import xml.dom.minidom
import xml.etree.ElementTree as ET
import xml.sax

root = ET.fromstring('<a x="1"><b>text</b><b y="ä">&lt;</b><c/></a>')
print(root.tag, root.attrib, [b.text for b in root.iter('b')], root.find("b[@y='ä']").text)
ET.SubElement(root, 'd').text = 'new & <shiny>'
print(ET.tostring(root, encoding='unicode'))
print(xml.dom.minidom.parseString('<r><x/></r>').toprettyxml(indent=' ').splitlines())
try:
    ET.fromstring('<a><b></a>')
except ET.ParseError as error:
    print(error)
bomb = '<!DOCTYPE x [' + '<!ENTITY a0 "ha">' + ''.join(
    f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)) + ']><x>&a11;</x>'
try:
    ET.fromstring(bomb)
except ET.ParseError as error:
    print('entity bomb refused')

message = email.message.EmailMessage()
message['Subject'] = 'Grüße'
message['From'] = 'a@example.invalid'
message.set_content('Körper')
message.add_attachment(b'\x00\x01', maintype='application', subtype='octet-stream', filename='x.bin')
parsed = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
print(parsed['subject'], parsed.get_body().get_content().strip(), [p.get_filename() for p in parsed.iter_attachments()])

url = urllib.parse.urlsplit('https://user:pw@host.invalid:8080/p/a?q=1&q=2&ä=%C3%B6#frag')
print(url.hostname, url.port, urllib.parse.parse_qs(url.query), url.fragment)
print(urllib.parse.quote('a b/ü?'), urllib.parse.unquote_plus('a+b%20c'), urllib.parse.urljoin('http://h/a/b', '../c'))
print(urllib.parse.urlencode({'a': [1, 2], 'b': 'x y'}, doseq=True))

config = configparser.ConfigParser()
config.read_string('[main]\nname = eryx\npath = %(name)s/bin\n[other]\nflag = yes\n')
print(config['main']['path'], config.getboolean('other', 'flag'), config.sections())
print(tomllib.loads('a = 1\n[t]\nd = 2024-01-02T03:04:05Z\nl = [1.5, "x"]\n'))
try:
    tomllib.loads('a = ')
except tomllib.TOMLDecodeError as error:
    print(error)

parser = argparse.ArgumentParser(prog='tool')
parser.add_argument('file', nargs='*')
parser.add_argument('-n', '--number', type=int, default=3, help='how many')
parser.add_argument('--flag', action='store_true')
print(parser.parse_args(['-n', '5', '--flag', 'a', 'b']))
print(parser.format_usage().strip())
stderr, sys.stderr = sys.stderr, io.StringIO()
try:
    parser.parse_args(['-n', 'x'])
except SystemExit as exit:
    print('exit', exit.code, sys.stderr.getvalue().splitlines()[-1])
finally:
    sys.stderr = stderr

stream = io.StringIO()
logging.basicConfig(stream=stream, format='%(levelname)s:%(name)s:%(lineno)d:%(message)s', level=logging.INFO)
logging.getLogger('app').info('started %s', 1)
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger('app.sub').exception('failed')
lines = stream.getvalue().splitlines()
print(lines[0].split(':')[-1], lines[1].split(':')[-1], lines[-1])

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    warnings.warn('old', DeprecationWarning)
    print(caught[0].category.__name__, caught[0].message)
with warnings.catch_warnings():
    warnings.simplefilter('error')
    try:
        warnings.warn('now an error')
    except UserWarning as warning:
        print(warning)

print(shlex.split("a 'b c' \"d\\\"e\""), shlex.quote("it's"), fnmatch.filter(['a.py', 'b.txt'], '*.py'))
print(ipaddress.ip_network('10.0.0.0/29').num_addresses, ipaddress.ip_address('::1').is_loopback)
print(mimetypes.guess_type('x.json'), http.cookies.SimpleCookie('a=1; b=2')['b'].value)
pprint.pprint({'list': list(range(20)), 'text': 'x' * 50, 'nested': {'a': [1, 2, {'b': None}]}}, width=60)
print(ast.literal_eval("{'a': [1, (2, 3)]}"), ast.unparse(ast.parse('x=1+2*3')), ast.dump(ast.parse('f(x)', mode='eval').body))


class Titles(html.parser.HTMLParser):
    def handle_starttag(self, tag, attrs):
        print('tag', tag, attrs)


Titles().feed('<p class="a">x<br/></p>')
print(locale.getlocale()[1] in (None, 'UTF-8', 'utf-8'), locale.setlocale(locale.LC_ALL, 'C'), sys.getfilesystemencoding())
