"""Keep-alive GETs of 1 KiB by http.client over TLS, in the sandbox and natively: prints microseconds of
one, the median.

    https_get.py PORT COUNT [CAFILE]     the sandbox's trust comes from eryx run --tls-ca
"""
import http.client
import ssl
import statistics
import sys
import time

port, count = int(sys.argv[1]), int(sys.argv[2])
context = ssl.create_default_context(cafile=sys.argv[3] if len(sys.argv) > 3 else None)
connection = http.client.HTTPSConnection("127.0.0.1", port, context=context)


def get():
    connection.request("GET", "/files/kilobyte")
    return connection.getresponse().read()


samples = []
for i in range(count + 100):
    start = time.perf_counter_ns()
    body = get()
    if i >= 100:
        samples.append((time.perf_counter_ns() - start) / 1e3)
    if len(body) != 1024:
        raise SystemExit(f"{len(body)} bytes instead of 1,024")
print(statistics.median(samples))
