# Writing stdout and stderr: text, bytes, flushing, big, replaced.
import io
import os
import sys

print('text ä 🐍', end='|', flush=True)
sys.stdout.write('written\n')
sys.stdout.flush()
sys.stdout.buffer.write(b'bytes \xff\x00 end\n')
sys.stdout.buffer.flush()
os.write(1, b'by descriptor\n')
print('a', 'b', sep='-')
print(sys.stdout.encoding, sys.stdout.isatty(), sys.stdout.fileno(), sys.stderr.fileno())
real, sys.stdout = sys.stdout, io.StringIO()
print('captured')
captured, sys.stdout = sys.stdout.getvalue(), real
print(repr(captured))
print('x' * 100_000)
try:
    print('\ud800')
except UnicodeEncodeError as error:
    print(error.reason)
print('error text', file=sys.stderr)
sys.stderr.write('surrogate \ud800\n')
os.write(2, b'descriptor 2\n')
print(open('/dev/null', 'w').write('gone') if os.path.exists('/dev/null') else 4)
sys.stdout.close()
try:
    print('closed')
except ValueError as error:
    print(error, file=sys.stderr)
