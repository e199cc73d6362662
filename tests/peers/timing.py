"""What the timers share: arguments, one thread where asked for, the median of many steps, one JSON line."""

import argparse
import fcntl
import json
import os
import tempfile
import time


def arguments(libraries=(), **defaults):
    """Arguments of a timer. Limits this process to one core before any library can start threads."""
    parser = argparse.ArgumentParser()
    if libraries:
        parser.add_argument("library", choices=libraries)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=defaults.get("seconds", 10.0))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="PyTorch's name of where to compute: cpu or cuda")
    parsed = parser.parse_args()
    limit_threads(parsed.threads)
    return parsed


def limit_threads(threads):
    """At most `threads` cores and threads, for whatever is imported from here on."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[-threads:])
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)


def own_core():
    """One core and one thread, for whatever is imported from here on; another one than that of every other process that asks so."""
    limit_threads(1)
    for core in sorted(os.sched_getaffinity(0) | set(range(os.cpu_count()))):
        # Held open, and so locked, until the process ends.
        claim = open(os.path.join(tempfile.gettempdir(), f"turnkey-peer-core-{core}"), "w")
        try:
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.sched_setaffinity(0, {core})
        except OSError:
            claim.close()
            continue
        CLAIMS.append(claim)
        return


CLAIMS = []


def measure(step, seconds, warmup=10, **row):
    """Calls `step` for `seconds` and prints the row with the median and the 10th percentile of its time."""
    for _ in range(warmup):
        step()
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < 5:
        before = time.perf_counter()
        step()
        times.append((time.perf_counter() - before) * 1e3)
    times.sort()
    row |= {"median_ms": round(times[len(times) // 2], 4), "p10_ms": round(times[len(times) // 10], 4), "steps": len(times)}
    print(json.dumps(row), flush=True)
