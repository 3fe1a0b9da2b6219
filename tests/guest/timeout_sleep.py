# timeout: 1
import time

print('before', flush=True)
time.sleep(1000)
