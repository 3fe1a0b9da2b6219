"""Keep-alive GETs of 1 KiB by http.client in the sandbox and natively: prints microseconds of one, the
median.

    http_get.py http|https PORT COUNT [CAFILE]     the sandbox's trust comes from eryx run --tls-ca
"""
import http.client
import statistics
import sys
import time

scheme, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if scheme == "https":
    import ssl

    context = ssl.create_default_context(cafile=sys.argv[4] if len(sys.argv) > 4 else None)
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context)
else:
    connection = http.client.HTTPConnection("127.0.0.1", port)


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
