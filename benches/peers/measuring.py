"""What the Python programs of the comparison share: the cases, and the clock of `src/lib.rs`."""

import json
import pathlib
import time

CASES = json.loads((pathlib.Path(__file__).parent / "cases.json").read_text())
CASES = {case["name"]: case for kind in CASES.values() for case in kind}


def median(run):
    run()
    start = time.perf_counter()
    run()
    each = max(time.perf_counter() - start, 1e-9)
    inner = min(max(int(0.010 / each), 1), 10_000)
    samples = min(max(int(0.5 / (each * inner)), 5), 50)
    times = []
    for _ in range(samples):
        start = time.perf_counter()
        for _ in range(inner):
            run()
        times.append((time.perf_counter() - start) / inner)
    return sorted(times)[len(times) // 2]
