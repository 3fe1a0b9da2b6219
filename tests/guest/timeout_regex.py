# timeout: 1
import re

print('before', flush=True)
re.match('(a+)+$', 'a' * 64 + 'b')
