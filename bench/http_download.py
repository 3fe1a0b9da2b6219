"""A download by http.client, read in pieces of 64 KiB and thrown away, in the sandbox and natively:
prints microseconds, the best of the repetitions.

    http_download.py PORT PATH BYTES REPETITIONS
"""
import http.client
import sys
import time

port, path, size, repetitions = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
connection = http.client.HTTPConnection("127.0.0.1", port)


def download():
    connection.request("GET", path)
    response = connection.getresponse()
    total = 0
    while piece := response.read(65536):
        total += len(piece)
    return total


best = None
for _ in range(repetitions):
    start = time.perf_counter_ns()
    total = download()
    passed = (time.perf_counter_ns() - start) / 1e3
    best = passed if best is None else min(best, passed)
    if total != size:
        raise SystemExit(f"{total} bytes instead of {size}")
print(best)
