# Clocks and sleeping.
import time

start = time.monotonic()
time.sleep(0.05)
passed = time.monotonic() - start
print('slept', 0.045 <= passed < 5)
samples = [time.monotonic_ns() for _ in range(1000)]
print('monotonic', samples == sorted(samples), time.perf_counter() <= time.perf_counter())
start = time.process_time()
sum(range(100_000))
print('process time', 0 < time.process_time() - start < 60)
time.sleep(0)
try:
    time.sleep(-1)
except ValueError as error:
    print(error)
print(time.get_clock_info('monotonic').monotonic, time.clock_gettime(time.CLOCK_REALTIME) > 1.7e9)
