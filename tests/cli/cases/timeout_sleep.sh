eryx run --timeout 0.3 -c 'import time; time.sleep(60)'
