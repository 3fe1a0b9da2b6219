# Appended to each program of bench/programs, whose run() is the work: times it and reports.
import json as _json
import sys as _sys
import time as _time


def _report(name, repetitions):
    seconds = []
    checksum = run()  # noqa: F821 (the program's); also the warm-up
    for _ in range(repetitions):
        start = _time.perf_counter()
        again = run()  # noqa: F821
        seconds.append(_time.perf_counter() - start)
        if again != checksum:
            raise SystemExit(f"{name}: {again} after {checksum}")
    print("RESULT " + _json.dumps({"name": name, "seconds": min(seconds), "check": repr(checksum)}))


_report(_sys.argv[1], int(_sys.argv[2]))
