# os._exit ends at once: no finally, no atexit.
import os

print('before', flush=True)
try:
    os._exit(7)
finally:
    print('never')
